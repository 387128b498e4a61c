/* SPDX-License-Identifier: ISC */
#include <sys/types.h>

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

#include "instance.h"
#include "log.h"
#include "service.h"

#define HOUR	(3600 * INT64_C(1000))
#define DAY	(24 * HOUR)

#define COMMON_DURATION(name_, field, min_, max_, preset_, help_) {	\
	.name = (name_), .type = OPTION_DURATION, .unit = "seconds",	\
	.offset = OPTION_FIELD(struct common, field, int64_t),		\
	.min = (min_), .max = (max_), .preset = (preset_), .help = (help_) }
#define COMMON_NUMBER(name_, field, min_, max_, unit_, preset_, help_) {	\
	.name = (name_), .type = OPTION_NUMBER, .unit = (unit_),	\
	.offset = OPTION_FIELD(struct common, field, int64_t),		\
	.min = (min_), .max = (max_), .preset = (preset_), .help = (help_) }

const struct table_option common_options[] = {
	COMMON_DURATION("timeout", timeout_ms, 50, HOUR, "5s",
	    "after which a request without an answer gets an error"),
	COMMON_DURATION("check_interval", check_interval_ms, 0, DAY, "1s",
	    "how often to look whether a file was changed or replaced; 0: never"),
	COMMON_DURATION("cache_ttl", cache_ttl_ms, 0, DAY, "0s",
	    "how long an answer may be given again; 0: no cache"),
	COMMON_NUMBER("cache_size", cache_size, 1, 100000000, "answers",
	    "10000", "how many answers the cache holds"),
	COMMON_DURATION("fetch_source_expire", source_expire_ms, 0, 365 * DAY,
	    "60s", "after which the list of sources is read again"),
	COMMON_NUMBER("fetch_source_refresh", source_refresh, 0, INT32_MAX,
	    "fetches", "1000",
	    "after which the list of sources is read again"),
	COMMON_DURATION("fetch_relayhost_expire", relayhost_expire_ms, 0,
	    365 * DAY, "60s", "after which the list of relays is read again"),
	COMMON_NUMBER("fetch_relayhost_refresh", relayhost_refresh, 0,
	    INT32_MAX, "fetches", "1000",
	    "after which the list of relays is read again"),
	{ .name = "debug", .type = OPTION_BOOL, .preset = "no",
	  .offset = OPTION_FIELD(struct common, debug, int),
	  .help = "log each request" },
	{ .name = NULL }
};

static struct instance	*current;

static size_t
count_options(const struct table_option *o)
{
	size_t	 n = 0;

	while (o != NULL && o[n].name != NULL)
		n++;
	return n;
}

/* The sections' memory; -1 without it. */
static int
allocate(struct instance *i, const char *arg)
{
	const struct table_backend	*b = i->backend;
	struct conf_section		*common = &i->conf.sections[0];
	struct conf_section		*own = &i->conf.sections[1];

	common->options = common_options;
	common->values = (unsigned char *)&i->common;
	common->lines = calloc(count_options(common_options) + 1,
	    sizeof(*common->lines));
	own->options = b->options;
	own->values = calloc(1, b->conf_size + 1);
	own->lines = calloc(count_options(b->options) + 1,
	    sizeof(*own->lines));
	i->conf.path = strdup(arg);
	return common->lines == NULL || own->values == NULL ||
	    own->lines == NULL || i->conf.path == NULL ? -1 : 0;
}

static int
open_backend(struct instance *i, struct failure *failure)
{
	struct table_opening	*opening = &i->opening;

	opening->conf = i->conf.sections[1].values;
	opening->path = i->conf.path;
	if (i->backend->open(opening) == -1) {
		snprintf(failure->why, sizeof(failure->why), "%s",
		    opening->error);
		failure->again = opening->again;
		return -1;
	}
	if (instance_services(i) != 0)
		return 0;
	snprintf(failure->why, sizeof(failure->why), "%s: no service is "
	    "configured; add a directive for one, such as query_alias",
	    opening->path);
	i->backend->close(opening->state);
	return -1;
}

static void
release(struct instance *i)
{
	conf_clear(&i->conf);
	cache_free(i->cache);
	source_free(&i->source);
	source_free(&i->relayhost);
	free(i->conf.sections[0].lines);
	free(i->conf.sections[1].lines);
	free(i->conf.sections[1].values);
	free(i->conf.path);
	free(i);
}

/* 0, or -1 and a failure; the instance is released then. */
static int
fill(struct instance *i, const char *arg, struct failure *failure)
{
	char	*why = failure->why;
	size_t	 size = sizeof(failure->why);

	if (allocate(i, arg) == -1) {
		snprintf(why, size, "out of memory");
		return -1;
	}
	if (conf_defaults(&i->conf, why, size) == -1 ||
	    (i->backend->options != NULL &&
	    conf_read(&i->conf, why, size) == -1) ||
	    open_backend(i, failure) == -1)
		return -1;
	if (i->common.cache_ttl_ms > 0)
		i->cache = cache_new((size_t)i->common.cache_size,
		    i->common.cache_ttl_ms);
	return 0;
}

struct instance *
instance_open(const struct table_backend *backend, const char *arg,
    int checking, const struct instance *before, struct failure *failure)
{
	struct instance	*i;

	failure->again = 0;
	if ((i = calloc(1, sizeof(*i))) == NULL) {
		snprintf(failure->why, sizeof(failure->why), "out of memory");
		return NULL;
	}
	i->backend = backend;
	i->references = 1;
	i->opening.checking = checking;
	i->opening.before = before == NULL ? NULL : before->opening.state;
	if (fill(i, arg, failure) == 0)
		return i;
	release(i);
	return NULL;
}

void
instance_ref(struct instance *i)
{
	i->references++;
}

static void
close_now(evutil_socket_t fd, short what, void *arg)
{
	struct instance	*i = arg;

	(void)fd;
	(void)what;
	i->backend->close(i->opening.state);
	release(i);
}

/*
 * The last request may be answered from inside the backend, which must not
 * lose its state there: it is closed when the loop comes round again.
 */
void
instance_unref(struct instance *i)
{
	if (i == NULL || --i->references > 0)
		return;
	if (table_loop() == NULL) {
		close_now(-1, 0, i);
		return;
	}
	evtimer_assign(&i->closing, table_loop(), close_now, i);
	event_active(&i->closing, EV_TIMEOUT, 0);
}

int
instance_serves(const struct instance *i, enum table_operation operation,
    enum table_service service)
{
	uint32_t	 served = operation == TABLE_FETCH ?
	    i->opening.fetched : i->opening.keyed;

	return (served & service) != 0;
}

uint32_t
instance_services(const struct instance *i)
{
	return i->opening.keyed | i->opening.fetched;
}

void
instance_print(const struct instance *i, FILE *fp)
{
	unsigned int	 n;

	if (i->backend->options != NULL)
		conf_print(&i->conf, fp);
	fprintf(fp, "# services:");
	for (n = 0; n < TABLE_NSERVICES; n++)
		if (instance_services(i) & service_at(n))
			fprintf(fp, " %s", service_name(service_at(n)));
	fprintf(fp, "\n");
}

struct instance *
instance_current(void)
{
	return current;
}

void
instance_swap(struct instance *i)
{
	struct instance	*old = current;

	current = i;
	if (i != NULL)
		log_debugging(i->common.debug);
	instance_unref(old);
}

const char *
table_where(const struct table_opening *opening, const void *field)
{
	const struct instance	*i;

	i = (const struct instance *)(const void *)((const char *)opening -
	    offsetof(struct instance, opening));
	return conf_where(&i->conf, field);
}
