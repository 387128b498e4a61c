/* SPDX-License-Identifier: ISC */
#include <sys/types.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "instance.h"
#include "log.h"
#include "request.h"
#include "service.h"

#define FETCHED_MAX	1000	/* values that fetch hands out in turn */

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
	request_answer(rq, value.data == NULL ? RESULT_NOT_FOUND : RESULT_FOUND,
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
	request_answer(rq, text == NULL ? RESULT_NOT_FOUND : RESULT_FOUND, text, len);
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

	request_answer(rq, value == NULL ? RESULT_NOT_FOUND : RESULT_FOUND, value,
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

int
answer_known(struct table_request *rq)
{
	if (rq->subject.operation == TABLE_FETCH)
		return answer_from_list(rq);
	return cacheable(rq) && answer_from_cache(rq);
}

/* Why a row of fetch can't be one of its values; NULL if it now is. */
static const char *
take_value(struct table_request *rq, const struct table_column *cols, size_t n)
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
	return why;
}

/* A bad row is left out; the first one is said, the others are counted. */
static int
fetch_row(struct table_request *rq, const struct table_column *cols, size_t n)
{
	const char	*why;

	if (rq->fetched.count == FETCHED_MAX) {
		log_warnx("%s: only the first %d values are used",
		    request_describe(rq), FETCHED_MAX);
		return 0;
	}
	if ((why = take_value(rq, cols, n)) != NULL && rq->left_out++ == 0)
		log_warnx("%s: a row is left out: %s", request_describe(rq),
		    why);
	return 1;
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
		return fetch_row(rq, cols, n);
	default:
		service_add_row(&rq->value, rq->subject.service, cols, n);
		return rq->value.error == NULL;
	}
}

static void
fetch_done(struct table_request *rq)
{
	if (rq->left_out > 1)
		log_warnx("%s: %u rows are left out", request_describe(rq),
		    rq->left_out);
	if (rq->fetched.count == 0 && rq->left_out > 0) {
		request_error(rq, "no row can be used");
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
		request_error(rq, v->error);
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
	request_error(rq, why);
}
