/* SPDX-License-Identifier: ISC */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "passwd_file.h"

#define ODD_LOGGED	10	/* odd lines that are logged one by one */
/* Two writes closer than this can have the same time; kernels tick. */
#define TICK_MS		20
/* For a file that is being written. */
#define PAUSE_MS	50
#define TRIES		10

/* An open hash table of lines, by the lower-cased name. */
struct slot {
	uint32_t	 line;		/* offset in text, plus 1; 0: empty */
	uint32_t	 hash;
};

struct passwd_file {
	char		*text;
	size_t		 len;
	struct slot	*slots;
	size_t		 mask;		/* number of slots, minus 1 */
	size_t		 count;
	struct stat	 st;		/* before it was read */
	int		 settled;	/* a later write has another time */
	int		 partial;	/* it was being written */
	struct stat	 seen;		/* when it was last looked at */
	struct stat	 refused;	/* read since, and not taken */
	size_t		 nodd;
	struct odd {
		size_t		 line;
		const char	*why;
	} odd[ODD_LOGGED];
};

static unsigned char
lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* FNV-1a, spread once more for the low bits. */
static uint32_t
hash_name(const char *s, size_t len)
{
	uint32_t	 h = 2166136261U;
	size_t		 i;

	for (i = 0; i < len; i++)
		h = (h ^ lower(s[i])) * 16777619U;
	return h ^ (h >> 15);
}

static int
same_but_case(const char *a, const char *b, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		if (lower(a[i]) != lower(b[i]))
			return 0;
	return 1;
}

static const char *
end_of_line(const struct passwd_file *f, const char *line)
{
	const char	*end = f->text + f->len;
	const char	*newline = memchr(line, '\n', (size_t)(end - line));

	return newline == NULL ? end : newline;
}

/* Whether the line at a slot has this name, but for case. */
static int
has_name(const struct passwd_file *f, const struct slot *slot, uint32_t hash,
    const char *name, size_t len)
{
	const char	*line = f->text + slot->line - 1;

	return slot->hash == hash && f->len - (slot->line - 1) > len &&
	    line[len] == ':' && same_but_case(line, name, len);
}

/* Enters a line; the later of two with the same name counts, as ever. */
static int
enter(struct passwd_file *f, const char *line, size_t name_len)
{
	uint32_t	 hash = hash_name(line, name_len);
	size_t		 i;
	int		 again = 0;

	for (i = hash & f->mask; f->slots[i].line != 0; i = (i + 1) & f->mask)
		if (has_name(f, &f->slots[i], hash, line, name_len) &&
		    memcmp(f->text + f->slots[i].line - 1, line,
		    name_len) == 0) {
			again = 1;
			break;
		}
	f->count += !again;
	f->slots[i].line = (uint32_t)(line - f->text) + 1;
	f->slots[i].hash = hash;
	return again;
}

/* Why a line can't be used; NULL if it can or is none. */
static const char *
use_line(struct passwd_file *f, const char *line, const char *end)
{
	const char	*colon;

	if (end > line && end[-1] == '\r')
		end--;
	while (line < end && end[-1] == ' ')
		end--;
	if (line == end || *line == '#')
		return NULL;
	colon = memchr(line, ':', (size_t)(end - line));
	if (colon == NULL)
		return "no `:' in it";
	if (colon == line)
		return "no name in front of the `:'";
	if (memchr(line, '\0', (size_t)(end - line)) != NULL)
		return "a NUL byte in it";
	if (enter(f, line, (size_t)(colon - line)))
		return "its name a second time; the later line counts";
	return NULL;
}

static void
index_lines(struct passwd_file *f)
{
	const char	*line, *end, *why;
	size_t		 number;

	for (line = f->text, number = 1; line < f->text + f->len;
	    line = end + 1, number++) {
		end = end_of_line(f, line);
		if ((why = use_line(f, line, end)) == NULL)
			continue;
		if (f->nodd < ODD_LOGGED) {
			f->odd[f->nodd].line = number;
			f->odd[f->nodd].why = why;
		}
		f->nodd++;
	}
}

size_t
passwd_odd(const struct passwd_file *f)
{
	return f->nodd;
}

void
passwd_log_odd(const struct passwd_file *f, const char *path)
{
	size_t	 i;

	for (i = 0; i < f->nodd && i < ODD_LOGGED; i++)
		log_warnx("%s:%zu: a line with %s", path, f->odd[i].line,
		    f->odd[i].why);
	if (f->nodd > ODD_LOGGED)
		log_warnx("%s: %zu more such lines", path,
		    f->nodd - ODD_LOGGED);
}

/* At least twice as many slots as there are lines. */
static int
make_slots(struct passwd_file *f)
{
	size_t	 i, lines = 1, n = 16;

	for (i = 0; i < f->len; i++)
		lines += f->text[i] == '\n';
	while (n < 2 * lines)
		n *= 2;
	f->mask = n - 1;
	return (f->slots = calloc(n, sizeof(*f->slots))) == NULL ? -1 : 0;
}

static int
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* As much as there is, up to the size that it had at first. */
static int
read_text(struct passwd_file *f, int fd)
{
	size_t	 size = (size_t)f->st.st_size;
	ssize_t	 n = 1;

	if (f->st.st_size >= UINT32_MAX) {
		errno = EFBIG;
		return -1;
	}
	if ((f->text = malloc(size + 1)) == NULL)
		return -1;
	while (f->len < size && n != 0) {
		n = read(fd, f->text + f->len, size - f->len);
		if (n == -1 && errno != EINTR)
			return -1;
		f->len += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Now or before, the file's time could be given once more to a write. */
static int
is_settled(const struct stat *st)
{
	struct timespec	 now;
	int64_t		 ms;

	clock_gettime(CLOCK_REALTIME, &now);
	ms = ((int64_t)now.tv_sec - st->st_mtim.tv_sec) * 1000 +
	    (now.tv_nsec - st->st_mtim.tv_nsec) / 1000000;
	return ms > TICK_MS || ms < 0;
}

/* EBUSY: it was written to while it was read, and half of it may be lost. */
static int
load(struct passwd_file *f, const char *path, int any_state)
{
	struct stat	 after;
	int		 fd, ret = -1;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return -1;
	if (fstat(fd, &f->st) == 0 && !S_ISREG(f->st.st_mode))
		errno = S_ISDIR(f->st.st_mode) ? EISDIR : EINVAL;
	else {
		f->settled = is_settled(&f->st);
		ret = read_text(f, fd);
	}
	f->partial = ret == 0 && (fstat(fd, &after) == -1 ||
	    !same_file(&f->st, &after));
	if (f->partial && !any_state) {
		errno = EBUSY;
		ret = -1;
	}
	close(fd);
	return ret;
}

/* One that is being written gets a few tries; the caller is no loop. */
static struct passwd_file *
load_in_peace(const char *path, int any_state)
{
	const struct timespec	 pause = { 0, PAUSE_MS * 1000000L };
	struct passwd_file	*f;
	int			 tries, error;

	for (tries = 1;; tries++) {
		if ((f = calloc(1, sizeof(*f))) == NULL)
			return NULL;
		if (load(f, path, any_state && tries == TRIES) == 0)
			return f;
		error = errno;
		passwd_free(f);
		errno = error;
		if (error != EBUSY || tries == TRIES)
			return NULL;
		nanosleep(&pause, NULL);
	}
}

struct passwd_file *
passwd_load(const char *path, int any_state, char *why, size_t size)
{
	struct passwd_file	*f = load_in_peace(path, any_state);

	if (f == NULL) {
		snprintf(why, size, "%s: %s", path, errno == EBUSY ?
		    "written to while it was read" : strerror(errno));
		return NULL;
	}
	if (make_slots(f) == -1) {
		snprintf(why, size, "%s: out of memory", path);
		passwd_free(f);
		return NULL;
	}
	index_lines(f);
	return f;
}

void
passwd_free(struct passwd_file *f)
{
	if (f == NULL)
		return;
	free(f->slots);
	free(f->text);
	free(f);
}

int
passwd_is_partial(const struct passwd_file *f)
{
	return f->partial;
}

size_t
passwd_count(const struct passwd_file *f)
{
	return f->count;
}

int
passwd_is_stale(struct passwd_file *f, const char *path)
{
	struct stat	 st;
	int		 still;

	if (stat(path, &st) == -1)
		return 1;
	still = same_file(&st, &f->seen);
	f->seen = st;
	return still && !same_file(&st, &f->refused) && (!same_file(&st, &f->st) ||
	    (!f->settled && is_settled(&st)));
}

void
passwd_refuse(struct passwd_file *f, const struct passwd_file *instead)
{
	f->refused = instead->st;
}

static void
split(const char *line, const char *end, struct table_column *fields)
{
	const char	*colon;
	size_t		 i;

	if (end > line && end[-1] == '\r')
		end--;
	for (i = 0; i < PASSWD_NFIELDS; i++) {
		fields[i].data = line;
		fields[i].len = 0;
		if (line == NULL)
			continue;
		colon = memchr(line, ':', (size_t)(end - line));
		fields[i].len = (size_t)((colon == NULL ? end : colon) - line);
		line = colon == NULL ? NULL : colon + 1;
	}
}

int
passwd_find(const struct passwd_file *f, const struct table_column *login,
    struct table_column *fields)
{
	uint32_t	 hash = hash_name(login->data, login->len);
	const char	*line, *found = NULL;
	size_t		 i;

	for (i = hash & f->mask; f->slots[i].line != 0; i = (i + 1) & f->mask) {
		if (!has_name(f, &f->slots[i], hash, login->data, login->len))
			continue;
		line = f->text + f->slots[i].line - 1;
		if (found == NULL ||
		    memcmp(line, login->data, login->len) == 0)
			found = line;
	}
	if (found == NULL)
		return 0;
	split(found, end_of_line(f, found), fields);
	return 1;
}
