/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <event2/event.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "instance.h"
#include "log.h"
#include "main.h"
#include "reload.h"
#include "request.h"
#include "wire.h"

static struct event_base	*base;

struct event_base *
table_loop(void)
{
	return base;
}

int64_t
table_now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
main_exit(void)
{
	/* A helper thread must not find the libraries taken down. */
	if (reload_is_running())
		_exit(0);
	exit(0);
}

static void
hangup(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	log_debug("SIGHUP: reading the configuration again");
	reload_start(NULL);
}

static void
terminate(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	(void)arg;
	log_debug("signal %d: ending", (int)fd);
	main_exit();
}

static void
catch(int sig, event_callback_fn callback)
{
	struct event	*e = evsignal_new(base, sig, callback, NULL);

	if (e == NULL || event_add(e, NULL) == -1)
		fatalx("can't catch signal %d", sig);
}

/* The loop; by hand, descriptor 0 may be what epoll can't watch. */
static void
make_loop(void)
{
	struct event_config	*config;
	struct stat		 st;

	if ((config = event_config_new()) == NULL)
		fatalx("can't set up libevent");
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	if (fstat(STDIN_FILENO, &st) == 0 && !S_ISSOCK(st.st_mode) &&
	    !S_ISFIFO(st.st_mode))
		event_config_require_features(config, EV_FEATURE_FDS);
	if ((base = event_base_new_with_config(config)) == NULL)
		fatalx("can't set up libevent");
	event_config_free(config);
}

static int
check_only(const struct table_backend *backend, const char *arg, int level)
{
	struct instance	*instance;
	struct failure	 failure;

	if ((instance = instance_open(backend, arg, 1, NULL,
	    &failure)) == NULL) {
		log_warnx("%s", failure.why);
		return 1;
	}
	if (level > 1)
		instance_print(instance, stdout);
	else
		printf("%s: configuration OK\n", arg);
	instance_unref(instance);
	if (fflush(stdout) == EOF) {
		log_warn("standard output");
		return 1;
	}
	return 0;
}

/* A descriptor of ours must not become smtpd's because that one is closed. */
static void
fill_standard(void)
{
	int	 fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			return;
	} while (fd <= STDERR_FILENO);
	close(fd);
}

int
main_serve(const struct table_backend *backend,
    const struct main_arguments *arguments)
{
	const char	*arg = arguments->arg == NULL ? "" : arguments->arg;
	struct instance	*instance;
	struct failure	 failure;

	if (arguments->check > 0)
		return check_only(backend, arg, arguments->check);
	signal(SIGPIPE, SIG_IGN);
	fill_standard();
	make_loop();
	if ((instance = instance_open(backend, arg, 0, NULL,
	    &failure)) == NULL)
		fatalx("%s", failure.why);
	instance_swap(instance);
	reload_init();
	catch(SIGHUP, hangup);
	catch(SIGTERM, terminate);
	catch(SIGINT, terminate);
	wire_start();
	event_base_dispatch(base);
	fatalx("nothing left to wait for");
}

static void
usage(const char *name)
{
	fprintf(stderr, "usage: %s [-d] file\n"
	    "       %s -n[n] file\n"
	    "       %s -V\n", name, name, name);
	exit(1);
}

/* Before a request can come: smtpd's name for the table, or the program's. */
static void
begin_log(const struct table_backend *backend, const char *argv0, int check)
{
	const char	*slash = strrchr(argv0, '/');

	log_init(backend->name, check > 0);
	request_table(slash == NULL ? argv0 : slash + 1);
}

void
main_arguments(struct main_arguments *arguments, int argc, char **argv,
    const struct table_backend *backend)
{
	int	 ch;

	arguments->check = 0;
	while ((ch = getopt(argc, argv, "dnV")) != -1)
		switch (ch) {
		case 'd':
			log_force_debug();
			break;
		case 'n':
			arguments->check++;
			break;
		case 'V':
			printf("%s %s\n", backend->name, backend->version);
			exit(0);
		default:
			usage(backend->name);
		}
	begin_log(backend, argv[0], arguments->check);
	if (argc - optind != 1) {
		log_warnx("one file is needed; in smtpd.conf: table NAME "
		    "%s:/path/to/file", strncmp(backend->name, "table-", 6) ?
		    backend->name : backend->name + 6);
		usage(backend->name);
	}
	arguments->arg = argv[optind];
}

int
table_main(int argc, char **argv, const struct table_backend *backend)
{
	struct main_arguments	 arguments;

	main_arguments(&arguments, argc, argv, backend);
	return main_serve(backend, &arguments);
}
