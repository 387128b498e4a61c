/* SPDX-License-Identifier: ISC */
#include <sys/types.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "answer.h"
#include "instance.h"
#include "log.h"
#include "query.h"
#include "reload.h"
#include "request.h"
#include "service.h"
#include "value.h"
#include "wire.h"

/* The longest key and id that a wire lets through, and their ends. */
#define MEMORY_MAX	33280

#define UNUSED_MAX	1024	/* requests that are kept for the next ones */
#define LOGGED_MAX	100	/* failures that are logged in one second */

static struct table_request	*unused;
static unsigned int		 nunused;
/* Says `out of memory' where there is none for another. */
static struct table_request	 reserve;
static char			 reserve_memory[MEMORY_MAX];
static char			*table_name;

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

static void
unused_remove(struct table_request *rq)
{
	DL_DELETE(unused, rq);
	nunused--;
}

/*
 * After a flood, memory goes back: that of the one that has been here longest,
 * since run() still looks at the one that comes.
 */
static void
unused_add(struct table_request *rq)
{
	struct table_request	*oldest;

	if (nunused == UNUSED_MAX) {
		oldest = unused->prev;
		unused_remove(oldest);
		free(oldest->memory);
		free(oldest);
	}
	DL_PREPEND(unused, rq);
	nunused++;
}

/*
 * Takes a request from the unused ones, with room for key and id.  They are
 * kept for the next, so that a look-up allocates nothing.
 */
static struct table_request *
take(size_t size)
{
	struct table_request	*rq = unused;
	char			*memory;

	if (rq != NULL)
		unused_remove(rq);
	else if ((rq = calloc(1, sizeof(*rq))) == NULL)
		return NULL;
	if (rq->size >= size)
		return rq;
	if ((memory = realloc(rq->memory, size)) == NULL) {
		unused_add(rq);
		return NULL;
	}
	rq->memory = memory;
	rq->size = size;
	return rq;
}

static struct table_request *
take_reserve(void)
{
	reserve.memory = reserve_memory;
	reserve.size = sizeof(reserve_memory);
	return &reserve;
}

static struct table_request *
request_new(const struct asked *asked)
{
	struct table_request	*rq;
	size_t			 key_len = asked->key.len;

	if ((rq = take(key_len + 1 + asked->id.len)) == NULL)
		rq = take_reserve();
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
	rq->left_out = 0;
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
	if (rq != &reserve)
		unused_add(rq);
}

const char *
request_describe(const struct table_request *rq)
{
	static char		 text[1200];
	const char		*operation, *service;
	struct table_column	 login;

	operation = operation_name(rq->subject.operation);
	service = service_name(rq->subject.service);
	login = expand_value(EXPAND_LOGIN, &rq->subject);
	if (rq->subject.operation == TABLE_UPDATE)
		return operation;
	/* Without a `:', or a service that is known, all may be secret. */
	if (rq->subject.operation == TABLE_FETCH || service == NULL ||
	    (service_key_is_secret(rq->subject.service) &&
	    login.len == rq->subject.key.len))
		snprintf(text, sizeof(text), "%s %s", operation,
		    service == NULL ? "?" : service);
	else
		snprintf(text, sizeof(text), "%s %s \"%.*s\"", operation,
		    service, (int)login.len, login.data);
	return text;
}

void
request_answer(struct table_request *rq, enum result result, const char *text,
    size_t len)
{
	static const char *const said[] = { "found", "not found", "error" };

	if (rq->timed)
		evtimer_del(&rq->timer);
	if (log_wants_debug())
		log_debug("%s: %s", request_describe(rq), said[result]);
	wire_answer(rq, rq->subject.operation, result, text, len);
	request_release(rq);
}

/* Each failure, but no flood of them: the next second says how many more. */
static void
log_failure(const struct table_request *rq, const char *why)
{
	static int64_t		 second;
	static unsigned int	 logged, left_out;
	int64_t			 now = table_now_ms() / 1000;

	if (now != second) {
		if (left_out > 0)
			log_warnx("%u more failures were not logged", left_out);
		second = now;
		logged = left_out = 0;
	}
	if (logged++ < LOGGED_MAX)
		log_warnx("%s: %s", request_describe(rq), why);
	else
		left_out++;
}

void
request_error(struct table_request *rq, const char *why)
{
	char	 line[REASON_MAX + 1];
	size_t	 i;

	snprintf(line, sizeof(line), "%s", why);
	for (i = 0; line[i] != '\0'; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = ' ';
	log_failure(rq, line);
	request_answer(rq, RESULT_ERROR, line, strlen(line));
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
	request_error(rq, why);
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
	rq->timed = 1;
	/* It counts from now, not from when a slow callback began. */
	event_base_update_cache_time(table_loop());
	if (evtimer_add(&rq->timer, &tv) == -1)	/* no memory to wait with */
		deadline_passed(-1, 0, rq);
}

static void
run(struct table_request *rq)
{
	if (rq->subject.operation == TABLE_UPDATE) {
		arm_deadline(rq);
		reload_start(rq);
		return;
	}
	if (answer_known(rq))
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

	if (rq == &reserve)
		request_error(rq, "out of memory");
	else if (asked->refused != NULL)
		request_error(rq, asked->refused);
	else if (asked->operation != TABLE_UPDATE &&
	    !instance_serves(rq->instance, asked->operation, asked->service)) {
		snprintf(why, sizeof(why), "%s of %s is not configured",
		    operation_name(asked->operation),
		    service_name(asked->service));
		request_error(rq, why);
	} else if (table_now_ms() >= rq->deadline_ms)
		request_error(rq, "the deadline passed while others were served");
	else
		run(rq);
}

void
request_updated(struct table_request *rq, const char *why)
{
	if (why == NULL)
		request_answer(rq, RESULT_FOUND, NULL, 0);
	else
		request_error(rq, why);
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
