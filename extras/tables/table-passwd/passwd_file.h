/* SPDX-License-Identifier: ISC */
/*
 * A passwd(5) file in memory: its text as it is, and an index of its names.
 * One that is loaded never changes; a change on disk makes another.
 */
#ifndef PASSWD_FILE_H
#define PASSWD_FILE_H

#include "table.h"

struct passwd_file;

/*
 * Reads path.  Lines that can't be used are left out.  One that is written to
 * meanwhile is read again for half a second; after that it is refused, unless
 * any_state is set.  NULL and a reason of one line if it can't be read.
 */
struct passwd_file *passwd_load(const char *path, int any_state, char *why,
		    size_t);
/* How many lines are odd; logs them, the first ones with number and reason. */
size_t		 passwd_odd(const struct passwd_file *);
void		 passwd_log_odd(const struct passwd_file *, const char *path);
void		 passwd_free(struct passwd_file *);
/* Whether it was being written when it was read: lines may be missing. */
int		 passwd_is_partial(const struct passwd_file *);
/* How many lines it has that can be used. */
size_t		 passwd_count(const struct passwd_file *);
/*
 * Whether the file at path is another one now, or was written to, and has not
 * changed since this was asked before: a file that is being written is left
 * alone.
 */
int		 passwd_is_stale(struct passwd_file *, const char *path);
/* What was read instead is refused: it is no reason to be stale any more. */
void		 passwd_refuse(struct passwd_file *,
		    const struct passwd_file *instead);

/* The fields of a line; NULL for those that it lacks. */
enum { PASSWD_NAME, PASSWD_HASH, PASSWD_UID, PASSWD_GID, PASSWD_GECOS,
    PASSWD_HOME, PASSWD_NFIELDS };
/*
 * The line of a login: the one that is the same to the letter, else one that
 * differs in case.  0 if there is none.  The fields live as long as the file.
 */
int		 passwd_find(const struct passwd_file *,
		    const struct table_column *login, struct table_column *);

#endif
