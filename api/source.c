/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "source.h"

int
source_add(struct source *s, const char *value, size_t len)
{
	char	**values, *copy;
	size_t	 i;

	for (i = 0; i < s->count; i++)
		if (strlen(s->values[i]) == len &&
		    memcmp(s->values[i], value, len) == 0)
			return 0;
	values = realloc(s->values, (s->count + 1) * sizeof(*values));
	if (values == NULL)
		return -1;
	s->values = values;
	if ((copy = strndup(value, len)) == NULL)
		return -1;
	values[s->count++] = copy;
	return 0;
}

void
source_load(struct source *s, struct source *from, int64_t now)
{
	size_t	 next = s->next;

	source_free(s);
	*s = *from;
	memset(from, 0, sizeof(*from));
	s->next = next;
	s->loaded = 1;
	s->loaded_ms = now;
	s->calls = 0;
}

int
source_is_stale(const struct source *s, int64_t now, int64_t expire_ms,
    int64_t refresh)
{
	return !s->loaded || now - s->loaded_ms >= expire_ms ||
	    s->calls >= refresh;
}

const char *
source_next(struct source *s)
{
	s->calls++;
	if (s->count == 0)
		return NULL;
	s->next %= s->count;
	return s->values[s->next++];
}

void
source_free(struct source *s)
{
	while (s->count > 0)
		free(s->values[--s->count]);
	free(s->values);
	memset(s, 0, sizeof(*s));
}
