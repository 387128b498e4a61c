/* SPDX-License-Identifier: ISC */
/*
 * The imsg protocol, version 2: smtpd 6.0 to 7.5.  Frames carry no id, so
 * answers leave in the order of the requests.  A frame that is not one ends
 * the program, since no later one can be found; odd contents get an error.
 */
#include <sys/types.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "log.h"
#include "main.h"
#include "service.h"
#include "value.h"
#include "wire.h"

#define VERSION		2
#define FRAME_MAX	16384
#define NAME_SIZE	2048

enum type { OK, FAIL, OPEN, CLOSE, UPDATE, CHECK, LOOKUP, FETCH };

struct header {
	uint32_t	 type;
	uint16_t	 len;		/* of the frame, this header included */
	uint16_t	 flags;
	uint32_t	 peerid;
	uint32_t	 pid;
};

/* The place of an answer in the order of arrival. */
struct slot {
	struct slot	*next, *prev;
	int		 answered;
	struct buffer	 frame;		/* waits for those before it */
};

static struct slot	*slots;
static int		 is_open;

/* What is left of a payload. */
struct payload {
	const char	*data;
	size_t		 len;
};

static int
get(struct payload *p, void *dst, size_t len)
{
	if (p->len < len)
		return -1;
	memcpy(dst, p->data, len);
	p->data += len;
	p->len -= len;
	return 0;
}

static int
get_string(struct payload *p, struct table_column *s)
{
	const char	*nul = p->len > 0 ? memchr(p->data, '\0', p->len) : NULL;

	if (nul == NULL)
		return -1;
	s->data = p->data;
	s->len = (size_t)(nul - p->data);
	p->data += s->len + 1;
	p->len -= s->len + 1;
	return 0;
}

/* A frame whose payload is the result, and with it the value and its NUL. */
static void
put_answer(struct buffer *out, int result, const char *value, size_t len)
{
	struct header	 h;
	size_t		 value_len = value == NULL ? 0 : len + 1;

	memset(&h, 0, sizeof(h));
	h.type = OK;
	h.len = (uint16_t)(sizeof(h) + sizeof(result) + value_len);
	h.pid = (uint32_t)getpid();
	buffer_add(out, &h, sizeof(h));
	buffer_add(out, &result, sizeof(result));
	if (value != NULL) {
		buffer_add(out, value, len);
		buffer_add(out, "", 1);
	}
}

static void
put_opened(struct buffer *out)
{
	struct header	 h = { .type = OK, .len = sizeof(h) };

	h.pid = (uint32_t)getpid();
	buffer_add(out, &h, sizeof(h));
}

static void
open_frame(struct payload *p)
{
	uint32_t	 version;
	char		 name[NAME_SIZE];

	if (is_open)
		fatalx("smtpd sent a second imsg OPEN");
	if (get(p, &version, sizeof(version)) == -1 ||
	    get(p, name, sizeof(name)) == -1 || p->len != 0)
		fatalx("smtpd sent an imsg OPEN of an unknown size");
	if (version != VERSION)
		fatalx("smtpd speaks version %u of the imsg table protocol; "
		    "this program speaks imsg 2 (smtpd 6.0 to 7.5) and lines "
		    "0.1 (smtpd 7.6 on)", version);
	name[sizeof(name) - 1] = '\0';
	if (name[0] != '\0')
		request_table(name);
	is_open = 1;
	put_opened(wire_output());
}

/* Service, parameters (none in practice) and, but for FETCH, the key. */
static void
read_request(struct asked *asked, struct payload *p)
{
	struct table_column	 skipped;
	size_t			 n = 0;
	int			 service = 0, bad;

	bad = get(p, &service, sizeof(service)) == -1 ||
	    get(p, &n, sizeof(n)) == -1;
	for (; !bad && n > 0; n--)
		bad = get_string(p, &skipped) == -1 ||
		    get_string(p, &skipped) == -1;
	if (!bad && asked->operation != TABLE_FETCH)
		bad = get_string(p, &asked->key) == -1;
	if (service_name((enum table_service)service) != NULL)
		asked->service = (enum table_service)service;
	if (bad || p->len != 0)
		asked->refused = "malformed imsg request";
	else if (asked->service == 0)
		asked->refused = "unknown service";
}

static void
request_frame(enum table_operation operation, struct payload *p, int64_t now)
{
	struct asked	 asked = { .operation = operation, .arrived_ms = now };
	struct slot	*slot;

	if (!is_open)
		fatalx("smtpd sent an imsg request before OPEN");
	if ((slot = calloc(1, sizeof(*slot))) == NULL)
		fatal("imsg request");
	DL_APPEND(slots, slot);
	asked.slot = slot;
	if (operation != TABLE_UPDATE)
		read_request(&asked, p);
	request_begin(&asked);
}

static void
frame(uint32_t type, struct payload *p, int64_t now)
{
	switch (type) {
	case OPEN:
		open_frame(p);
		break;
	case UPDATE:
		request_frame(TABLE_UPDATE, p, now);
		break;
	case CHECK:
		request_frame(TABLE_CHECK, p, now);
		break;
	case LOOKUP:
		request_frame(TABLE_LOOKUP, p, now);
		break;
	case FETCH:
		request_frame(TABLE_FETCH, p, now);
		break;
	case CLOSE:
		log_debug("smtpd closes the table");
		main_exit();
	default:
		fatalx("smtpd sent an imsg frame of the unknown type %u", type);
	}
}

static size_t
imsg_input(const char *s, size_t len, int64_t now)
{
	struct header	 h;
	struct payload	 p;
	size_t		 used = 0;

	while (len - used >= sizeof(h)) {
		memcpy(&h, s + used, sizeof(h));
		if (h.len < sizeof(h) || h.len > FRAME_MAX)
			fatalx("smtpd sent an imsg frame of %u bytes, where "
			    "16 to 16384 can be", h.len);
		if (len - used < h.len)
			break;
		p.data = s + used + sizeof(h);
		p.len = h.len - sizeof(h);
		used += h.len;
		wire_last(used == len);
		frame(h.type, &p, now);
	}
	return used;
}

/* Lets go of the answers that nothing stands in front of any more. */
static void
send_ready(struct buffer *out)
{
	struct slot	*slot;

	while ((slot = slots) != NULL && slot->answered) {
		DL_DELETE(slots, slot);
		buffer_add(out, buffer_bytes(&slot->frame),
		    buffer_len(&slot->frame));
		value_wipe(slot->frame.data, slot->frame.size);
		buffer_free(&slot->frame);
		free(slot);
	}
}

static void
imsg_answer(struct buffer *out, const struct table_request *rq,
    enum table_operation operation, enum result result, const char *text,
    size_t len)
{
	static const int	 said[] = { 1, 0, -1 };
	struct slot		*slot = rq->slot;

	if (result != RESULT_FOUND ||
	    (operation != TABLE_LOOKUP && operation != TABLE_FETCH))
		text = NULL;
	/* Alone, which is the rule with smtpd: no copy. */
	if (slot == slots) {
		DL_DELETE(slots, slot);
		free(slot);
		put_answer(out, said[result], text, len);
		send_ready(out);
		return;
	}
	put_answer(&slot->frame, said[result], text, len);
	slot->answered = 1;
}

/* Every service is asked for always: there is nothing to tell. */
static void
imsg_reloaded(uint32_t services)
{
	(void)services;
}

const struct wire_format wire_imsg = {
	.name = "imsg",
	.answers_to = STDIN_FILENO,
	.input = imsg_input,
	.answer = imsg_answer,
	.reloaded = imsg_reloaded
};
