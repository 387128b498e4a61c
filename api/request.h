/* SPDX-License-Identifier: ISC */
/*
 * A request's life: begun, running, answered exactly once or timed out.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <sys/types.h>

#include <event2/event_struct.h>

#include "expand.h"
#include "service.h"
#include "source.h"

struct instance;

/* What an answer says; for an update, FOUND is `done'. */
enum result { RESULT_FOUND, RESULT_NOT_FOUND, RESULT_ERROR };

/* Longest reason that smtpd is told. */
#define REASON_MAX	511

enum state { FREE, RUNNING };

/* Shared by request.c and answer.c; the wires read the id and the slot. */
struct table_request {
	struct table_request	*prev, *next;	/* among the unused ones */
	enum state		 state;
	struct expand_subject	 subject;	/* its key is in memory[] */
	size_t			 id_len;
	void			*slot;		/* of the imsg protocol */
	char			*memory;	/* key, NUL, id */
	size_t			 size;
	struct instance		*instance;	/* a reference */
	int64_t			 deadline_ms;
	struct event		 timer;
	int			 timed;		/* the timer is set */
	int			 matched;	/* for check */
	struct service_value	 value;		/* for lookup */
	struct source		 fetched;	/* for fetch */
	unsigned int		 left_out;	/* of its rows */
	void			*data;		/* the backend's */
};

/* What a wire cuts out of its input; copied by request_begin(). */
struct asked {
	enum table_operation	 operation;
	enum table_service	 service;	/* 0: none or unknown */
	struct table_column	 key;
	struct table_column	 id;		/* of the line protocol */
	void			*slot;		/* of the imsg protocol */
	int64_t			 arrived_ms;
	const char		*refused;	/* why it can't be served, or NULL */
};

/* Answers at once or later, once, through wire_answer(). */
void	 request_begin(const struct asked *);
/* The table's name, as smtpd or the command line gives it. */
void	 request_table(const char *name);
const char *request_table_name(void);

/* Ends it: with the value of a look-up, the reason of an error, or nothing. */
void	 request_answer(struct table_request *, enum result, const char *,
	    size_t);
/* Ends it with an error, which is logged. */
void	 request_error(struct table_request *, const char *why);
/* Who asked for what, for a log; without a password; until the next call. */
const char *request_describe(const struct table_request *);

/* Ends an update: 0 for done, or a reason. */
void	 request_updated(struct table_request *, const char *why);

#endif
