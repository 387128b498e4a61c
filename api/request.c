/* SPDX-License-Identifier: ISC */
#include <sys/types.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "expand.h"
#include "instance.h"
#include "log.h"
#include "query.h"
#include "reload.h"
#include "request.h"
#include "service.h"
#include "value.h"
#include "wire.h"

enum state { FREE, RUNNING };

struct table_request {
	struct table_request	*prev, *next;	/* among free or running ones */
	enum state		 state;
	struct expand_subject	 subject;	/* its key is in memory[] */
	size_t			 id_len;
	void			*slot;
	char			*memory;	/* key, NUL, id */
	size_t			 size;
	struct instance		*instance;	/* a reference */
	int64_t			 deadline_ms;
	struct event		 timer;
	int			 timed;		/* the timer is set */
	int			 matched;	/* for check */
	struct service_value	 value;		/* for lookup */
	struct source		 fetched;	/* for fetch */
	void			*data;
};

static struct table_request	*unused;
static char			*table_name;

static void	answer(struct table_request *, enum result, const char *,
		    size_t);
static void	answer_error(struct table_request *, const char *);

void
request_table(const char *name)
{
	char	*copy = strdup(name);

	if (copy == NULL)
		fatal("table name");
	free(table_name);
	table_name = copy;
	log_table(name);
}

const char *
request_table_name(void)
{
	return table_name;
}

/*
 * Takes a request from the unused ones, with room for key and id.  They are
 * kept for the next, so that a look-up allocates nothing.
 */
static struct table_request *
take(size_t size)
{
	struct table_request	*rq = unused;

	if (rq != NULL)
		DL_DELETE(unused, rq);
	else if ((rq = calloc(1, sizeof(*rq))) == NULL)
		fatal("request");
	if (rq->size < size) {
		free(rq->memory);
		if ((rq->memory = malloc(size)) == NULL)
			fatal("request of %zu bytes", size);
		rq->size = size;
	}
	return rq;
}

static struct table_request *
request_new(const struct asked *asked)
{
	struct table_request	*rq;
	size_t			 key_len = asked->key.len;

	rq = take(key_len + 1 + asked->id.len);
	if (key_len > 0)
		memcpy(rq->memory, asked->key.data, key_len);
	rq->memory[key_len] = '\0';
	if (asked->id.len > 0)
		memcpy(rq->memory + key_len + 1, asked->id.data, asked->id.len);
	rq->id_len = asked->id.len;
	rq->slot = asked->slot;
	rq->subject.key.data = rq->memory;
	rq->subject.key.len = key_len;
	rq->subject.table = table_name;
	rq->subject.service = asked->service;
	rq->subject.operation = asked->operation;
	rq->instance = instance_current();
	instance_ref(rq->instance);
	rq->deadline_ms = asked->arrived_ms + rq->instance->common.timeout_ms;
	rq->timed = rq->matched = 0;
	rq->value.len = rq->value.rows = 0;
	rq->value.error = NULL;
	rq->data = NULL;
	rq->state = RUNNING;
	return rq;
}

static void
request_release(struct table_request *rq)
{
	rq->state = FREE;
	source_free(&rq->fetched);
	if (service_key_is_secret(rq->subject.service))
		value_wipe(rq->memory, rq->size);
	if (service_value_is_secret(rq->subject.service))
		value_wipe(rq->value.text, sizeof(rq->value.text));
	instance_unref(rq->instance);
	rq->instance = NULL;
	DL_PREPEND(unused, rq);
}

/* Who asked for what, for a log; the password in a key of auth left out. */
static const char *
describe(const struct table_request *rq)
{
	static char		 text[1200];
	const char		*operation, *service;
	struct table_column	 login;

	operation = operation_name(rq->subject.operation);
	service = service_name(rq->subject.service);
	login = expand_value(EXPAND_LOGIN, &rq->subject);
	if (rq->subject.operation == TABLE_UPDATE)
		return operation;
	if (rq->subject.operation == TABLE_FETCH)
		snprintf(text, sizeof(text), "%s %s", operation,
		    service == NULL ? "?" : service);
	else
		snprintf(text, sizeof(text), "%s %s \"%.*s\"", operation,
		    service == NULL ? "?" : service, (int)login.len,
		    login.data);
	return text;
}

static int
cacheable(const struct table_request *rq)
{
	enum table_service	 service = rq->subject.service;

	return rq->instance->cache != NULL && !service_key_is_secret(service) &&
	    !service_value_is_secret(service) &&
	    (rq->subject.operation == TABLE_CHECK ||
	    rq->subject.operation == TABLE_LOOKUP);
}

static struct cache_key
cache_key(const struct table_request *rq)
{
	struct cache_key	 key;

	key.operation = rq->subject.operation;
	key.service = rq->subject.service;
	key.key = rq->subject.key;
	return key;
}

static int
answer_from_cache(struct table_request *rq)
{
	struct cache_key	 key = cache_key(rq);
	struct table_column	 value;

	if (!cache_get(rq->instance->cache, &key, table_now_ms(), &value))
		return 0;
	answer(rq, value.data == NULL ? RESULT_NOT_FOUND : RESULT_FOUND,
	    value.data, value.len);
	return 1;
}

/* Not-found, or found with the value, which has been checked. */
static void
answer_and_keep(struct table_request *rq, const char *text, size_t len)
{
	struct cache_key	 key = cache_key(rq);
	struct table_column	 value = { text, len };

	if (cacheable(rq))
		cache_put(rq->instance->cache, &key, table_now_ms(), value);
	answer(rq, text == NULL ? RESULT_NOT_FOUND : RESULT_FOUND, text, len);
}

static void
answer(struct table_request *rq, enum result result, const char *text,
    size_t len)
{
	static const char *const said[] = { "found", "not found", "error" };

	if (rq->timed)
		evtimer_del(&rq->timer);
	if (log_wants_debug())
		log_debug("%s: %s", describe(rq), said[result]);
	wire_answer(rq, rq->subject.operation, result, text, len);
	request_release(rq);
}

static void
answer_error(struct table_request *rq, const char *why)
{
	char	 line[REASON_MAX + 1];
	size_t	 i;

	snprintf(line, sizeof(line), "%s", why);
	for (i = 0; line[i] != '\0'; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = ' ';
	log_warnx("%s: %s", describe(rq), line);
	answer(rq, RESULT_ERROR, line, strlen(line));
}

static void
deadline_passed(evutil_socket_t fd, short what, void *arg)
{
	struct table_request	*rq = arg;
	const struct table_backend *backend = rq->instance->backend;
	char			 why[64];

	(void)fd;
	(void)what;
	rq->timed = 0;
	if (rq->subject.operation == TABLE_UPDATE)
		reload_cancel(rq);
	else if (backend->cancel != NULL)
		backend->cancel(rq->instance->opening.state, rq);
	snprintf(why, sizeof(why), "no answer within %lld ms",
	    (long long)rq->instance->common.timeout_ms);
	answer_error(rq, why);
}

static void
arm_deadline(struct table_request *rq)
{
	int64_t		 left = rq->deadline_ms - table_now_ms();
	struct timeval	 tv;

	if (left < 0)
		left = 0;
	tv.tv_sec = left / 1000;
	tv.tv_usec = (left % 1000) * 1000;
	evtimer_assign(&rq->timer, table_loop(), deadline_passed, rq);
	if (evtimer_add(&rq->timer, &tv) == -1)
		fatalx("can't set a timer");
	rq->timed = 1;
}

static struct source *
source_of(struct table_request *rq)
{
	return rq->subject.service == TABLE_SOURCE ? &rq->instance->source :
	    &rq->instance->relayhost;
}

static void
answer_next(struct table_request *rq)
{
	const char	*value = source_next(source_of(rq));

	answer(rq, value == NULL ? RESULT_NOT_FOUND : RESULT_FOUND, value,
	    value == NULL ? 0 : strlen(value));
}

static int
answer_from_list(struct table_request *rq)
{
	const struct common	*common = &rq->instance->common;
	int			 source = rq->subject.service == TABLE_SOURCE;

	if (source_is_stale(source_of(rq), table_now_ms(),
	    source ? common->source_expire_ms : common->relayhost_expire_ms,
	    source ? common->source_refresh : common->relayhost_refresh))
		return 0;
	answer_next(rq);
	return 1;
}

static void
run(struct table_request *rq)
{
	if (rq->subject.operation == TABLE_UPDATE) {
		arm_deadline(rq);
		reload_start(rq);
		return;
	}
	if (rq->subject.operation == TABLE_FETCH && answer_from_list(rq))
		return;
	if (cacheable(rq) && answer_from_cache(rq))
		return;
	rq->instance->backend->query(rq->instance->opening.state, rq);
	/* Most were answered by now; none begins while one is handed over. */
	if (rq->state == RUNNING)
		arm_deadline(rq);
}

void
request_begin(const struct asked *asked)
{
	struct table_request	*rq = request_new(asked);
	char			 why[128];

	if (asked->refused != NULL)
		answer_error(rq, asked->refused);
	else if (asked->operation != TABLE_UPDATE &&
	    !instance_serves(rq->instance, asked->operation, asked->service)) {
		snprintf(why, sizeof(why), "%s of %s is not configured",
		    operation_name(asked->operation),
		    service_name(asked->service));
		answer_error(rq, why);
	} else if (table_now_ms() >= rq->deadline_ms)
		answer_error(rq, "the deadline passed while others were served");
	else
		run(rq);
}

struct table_column
request_id(const struct table_request *rq)
{
	struct table_column	 id;

	id.data = rq->memory + rq->subject.key.len + 1;
	id.len = rq->id_len;
	return id;
}

void *
request_slot(const struct table_request *rq)
{
	return rq->slot;
}

void
request_updated(struct table_request *rq, const char *why)
{
	if (why == NULL)
		answer(rq, RESULT_FOUND, NULL, 0);
	else
		answer_error(rq, why);
}

/* What the contract says of a request. */

enum table_operation
table_operation(const struct table_request *rq)
{
	return rq->subject.operation;
}

enum table_service
table_service(const struct table_request *rq)
{
	return rq->subject.service;
}

struct table_column
table_key(const struct table_request *rq)
{
	return rq->subject.key;
}

struct table_column
table_variable(const struct table_request *rq, enum expand_variable variable)
{
	return expand_value(variable, &rq->subject);
}

int64_t
table_deadline(const struct table_request *rq)
{
	return rq->deadline_ms;
}

void *
table_data(const struct table_request *rq)
{
	return rq->data;
}

void
table_set_data(struct table_request *rq, void *data)
{
	rq->data = data;
}

/* A row of fetch is one value; a bad one is left out, and said. */
static void
fetch_row(struct table_request *rq, const struct table_column *cols, size_t n)
{
	struct service_value	*v = &rq->value;
	const char		*why;

	v->rows = 0;
	v->error = NULL;
	service_add_row(v, rq->subject.service, cols, n);
	why = v->error;
	if (why == NULL)
		why = service_validate(rq->subject.service, v->text, v->len);
	if (why == NULL && source_add(&rq->fetched, v->text, v->len) == -1)
		why = "out of memory";
	if (why != NULL) {
		log_warnx("%s: a row is left out: %s", describe(rq), why);
		rq->matched = 1;
	}
}

int
table_row(struct table_request *rq, const struct table_column *cols, size_t n)
{
	if (rq->state != RUNNING)
		return 0;
	switch (rq->subject.operation) {
	case TABLE_CHECK:
		rq->matched |= service_row_matches(cols, n);
		return !rq->matched;
	case TABLE_FETCH:
		fetch_row(rq, cols, n);
		return 1;
	default:
		service_add_row(&rq->value, rq->subject.service, cols, n);
		return rq->value.error == NULL;
	}
}

static void
fetch_done(struct table_request *rq)
{
	if (rq->fetched.count == 0 && rq->matched) {
		answer_error(rq, "no row can be used");
		return;
	}
	source_load(source_of(rq), &rq->fetched, table_now_ms());
	answer_next(rq);
}

static void
lookup_done(struct table_request *rq)
{
	struct service_value	*v = &rq->value;

	if (v->rows == 0) {
		answer_and_keep(rq, NULL, 0);
		return;
	}
	if (v->error == NULL)
		v->error = service_validate(rq->subject.service, v->text, v->len);
	if (v->error != NULL)
		answer_error(rq, v->error);
	else
		answer_and_keep(rq, v->text, v->len);
}

void
table_done(struct table_request *rq)
{
	if (rq->state != RUNNING)
		return;
	if (rq->subject.operation == TABLE_CHECK)
		answer_and_keep(rq, rq->matched ? "" : NULL, 0);
	else if (rq->subject.operation == TABLE_FETCH)
		fetch_done(rq);
	else
		lookup_done(rq);
}

void
table_failed(struct table_request *rq, enum table_failure failure,
    const char *format, ...)
{
	char	 why[REASON_MAX + 1];
	va_list	 ap;
	int	 n = 0;

	if (rq->state != RUNNING)
		return;
	if (failure == TABLE_MISCONFIGURED)
		n = snprintf(why, sizeof(why), "misconfigured: ");
	va_start(ap, format);
	vsnprintf(why + n, sizeof(why) - (size_t)n, format, ap);
	va_end(ap);
	answer_error(rq, why);
}
