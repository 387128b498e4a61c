/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "log.h"

char *
buffer_reserve(struct buffer *b, size_t n)
{
	size_t	 len = buffer_len(b), size = b->size ? b->size : 4096;

	if (b->size - b->end < n && b->start > 0) {
		memmove(b->data, buffer_bytes(b), len);
		b->start = 0;
		b->end = len;
	}
	if (b->size - b->end < n) {
		while (size - len < n)
			size *= 2;
		if ((b->data = realloc(b->data, size)) == NULL)
			fatal("buffer of %zu bytes", size);
		b->size = size;
	}
	return b->data + b->end;
}

void
buffer_add(struct buffer *b, const void *bytes, size_t n)
{
	memcpy(buffer_reserve(b, n), bytes, n);
	b->end += n;
}

void
buffer_take(struct buffer *b, size_t n)
{
	b->start += n;
	if (b->start == b->end)
		b->start = b->end = 0;
}

void
buffer_free(struct buffer *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}
