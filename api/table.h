/* SPDX-License-Identifier: ISC */
/*
 * The contract between a table backend and the core: table-backend(7) tells it
 * from outside, ARCHITECTURE.md shows one request's way through it.
 *
 * A backend is one constant struct table_backend and a main() that returns
 * table_main(argc, argv, &backend).  All of it runs in one thread, in the
 * core's libevent loop; only open() may be asked to run in a helper thread.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>
#include <stdint.h>

/* What a table is asked about; the bits are the imsg protocol's. */
enum table_service {
	TABLE_ALIAS		= 0x0001,
	TABLE_DOMAIN		= 0x0002,
	TABLE_CREDENTIALS	= 0x0004,
	TABLE_NETADDR		= 0x0008,
	TABLE_USERINFO		= 0x0010,
	TABLE_SOURCE		= 0x0020,
	TABLE_MAILADDR		= 0x0040,
	TABLE_ADDRNAME		= 0x0080,
	TABLE_MAILADDRMAP	= 0x0100,
	TABLE_RELAYHOST		= 0x0200,
	TABLE_STRING		= 0x0400,
	TABLE_REGEX		= 0x0800,
	TABLE_AUTH		= 0x1000
};
#define TABLE_NSERVICES	13
enum table_operation { TABLE_UPDATE, TABLE_CHECK, TABLE_LOOKUP, TABLE_FETCH };

/*
 * A column of a row, or any text that ends by its length.  NULL data is SQL's
 * NULL, or a part that a key lacks; a length of 0 is something else.
 */
struct table_column {
	const char	*data;
	size_t		 len;
};

/* Why no answer could be had.  smtpd is told `error' for both. */
enum table_failure {
	TABLE_TEMPORARY,	/* may be over at the next try */
	TABLE_MISCONFIGURED	/* stays until an administrator mends it */
};

struct table_request;
struct table_option;

/* What open() is given, and what it hands back. */
struct table_opening {
	const void	*conf;		/* the options' values; lives until close() */
	const char	*path;		/* ARG of smtpd.conf: the file */
	int		 checking;	/* -n: complain about all that is odd */
	void		*before;	/* the state that serves now, or NULL */
	void		*state;		/* handed back, as is all below */
	uint32_t	 keyed;		/* services that answer check and lookup */
	uint32_t	 fetched;	/* services that answer fetch */
	char		 error[1024];	/* one line: file, line or what, remedy */
	int		 again;		/* what is wrong may soon be over */
};

struct table_backend {
	const char	*name;		/* "table-sqlite" */
	const char	*version;
	/* NULL: ARG is no configuration file but the data itself. */
	const struct table_option *options;
	size_t		 conf_size;
	/* open() takes long: run it in a helper thread, except at start. */
	int		 open_in_thread;

	/*
	 * Starts serving what the configuration says, at a reload beside the
	 * state before.  A server that can't be reached is no failure; a wrong
	 * configuration is: -1 and .error.
	 */
	int		(*open)(struct table_opening *);
	/*
	 * Begins work on a request.  Any number of table_row(), then exactly
	 * one table_done() or table_failed(), before it returns or later.
	 */
	void		(*query)(void *state, struct table_request *);
	/* Forget it: its deadline has passed.  NULL if query() never waits. */
	void		(*cancel)(void *state, struct table_request *);
	/* Whether what open() read is no longer what is there, so that it
	 * must be opened again; asked often.  May be NULL. */
	int		(*changed)(void *state);
	/* Ends a state that no request needs any more. */
	void		(*close)(void *state);
};

int			 table_main(int, char **, const struct table_backend *);

/* A request's facts, which live until it is answered or cancelled. */
enum table_operation	 table_operation(const struct table_request *);
enum table_service	 table_service(const struct table_request *);
struct table_column	 table_key(const struct table_request *);
int64_t			 table_deadline(const struct table_request *);
void			*table_data(const struct table_request *);
void			 table_set_data(struct table_request *, void *);

/*
 * The answer.  Columns are copied; table_row() returns 0 when no further row
 * can change it.  A failure's text is one line, without a secret.
 */
int			 table_row(struct table_request *,
			    const struct table_column *, size_t);
void			 table_done(struct table_request *);
void			 table_failed(struct table_request *,
			    enum table_failure, const char *, ...)
			    __attribute__((format(printf, 3, 4)));

/* The loop's clock, monotonic, in ms; and the loop, for a backend's events. */
int64_t			 table_now_ms(void);
struct event_base *table_loop(void);

#endif
