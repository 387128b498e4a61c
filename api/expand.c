/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expand.h"
#include "service.h"

#define PLACEHOLDER_SIZE	32

struct expand {
	char			*source;	/* as written */
	char			*text;		/* with placeholders */
	size_t			 len;
	enum expand_variable	*parameters;
	unsigned int		 count;
};

static const char *const names[EXPAND_NVARIABLES] = {
	[EXPAND_KEY] = "key",
	[EXPAND_USER] = "user",
	[EXPAND_ACCOUNT] = "account",
	[EXPAND_TAG] = "tag",
	[EXPAND_DOMAIN] = "domain",
	[EXPAND_PARENT] = "parent",
	[EXPAND_LOGIN] = "login",
	[EXPAND_PASSWORD] = "password",
	[EXPAND_TABLE] = "table",
	[EXPAND_SERVICE] = "service",
	[EXPAND_OPERATION] = "operation"
};

int
expand_variable(const char *name, size_t len)
{
	int	i;

	for (i = 0; i < EXPAND_NVARIABLES; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return i;
	return -1;
}

const char *
expand_name(enum expand_variable variable)
{
	return names[variable];
}

static struct table_column
column(const char *data, size_t len)
{
	struct table_column	 col = { data, len };

	return col;
}

/* What stands before c, or all; and what stands behind it, or NULL. */
static struct table_column
before(struct table_column s, const char *c)
{
	return c == NULL ? s : column(s.data, (size_t)(c - s.data));
}

static struct table_column
behind(struct table_column s, const char *c)
{
	return c == NULL ? column(NULL, 0) :
	    column(c + 1, s.len - (size_t)(c + 1 - s.data));
}

static const char *
first(struct table_column s, char c)
{
	return s.data == NULL || s.len == 0 ? NULL : memchr(s.data, c, s.len);
}

static const char *
last(struct table_column s, char c)
{
	size_t	i;

	for (i = s.len; i > 0; i--)
		if (s.data[i - 1] == c)
			return s.data + i - 1;
	return NULL;
}

static struct table_column
login_of(const struct expand_subject *subject)
{
	if (subject->service != TABLE_AUTH)
		return subject->key;
	return before(subject->key, first(subject->key, ':'));
}

static struct table_column
user_of(const struct expand_subject *subject)
{
	struct table_column	 login = login_of(subject);

	if (subject->service == TABLE_DOMAIN)
		return column(NULL, 0);
	return before(login, last(login, '@'));
}

static struct table_column
domain_of(const struct expand_subject *subject)
{
	struct table_column	 login = login_of(subject);

	if (subject->service == TABLE_DOMAIN)
		return login;
	return behind(login, last(login, '@'));
}

static struct table_column
text_of(const char *s)
{
	return column(s, s == NULL ? 0 : strlen(s));
}

struct table_column
expand_value(enum expand_variable variable, const struct expand_subject *subject)
{
	struct table_column	 part;

	switch (variable) {
	case EXPAND_KEY:
		return subject->key;
	case EXPAND_USER:
		return user_of(subject);
	case EXPAND_ACCOUNT:
		part = user_of(subject);
		return before(part, first(part, '+'));
	case EXPAND_TAG:
		part = user_of(subject);
		return behind(part, first(part, '+'));
	case EXPAND_DOMAIN:
		return domain_of(subject);
	case EXPAND_PARENT:
		part = domain_of(subject);
		return behind(part, first(part, '.'));
	case EXPAND_LOGIN:
		return login_of(subject);
	case EXPAND_PASSWORD:
		if (subject->service != TABLE_AUTH)
			return column(NULL, 0);
		return behind(subject->key, first(subject->key, ':'));
	case EXPAND_TABLE:
		return text_of(subject->table);
	case EXPAND_SERVICE:
		return text_of(service_name(subject->service));
	case EXPAND_OPERATION:
		return text_of(operation_name(subject->operation));
	case EXPAND_NVARIABLES:
		break;
	}
	return column(NULL, 0);
}

/* The variable at s, which begins with `%{'; NULL and a reason, or its end. */
static const char *
parse_variable(const char *s, int *variable, char *why, size_t size)
{
	const char	*end = strchr(s, '}');

	if (end == NULL) {
		snprintf(why, size, "a `%%{' is not closed by a `}'");
		return NULL;
	}
	*variable = expand_variable(s + 2, (size_t)(end - s - 2));
	if (*variable == -1) {
		snprintf(why, size, "%.*s is no variable; try %%{key}",
		    (int)(end - s + 1), s);
		return NULL;
	}
	return end + 1;
}

static int
add_parameter(struct expand *e, int variable, expand_placeholder *placeholder)
{
	enum expand_variable	*p;

	p = realloc(e->parameters, (e->count + 1) * sizeof(*p));
	if (p == NULL)
		return -1;
	e->parameters = p;
	p[e->count] = (enum expand_variable)variable;
	e->len += placeholder(e->text + e->len, PLACEHOLDER_SIZE,
	    p[e->count], e->count);
	e->count++;
	return 0;
}

/* Copies s to e->text, which has room, with placeholders for variables. */
static int
compile(struct expand *e, const char *s, expand_placeholder *placeholder,
    char *why, size_t size)
{
	char	 quote = '\0';
	int	 variable;

	while (*s != '\0') {
		if (strncmp(s, "%%{", 3) == 0)
			s++;
		else if (strncmp(s, "%{", 2) == 0) {
			if (quote != '\0') {
				snprintf(why, size, "a %%{variable} stands "
				    "between quotes (%c); leave them out", quote);
				return -1;
			}
			s = parse_variable(s, &variable, why, size);
			if (s == NULL)
				return -1;
			if (add_parameter(e, variable, placeholder) == -1) {
				snprintf(why, size, "out of memory");
				return -1;
			}
			continue;
		} else if (quote == '\0' && (*s == '\'' || *s == '"'))
			quote = *s;
		else if (*s == quote)
			quote = '\0';
		e->text[e->len++] = *s++;
	}
	e->text[e->len] = '\0';
	return 0;
}

struct expand *
expand_compile(const char *text, expand_placeholder *placeholder, char *why,
    size_t size)
{
	struct expand	*e;
	const char	*s;
	size_t		 room = strlen(text) + 1;

	for (s = text; (s = strstr(s, "%{")) != NULL; s++)
		room += PLACEHOLDER_SIZE;
	if ((e = calloc(1, sizeof(*e))) == NULL ||
	    (e->source = strdup(text)) == NULL ||
	    (e->text = malloc(room)) == NULL) {
		snprintf(why, size, "out of memory");
		expand_free(e);
		return NULL;
	}
	if (compile(e, text, placeholder, why, size) == -1) {
		expand_free(e);
		return NULL;
	}
	return e;
}

void
expand_free(struct expand *e)
{
	if (e == NULL)
		return;
	free(e->source);
	free(e->text);
	free(e->parameters);
	free(e);
}

const char *
expand_text(const struct expand *e)
{
	return e->text;
}

const char *
expand_source(const struct expand *e)
{
	return e->source;
}

unsigned int
expand_count(const struct expand *e)
{
	return e->count;
}

enum expand_variable
expand_parameter(const struct expand *e, unsigned int i)
{
	return e->parameters[i];
}
