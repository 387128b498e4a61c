/* SPDX-License-Identifier: ISC */
/*
 * The line protocol, version 0.1: smtpd-tables(7), smtpd 7.6 and later.
 *
 * A line that can't be a request but has an id is answered with an error; one
 * without is logged and passed over, since smtpd waits for no answer to it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "instance.h"
#include "log.h"
#include "service.h"
#include "wire.h"

#define VERSION		"0.1"
#define LINE_SIZE_MAX	32768	/* smtpd's keys have 1,023 bytes at most */
#define FIELDS_MAX	8	/* table|version|time|name|op|service|id|key */
#define ID_MAX		256

/* The first smtpd whose keys of auth are as the client sent them. */
#define AUTH_MAJOR	7
#define AUTH_MINOR	9

static uint32_t	 registered;
static int	 is_registered;
static int	 skipping;		/* the rest of a line that is too long */
static int	 major, minor;		/* of smtpd; 0.0 until it is known */

/* Up to n fields; the last one holds all that is left. */
static size_t
split(const char *s, size_t len, struct table_column *fields, size_t n)
{
	const char	*end = s + len, *bar;
	size_t		 i = 0;

	for (;;) {
		bar = i + 1 < n ? memchr(s, '|', (size_t)(end - s)) : NULL;
		fields[i].data = s;
		fields[i].len = (size_t)((bar == NULL ? end : bar) - s);
		i++;
		if (bar == NULL)
			return i;
		s = bar + 1;
	}
}

static int
is(const struct table_column *field, const char *text)
{
	return field->len == strlen(text) &&
	    memcmp(field->data, text, field->len) == 0;
}

static void
register_services(void)
{
	struct buffer	*out = wire_output();
	char		 line[64];
	unsigned int	 i;

	registered = instance_services(instance_current());
	if ((registered & TABLE_AUTH) && major != 0 &&
	    (major < AUTH_MAJOR || (major == AUTH_MAJOR && minor < AUTH_MINOR))) {
		log_warnx("smtpd %d.%d changes passwords to lower case; "
		    "auth is not registered, it needs 7.9", major, minor);
		registered &= ~(uint32_t)TABLE_AUTH;
	}
	if (registered == 0)
		fatalx("nothing but auth is configured, which needs smtpd 7.9");
	for (i = 0; i < TABLE_NSERVICES; i++)
		if (registered & service_at(i)) {
			snprintf(line, sizeof(line), "register|%s\n",
			    service_name(service_at(i)));
			buffer_add(out, line, strlen(line));
		}
	buffer_add(out, "register|ready\n", 15);
	is_registered = 1;
}

static void
read_version(const struct table_column *value)
{
	char	 text[32];

	snprintf(text, sizeof(text), "%.*s", (int)value->len, value->data);
	if (sscanf(text, "%d.%d", &major, &minor) != 2)
		major = minor = 0;
}

static void
set_name(const struct table_column *value)
{
	char	 name[256];

	snprintf(name, sizeof(name), "%.*s", (int)value->len, value->data);
	if (strchr(name, '|') != NULL)
		fatalx("the table's name \"%s\" holds a `|', which parts the "
		    "fields of smtpd's requests; choose another", name);
	if (name[0] != '\0')
		request_table(name);
}

static void
config_line(const char *s, size_t len)
{
	struct table_column	 f[3];
	size_t			 n = split(s, len, f, 3);

	if (n == 2 && is(&f[1], "ready")) {
		if (!is_registered)
			register_services();
	} else if (n == 3 && is(&f[1], "smtpd-version"))
		read_version(&f[2]);
	else if (n == 3 && is(&f[1], "tablename"))
		set_name(&f[2]);
	else if (n == 3 && is(&f[1], "protocol") && !is(&f[2], VERSION))
		log_warnx("smtpd speaks version %s of the line protocol, "
		    "this program " VERSION,
		    wire_printable(f[2].data, f[2].len));
}

/* An operation that has no name can only be answered by its own word. */
static void
unknown_operation(const struct table_column *f, size_t n)
{
	struct buffer			*out = wire_output();
	const struct table_column	*id = n >= 7 ? &f[6] : &f[5];

	log_warnx("smtpd asks for the unknown operation \"%s\"",
	    wire_printable(f[4].data, f[4].len));
	if (id->len == 0 || id->len > ID_MAX)
		return;
	buffer_add(out, f[4].data, f[4].len);
	buffer_add(out, "-result|", 8);
	buffer_add(out, id->data, id->len);
	buffer_add(out, "|error|unknown operation\n", 25);
}

static void
ignore_line(size_t len)
{
	log_warnx("smtpd sent a line of %zu bytes that is no request; it is "
	    "passed over", len);
}

/* Sets id, service and key by their place; what is wrong is the refusal. */
static void
read_request(struct asked *asked, const struct table_column *f, size_t n)
{
	if (!is(&f[1], VERSION))
		asked->refused = "unknown version of the line protocol; "
		    "this program speaks " VERSION;
	if (asked->operation == TABLE_UPDATE) {
		asked->id = f[5];
		return;
	}
	asked->id = f[6];
	asked->service = service_parse(f[5].data, f[5].len);
	if (n == 8)
		asked->key = f[7];
	if (asked->refused != NULL)
		return;
	if (asked->service == 0)
		asked->refused = "unknown service";
	else if (asked->operation != TABLE_FETCH && n < 8)
		asked->refused = "malformed request: no key";
}

static void
table_line(const char *s, size_t len, int64_t now_ms)
{
	struct table_column	 f[FIELDS_MAX];
	struct asked		 asked = { .arrived_ms = now_ms };
	size_t			 n = split(s, len, f, FIELDS_MAX);
	int			 operation;

	if (n < 6) {
		ignore_line(len);
		return;
	}
	operation = operation_parse(f[4].data, f[4].len);
	if (operation == -1) {
		unknown_operation(f, n);
		return;
	}
	asked.operation = (enum table_operation)operation;
	if (asked.operation != TABLE_UPDATE && n < 7) {
		ignore_line(len);
		return;
	}
	read_request(&asked, f, n);
	if (asked.id.len == 0 || asked.id.len > ID_MAX)
		ignore_line(len);
	else
		request_begin(&asked);
}

/* A line that is too long, or the beginning of one: its id gets an error. */
static void
oversized(const char *s, size_t len, int64_t now_ms)
{
	struct table_column	 f[FIELDS_MAX];
	struct asked		 asked = { .arrived_ms = now_ms };
	int			 operation;

	if (split(s, len, f, FIELDS_MAX) == FIELDS_MAX && is(&f[0], "table") &&
	    (operation = operation_parse(f[4].data, f[4].len)) > 0 &&
	    f[6].len > 0 && f[6].len <= ID_MAX) {
		asked.operation = (enum table_operation)operation;
		asked.service = service_parse(f[5].data, f[5].len);
		asked.id = f[6];
		asked.refused = "the request is longer than 32768 bytes";
		request_begin(&asked);
	} else
		ignore_line(len);
}

static void
line(const char *s, size_t len, int64_t now_ms)
{
	if (len > LINE_SIZE_MAX)
		oversized(s, len, now_ms);
	else if (len >= 6 && memcmp(s, "table|", 6) == 0)
		table_line(s, len, now_ms);
	else if (len >= 7 && memcmp(s, "config|", 7) == 0)
		config_line(s, len);
	else
		ignore_line(len);
}

static size_t
line_input(const char *s, size_t len, int64_t now_ms)
{
	const char	*start = s, *end = s + len, *newline;

	while (s < end && (newline = memchr(s, '\n', (size_t)(end - s)))) {
		wire_last(newline + 1 == end);
		if (!skipping)
			line(s, (size_t)(newline - s), now_ms);
		skipping = 0;
		s = newline + 1;
	}
	if (!skipping && end - s > LINE_SIZE_MAX) {
		oversized(s, (size_t)(end - s), now_ms);
		skipping = 1;
	}
	return skipping ? len : (size_t)(s - start);
}

static void
line_answer(struct buffer *out, const struct table_request *rq,
    enum table_operation operation, enum result result, const char *text,
    size_t len)
{
	static const char *const said[] = { "|found", "|not-found", "|error" };
	const char		*name = operation_name(operation);
	const char		*word = said[result];

	if (operation == TABLE_UPDATE && result == RESULT_FOUND)
		word = "|ok";
	buffer_add(out, name, strlen(name));
	buffer_add(out, "-result|", 8);
	buffer_add(out, rq->memory + rq->subject.key.len + 1, rq->id_len);
	buffer_add(out, word, strlen(word));
	if (len > 0 && (result == RESULT_ERROR || operation == TABLE_LOOKUP ||
	    operation == TABLE_FETCH)) {
		buffer_add(out, "|", 1);
		buffer_add(out, text, len);
	}
	buffer_add(out, "\n", 1);
}

static void
line_reloaded(uint32_t services)
{
	if (is_registered && (services & ~registered & ~(uint32_t)TABLE_AUTH))
		log_warnx("services were added; smtpd asks for them only when "
		    "it is started again");
}

const struct wire_format wire_line = {
	.name = "line",
	.answers_to = STDOUT_FILENO,
	.input = line_input,
	.answer = line_answer,
	.reloaded = line_reloaded
};
