/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define READ_SIZE	65536
#define LIST_FIRST	8

/* Answers a slot in smtpd's place. */
static void
refuse(struct slot *slot, const char *why)
{
	slot->answered = 1;
	slot->outcome = FAILED;
	slot->took_ns = 0;
	text_set(&slot->value, why, strlen(why));
}

static void
set_key(const struct keys *k, struct slot *slot, const char *key, size_t len)
{
	size_t	 i;

	slot->len = len < KEY_SIZE ? len : KEY_SIZE - 1;
	if (k->fold)
		for (i = 0; i < slot->len; i++)
			slot->key[i] = (char)tolower((unsigned char)key[i]);
	else
		memcpy(slot->key, key, slot->len);
	slot->key[slot->len] = '\0';
	if (len >= KEY_SIZE)
		refuse(slot, "the key is longer than 1023 bytes: smtpd refuses it");
	else if (memchr(key, '\0', len) != NULL)
		refuse(slot, "the key holds a NUL");
	else if (k->one_line && slot->key[strcspn(slot->key, "\r\n")] != '\0')
		refuse(slot, "the key holds a line break: smtpd refuses it");
}

/* The next whole line of the input, or the last that no newline ends. */
static enum key_state
next_line(struct keys *k, const char **line, size_t *len)
{
	const char	*end;

	if (k->in.len == k->used)
		return k->eof ? KEY_END : KEY_LATER;
	*line = k->in.data + k->used;
	*len = k->in.len - k->used;
	end = memchr(*line, '\n', *len);
	if (end == NULL && !k->eof && *len <= KEY_SIZE)
		return KEY_LATER;
	if (end != NULL)
		*len = (size_t)(end - *line);
	k->used += *len + (end != NULL);
	return KEY_GIVEN;
}

/* As next_line(), but of a line too long only the start. */
static enum key_state
next_key(struct keys *k, const char **line, size_t *len)
{
	enum key_state	 state;
	int		 skip, whole;

	do {
		if ((state = next_line(k, line, len)) != KEY_GIVEN)
			return state;
		skip = k->skip;
		whole = k->in.data[k->used - 1] == '\n';
		k->skip = !whole && !k->eof;
	} while (skip);
	if (whole && *len > 0 && (*line)[*len - 1] == '\r')
		(*len)--;
	return KEY_GIVEN;
}

enum key_state
keys_next(struct keys *k, struct slot *slot)
{
	const char	*line;
	size_t		 len;
	enum key_state	 state = KEY_GIVEN;

	if (k->fd != -1)
		state = next_key(k, &line, &len);
	else if (k->at >= k->total)
		state = KEY_END;
	else {
		line = k->list[k->at++ % k->count];
		len = strlen(line);
	}
	if (state == KEY_GIVEN)
		set_key(k, slot, line, len);
	return state;
}

void
keys_read(struct keys *k)
{
	ssize_t	 n;

	k->in.len -= k->used;
	if (k->in.len > 0 && k->used > 0)
		memmove(k->in.data, k->in.data + k->used, k->in.len);
	k->used = 0;
	text_room(&k->in, READ_SIZE);
	n = read(k->fd, k->in.data + k->in.len, READ_SIZE);
	if (n == -1 && errno != EINTR && errno != EAGAIN)
		err(FAILED, "standard input");
	if (n == 0)
		k->eof = 1;
	if (n > 0)
		k->in.len += (size_t)n;
}

void
keys_add(struct keys *k, const char *key, size_t len)
{
	char	*copy;

	if (k->count == k->size) {
		k->size = k->size == 0 ? LIST_FIRST : 2 * k->size;
		k->list = reallocarray(k->list, k->size, sizeof(*k->list));
		if (k->list == NULL)
			err(FAILED, NULL);
	}
	if ((copy = malloc(len + 1)) == NULL)
		err(FAILED, NULL);
	memcpy(copy, key, len);
	copy[len] = '\0';
	k->list[k->count++] = copy;
	k->total = k->count;
}

void
keys_load(struct keys *k)
{
	const char	*line;
	size_t		 len;
	enum key_state	 state;

	while ((state = next_key(k, &line, &len)) != KEY_END)
		if (state == KEY_GIVEN)
			keys_add(k, line, len);
		else
			keys_read(k);
	k->fd = -1;
}

/* Adds a key of two parts. */
static void
add_lookup(struct keys *k, const char *user, size_t user_len,
    const char *domain)
{
	struct text	 t = { NULL, 0, 0 };

	text_add(&t, user, user_len);
	text_add(&t, domain, strlen(domain));
	keys_add(k, t.data, t.len);
	text_free(&t);
}

/*
 * smtpd's aliases_virtual_get() and aliases_get(): a tag that is empty is
 * left out of a virtual address, but not of a local user.
 */
void
keys_expand(struct keys *k, const char *address, char delimiter)
{
	const char	*domain = strrchr(address, '@');
	size_t		 len = domain ? (size_t)(domain - address) :
			    strlen(address);
	const char	*tag = memchr(address, delimiter, len);
	size_t		 bare = tag != NULL ? (size_t)(tag - address) : len;

	if (domain == NULL) {
		if (tag != NULL)
			add_lookup(k, address, len, "");
		add_lookup(k, address, bare, "");
		return;
	}
	if (bare + 1 >= len)
		tag = NULL;
	if (tag != NULL)
		add_lookup(k, address, len, domain);
	add_lookup(k, address, bare, domain);
	if (tag != NULL)
		add_lookup(k, address, len, "");
	add_lookup(k, address, bare, "");
	if (domain[1] == '\0')
		return;
	add_lookup(k, "", 0, domain);
	add_lookup(k, "", 0, "@");
}

void
keys_free(struct keys *k)
{
	while (k->count > 0)
		free(k->list[--k->count]);
	free(k->list);
	text_free(&k->in);
}
