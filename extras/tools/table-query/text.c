/* SPDX-License-Identifier: ISC */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#define TEXT_FIRST	256

void
text_room(struct text *t, size_t more)
{
	size_t	 size = t->size == 0 ? TEXT_FIRST : t->size;

	if (t->size - t->len >= more)
		return;
	while (size - t->len < more)
		size *= 2;
	if ((t->data = realloc(t->data, size)) == NULL)
		err(FAILED, NULL);
	t->size = size;
}

void
text_add(struct text *t, const void *data, size_t len)
{
	text_room(t, len);
	if (len > 0)
		memcpy(t->data + t->len, data, len);
	t->len += len;
}

void
text_set(struct text *t, const void *data, size_t len)
{
	t->len = 0;
	text_add(t, data, len);
}

void
text_free(struct text *t)
{
	free(t->data);
	memset(t, 0, sizeof(*t));
}
