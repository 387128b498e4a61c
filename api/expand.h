/* SPDX-License-Identifier: ISC */
/*
 * Templates with %{variables}: compiled when a configuration is read,
 * expanded into parameters that a driver binds; a key is never pasted into a
 * text.  Pure.
 *
 *	%{key}		all of the key
 *	%{user}		before the last `@'; all where there is none
 *	%{account}	the user up to the first `+'
 *	%{tag}		the user behind the first `+'
 *	%{domain}	behind the last `@'; for the service domain, the key
 *	%{parent}	the domain without its first label
 *	%{login}	the key; for the service auth, up to the first `:'
 *	%{password}	for the service auth, behind the first `:'
 *	%{table} %{service} %{operation}
 *
 * User and domain are those of the login.  A part that the key lacks is NULL.
 * `%%{' stands for `%{'.
 */
#ifndef EXPAND_H
#define EXPAND_H

#include "table.h"

enum expand_variable {
	EXPAND_KEY, EXPAND_USER, EXPAND_ACCOUNT, EXPAND_TAG, EXPAND_DOMAIN,
	EXPAND_PARENT, EXPAND_LOGIN, EXPAND_PASSWORD, EXPAND_TABLE,
	EXPAND_SERVICE, EXPAND_OPERATION, EXPAND_NVARIABLES
};

/* What is expanded; owned by the caller. */
struct expand_subject {
	struct table_column	 key;
	const char		*table;
	enum table_service	 service;
	enum table_operation	 operation;
};

struct expand;

/*
 * Writes the text that stands for the index'th parameter (from 0), `:user' or
 * `$1' or `?', into dst; returns its length, less than size.
 */
typedef size_t expand_placeholder(char *dst, size_t size,
    enum expand_variable, unsigned int index);

/*
 * The variable of a name of len bytes; -1 if there is none.  And back.
 */
int		 expand_variable(const char *, size_t len);
const char	*expand_name(enum expand_variable);
/* The variable's value, in the subject's memory, in place. */
struct table_column expand_value(enum expand_variable,
		    const struct expand_subject *);

/*
 * Compiles a template in the grammar of SQL, in which a variable must not
 * stand between quotes.  NULL and a reason of one line if it is wrong.
 */
struct expand	*expand_compile(const char *text, expand_placeholder *,
		    char *why, size_t size);
void		 expand_free(struct expand *);
/* The text with placeholders, the text as written, and the parameters. */
const char	*expand_text(const struct expand *);
const char	*expand_source(const struct expand *);
unsigned int	 expand_count(const struct expand *);
enum expand_variable expand_parameter(const struct expand *, unsigned int);

#endif
