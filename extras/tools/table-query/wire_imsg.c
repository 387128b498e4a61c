/* SPDX-License-Identifier: ISC */
/*
 * The imsg protocol, version 2, of smtpd before 7.6.  Frames in the machine's
 * own byte order, without ids: answers come in the order of the questions.
 */
#include <string.h>
#include <unistd.h>

#include "client.h"

#define VERSION		2
#define FRAME_MAX	16384
#define HINT		" (programs for smtpd from 7.6 on want no -o)"

enum frame_type {
	FRAME_OK, FRAME_FAIL, FRAME_OPEN, FRAME_CLOSE,
	FRAME_UPDATE, FRAME_CHECK, FRAME_LOOKUP, FRAME_FETCH
};

struct header {
	uint32_t	 type;
	uint16_t	 len, flags;	/* len with the header */
	uint32_t	 peerid, pid;
};

struct open {
	uint32_t	 version;
	char		 name[NAME_SIZE];
};

static void
add_header(struct session *s, enum frame_type type, size_t payload)
{
	struct header	 h;

	memset(&h, 0, sizeof(h));
	h.type = type;
	h.len = (uint16_t)(sizeof(h) + payload);
	h.pid = (uint32_t)getpid();
	text_add(&s->out, &h, sizeof(h));
}

/* The payload of the frame at data: its length, -1 if it's not whole. */
static ssize_t
frame_length(struct session *s, const char *data, size_t len)
{
	struct header	 h;

	if (len < sizeof(h))
		return -1;
	memcpy(&h, data, sizeof(h));
	if (h.len < sizeof(h) || h.len > FRAME_MAX)
		program_fail(s->program, "a frame of %u bytes" HINT ": smtpd "
		    "would exit", (unsigned int)h.len);
	if (len < h.len)
		return -1;
	if (h.type != FRAME_OK)
		program_fail(s->program, "a frame of type %u, where %u is due: "
		    "smtpd would exit", (unsigned int)h.type, FRAME_OK);
	return (ssize_t)(h.len - sizeof(h));
}

static size_t
take_opened(struct session *s, const char *data, size_t len)
{
	ssize_t	 n = frame_length(s, data, len);

	if (n > 0)
		program_fail(s->program, "answers OPEN with %zd bytes, where 0 "
		    "are due: smtpd would exit", n);
	return n == -1 ? 0 : sizeof(struct header);
}

static void
imsg_open(struct session *s)
{
	struct open	 o;

	memset(&o, 0, sizeof(o));
	o.version = VERSION;
	memcpy(o.name, s->program->name, strlen(s->program->name));
	add_header(s, FRAME_OPEN, sizeof(o));
	text_add(&s->out, &o, sizeof(o));
	session_talk(s, take_opened);
	s->ready = 1;
}

static enum frame_type
frame_of(enum table_operation operation)
{
	switch (operation) {
	case TABLE_CHECK:
		return FRAME_CHECK;
	case TABLE_LOOKUP:
		return FRAME_LOOKUP;
	case TABLE_FETCH:
		return FRAME_FETCH;
	default:
		return FRAME_UPDATE;
	}
}

static void
imsg_ask(struct session *s, uint64_t n, const struct slot *slot)
{
	enum frame_type	 type = frame_of(s->operation);
	int		 service = (int)s->service;
	size_t		 params = 0;
	size_t		 key = type == FRAME_FETCH ? 0 : slot->len + 1;

	(void)n;
	if (type == FRAME_UPDATE) {
		add_header(s, type, 0);
		return;
	}
	add_header(s, type, sizeof(service) + sizeof(params) + key);
	text_add(&s->out, &service, sizeof(service));
	text_add(&s->out, &params, sizeof(params));
	text_add(&s->out, slot->key, key);
}

/* The oldest question without an answer. */
static struct slot *
slot_due(struct session *s)
{
	struct slot	*slot;

	if (s->due < s->first)
		s->due = s->first;
	while (s->due < s->next) {
		slot = &s->slots[s->due++ % s->window];
		if (!slot->answered)
			return slot;
	}
	program_fail(s->program, "a frame that was not asked for: smtpd would "
	    "exit");
}

/* Whether a value follows; anything else must not. */
static void
take_result(struct session *s, struct slot *slot, int r, const char *value,
    size_t len)
{
	int	 valued = r == 1 && (s->operation == TABLE_LOOKUP ||
	    s->operation == TABLE_FETCH);

	if (r < -1 || r > 1)
		program_fail(s->program, "answers with the number %d: smtpd "
		    "would misread it", r);
	if (valued && len == 0)
		program_fail(s->program, "finds no value: smtpd would exit");
	if (valued && value[len - 1] != '\0')
		program_fail(s->program, "a value that no NUL ends: smtpd would "
		    "exit");
	if (!valued && len > 0)
		program_fail(s->program, "an answer that is %zu bytes too long: "
		    "smtpd would exit", len);
	if (s->operation == TABLE_UPDATE && r == 0)
		r = -1;
	session_answer(s, slot, r == 1 ? FOUND : r == 0 ? NOT_FOUND : FAILED,
	    value, valued ? strlen(value) : 0);
}

static size_t
imsg_take(struct session *s, const char *data, size_t len)
{
	ssize_t	 n = frame_length(s, data, len);
	int	 r;

	if (n == -1)
		return 0;
	data += sizeof(struct header);
	if ((size_t)n < sizeof(r))
		program_fail(s->program, "an answer of %zd bytes, where %zu are "
		    "due: smtpd would exit", n, sizeof(r));
	memcpy(&r, data, sizeof(r));
	take_result(s, slot_due(s), r, data + sizeof(r),
	    (size_t)n - sizeof(r));
	return sizeof(struct header) + (size_t)n;
}

static void
imsg_close(struct session *s)
{
	add_header(s, FRAME_CLOSE, 0);
}

const struct wire wire_imsg = {
	.hint = HINT,
	.open = imsg_open,
	.ask = imsg_ask,
	.take = imsg_take,
	.close = imsg_close
};
