/* SPDX-License-Identifier: ISC */
/*
 * One loaded configuration and what the backend opened by it.  A reload makes
 * a second one and swaps; the first lives until its last request is answered.
 */
#ifndef INSTANCE_H
#define INSTANCE_H

#include <sys/types.h>

#include <event2/event_struct.h>

#include "cache.h"
#include "conf.h"
#include "source.h"
#include "table.h"

/* Why there is none: one line, and whether it is worth another try soon. */
struct failure {
	char	 why[1024];
	int	 again;
};

/* What every configuration file may say. */
struct common {
	int64_t	 timeout_ms;
	int64_t	 check_interval_ms;
	int64_t	 cache_ttl_ms, cache_size;
	int64_t	 source_expire_ms, source_refresh;
	int64_t	 relayhost_expire_ms, relayhost_refresh;
	int	 debug;
};
extern const struct table_option common_options[];

struct instance {
	const struct table_backend *backend;
	struct table_opening	 opening;
	struct conf		 conf;
	struct common		 common;
	struct cache		*cache;		/* NULL: off */
	struct source		 source, relayhost;
	unsigned int		 references;
	struct event		 closing;	/* without references, soon */
};

/*
 * Reads ARG and opens the backend, at a reload beside the one before.  NULL
 * and a failure, with file and line, if either can't be.  Any thread may.
 */
struct instance	*instance_open(const struct table_backend *, const char *arg,
		    int checking, const struct instance *before,
		    struct failure *);
/* The caller's reference is the first. */
void		 instance_ref(struct instance *);
void		 instance_unref(struct instance *);
/* Services, by how they are asked. */
int		 instance_serves(const struct instance *, enum table_operation,
		    enum table_service);
uint32_t	 instance_services(const struct instance *);
/* What is in force, for -nn. */
void		 instance_print(const struct instance *, FILE *);

/* The one that new requests go to; the reference is taken over. */
struct instance	*instance_current(void);
void		 instance_swap(struct instance *);

#endif
