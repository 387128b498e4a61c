/* SPDX-License-Identifier: ISC */
#ifndef MAIN_H
#define MAIN_H

#include "table.h"

/* smtpd is gone: ends the program with status 0. */
void	 main_exit(void) __attribute__((noreturn));

struct main_arguments {
	const char	*arg;		/* NULL: never given */
	int		 check;		/* how many -n */
};

/* Reads the command line and begins to log; ends the program if it is odd. */
void	 main_arguments(struct main_arguments *, int, char **,
	    const struct table_backend *);
/* Serves smtpd, or only checks; returns the exit status. */
int	 main_serve(const struct table_backend *,
	    const struct main_arguments *);

#endif
