/* SPDX-License-Identifier: ISC */
/*
 * Messages: to syslog (facility mail) and, where it is not /dev/null, to
 * stderr, each with the table's name in front.  May be called by any thread.
 * Never hand it a password, a hash, or the key of auth.
 */
#ifndef LOG_H
#define LOG_H

#define LOG_FORMAT(i)	__attribute__((format(printf, i, i + 1)))

/* ident: the program; foreground: stderr only, as for -n. */
void	 log_init(const char *ident, int foreground);
void	 log_table(const char *name);
/* Debug messages: for good (-d), and as the configuration says. */
void	 log_force_debug(void);
void	 log_debugging(int on);
int	 log_wants_debug(void);

void	 log_warn(const char *, ...) LOG_FORMAT(1);	/* with errno */
void	 log_warnx(const char *, ...) LOG_FORMAT(1);
void	 log_info(const char *, ...) LOG_FORMAT(1);
void	 log_debug(const char *, ...) LOG_FORMAT(1);
/* Ends the program with status 1. */
void	 fatal(const char *, ...) LOG_FORMAT(1) __attribute__((noreturn));
void	 fatalx(const char *, ...) LOG_FORMAT(1) __attribute__((noreturn));

#endif
