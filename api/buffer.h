/* SPDX-License-Identifier: ISC */
/*
 * Bytes that grow at the end and are taken from the start.  Zero it to begin.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stddef.h>

struct buffer {
	char	*data;		/* the first byte is data[start] */
	size_t	 start, end, size;
};

/* Room for n bytes at the end: where they go.  fatal() without memory. */
char	*buffer_reserve(struct buffer *, size_t n);
void	 buffer_add(struct buffer *, const void *, size_t);
void	 buffer_take(struct buffer *, size_t);
void	 buffer_free(struct buffer *);

#define buffer_bytes(b)		((b)->data + (b)->start)
#define buffer_len(b)		((b)->end - (b)->start)

#endif
