/* SPDX-License-Identifier: ISC */
/*
 * The table of services: names, the shape of an answer, and what smtpd takes.
 * Pure: no I/O, no clock.  Facts: smtpd-tables(7) and smtpd's table_proc.c,
 * table.c (table_parse_lookup) and to.c.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "table.h"

/* The longest value of any service, without its NUL: LINE_MAX - 1. */
#define SERVICE_VALUE_MAX	2047

/* "alias" for TABLE_ALIAS; NULL for what is no single known bit. */
const char	*service_name(enum table_service);
/* TABLE_ALIAS for "alias" (len bytes); 0 for an unknown name. */
enum table_service service_parse(const char *, size_t len);
/* 0 to TABLE_NSERVICES - 1, in the order of the bits; and back. */
unsigned int	 service_index(enum table_service);
enum table_service service_at(unsigned int);

/* "lookup" for TABLE_LOOKUP; and back, -1 for an unknown name. */
const char	*operation_name(enum table_operation);
int		 operation_parse(const char *, size_t len);

/* Whether the key, or the value, holds a password or a hash. */
int		 service_key_is_secret(enum table_service);
int		 service_value_is_secret(enum table_service);

/*
 * The value of an answer while rows come in.  Zero it to begin; it holds no
 * memory of its own.
 */
struct service_value {
	char	 text[SERVICE_VALUE_MAX + 1];
	size_t	 len;
	size_t	 rows;
	/* Set once, by the first row that can't be an answer. */
	const char *error;
};

/*
 * Whether rows of n columns can be the values that smtpd asks the service
 * for: NULL, or the reason.  Any number will do for what is only checked.
 */
const char	*service_columns(enum table_service, enum table_operation,
		    size_t n);
/* Adds one row by the service's rule; what is wrong with it is kept. */
void		 service_add_row(struct service_value *, enum table_service,
		    const struct table_column *, size_t);
/* Whether a row is a match for check: not when all its columns are NULL. */
int		 service_row_matches(const struct table_column *, size_t);
/*
 * Whether smtpd takes the value.  NULL if so, else the reason; neither names
 * the value itself.
 */
const char	*service_validate(enum table_service, const char *, size_t len);

#endif
