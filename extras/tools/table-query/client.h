/* SPDX-License-Identifier: ISC */
/*
 * table-query's parts.  main.c reads the command, program.c runs the table
 * program, session.c keeps questions in flight over one of two wires, keys.c
 * says what is asked, show.c and bench.c take the answers.
 *
 * What can't go on ends the process: err(3) for our own troubles, and
 * program_fail() for those of the table program, which it ends before.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "service.h"

/* smtpd's buffer for a key, with its NUL. */
#define KEY_SIZE	1024
/* LINE_MAX of smtpd: the size of the name in an OPEN frame, with its NUL. */
#define NAME_SIZE	2048

/* What became of a question; also the exit status. */
enum outcome { FOUND, NOT_FOUND, FAILED };

/* Bytes that grow; zero it to begin. */
struct text {
	char	*data;
	size_t	 len, size;
};

void		 text_room(struct text *, size_t more);
void		 text_add(struct text *, const void *, size_t);
void		 text_set(struct text *, const void *, size_t);
void		 text_free(struct text *);

/* The table program, a child of ours. */
struct program {
	const char	*name;	/* of the table */
	pid_t		 pid;	/* 0 when it was waited for */
	int		 fd;
};

/* The path of table-TYPE, to be freed; dir may be NULL. */
char		*program_find(const char *type, const char *dir);
/* Starts it as smtpd does; arg may be NULL. */
void		 program_start(struct program *, const char *path,
		    const char *arg, int stdout_too);
/* Ends it as smtpd does; what it says instead of ending is a failure. */
void		 program_end(struct program *);
/*
 * The program has closed its end: says how, and ends the process.  The hint is
 * for one that had nothing to complain of.
 */
void		 program_lost(struct program *, const char *when,
		    const char *hint) __attribute__((noreturn));
/* Prints one line about the table, ends the program and the process. */
void		 program_fail(struct program *, const char *, ...)
		    __attribute__((noreturn, format(printf, 2, 3)));

/* One question, from the moment it is taken to the moment it is shown. */
struct slot {
	char		 key[KEY_SIZE];	/* as asked */
	size_t		 len;
	int64_t		 sent_ns;	/* 0: never sent */
	int64_t		 took_ns;
	int		 answered;
	enum outcome	 outcome;
	struct text	 value;		/* or the reason of a failure */
};

/* Where the keys come from: a list, `total' times over, or a descriptor. */
struct keys {
	char		**list;
	size_t		 count, size;
	uint64_t	 at, total;
	int		 fd;		/* -1: the list */
	int		 fold;		/* to lower case */
	int		 one_line;	/* the wire can't carry line breaks */
	/* Of the descriptor. */
	struct text	 in;
	size_t		 used;
	int		 eof, skip;
};

enum key_state { KEY_GIVEN, KEY_LATER, KEY_END };

/* Fills a slot, perhaps with a refusal; KEY_LATER: keys_read() first. */
enum key_state	 keys_next(struct keys *, struct slot *);
/* Reads once; may block. */
void		 keys_read(struct keys *);
/* Appends a copy to the list; `total' is then once over. */
void		 keys_add(struct keys *, const char *, size_t);
/* Reads all of the descriptor into a list. */
void		 keys_load(struct keys *);
/*
 * Makes the list of look-ups that smtpd tries for a recipient, in its order:
 * of a virtual address, or of a local user where there is no `@'.
 */
void		 keys_expand(struct keys *, const char *address, char delimiter);
void		 keys_free(struct keys *);

struct wire;

/* A conversation: one operation and service, many keys. */
struct session {
	struct program		*program;
	const struct wire	*wire;
	const char		*version;	/* of smtpd, announced */
	int64_t			 timeout_ms;
	enum table_operation	 operation;
	enum table_service	 service;	/* 0 with TABLE_UPDATE */
	uint32_t		 registered;	/* services; 0 on imsg */
	int			 ready;		/* the handshake is over */
	/* The window: slots[n % window] for the n'th question. */
	struct slot		*slots;
	uint64_t		 window, first, next;
	uint64_t		 due;		/* the next that imsg answers */
	uint32_t		 id;		/* of question 0 */
	/* Buffers, and how far each is used up. */
	struct text		 in, out;
	size_t			 taken, sent;
	int64_t			 now_ns;	/* when last woken */
	int64_t			 heard_ns;	/* when the wait began */
	struct text		 stamp;		/* wire_line's */
	int64_t			 stamp_ns;
};

struct wire {
	int	  stdout_too;		/* answers come over stdout as well */
	int	  one_line;		/* keys are single lines */
	const char *hint;		/* if it's the wrong one */
	void	(*open)(struct session *);
	/* Appends the n'th question to the output. */
	void	(*ask)(struct session *, uint64_t n, const struct slot *);
	/* Takes one message of the input: its length, or 0 if it's not whole. */
	size_t	(*take)(struct session *, const char *, size_t);
	void	(*close)(struct session *);
};

extern const struct wire	 wire_line, wire_imsg;

typedef void	(session_sink)(void *, struct session *, struct slot *);

void		 session_open(struct session *);
/* Asks for all keys, at most `window' at once; answers in their order. */
void		 session_run(struct session *, struct keys *, uint64_t window,
		    session_sink *, void *);
/* Ends the conversation and the program. */
void		 session_close(struct session *);
/* For wires: sends what waits, and takes one message more. */
void		 session_talk(struct session *, size_t (*)(struct session *,
		    const char *, size_t));
/* For wires: the answer to a question. */
void		 session_answer(struct session *, struct slot *, enum outcome,
		    const char *, size_t);
int64_t		 session_clock(void);

/* Shows answers. */
struct show {
	int		 json, progress;
	int		 many;		/* keys: their answers name them */
	struct keys	*expand;	/* look-ups that end when one answers */
	enum outcome	 worst;
	uint64_t	 count[FAILED + 1];
};

session_sink	 show_answer;
void		 show_registered(const struct session *, int json);
const char	*show_outcome(enum outcome);
/* The start of a text for a message: one line, printable, in static memory. */
const char	*show_excerpt(const char *, size_t);
/* Without control characters. */
void		 show_text(FILE *, const char *, size_t);
/* A string of RFC 8259, quotes included; what is no UTF-8 is replaced. */
void		 show_json(FILE *, const char *, size_t);

/* One line on a terminal that is drawn over itself. */
void		 progress_tick(const uint64_t *count, int64_t now_ns);
void		 progress_clear(void);

/* Measures. */
struct bench {
	int64_t		*took_ns;
	uint64_t	 done, count[FAILED + 1];
	int		 progress;
};

session_sink	 bench_answer;
void		 bench_report(struct bench *, const struct session *,
		    int64_t took_ns, int json);

#endif
