/* SPDX-License-Identifier: ISC */
/*
 * One option's value: from its text, to its text.  Pure.
 */
#ifndef VALUE_H
#define VALUE_H

#include "option.h"

/*
 * Sets the field, which holds an earlier value or zeroes, from its text.  0,
 * or -1 and a reason of one line, the field as it was.
 */
int		 value_set(const struct table_option *, void *field,
		    const char *text, char *why, size_t);
/*
 * The text that sets it, secrets masked; in buf, in the field's own memory or
 * a constant.  NULL for what is not set.
 */
const char	*value_text(const struct table_option *, const void *field,
		    char *buf, size_t);
/* Frees what the field owns; secrets are wiped before. */
void		 value_clear(const struct table_option *, void *field);
/* Overwrites memory, in a way that no compiler leaves out. */
void		 value_wipe(void *, size_t);

#endif
