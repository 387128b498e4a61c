/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "log.h"

#define LINE_SIZE	2048

/* Other threads may be reading the one that is in use. */
static char	 names[2][256] = { "table" };
static const char *prefix = names[0];
static int	 to_syslog, to_stderr = 1, forced, debugging;

static int
stderr_is_read(void)
{
	struct stat	 err, null;

	if (fstat(STDERR_FILENO, &err) == -1)
		return 0;
	return stat("/dev/null", &null) == -1 || !S_ISCHR(err.st_mode) ||
	    err.st_rdev != null.st_rdev;
}

void
log_init(const char *ident, int foreground)
{
	log_table(ident);
	to_syslog = !foreground;
	to_stderr = foreground || stderr_is_read();
	if (to_syslog)
		openlog(ident, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void
log_table(const char *name)
{
	char	*other = prefix == names[0] ? names[1] : names[0];

	snprintf(other, sizeof(names[0]), "%s", name);
	__atomic_store_n(&prefix, other, __ATOMIC_RELEASE);
}

void
log_debugging(int on)
{
	debugging = on;
}

void
log_force_debug(void)
{
	forced = 1;
}

int
log_wants_debug(void)
{
	return debugging || forced;
}

static void	emit(int, int, const char *, va_list)
		    __attribute__((format(printf, 3, 0)));

/* One message is one line and one write, whatever it holds. */
static void
emit(int priority, int error, const char *format, va_list ap)
{
	const char	*name;
	char		 line[LINE_SIZE];
	size_t		 i, len;

	vsnprintf(line, sizeof(line) - 1, format, ap);
	len = strlen(line);
	if (error != 0)
		snprintf(line + len, sizeof(line) - len - 1, ": %s",
		    strerror(error));
	for (i = 0; line[i] != '\0'; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	name = __atomic_load_n(&prefix, __ATOMIC_ACQUIRE);
	if (to_syslog)
		syslog(priority, "%s: %s", name, line);
	if (to_stderr)
		fprintf(stderr, "%s: %s\n", name, line);
}

#define EMIT(priority, error) do {					\
	va_list	 ap_;							\
	int	 error_ = (error);					\
	va_start(ap_, format);						\
	emit((priority), error_, format, ap_);				\
	va_end(ap_);							\
} while (0)

void
log_warn(const char *format, ...)
{
	EMIT(LOG_WARNING, errno);
}

void
log_warnx(const char *format, ...)
{
	EMIT(LOG_WARNING, 0);
}

void
log_info(const char *format, ...)
{
	EMIT(LOG_INFO, 0);
}

void
log_debug(const char *format, ...)
{
	if (log_wants_debug())
		EMIT(LOG_DEBUG, 0);
}

void
fatal(const char *format, ...)
{
	EMIT(LOG_CRIT, errno);
	exit(1);
}

void
fatalx(const char *format, ...)
{
	EMIT(LOG_CRIT, 0);
	exit(1);
}
