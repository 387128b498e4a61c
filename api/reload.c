/* SPDX-License-Identifier: ISC */
#include <sys/types.h>

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "instance.h"
#include "log.h"
#include "reload.h"
#include "request.h"
#include "wire.h"

/* An update that waits for an end of a reload. */
struct waiter {
	struct waiter		*next;
	struct table_request	*rq;
};

static struct {
	int		 running;	/* one is under way */
	int		 again;		/* another one was asked for meanwhile */
	int		 quiet;		/* nobody asked: log a failure once */
	struct waiter	*now;		/* wait for the one under way */
	struct waiter	*later;		/* wait for the next one */
	pthread_t	 thread;
	int		 threaded;
	int		 pipe[2];	/* the thread writes when it has ended */
	struct event	*ended, *check, *retry;
	int64_t		 give_up_ms;	/* when it is no longer tried again */
	struct instance	*result;	/* NULL: for that failure */
	struct failure	 failure;
	char		 last_why[1024];
} reload;

#define RETRY_MS	50	/* between tries at what may soon be over */

static void	begin(void);
static void	attempt(void);
static void	set_check(void);

static void *
open_in_thread(void *arg)
{
	const struct instance	*running = arg;

	reload.result = instance_open(running->backend, running->conf.path, 0,
	    running, &reload.failure);
	while (write(reload.pipe[1], "", 1) == -1 && errno == EINTR)
		;
	return NULL;
}

/* All signals stay with the loop's thread. */
static int
start_thread(struct instance *running)
{
	sigset_t	 all, before;
	int		 error;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = pthread_create(&reload.thread, NULL, open_in_thread, running);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		log_warnx("can't start a thread: %s", strerror(error));
	return error == 0;
}

static void
answer_waiters(struct waiter **list, const char *why)
{
	struct waiter	*w;

	while ((w = *list) != NULL) {
		LL_DELETE(*list, w);
		request_updated(w->rq, why);
		free(w);
	}
}

/* Once for each reason where nobody asked, else each time. */
static void
report_failure(void)
{
	if (!reload.quiet || strcmp(reload.failure.why, reload.last_why) != 0)
		log_warnx("%s; what was loaded before stays in force",
		    reload.failure.why);
	memcpy(reload.last_why, reload.failure.why, sizeof(reload.last_why));
}

/* 0 if there is no time left for another try. */
static int
try_again(void)
{
	struct timeval	 tv = { 0, RETRY_MS * 1000 };

	event_base_update_cache_time(table_loop());
	return reload.failure.again && table_now_ms() < reload.give_up_ms &&
	    evtimer_add(reload.retry, &tv) == 0;
}

static void
finish(void)
{
	struct instance	*result = reload.result;

	if (result == NULL && try_again())
		return;
	reload.running = 0;
	if (result == NULL)
		report_failure();
	else {
		reload.last_why[0] = '\0';
		instance_swap(result);
		wire_reloaded(instance_services(result));
		set_check();
		log_debug("%s is loaded", result->conf.path);
	}
	answer_waiters(&reload.now, result == NULL ?
	    reload.failure.why : NULL);
	if (reload.again && !reload.running) {
		reload.again = 0;
		reload.now = reload.later;
		reload.later = NULL;
		begin();
	}
}

static void
thread_ended(evutil_socket_t fd, short what, void *arg)
{
	char	 c;

	(void)what;
	(void)arg;
	if (read(fd, &c, 1) != 1)
		return;
	pthread_join(reload.thread, NULL);
	reload.threaded = 0;
	instance_unref(instance_current());	/* the thread's */
	finish();
}

static void
attempt(void)
{
	struct instance	*running = instance_current();

	reload.result = NULL;
	if (running->backend->open_in_thread && start_thread(running)) {
		instance_ref(running);
		reload.threaded = 1;
		return;
	}
	reload.result = instance_open(running->backend, running->conf.path, 0,
	    running, &reload.failure);
	finish();
}

static void
retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	attempt();
}

static void
begin(void)
{
	reload.running = 1;
	/* Early enough to tell an update why, before its own deadline. */
	reload.give_up_ms = table_now_ms() +
	    instance_current()->common.timeout_ms * 8 / 10;
	attempt();
}

void
reload_start(struct table_request *rq)
{
	struct waiter	*w;

	if (rq != NULL) {
		if ((w = calloc(1, sizeof(*w))) == NULL) {
			request_updated(rq, "out of memory");
			return;
		}
		w->rq = rq;
		if (reload.running)
			LL_APPEND(reload.later, w);
		else
			LL_APPEND(reload.now, w);
	}
	reload.quiet = 0;
	if (reload.running)
		reload.again = 1;
	else
		begin();
}

static void
forget(struct waiter **list, const struct table_request *rq)
{
	struct waiter	*w, *next;

	LL_FOREACH_SAFE(*list, w, next)
		if (w->rq == rq) {
			LL_DELETE(*list, w);
			free(w);
		}
}

void
reload_cancel(struct table_request *rq)
{
	forget(&reload.now, rq);
	forget(&reload.later, rq);
}

static void
set_check(void)
{
	int64_t		 ms = instance_current()->common.check_interval_ms;
	struct timeval	 tv = { ms / 1000, (ms % 1000) * 1000 };

	evtimer_del(reload.check);
	if (ms > 0 && instance_current()->backend->changed != NULL)
		evtimer_add(reload.check, &tv);
}

static void
check_files(evutil_socket_t fd, short what, void *arg)
{
	struct instance	*running = instance_current();

	(void)fd;
	(void)what;
	(void)arg;
	if (!reload.running &&
	    running->backend->changed(running->opening.state)) {
		reload.quiet = 1;
		begin();
	}
	set_check();
}

void
reload_init(void)
{
	if (pipe(reload.pipe) == -1)
		fatal("pipe");
	fcntl(reload.pipe[0], F_SETFD, FD_CLOEXEC);
	fcntl(reload.pipe[1], F_SETFD, FD_CLOEXEC);
	reload.ended = event_new(table_loop(), reload.pipe[0],
	    EV_READ | EV_PERSIST, thread_ended, NULL);
	reload.check = evtimer_new(table_loop(), check_files, NULL);
	reload.retry = evtimer_new(table_loop(), retry, NULL);
	if (reload.ended == NULL || reload.check == NULL ||
	    reload.retry == NULL ||
	    event_add(reload.ended, NULL) == -1)
		fatalx("can't set up reloading");
	set_check();
}

int
reload_is_running(void)
{
	return reload.threaded;
}
