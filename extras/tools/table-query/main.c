/* SPDX-License-Identifier: ISC */
/* table-query(1): asks a table program what smtpd would ask it. */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define SMTPD_VERSION	"7.9.0-portable"
#define JOBS		64
#define JOBS_MAX	10000
#define BENCH_MAX	100000000
#define TIMEOUT_S	10

/* The command, from options and operands. */
struct command {
	int			 json, as_is, imsg, show, expand;
	const char		*dir, *name, *version;
	char			 delimiter;
	uint64_t		 jobs, bench;
	double			 timeout_s;
	enum table_operation	 operation;
	enum table_service	 service;
	int			 keyc;
	char			**keyv;
};

static const struct option long_options[] = {
	{ "as-is",	no_argument,		NULL, 'k' },
	{ "bench",	required_argument,	NULL, 'b' },
	{ "delimiter",	required_argument,	NULL, 'd' },
	{ "help",	no_argument,		NULL, 'h' },
	{ "imsg",	no_argument,		NULL, 'o' },
	{ "jobs",	required_argument,	NULL, 'c' },
	{ "json",	no_argument,		NULL, 'j' },
	{ "libexec",	required_argument,	NULL, 'L' },
	{ "name",	required_argument,	NULL, 't' },
	{ "smtpd",	required_argument,	NULL, 's' },
	{ "timeout",	required_argument,	NULL, 'w' },
	{ NULL, 0, NULL, 0 }
};

static void
usage(FILE *f)
{
	fputs("usage: table-query [-jko] [-b count] [-c jobs] [-d character] "
	    "[-L folder]\n"
	    "\t[-s version] [-t name] [-w seconds] type[:argument] [operation ...]"
	    "\n\n"
	    "operations:\n"
	    "\tcheck service key ...\n"
	    "\tlookup service key ...\n"
	    "\tfetch service\n"
	    "\tupdate\n"
	    "\texpand address\n"
	    "\n"
	    "A key of - stands for keys on standard input, one each line.\n"
	    "Without an operation, shows what services the table registers.\n"
	    "Exit status: 0 found, 1 not found, 2 error.\n", f);
	exit(f == stdout ? 0 : FAILED);
}

static uint64_t
number(const char *text, const char *what, uint64_t max)
{
	char		*end;
	unsigned long	 n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' ||
	    n < 1 || n > max)
		errx(FAILED, "%s: a number from 1 to %" PRIu64 ", not %s", what,
		    max, text);
	return n;
}

static double
seconds(const char *text)
{
	char	*end;
	double	 n = strtod(text, &end);

	if (end == text || *end != '\0' || !(n >= 0.001 && n <= 86400))
		errx(FAILED, "timeout: seconds from 0.001 to 86400, not %s",
		    text);
	return n;
}

/* What goes into a line of the protocol, in the middle. */
static const char *
field(const char *text, const char *what)
{
	if (*text == '\0' || strlen(text) >= NAME_SIZE ||
	    text[strcspn(text, "|\r\n")] != '\0')
		errx(FAILED, "%s: 1 to %d bytes, no '|', no line break", what,
		    NAME_SIZE - 1);
	return text;
}

static void
set_option(struct command *c, int option, const char *arg)
{
	switch (option) {
	case 'b':
		c->bench = number(arg, "bench", BENCH_MAX);
		break;
	case 'c':
		c->jobs = number(arg, "jobs", JOBS_MAX);
		break;
	case 'd':
		if (strlen(arg) != 1)
			errx(FAILED, "delimiter: one character, not %s", arg);
		c->delimiter = *arg;
		break;
	case 'h':
		usage(stdout);
		break;
	case 'j':
		c->json = 1;
		break;
	case 'k':
		c->as_is = 1;
		break;
	case 'L':
		c->dir = arg;
		break;
	case 'o':
		c->imsg = 1;
		break;
	case 's':
		c->version = field(arg, "smtpd version");
		break;
	case 't':
		c->name = field(arg, "table name");
		break;
	case 'w':
		c->timeout_s = seconds(arg);
		break;
	default:
		usage(stderr);
	}
}

static enum table_service
service_operand(const char *text)
{
	enum table_service	 service = service_parse(text, strlen(text));
	unsigned int		 i;

	if (service != 0)
		return service;
	fprintf(stderr, "table-query: there is no service %s; the services are:",
	    text);
	for (i = 0; i < TABLE_NSERVICES; i++)
		fprintf(stderr, " %s", service_name(service_at(i)));
	fputc('\n', stderr);
	exit(FAILED);
}

/* The operands behind TYPE:ARG. */
static void
set_operation(struct command *c, int argc, char *argv[])
{
	int	 operation, operands = 1;

	c->show = argc == 0;
	if (c->show)
		return;
	c->expand = strcmp(argv[0], "expand") == 0;
	operation = c->expand ? TABLE_LOOKUP :
	    operation_parse(argv[0], strlen(argv[0]));
	if (operation == -1) {
		warnx("there is no operation %s", argv[0]);
		usage(stderr);
	}
	c->operation = (enum table_operation)operation;
	c->service = c->expand ? TABLE_ALIAS : 0;
	if (!c->expand && operation != TABLE_UPDATE) {
		if (argc < 2)
			usage(stderr);
		c->service = service_operand(argv[1]);
		operands = 2;
	}
	c->keyc = argc - operands;
	c->keyv = argv + operands;
	if (operation == TABLE_FETCH || operation == TABLE_UPDATE ?
	    c->keyc != 0 : c->keyc == 0 || (c->expand && c->keyc != 1))
		usage(stderr);
	if (c->bench && (c->expand || operation == TABLE_UPDATE))
		errx(FAILED, "bench: of check, lookup and fetch only");
}

static int
from_stdin(const struct command *c)
{
	return c->keyc == 1 && strcmp(c->keyv[0], "-") == 0 && !c->expand;
}

static void
set_keys(const struct command *c, struct keys *k, const struct wire *wire)
{
	int	 i;

	k->fd = from_stdin(c) ? STDIN_FILENO : -1;
	k->fold = !c->as_is && !service_key_is_secret(c->service);
	k->one_line = wire->one_line;
	if (c->expand)
		keys_expand(k, c->keyv[0], c->delimiter);
	else if (c->keyc == 0)
		keys_add(k, "", 0);
	else if (k->fd == -1)
		for (i = 0; i < c->keyc; i++)
			keys_add(k, c->keyv[i], strlen(c->keyv[i]));
	else if (c->bench)
		keys_load(k);
	if (c->bench && k->count == 0)
		errx(FAILED, "bench: no keys on standard input");
	if (c->bench)
		k->total = c->bench;
}

static enum outcome
worst(const uint64_t *count)
{
	return count[FAILED] ? FAILED : count[NOT_FOUND] ? NOT_FOUND : FOUND;
}

static enum outcome
measure(const struct command *c, struct session *s, struct keys *k)
{
	struct bench	 b;
	int64_t		 start;

	memset(&b, 0, sizeof(b));
	b.progress = isatty(STDERR_FILENO);
	if ((b.took_ns = calloc(c->bench, sizeof(*b.took_ns))) == NULL)
		err(FAILED, NULL);
	start = session_clock();
	session_run(s, k, c->jobs ? c->jobs : JOBS, bench_answer, &b);
	start = session_clock() - start;
	progress_clear();
	bench_report(&b, s, start, c->json);
	free(b.took_ns);
	return worst(b.count);
}

static enum outcome
ask(const struct command *c, struct session *s, struct keys *k)
{
	struct show	 show;
	uint64_t	 window;

	memset(&show, 0, sizeof(show));
	show.json = c->json;
	show.many = c->expand || k->fd != -1 || k->count > 1;
	show.expand = c->expand ? k : NULL;
	show.progress = k->fd != -1 && isatty(STDERR_FILENO) &&
	    !isatty(STDOUT_FILENO);
	/* smtpd asks one thing at a time; more only where it was wanted. */
	window = c->jobs ? c->jobs : k->fd != -1 ? JOBS : 1;
	session_run(s, k, c->expand ? 1 : window, show_answer, &show);
	progress_clear();
	return show.worst;
}

static enum outcome
converse(const struct command *c, struct session *s)
{
	struct keys	 k;
	enum outcome	 outcome;

	if (c->show) {
		show_registered(s, c->json);
		return FOUND;
	}
	if (s->registered != 0 && (s->registered & c->service) == 0 &&
	    c->service != 0)
		warnx("%s does not register %s", s->program->name,
		    service_name(c->service));
	memset(&k, 0, sizeof(k));
	set_keys(c, &k, s->wire);
	outcome = c->bench ? measure(c, s, &k) : ask(c, s, &k);
	keys_free(&k);
	return outcome;
}

/* sqlite for sqlite as well as for /usr/libexec/opensmtpd/table-sqlite. */
static const char *
name_of(const char *type)
{
	const char	*slash = strrchr(type, '/');

	if (slash == NULL)
		return type;
	return strncmp(slash + 1, "table-", 6) == 0 ? slash + 7 : slash + 1;
}

static enum outcome
run(const struct command *c, char *type)
{
	struct program	 program;
	struct session	 session;
	enum outcome	 outcome;
	char		*arg = strchr(type, ':');
	char		*path = NULL;

	if (arg != NULL)
		*arg++ = '\0';
	if (strchr(type, '/') == NULL)
		path = program_find(type, c->dir);
	memset(&program, 0, sizeof(program));
	program.name = c->name ? c->name : field(name_of(type), "table type");
	memset(&session, 0, sizeof(session));
	session.program = &program;
	session.wire = c->imsg ? &wire_imsg : &wire_line;
	session.version = c->version;
	session.timeout_ms = (int64_t)(c->timeout_s * 1000);
	session.operation = c->operation;
	session.service = c->service;
	program_start(&program, path ? path : type, arg,
	    session.wire->stdout_too);
	free(path);
	session_open(&session);
	outcome = converse(c, &session);
	session_close(&session);
	return outcome;
}

int
main(int argc, char *argv[])
{
	struct command	 c = { .delimiter = '+', .version = SMTPD_VERSION,
	    .timeout_s = TIMEOUT_S };
	enum outcome	 outcome;
	int		 option;

	while ((option = getopt_long(argc, argv, "+b:c:d:hjkL:os:t:w:",
	    long_options, NULL)) != -1)
		set_option(&c, option, optarg);
	argc -= optind;
	argv += optind;
	if (argc == 0)
		usage(stderr);
	set_operation(&c, argc - 1, argv + 1);
	outcome = run(&c, argv[0]);
	if (fflush(stdout) == EOF || ferror(stdout))
		err(FAILED, "standard output");
	return outcome;
}
