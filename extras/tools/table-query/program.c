/* SPDX-License-Identifier: ISC */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define REPORT_FD	3	/* where the child says why exec failed */
#define END_MS		1000	/* time to end by itself */
#define KILL_MS		300	/* and after a signal */

/* Where smtpd looks for table programs, here and elsewhere; patterns. */
static const char *const folders[] = {
	SMTPD_LIBEXECDIR,
	"/usr/libexec/opensmtpd",
	"/usr/lib/*/opensmtpd",
	"/usr/lib/opensmtpd",
	"/usr/libexec/smtpd",
	"/usr/local/libexec/smtpd",
	"/usr/local/libexec/opensmtpd"
};

static char *
join(const char *dir, const char *type)
{
	size_t	 size = strlen(dir) + strlen(type) + sizeof("/table-");
	char	*path;

	if ((path = malloc(size)) == NULL)
		err(FAILED, NULL);
	snprintf(path, size, "%s/table-%s", dir, type);
	return path;
}

/* The program in one folder, or NULL. */
static char *
find_in(const char *dir, const char *type)
{
	struct stat	 st;
	char		*path = join(dir, type);

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		return path;
	free(path);
	return NULL;
}

char *
program_find(const char *type, const char *dir)
{
	glob_t	 found;
	size_t	 i;
	char	*path = NULL;

	if (dir != NULL) {
		if ((path = find_in(dir, type)) == NULL)
			errx(FAILED, "there is no %s/table-%s", dir, type);
		return path;
	}
	memset(&found, 0, sizeof(found));
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		glob(folders[i], GLOB_NOSORT | (i > 0 ? GLOB_APPEND : 0), NULL,
		    &found);
	for (i = 0; path == NULL && i < found.gl_pathc; i++)
		path = find_in(found.gl_pathv[i], type);
	globfree(&found);
	if (path == NULL)
		errx(FAILED, "there is no table-%s in %s, nor where else smtpd "
		    "looks; see -L, or give a path", type, folders[0]);
	return path;
}

static void
close_all_from(int fd)
{
#ifdef HAVE_CLOSEFROM
	closefrom(fd);
#else
	long	 last = sysconf(_SC_OPEN_MAX);

	if (last < 0 || last > 65536)
		last = 65536;
	for (; fd < last; fd++)
		close(fd);
#endif
}

/* The child: becomes the program, or reports errno. */
static void
run(int fd, int report, int stdout_too, char *const argv[])
{
	int	 error;

	if (dup2(fd, STDIN_FILENO) != -1 &&
	    dup2(stdout_too ? fd : STDERR_FILENO, STDOUT_FILENO) != -1 &&
	    dup2(report, REPORT_FD) != -1 &&
	    fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) != -1) {
		close_all_from(REPORT_FD + 1);
		execv(argv[0], argv + 1);
		report = REPORT_FD;
	}
	error = errno;
	if (write(report, &error, sizeof(error)) == -1)
		_exit(126);
	_exit(127);
}

/* Descriptors 0 to 2 must be ours before a socket can become one of them. */
static void
fill_standard(void)
{
	int	 fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			err(FAILED, "/dev/null");
	} while (fd <= STDERR_FILENO);
	close(fd);
}

void
program_start(struct program *p, const char *path, const char *arg,
    int stdout_too)
{
	char	*argv[] = { (char *)(uintptr_t)path, (char *)(uintptr_t)p->name,
	    (char *)(uintptr_t)arg, NULL };
	int	 sp[2], report[2], error;

	fill_standard();
	if (socketpair(AF_UNIX, SOCK_STREAM, PF_UNSPEC, sp) == -1)
		err(FAILED, "socketpair");
	if (pipe(report) == -1)
		err(FAILED, "pipe");
	if ((p->pid = fork()) == -1)
		err(FAILED, "fork");
	if (p->pid == 0)
		run(sp[0], report[1], stdout_too, argv);
	close(sp[0]);
	close(report[1]);
	p->fd = sp[1];
	if (read(report[0], &error, sizeof(error)) == sizeof(error)) {
		errno = error;
		err(FAILED, "%s", path);
	}
	close(report[0]);
}

/* Waits for the program's end, up to a number of ms; whether it came. */
static int
reap(struct program *p, int *status, int ms)
{
	const struct timespec	 pause = { 0, 1000000 };
	int64_t			 until = session_clock() + ms * INT64_C(1000000);
	pid_t			 pid;

	while (p->pid != 0) {
		if ((pid = waitpid(p->pid, status, WNOHANG)) == p->pid ||
		    (pid == -1 && errno == ECHILD))
			p->pid = 0;
		else if (session_clock() >= until)
			return 0;
		else
			nanosleep(&pause, NULL);
	}
	return 1;
}

/* Ends it in any case. */
static void
stop(struct program *p)
{
	int	 status;

	if (reap(p, &status, 0))
		return;
	kill(p->pid, SIGTERM);
	if (reap(p, &status, KILL_MS))
		return;
	kill(p->pid, SIGKILL);
	reap(p, &status, END_MS);
}

void
program_fail(struct program *p, const char *format, ...)
{
	va_list	 ap;

	fflush(stdout);
	progress_clear();
	fprintf(stderr, "table-query: %s: ", p->name);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	close(p->fd);
	stop(p);
	exit(FAILED);
}

void
program_lost(struct program *p, const char *when, const char *hint)
{
	int	 status = 0;

	if (!reap(p, &status, KILL_MS))
		program_fail(p, "closed its end %s%s: smtpd would exit",
		    when, hint);
	if (WIFSIGNALED(status))
		program_fail(p, "killed by signal %d %s: smtpd would exit",
		    WTERMSIG(status), when);
	program_fail(p, "ended with status %d %s%s: smtpd would exit",
	    WEXITSTATUS(status), when, status == 0 ? hint : "");
}

/* Reads to the end of file, for a while: 1 at it, 0 not yet, -1 text came. */
static int
drain(struct program *p, char *buf, size_t *len)
{
	struct pollfd	 pfd = { .fd = p->fd, .events = POLLIN };
	ssize_t		 n;

	if (poll(&pfd, 1, END_MS) != 1)
		return 0;
	if ((n = recv(p->fd, buf, *len, 0)) <= 0)
		return 1;
	*len = (size_t)n;
	return -1;
}

void
program_end(struct program *p)
{
	char	 buf[256];
	size_t	 len = sizeof(buf);
	int	 ended, status = 0;

	shutdown(p->fd, SHUT_WR);
	if ((ended = drain(p, buf, &len)) == -1)
		program_fail(p, "says \"%s\" unasked: smtpd would exit",
		    show_excerpt(buf, len));
	close(p->fd);
	if (!reap(p, &status, ended ? END_MS : 0)) {
		stop(p);
		warnx("%s: does not end when smtpd is gone: killed", p->name);
	} else if (WIFSIGNALED(status))
		warnx("%s: killed by signal %d at its end", p->name,
		    WTERMSIG(status));
}
