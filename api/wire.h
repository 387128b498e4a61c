/* SPDX-License-Identifier: ISC */
/*
 * The descriptors to smtpd.  The first bytes tell which of two protocols it
 * speaks; nothing above the wire knows which it is.
 *
 *	lines, 0.1	smtpd 7.6 and later; answers go to descriptor 1
 *	imsg, 2		smtpd 6.0 to 7.5; answers go back on descriptor 0
 */
#ifndef WIRE_H
#define WIRE_H

#include "buffer.h"
#include "request.h"

/* Begins to read.  Ends the program when smtpd has gone. */
void	 wire_start(void);
/* Writes an answer: at once, or with the others of one input. */
void	 wire_answer(const struct table_request *, enum table_operation,
	    enum result, const char *text, size_t len);
/* The services in force now; smtpd can't be told what is new. */
void	 wire_reloaded(uint32_t services);

/* One protocol. */
struct wire_format {
	const char	*name;
	int		 answers_to;		/* descriptor */
	/* Takes whole requests from bytes that arrived now; what it used. */
	size_t		(*input)(const char *, size_t, int64_t now_ms);
	void		(*answer)(struct buffer *, const struct table_request *,
			    enum table_operation, enum result, const char *,
			    size_t);
	void		(*reloaded)(uint32_t services);
};
extern const struct wire_format wire_line, wire_imsg;

/* For the formats: bytes on their way out. */
struct buffer *wire_output(void);
/* Whether no other request is known to follow the one that begins now. */
void	 wire_last(int);
/* Up to len bytes, made fit to print; for the reason of a refusal. */
const char *wire_printable(const char *, size_t len);

#endif
