/* SPDX-License-Identifier: ISC */
/*
 * A table program for tests, with good and bad manners: ARG names them, parted
 * by commas.  A key says what it wants itself: `no...' is not found, `bad...'
 * fails, anything else has the value VALUE:KEY.
 */
#include <sys/types.h>

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWERS_MAX	64

static const char	*name, *manners = "";
static FILE		*transcript;

static int
has(const char *manner)
{
	const char	*p = strstr(manners, manner);

	return p != NULL && (p == manners || p[-1] == ',') &&
	    strchr(",:", p[strlen(manner)]) != NULL;
}

/* What comes behind `manner:', or a number without it. */
static int
number_of(const char *manner)
{
	const char	*p = strstr(manners, manner);

	return has(manner) && p[strlen(manner)] == ':' ?
	    atoi(p + strlen(manner) + 1) : 0;
}

static void
misbehave(const char *when)
{
	char	 manner[32];

	snprintf(manner, sizeof(manner), "hang-%s", when);
	while (has(manner))
		pause();
	snprintf(manner, sizeof(manner), "die-%s", when);
	if (has(manner))
		exit(3);
	snprintf(manner, sizeof(manner), "crash-%s", when);
	if (has(manner))
		raise(SIGKILL);
	snprintf(manner, sizeof(manner), "close-%s", when);
	if (has(manner)) {
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		for (;;)
			pause();
	}
}

/* Facts about how it was started, for the key `start'. */
static const char *
facts(void)
{
	static char	 text[256];
	int		 fd, n = 0;

	for (fd = 3; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	snprintf(text, sizeof(text), "name=%s arg=%s more-fds=%d", name, manners,
	    n);
	return text;
}

static const char *
value_of(const char *service, const char *key)
{
	static char	 text[8192];
	int		 len = number_of("long");

	if (strcmp(key, "start") == 0)
		return facts();
	if (strcmp(service, "userinfo") == 0)
		return strcmp(key, "odd") == 0 ? "no:user:info" :
		    "1000:1000:/home/user";
	if (strcmp(service, "source") == 0)
		return "192.0.2.1";
	if (has("binary"))
		return "a\"\\\t\x01\xc3\xa9\xc3\xff\xed\xa0\x80|z";
	if (len == 0)
		snprintf(text, sizeof(text), "VALUE:%s", key);
	else {
		memset(text, 'x', (size_t)len);
		text[len] = '\0';
	}
	return text;
}

/* Answers are held back and said in the reverse order. */
static char		 held[ANSWERS_MAX][10240];
static int		 nheld;

static void
say(const char *line)
{
	snprintf(held[nheld++], sizeof(held[0]), "%s", line);
	if (nheld < number_of("hold"))
		return;
	while (nheld > 0)
		fputs(held[--nheld], stdout);
	fflush(stdout);
}

static void
answer(const char *op, const char *service, const char *id, const char *key)
{
	char	 line[10240];
	int	 n;

	misbehave("ask");
	if (has("slow"))
		usleep((useconds_t)number_of("slow") * 1000);
	if (has("stray"))
		say("hello\n");
	if (has("other-id"))
		id = "0badcafe";
	if (has("other-op"))
		op = "fetch";
	n = snprintf(line, sizeof(line), "%s-result|%s|", op, id);
	if (has("word"))
		strcpy(line + n, "perhaps\n");
	else if (strcmp(op, "update") == 0)
		strcpy(line + n, has("fails") ? "error|not today\n" : "ok\n");
	else if (strncmp(key, "no", 2) == 0 || has("nothing"))
		strcpy(line + n, "not-found\n");
	else if (strncmp(key, "bad", 3) == 0)
		strcpy(line + n, "error|out of order\n");
	else if (strcmp(op, "check") == 0)
		strcpy(line + n, "found\n");
	else
		snprintf(line + n, sizeof(line) - (size_t)n, "found|%s\n",
		    has("empty") ? "" : value_of(service, key));
	say(line);
	if (has("twice"))
		say(line);
	if (has("newline"))
		say("second half\n");
}

static void
take_line(char *line)
{
	char	*field[8];
	int	 n = 0;

	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "config|ready") == 0) {
		misbehave("start");
		fputs(has("none") ? "" : has("unknown") ?
		    "register|alias\nregister|frobnicate\n" : has("greet") ?
		    "hello\n" : "register|auth\nregister|alias\nregister|source\n"
		    "register|userinfo\n", stdout);
		puts("register|ready");
		fflush(stdout);
	}
	if (strncmp(line, "table|", 6) != 0)
		return;
	while (n < 8 && (field[n] = line) != NULL)
		if ((n++ < 7 && (line = strchr(line, '|')) != NULL))
			*line++ = '\0';
		else
			break;
	if (strcmp(field[4], "update") == 0)
		answer("update", "", field[5], "");
	else
		answer(field[4], field[5], field[6], n > 7 ? field[7] : "");
}

static int
serve_lines(void)
{
	static char	 line[65536];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (transcript != NULL) {
			fputs(line, transcript);
			fflush(transcript);
		}
		take_line(line);
	}
	misbehave("end");
	if (has("last-word")) {
		puts("bye");
		fflush(stdout);
	}
	return 0;
}

struct header {
	uint32_t	 type;
	uint16_t	 len, flags;
	uint32_t	 peerid, pid;
};

static void
frame(uint32_t type, const void *data, size_t len)
{
	struct header	 h = { type, (uint16_t)(sizeof(h) + len), 0, 0, 0 };

	if (has("other-type"))
		h.type = 1;
	if (has("other-len"))
		h.len = 3;
	if (write(0, &h, sizeof(h)) == -1 ||
	    (len > 0 && write(0, data, len) == -1))
		_exit(1);
}

static void
take_question(uint32_t type, const char *data)
{
	char		 out[4096];
	const char	*key = data + 12;
	int		 service, r;
	size_t		 n;

	misbehave("ask");
	memcpy(&service, data, sizeof(service));
	r = strncmp(key, "no", 2) == 0 ? 0 : strncmp(key, "bad", 3) == 0 ? -1 : 1;
	if (type == 7 || type == 4)
		r = has("fails") ? 0 : 1;
	r = has("number") ? 7 : r;
	memcpy(out, &r, sizeof(r));
	n = sizeof(r);
	if (r == 1 && type >= 6 && !has("empty"))
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s",
		    value_of(service == 0x20 ? "source" : "alias",
		    type == 7 ? "" : key)) + !has("no-nul");
	if (has("extra"))
		n += 3;
	frame(0, out, n);
	if (has("twice"))
		frame(0, out, n);
}

static int
serve_frames(void)
{
	struct header	 h;
	char		 data[16384];

	misbehave("start");
	while (fread(&h, sizeof(h), 1, stdin) == 1) {
		if (h.len > sizeof(h) &&
		    fread(data, h.len - sizeof(h), 1, stdin) != 1)
			return 1;
		if (transcript != NULL) {
			fprintf(transcript, "%u %u\n", h.type, h.len);
			fflush(transcript);
		}
		if (h.type == 3)
			return 0;
		if (h.type == 2)
			frame(0, NULL, 0);
		else
			take_question(h.type, data);
	}
	return 0;
}

int
main(int argc, char *argv[])
{
	const char	*path = getenv("FAKE_TRANSCRIPT");
	int		 c;

	name = argv[0];
	if (argc > 1)
		manners = argv[1];
	if (path != NULL)
		transcript = fopen(path, "w");
	setvbuf(stdin, NULL, _IOFBF, 65536);
	if (getenv("FAKE_PID") != NULL)
		fprintf(stderr, "pid %d\n", (int)getpid());
	if (has("stubborn"))
		signal(SIGTERM, SIG_IGN);
	if ((c = getc(stdin)) == EOF)
		return 0;
	ungetc(c, stdin);
	return c == 'c' ? serve_lines() : serve_frames();
}
