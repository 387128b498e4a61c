/* SPDX-License-Identifier: ISC */
#include <sys/types.h>
#include <arpa/inet.h>

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "password.h"
#include "service.h"

/* smtpd's SMTPD_MAXDOMAINPARTSIZE and the size of struct addrname's name. */
#define HOSTNAME_MAX	255
#define UID_REFUSED	UINT32_MAX	/* (uid_t)-1 means `unchanged' */

static const char	*validate_list(const char *, size_t);
static const char	*validate_credentials(const char *, size_t);
static const char	*validate_userinfo(const char *, size_t);
static const char	*validate_source(const char *, size_t);
static const char	*validate_hostname(const char *, size_t);

/* Services of which smtpd wants the value. */
#define LOOKED_UP	(TABLE_ALIAS | TABLE_CREDENTIALS | TABLE_USERINFO | \
    TABLE_ADDRNAME | TABLE_MAILADDRMAP | TABLE_RELAYHOST)

/* In the order of the bits. */
static const struct service {
	const char	*name;
	size_t		 most_columns;	/* 1 or this many, joined by ':' */
	int		 many_rows;	/* joined by ", " */
	int		 secret_key, secret_value;
	const char	*(*validate)(const char *, size_t);
} services[TABLE_NSERVICES] = {
	{ "alias",	1, 1, 0, 0, validate_list },
	{ "domain",	1, 0, 0, 0, validate_hostname },
	{ "credentials", 2, 0, 0, 1, validate_credentials },
	{ "netaddr",	1, 0, 0, 0, NULL },
	{ "userinfo",	3, 0, 0, 0, validate_userinfo },
	{ "source",	1, 0, 0, 0, validate_source },
	{ "mailaddr",	1, 0, 0, 0, NULL },
	{ "addrname",	1, 0, 0, 0, validate_hostname },
	{ "mailaddrmap", 1, 1, 0, 0, validate_list },
	{ "relayhost",	1, 0, 0, 0, NULL },
	{ "string",	1, 0, 0, 0, NULL },
	{ "regex",	1, 0, 0, 0, NULL },
	{ "auth",	1, 0, 1, 1, NULL }
};

static const char *const operations[] = {
	[TABLE_UPDATE] = "update",
	[TABLE_CHECK] = "check",
	[TABLE_LOOKUP] = "lookup",
	[TABLE_FETCH] = "fetch"
};

unsigned int
service_index(enum table_service service)
{
	unsigned int	i;

	for (i = 0; i < TABLE_NSERVICES; i++)
		if (service == 1U << i)
			break;
	return i;
}

enum table_service
service_at(unsigned int i)
{
	return (enum table_service)(1U << i);
}

const char *
service_name(enum table_service service)
{
	unsigned int	i = service_index(service);

	return i < TABLE_NSERVICES ? services[i].name : NULL;
}

static int
is_name(const char *name, const char *s, size_t len)
{
	return strlen(name) == len && memcmp(name, s, len) == 0;
}

enum table_service
service_parse(const char *s, size_t len)
{
	unsigned int	i;

	for (i = 0; i < TABLE_NSERVICES; i++)
		if (is_name(services[i].name, s, len))
			return service_at(i);
	return 0;
}

const char *
operation_name(enum table_operation operation)
{
	return operations[operation];
}

int
operation_parse(const char *s, size_t len)
{
	size_t	i;

	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (is_name(operations[i], s, len))
			return (int)i;
	return -1;
}

int
service_key_is_secret(enum table_service service)
{
	unsigned int	i = service_index(service);

	return i < TABLE_NSERVICES && services[i].secret_key;
}

int
service_value_is_secret(enum table_service service)
{
	unsigned int	i = service_index(service);

	return i < TABLE_NSERVICES && services[i].secret_value;
}

/* Appends a column; what can't stand in it is the returned reason. */
static const char *
add_column(char *text, size_t *len, const struct table_column *col, int last)
{
	if (col->data == NULL)
		return "a column is NULL";
	if (col->len == 0)
		return "a column is empty";
	if (!last && memchr(col->data, ':', col->len) != NULL)
		return "a column that others follow holds a ':'";
	if (*len + col->len + (last ? 0 : 1) > SERVICE_VALUE_MAX)
		return "the value is longer than 2047 bytes";
	memcpy(text + *len, col->data, col->len);
	*len += col->len;
	if (!last)
		text[(*len)++] = ':';
	return NULL;
}

static const char *
check_columns(const struct service *service, size_t n)
{
	if (n == 1 || n == service->most_columns)
		return NULL;
	return n < service->most_columns ? "a row has too few columns" :
	    "a row has too many columns";
}

const char *
service_columns(enum table_service s, enum table_operation operation, size_t n)
{
	if (operation != TABLE_FETCH && !(s & LOOKED_UP))
		return NULL;
	return check_columns(&services[service_index(s)], n);
}

/* Joins the columns of one row, of which there may be one or all. */
static const char *
format_row(const struct service *service, char *text, size_t *len,
    const struct table_column *cols, size_t n)
{
	const char	*why;
	size_t		 i;

	if ((why = check_columns(service, n)) != NULL)
		return why;
	for (*len = 0, i = 0; i < n; i++)
		if ((why = add_column(text, len, &cols[i], i + 1 == n)) != NULL)
			return why;
	return NULL;
}

/* {CRYPT} and its like in front of a hash: smtpd hands it to crypt(3). */
static const char *
strip_scheme(char *text, size_t *len)
{
	const char	*why = NULL;
	char		*hash = memchr(text, ':', *len);
	size_t		 skip;

	hash = hash == NULL ? text : hash + 1;
	skip = password_scheme(hash, *len - (size_t)(hash - text), &why);
	if (why != NULL)
		return why;
	memmove(hash, hash + skip, *len - (size_t)(hash - text) - skip);
	*len -= skip;
	return NULL;
}

/* Takes the row's value into what is there already. */
static const char *
join_row(struct service_value *v, const struct service *service,
    const char *text, size_t len)
{
	if (v->rows == 0) {
		memcpy(v->text, text, len);
		v->len = len;
		return NULL;
	}
	if (!service->many_rows)
		return len == v->len && memcmp(text, v->text, len) == 0 ? NULL :
		    "several rows that differ, where one is due";
	if (v->len + 2 + len > SERVICE_VALUE_MAX)
		return "the value is longer than 2047 bytes";
	memcpy(v->text + v->len, ", ", 2);
	memcpy(v->text + v->len + 2, text, len);
	v->len += 2 + len;
	return NULL;
}

void
service_add_row(struct service_value *v, enum table_service s,
    const struct table_column *cols, size_t n)
{
	const struct service	*service = &services[service_index(s)];
	char			 text[SERVICE_VALUE_MAX + 1];
	size_t			 len;

	if (v->error == NULL)
		v->error = format_row(service, text, &len, cols, n);
	if (v->error == NULL && s == TABLE_CREDENTIALS)
		v->error = strip_scheme(text, &len);
	if (v->error == NULL)
		v->error = join_row(v, service, text, len);
	v->text[v->error == NULL ? v->len : 0] = '\0';
	v->rows++;
}

int
service_row_matches(const struct table_column *cols, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (cols[i].data != NULL)
			return 1;
	return n == 0;
}

const char *
service_validate(enum table_service s, const char *value, size_t len)
{
	const struct service	*service = &services[service_index(s)];

	if (len == 0)
		return "the value is empty";
	if (len > SERVICE_VALUE_MAX)
		return "the value is longer than 2047 bytes";
	if (memchr(value, '\n', len) != NULL || memchr(value, '\r', len) != NULL)
		return "the value holds a line break";
	if (memchr(value, '\0', len) != NULL)
		return "the value holds a NUL";
	return service->validate != NULL ? service->validate(value, len) : NULL;
}

/* To smtpd, a list of nobody is a permanent refusal. */
static const char *
validate_list(const char *value, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		if (value[i] != ',' && !isspace((unsigned char)value[i]))
			return NULL;
	return "the list holds nobody";
}

static const char *
validate_credentials(const char *value, size_t len)
{
	const char	*colon = memchr(value, ':', len);

	if (len < 3)
		return "credentials are shorter than 3 bytes";
	if (colon == value)
		return "credentials have no login";
	if (colon == value + len - 1)
		return "credentials have no password";
	return NULL;
}

/* A decimal id up to a ':', which *s is moved behind. */
static int
is_id(const char **s, const char *end)
{
	uint64_t	 id = 0;
	const char	*start = *s;

	for (; *s < end && isdigit((unsigned char)**s); (*s)++)
		if ((id = id * 10 + (uint64_t)(**s - '0')) >= UID_REFUSED)
			return 0;
	return *s > start && *s < end && *(*s)++ == ':';
}

static const char *
validate_userinfo(const char *value, size_t len)
{
	const char	*s = value, *end = value + len;

	if (!is_id(&s, end))
		return "the uid is no number from 0 to 4294967294";
	if (!is_id(&s, end))
		return "the gid is no number from 0 to 4294967294";
	if (s == end)
		return "the home directory is empty";
	return NULL;
}

/* The forms that smtpd's parse_sockaddr() takes: `[' and `IPv6:' may lead. */
static const char *
validate_source(const char *value, size_t len)
{
	struct in6_addr	 address;
	char		 text[INET6_ADDRSTRLEN + 8];

	if (len >= sizeof(text))
		return "the source is no IP address";
	memcpy(text, value, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, &address) == 1)
		return NULL;
	value = text + (text[0] == '[');
	if (strncasecmp(value, "ipv6:", 5) == 0)
		value += 5;
	text[strcspn(text, "]%")] = '\0';
	return inet_pton(AF_INET6, value, &address) == 1 ? NULL :
	    "the source is no IP address";
}

static const char *
validate_hostname(const char *value, size_t len)
{
	size_t	i;

	if (len > HOSTNAME_MAX)
		return "the name is longer than 255 bytes";
	for (i = 0; i < len; i++)
		if (isspace((unsigned char)value[i]) ||
		    iscntrl((unsigned char)value[i]))
			return "the name holds a blank or a control character";
	return NULL;
}
