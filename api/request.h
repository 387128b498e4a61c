/* SPDX-License-Identifier: ISC */
/*
 * A request's life: begun, running, answered exactly once or timed out.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "table.h"

/* What an answer says; for an update, FOUND is `done'. */
enum result { RESULT_FOUND, RESULT_NOT_FOUND, RESULT_ERROR };

/* Longest reason that smtpd is told. */
#define REASON_MAX	511

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

/* For the wire. */
struct table_column request_id(const struct table_request *);
void	*request_slot(const struct table_request *);

/* Ends an update: 0 for done, or a reason. */
void	 request_updated(struct table_request *, const char *why);

#endif
