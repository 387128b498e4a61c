/* SPDX-License-Identifier: ISC */
#include <sys/types.h>
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "value.h"

/* Where an error is reported to. */
struct reader {
	struct conf	*conf;
	unsigned int	 line;
	char		*why;
	size_t		 size;
};

static int	complain(struct reader *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));

static int
complain(struct reader *r, const char *format, ...)
{
	va_list	 ap;
	int	 n;

	n = r->line == 0 ?
	    snprintf(r->why, r->size, "%s: ", r->conf->path) :
	    snprintf(r->why, r->size, "%s:%u: ", r->conf->path, r->line);
	if (n < 0 || (size_t)n >= r->size)
		return -1;
	va_start(ap, format);
	vsnprintf(r->why + n, r->size - (size_t)n, format, ap);
	va_end(ap);
	return -1;
}

static const struct table_option *
find_option(const struct conf *conf, const char *name,
    const struct conf_section **section)
{
	const struct table_option *o;
	size_t			   i;

	for (i = 0; i < CONF_SECTIONS; i++)
		for (o = conf->sections[i].options; o && o->name; o++)
			if (strcmp(o->name, name) == 0) {
				*section = &conf->sections[i];
				return o;
			}
	return NULL;
}

static unsigned int *
line_of(const struct conf_section *section, const struct table_option *o)
{
	return &section->lines[o - section->options];
}

static int
set_directive(struct reader *r, const char *name, const char *value)
{
	const struct conf_section *section;
	const struct table_option *o;
	char			   why[512];

	if ((o = find_option(r->conf, name, &section)) == NULL)
		return complain(r, "unknown directive `%s'; see the manual "
		    "for those there are", name);
	if (*line_of(section, o) != 0)
		return complain(r, "%s is set a second time, after line %u; "
		    "remove one of them", name, *line_of(section, o));
	if (*value == '\0')
		return complain(r, "%s has no value", name);
	if (value_set(o, section->values + o->offset, value, why,
	    sizeof(why)) == -1)
		return complain(r, "%s: %s", name, why);
	*line_of(section, o) = r->line;
	return 0;
}

static char *
trim(char *s)
{
	char	*end = s + strlen(s);

	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

/* One logical line, which is changed. */
static int
read_directive(struct reader *r, char *text)
{
	char	*name = trim(text), *value;

	if (*name == '\0' || *name == '#')
		return 0;
	value = name + strcspn(name, " \t:");
	if (*value != '\0')
		*value++ = '\0';
	while (isspace((unsigned char)*value) ||
	    (*value == ':' && isspace((unsigned char)value[1])))
		value++;
	return set_directive(r, name, value);
}

/*
 * Appends a physical line to *text; 1 if the next one belongs to it, -1 on
 * failure.  A comment is never continued.
 */
static int
join_line(struct reader *r, char **text, char *line, ssize_t len)
{
	char	*joined;
	size_t	 before = *text == NULL ? 0 : strlen(*text);
	int	 more = 0;

	if (strlen(line) != (size_t)len)
		return complain(r, "a NUL byte; is this a text file?");
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		line[--len] = '\0';
	if (len > 0 && line[len - 1] == '\\' &&
	    (before > 0 || line[strspn(line, " \t")] != '#')) {
		line[--len] = '\0';
		more = 1;
	}
	if ((joined = realloc(*text, before + (size_t)len + 1)) == NULL)
		return complain(r, "out of memory");
	memcpy(joined + before, line, (size_t)len + 1);
	*text = joined;
	return more;
}

static int
read_lines(struct reader *r, FILE *fp)
{
	char		*line = NULL, *text = NULL;
	size_t		 size = 0;
	ssize_t		 len;
	unsigned int	 n = 0, start = 1;
	int		 more = 0, ret = 0;

	while (ret == 0 && (len = getline(&line, &size, fp)) != -1) {
		n++;
		if (!more)
			start = n;
		r->line = n;
		if ((more = join_line(r, &text, line, len)) == -1)
			ret = -1;
		else if (!more) {
			r->line = start;
			ret = read_directive(r, text);
			value_wipe(text, strlen(text));
			free(text);
			text = NULL;
		}
	}
	r->line = 0;
	if (ret == 0 && ferror(fp))
		ret = complain(r, "%s", strerror(errno));
	if (ret == 0 && more) {
		r->line = start;
		ret = read_directive(r, text);
	}
	free(text);
	value_wipe(line, size);
	free(line);
	return ret;
}

static int
check_required(struct reader *r)
{
	const struct table_option *o;
	size_t			   i;

	r->line = 0;
	for (i = 0; i < CONF_SECTIONS; i++)
		for (o = r->conf->sections[i].options; o && o->name; o++)
			if (o->required &&
			    *line_of(&r->conf->sections[i], o) == 0)
				return complain(r, "%s is missing: %s",
				    o->name, o->help);
	return 0;
}

/* Nothing that could hold up who reads it: a pipe has no end in sight. */
static FILE *
open_file(const char *path)
{
	struct stat	 st;
	FILE		*fp = NULL;
	int		 fd;

	if ((fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) == -1)
		return NULL;
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	else
		fp = fdopen(fd, "r");
	if (fp == NULL)
		close(fd);
	return fp;
}

int
conf_read(struct conf *conf, char *why, size_t size)
{
	struct reader	 r = { conf, 0, why, size };
	FILE		*fp;
	int		 ret;

	if ((fp = open_file(conf->path)) == NULL)
		return complain(&r, "%s", strerror(errno));
	ret = read_lines(&r, fp);
	fclose(fp);
	return ret == 0 ? check_required(&r) : ret;
}

int
conf_defaults(struct conf *conf, char *why, size_t size)
{
	const struct table_option *o;
	size_t			   i;
	char			   reason[512];

	for (i = 0; i < CONF_SECTIONS; i++)
		for (o = conf->sections[i].options; o && o->name; o++)
			if (o->preset != NULL && value_set(o,
			    conf->sections[i].values + o->offset, o->preset,
			    reason, sizeof(reason)) == -1) {
				snprintf(why, size, "%s: %s", o->name, reason);
				return -1;
			}
	return 0;
}

void
conf_clear(struct conf *conf)
{
	const struct table_option *o;
	size_t			   i;

	for (i = 0; i < CONF_SECTIONS; i++)
		for (o = conf->sections[i].options; o && o->name; o++)
			value_clear(o, conf->sections[i].values + o->offset);
}

void
conf_print(const struct conf *conf, FILE *fp)
{
	const struct table_option *o;
	char			   text[64];
	const char		  *value;
	size_t			   i;

	for (i = 0; i < CONF_SECTIONS; i++)
		for (o = conf->sections[i].options; o && o->name; o++) {
			value = value_text(o,
			    conf->sections[i].values + o->offset, text,
			    sizeof(text));
			if (value == NULL)
				fprintf(fp, "# %s\n", o->name);
			else
				fprintf(fp, "%s %s\n", o->name, value);
		}
}

const char *
conf_where(const struct conf *conf, const void *field)
{
	static char		   text[1024];
	const struct table_option *o;
	size_t			   i;
	unsigned int		   line;

	for (i = 0; i < CONF_SECTIONS; i++)
		for (o = conf->sections[i].options; o && o->name; o++) {
			if (conf->sections[i].values + o->offset != field)
				continue;
			line = *line_of(&conf->sections[i], o);
			if (line != 0)
				snprintf(text, sizeof(text), "%s:%u: %s",
				    conf->path, line, o->name);
			else
				snprintf(text, sizeof(text), "%s: %s",
				    conf->path, o->name);
			return text;
		}
	return conf->path;
}
