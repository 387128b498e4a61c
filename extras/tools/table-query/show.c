/* SPDX-License-Identifier: ISC */
#include <err.h>
#include <string.h>

#include "client.h"

#define EXCERPT_LEN	80

const char *
show_outcome(enum outcome outcome)
{
	static const char *const	 names[] = {
		[FOUND] = "found",
		[NOT_FOUND] = "not-found",
		[FAILED] = "error"
	};

	return names[outcome];
}

/* Writes one byte that may be a control character; its length. */
static size_t
escape(char to[5], unsigned char c)
{
	static const char	 hex[] = "0123456789abcdef";
	const char		*letter = memchr("\tt\nn\rr", c, 6);

	if (c >= ' ' && c != 0x7f) {
		to[0] = (char)c;
		return 1;
	}
	to[0] = '\\';
	if (letter != NULL) {
		to[1] = letter[1];
		return 2;
	}
	to[1] = 'x';
	to[2] = hex[c >> 4];
	to[3] = hex[c & 15];
	return 4;
}

const char *
show_excerpt(const char *s, size_t len)
{
	static char	 text[EXCERPT_LEN + 8];
	size_t		 n = 0;

	for (; len > 0 && n < EXCERPT_LEN; s++, len--)
		n += escape(text + n, (unsigned char)*s);
	memcpy(text + n, "...", 4);
	if (len == 0)
		text[n] = '\0';
	return text;
}

void
show_text(FILE *f, const char *s, size_t len)
{
	char	 c[5];
	size_t	 i;

	for (i = 0; i < len; i++)
		fwrite(c, 1, escape(c, (unsigned char)s[i]), f);
}

/* What of a key may be shown: of a login and a password not the password. */
static size_t
shown_len(const struct session *s, const struct slot *slot)
{
	const char	*colon;

	if (!service_key_is_secret(s->service))
		return slot->len;
	colon = memchr(slot->key, ':', slot->len);
	return colon != NULL ? (size_t)(colon - slot->key) + 1 : 0;
}

static void
show_key(FILE *f, const struct session *s, const struct slot *slot)
{
	size_t	 len = shown_len(s, slot);

	show_text(f, slot->key, len);
	if (service_key_is_secret(s->service))
		fputs("********", f);
}

static void
json_field(const char *name, const char *value, size_t len)
{
	printf(",\"%s\":", name);
	show_json(stdout, value, len);
}

static void
json_key(const struct session *s, const struct slot *slot)
{
	struct text	 t = { NULL, 0, 0 };

	text_add(&t, slot->key, shown_len(s, slot));
	if (service_key_is_secret(s->service))
		text_add(&t, "********", 8);
	json_field("key", t.data, t.len);
	text_free(&t);
}

static int
is_keyed(const struct session *s)
{
	return s->operation == TABLE_CHECK || s->operation == TABLE_LOOKUP;
}

static int
is_valued(const struct session *s)
{
	return s->operation == TABLE_LOOKUP || s->operation == TABLE_FETCH;
}

static void
show_object(const struct session *s, const struct slot *slot,
    const char *refused, int taken)
{
	const char	*operation = operation_name(s->operation);
	const char	*service = service_name(s->service);

	fputs("{\"table\":", stdout);
	show_json(stdout, s->program->name, strlen(s->program->name));
	json_field("operation", operation, strlen(operation));
	if (service != NULL)
		json_field("service", service, strlen(service));
	if (is_keyed(s))
		json_key(s, slot);
	printf(",\"result\":\"%s\"", s->operation == TABLE_UPDATE &&
	    slot->outcome == FOUND ? "ok" : show_outcome(slot->outcome));
	if (slot->outcome == FAILED)
		json_field("error", slot->value.data, slot->value.len);
	else if (slot->outcome == FOUND && is_valued(s))
		json_field("value", slot->value.data, slot->value.len);
	if (refused != NULL)
		json_field("refused", refused, strlen(refused));
	if (taken)
		fputs(",\"taken\":true", stdout);
	printf(",\"ms\":%.3f}\n", (double)slot->took_ns / 1e6);
}

/* A line for each of many keys: key, result, value or reason. */
static void
show_columns(const struct session *s, const struct slot *slot)
{
	show_key(stdout, s, slot);
	printf("\t%s", show_outcome(slot->outcome));
	if (slot->value.len > 0) {
		putchar('\t');
		show_text(stdout, slot->value.data, slot->value.len);
	}
	putchar('\n');
}

/* One key: only what is found goes to standard output. */
static void
show_single(const struct session *s, const struct slot *slot)
{
	FILE	*f = slot->outcome == FOUND ? stdout : stderr;

	if (slot->outcome == FOUND && is_valued(s))
		show_text(f, slot->value.data, slot->value.len);
	else
		fputs(slot->outcome == FOUND && s->operation == TABLE_UPDATE ?
		    "ok" : show_outcome(slot->outcome), f);
	if (slot->outcome == FAILED && slot->value.len > 0) {
		fputs(": ", f);
		show_text(f, slot->value.data, slot->value.len);
	}
	putc('\n', f);
}

/* smtpd takes a value that it can't read for an error. */
static void
complain(const struct session *s, const struct slot *slot, const char *refused)
{
	fflush(stdout);
	progress_clear();
	fprintf(stderr, "table-query: %s: ", s->program->name);
	if (is_keyed(s)) {
		show_key(stderr, s, slot);
		fputs(": ", stderr);
	}
	fprintf(stderr, "smtpd can't take this value: %s\n", refused);
}

void
show_answer(void *arg, struct session *s, struct slot *slot)
{
	struct show	*show = arg;
	const char	*refused = NULL;
	enum outcome	 outcome = slot->outcome;
	int		 taken;

	if (outcome == FOUND && is_valued(s) && (refused = service_validate(
	    s->service, slot->value.data, slot->value.len)) != NULL)
		outcome = FAILED;
	taken = show->expand != NULL && outcome == FOUND;
	if (show->expand != NULL && !show->json)
		fputs(taken ? "* " : "  ", stdout);
	if (show->json)
		show_object(s, slot, refused, taken);
	else if (show->many)
		show_columns(s, slot);
	else
		show_single(s, slot);
	if (refused != NULL && !show->json)
		complain(s, slot, refused);
	if (show->expand != NULL && outcome != NOT_FOUND)
		show->expand->total = show->expand->at;
	if (show->expand != NULL || outcome > show->worst)
		show->worst = outcome;
	show->count[outcome]++;
	if (show->progress)
		progress_tick(show->count, s->now_ns);
}

static void
show_services(const struct session *s, int json)
{
	unsigned int	 i;
	const char	*comma = "";

	for (i = 0; i < TABLE_NSERVICES; i++) {
		if ((s->registered & service_at(i)) == 0)
			continue;
		if (json)
			printf("%s\"%s\"", comma, service_name(service_at(i)));
		else
			puts(service_name(service_at(i)));
		comma = ",";
	}
}

void
show_registered(const struct session *s, int json)
{
	if (json) {
		fputs("{\"table\":", stdout);
		show_json(stdout, s->program->name, strlen(s->program->name));
		fputs(",\"registers\":", stdout);
		if (s->wire == &wire_imsg)
			fputs("null}\n", stdout);
		else {
			putchar('[');
			show_services(s, 1);
			fputs("]}\n", stdout);
		}
	} else if (s->wire == &wire_imsg)
		warnx("%s: starts; over imsg a table registers nothing and is "
		    "asked for every service", s->program->name);
	else
		show_services(s, 0);
}
