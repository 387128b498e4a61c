/* SPDX-License-Identifier: ISC */
/*
 * Opening the configuration again, beside the one that serves: on update, on
 * SIGHUP, and when the backend's files have changed.  Swapped only if right.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include "table.h"

/* Prepares; the first instance is open. */
void	 reload_init(void);
/*
 * Opens the configuration as it is from now on.  The request, an update, is
 * answered when that is in force or has failed; NULL where nobody waits.
 */
void	 reload_start(struct table_request *);
/* The request has been answered otherwise. */
void	 reload_cancel(struct table_request *);
/* Whether a helper thread is at work. */
int	 reload_is_running(void);

#endif
