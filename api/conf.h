/* SPDX-License-Identifier: ISC */
/*
 * A configuration file, read into structures by declared options.
 *
 * The grammar is that of the table programs since 2013: a directive a line,
 * its name ends at a blank, a tab or a colon, the rest is the value; blanks
 * around both are dropped; `#' starts a comment at the start of a line.  New:
 * a backslash at the end of a line joins the next one to it.
 */
#ifndef CONF_H
#define CONF_H

#include <stdio.h>

#include "option.h"

/* Options and the structure that they fill; lines[i] is 0 for a default. */
struct conf_section {
	const struct table_option *options;	/* NULL: none */
	unsigned char	*values;
	unsigned int	*lines;
};

#define CONF_SECTIONS	2
struct conf {
	char		*path;
	struct conf_section sections[CONF_SECTIONS];
};

/* The defaults; 0, or -1 and a reason. */
int	 conf_defaults(struct conf *, char *why, size_t);
/* conf->path over the defaults; 0, or -1 and "FILE:LINE: what, remedy". */
int	 conf_read(struct conf *, char *why, size_t);
/* Frees and wipes the values, not the structures. */
void	 conf_clear(struct conf *);
/* What is in force, as a configuration file, secrets masked. */
void	 conf_print(const struct conf *, FILE *);
/* As table_where(). */
const char *conf_where(const struct conf *, const void *field);

#endif
