/* SPDX-License-Identifier: ISC */
/*
 * The line protocol 0.1 of smtpd 7.6 and later, as smtpd's table_proc.c
 * writes and reads it.
 */
#include <sys/time.h>

#include <inttypes.h>
#include <string.h>

#include "client.h"

#define VERSION		"0.1"
#define ID_LEN		8
#define ANSWER_MAX	(1024 * 1024)	/* smtpd has no bound */
#define HINT		" (programs for smtpd before 7.6 want -o)"

static void
add_config(struct session *s, const char *key, const char *value)
{
	text_add(&s->out, "config|", 7);
	text_add(&s->out, key, strlen(key));
	text_add(&s->out, "|", 1);
	text_add(&s->out, value, strlen(value));
	text_add(&s->out, "\n", 1);
}

/* The length of the first line, without its end; -1 if it's not whole. */
static ssize_t
line_length(struct session *s, const char *data, size_t len)
{
	const char	*end = memchr(data, '\n', len);

	if (end != NULL)
		return end - data;
	if (len > ANSWER_MAX)
		program_fail(s->program, "a line of over %d bytes: smtpd would "
		    "read on for ever", ANSWER_MAX);
	return -1;
}

/* One line of the handshake. */
static size_t
take_register(struct session *s, const char *line, size_t len)
{
	ssize_t			 n = line_length(s, line, len);
	enum table_service	 service;
	const char		*name = line + 9;

	if (n == -1)
		return 0;
	if (n < 9 || memcmp(line, "register|", 9) != 0)
		program_fail(s->program, "says \"%s\" instead of register|..."
		    HINT ": smtpd would exit", show_excerpt(line, (size_t)n));
	service = service_parse(name, (size_t)n - 9);
	if (service == 0 && (n != 14 || memcmp(name, "ready", 5) != 0))
		program_fail(s->program, "registers the unknown service \"%s\": "
		    "smtpd would exit", show_excerpt(name, (size_t)n - 9));
	if (service == 0 && s->registered == 0)
		program_fail(s->program, "registers no service: smtpd would "
		    "exit");
	s->registered |= service;
	s->ready = service == 0;
	return (size_t)n + 1;
}

static void
line_open(struct session *s)
{
	add_config(s, "smtpd-version", s->version);
	add_config(s, "protocol", VERSION);
	add_config(s, "tablename", s->program->name);
	text_add(&s->out, "config|ready\n", 13);
	while (!s->ready)
		session_talk(s, take_register);
}

/* What stands before the id: made once for all that is asked at a time. */
static void
make_stamp(struct session *s)
{
	struct timeval	 tv;
	int		 n;

	gettimeofday(&tv, NULL);
	text_room(&s->stamp, strlen(s->program->name) + 128);
	n = snprintf(s->stamp.data, s->stamp.size,
	    "table|" VERSION "|%lld.%06ld|%s|%s|%s%s", (long long)tv.tv_sec,
	    (long)tv.tv_usec, s->program->name, operation_name(s->operation),
	    s->service ? service_name(s->service) : "", s->service ? "|" : "");
	s->stamp.len = (size_t)n;
	s->stamp_ns = s->now_ns;
}

static void
write_id(char *to, uint32_t id)
{
	int	 i;

	for (i = ID_LEN - 1; i >= 0; i--, id >>= 4)
		to[i] = "0123456789abcdef"[id & 15];
}

static int
read_id(const char *from, uint32_t *id)
{
	int	 i;

	for (*id = 0, i = 0; i < ID_LEN; i++) {
		if (from[i] >= '0' && from[i] <= '9')
			*id = *id << 4 | (uint32_t)(from[i] - '0');
		else if (from[i] >= 'a' && from[i] <= 'f')
			*id = *id << 4 | (uint32_t)(from[i] - 'a' + 10);
		else
			return -1;
	}
	return 0;
}

static void
line_ask(struct session *s, uint64_t n, const struct slot *slot)
{
	char	*p;
	int	 keyed = s->operation == TABLE_CHECK ||
	    s->operation == TABLE_LOOKUP;

	if (s->stamp_ns != s->now_ns)
		make_stamp(s);
	text_room(&s->out, s->stamp.len + ID_LEN + slot->len + 2);
	p = s->out.data + s->out.len;
	memcpy(p, s->stamp.data, s->stamp.len);
	p += s->stamp.len;
	write_id(p, s->id + (uint32_t)n);
	p += ID_LEN;
	if (keyed) {
		*p++ = '|';
		memcpy(p, slot->key, slot->len);
		p += slot->len;
	}
	*p++ = '\n';
	s->out.len = (size_t)(p - s->out.data);
}

/* The question that an id stands for. */
static struct slot *
slot_of(struct session *s, const char *text)
{
	struct slot	*slot = NULL;
	uint32_t	 id, ahead;

	if (text[ID_LEN] == '|' && read_id(text, &id) == 0) {
		ahead = id - (s->id + (uint32_t)s->first);
		if (ahead < s->next - s->first)
			slot = &s->slots[(s->first + ahead) % s->window];
	}
	if (slot == NULL || slot->answered || slot->sent_ns == 0)
		program_fail(s->program, "answers the id \"%s\", which was not "
		    "asked: smtpd would exit",
		    show_excerpt(text, strcspn(text, "|\n")));
	return slot;
}

static int
starts(const char *s, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(s, with, strlen(with)) == 0;
}

/* As lax as smtpd: what follows `error' or a check's `found' is no matter. */
static void
take_result(struct session *s, struct slot *slot, const char *r, size_t len)
{
	int	 valued = s->operation == TABLE_LOOKUP ||
	    s->operation == TABLE_FETCH;

	if (starts(r, len, "error"))
		session_answer(s, slot, FAILED, r + 6,
		    starts(r, len, "error|") ? len - 6 : 0);
	else if (s->operation == TABLE_UPDATE && starts(r, len, "ok") && len == 2)
		session_answer(s, slot, FOUND, NULL, 0);
	else if (s->operation == TABLE_CHECK && starts(r, len, "found"))
		session_answer(s, slot, FOUND, NULL, 0);
	else if (s->operation != TABLE_UPDATE && len == 9 &&
	    starts(r, len, "not-found"))
		session_answer(s, slot, NOT_FOUND, NULL, 0);
	else if (valued && starts(r, len, "found|") && len > 6)
		session_answer(s, slot, FOUND, r + 6, len - 6);
	else if (valued && starts(r, len, "found|"))
		program_fail(s->program, "finds an empty value: smtpd would "
		    "exit");
	else
		program_fail(s->program, "answers %s with \"%s\": smtpd would "
		    "exit", operation_name(s->operation),
		    show_excerpt(r, len));
}

static size_t
line_take(struct session *s, const char *line, size_t len)
{
	const char	*name = operation_name(s->operation);
	size_t		 skip = strlen(name);
	ssize_t		 n = line_length(s, line, len);
	struct slot	*slot;

	if (n == -1)
		return 0;
	len = (size_t)n;
	if (!starts(line, len, name) ||
	    !starts(line + skip, len - skip, "-result|") ||
	    len - skip < 8 + ID_LEN + 1)
		program_fail(s->program, "says \"%s\" instead of %s-result|...:"
		    " smtpd would exit", show_excerpt(line, len), name);
	if (memchr(line, '\0', len) != NULL)
		program_fail(s->program, "a NUL in an answer: smtpd would cut "
		    "it there");
	skip += 8;
	slot = slot_of(s, line + skip);
	skip += ID_LEN + 1;
	take_result(s, slot, line + skip, len - skip);
	return len + 1;
}

static void
line_close(struct session *s)
{
	(void)s;
}

const struct wire wire_line = {
	.stdout_too = 1,
	.one_line = 1,
	.hint = HINT,
	.open = line_open,
	.ask = line_ask,
	.take = line_take,
	.close = line_close
};
