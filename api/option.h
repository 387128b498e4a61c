/* SPDX-License-Identifier: ISC */
/*
 * Declared options: what a configuration file may say.  One table of these
 * reads the file, prints what is in force, and is compared with the manual.
 */
#ifndef OPTION_H
#define OPTION_H

#include "expand.h"
#include "table.h"

enum option_type {		/* the field's type: */
	OPTION_STRING,		/* char * */
	OPTION_SECRET,		/* char *, masked when printed */
	OPTION_NUMBER,		/* int64_t */
	OPTION_DURATION,	/* int64_t in ms; written 5, 5s, 500ms, 2m, 1h */
	OPTION_BOOL,		/* int; written yes or no */
	OPTION_QUERY		/* struct expand * */
};

/* A table of options ends with one that has no name. */
struct table_option {
	const char	*name;
	enum option_type type;
	size_t		 offset;	/* of the field in the configuration */
	int64_t		 min, max;	/* of numbers, and of durations in ms */
	const char	*unit;		/* of a bare number, as in the manual */
	const char	*preset;	/* default, as written; NULL: none */
	int		 required;
	expand_placeholder *placeholder;	/* of queries */
	const char	*help;
};

/* The offset of a field, and at compile time that it has the right type. */
#define OPTION_FIELD(type, field, ctype)				\
	(offsetof(type, field) + 0 * sizeof(&((type *)0)->field == (ctype *)0))

/*
 * Where the option of a field of opening->conf was set: "FILE:LINE: name", or
 * "FILE: name" for a default.  The text lives until the next call.
 */
const char	*table_where(const struct table_opening *, const void *field);

#endif
