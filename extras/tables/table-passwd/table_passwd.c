/* SPDX-License-Identifier: ISC */
/*
 * table-passwd(5): logins from a file in the format of passwd(5), which
 * Dovecot's passwd-file may share.  ARG is that file.
 */
#include <stdio.h>
#include <stdlib.h>

#include "passwd_file.h"
#include "table.h"

struct state {
	struct passwd_file	*file;
	const char		*path;
};

/* Whether a file can be taken for what was there before; logs what is odd. */
static int
take(struct table_opening *opening, const struct passwd_file *file)
{
	const struct state	*before = opening->before;

	if (before != NULL && passwd_count(before->file) > 0 &&
	    passwd_count(file) == 0) {
		snprintf(opening->error, sizeof(opening->error),
		    "%s: no login is left in it; if that is meant, start "
		    "smtpd again", opening->path);
		passwd_refuse(before->file, file);
		return -1;
	}
	passwd_log_odd(file, opening->path);
	if (!opening->checking || passwd_odd(file) == 0)
		return 0;
	snprintf(opening->error, sizeof(opening->error),
	    "%s: %zu lines are not as they should be", opening->path,
	    passwd_odd(file));
	return -1;
}

/* In a helper thread where another state serves, and then it may wait. */
static int
passwd_open(struct table_opening *opening)
{
	struct passwd_file	*file;
	struct state		*st;

	file = passwd_load(opening->path, opening->before == NULL,
	    opening->error, sizeof(opening->error));
	if (file == NULL)
		return -1;
	if (take(opening, file) == -1) {
		passwd_free(file);
		return -1;
	}
	if ((st = calloc(1, sizeof(*st))) == NULL) {
		snprintf(opening->error, sizeof(opening->error),
		    "out of memory");
		passwd_free(file);
		return -1;
	}
	st->path = opening->path;
	st->file = file;
	opening->state = st;
	opening->keyed = TABLE_CREDENTIALS | TABLE_USERINFO | TABLE_STRING |
	    TABLE_MAILADDR;
	return 0;
}

static void
passwd_query(void *state, struct table_request *rq)
{
	const struct state	*st = state;
	struct table_column	 key = table_key(rq);
	struct table_column	 line[PASSWD_NFIELDS];
	struct table_column	 userinfo[3];

	if (!passwd_find(st->file, &key, line)) {
		/* Who is missing in half a file is not unknown. */
		if (passwd_is_partial(st->file))
			table_failed(rq, TABLE_TEMPORARY, "%s was being "
			    "written when it was read", st->path);
		else
			table_done(rq);
		return;
	}
	if (table_operation(rq) == TABLE_CHECK)
		table_row(rq, &line[PASSWD_NAME], 1);
	else if (table_service(rq) == TABLE_CREDENTIALS)
		table_row(rq, &line[PASSWD_NAME], 2);
	else if (table_service(rq) == TABLE_USERINFO) {
		userinfo[0] = line[PASSWD_UID];
		userinfo[1] = line[PASSWD_GID];
		userinfo[2] = line[PASSWD_HOME];
		table_row(rq, userinfo, 3);
	} else
		table_row(rq, &line[PASSWD_NAME], 1);
	table_done(rq);
}

static int
passwd_changed(void *state)
{
	const struct state	*st = state;

	return passwd_is_stale(st->file, st->path);
}

static void
passwd_close(void *state)
{
	struct state	*st = state;

	passwd_free(st->file);
	free(st);
}

static const struct table_backend backend = {
	.name = "table-passwd",
	.version = TABLE_VERSION,
	.open_in_thread = 1,
	.open = passwd_open,
	.query = passwd_query,
	.changed = passwd_changed,
	.close = passwd_close
};

int
main(int argc, char **argv)
{
	return table_main(argc, argv, &backend);
}
