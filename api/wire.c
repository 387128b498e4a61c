/* SPDX-License-Identifier: ISC */
#include <sys/types.h>

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "main.h"
#include "wire.h"

#define READ_SIZE	65536
#define SNIFF_SIZE	4		/* bytes that tell the protocols apart */
#define BACKLOG_MAX	(1 << 20)	/* unread answers that stop our reading */
#define IMSG_OPEN	2

static const struct wire_format	*format;
static struct buffer		 input, output;
static struct event		*readable, *writable;
static int			 gathering;	/* answers wait for the next */
static int			 stopped;	/* reading waits for a backlog */
static int			 at_end;	/* nothing more will be read */

static void	can_write(evutil_socket_t, short, void *);

static int
is_text(const char *s, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if ((s[i] < ' ' || s[i] > '~') && s[i] != '\n' && s[i] != '\t')
			return 0;
	return 1;
}

const char *
wire_printable(const char *s, size_t len)
{
	static char	 text[64];
	size_t		 i;

	for (i = 0; i < len && i < sizeof(text) - 1 && s[i] != '\n'; i++)
		text[i] = s[i] < ' ' || s[i] == 0x7f ? '?' : s[i];
	text[i] = '\0';
	return text;
}

/* Says what the first bytes look like, since they are of no table protocol. */
static void
refuse(const char *s, size_t n)
{
	const unsigned char	*b = (const unsigned char *)s;
	uint32_t		 word;
	const char		*know =
	    "this program speaks lines 0.1 (smtpd 7.6 on) and imsg 2 "
	    "(smtpd 6.0 to 7.5)";

	memcpy(&word, s, sizeof(word));
	if (is_text(s, SNIFF_SIZE))
		fatalx("smtpd begins with the text \"%s\", which is no table "
		    "protocol; %s", wire_printable(s, n), know);
	if (word == __builtin_bswap32(IMSG_OPEN))
		fatalx("smtpd begins with an imsg frame of the other byte "
		    "order; %s", know);
	if (word < 64)
		fatalx("smtpd begins with an imsg frame of type %u where OPEN "
		    "(%u) is due; %s", word, IMSG_OPEN, know);
	fatalx("smtpd begins with the bytes %02x %02x %02x %02x, which are no "
	    "table protocol; %s", b[0], b[1], b[2], b[3], know);
}

/* Lines by hand may go without a greeting: `table|' is one, too. */
static void
choose_format(const char *s, size_t n)
{
	uint32_t	 word;

	if (n < SNIFF_SIZE)
		return;
	memcpy(&word, s, sizeof(word));
	if (memcmp(s, "conf", SNIFF_SIZE) == 0 ||
	    memcmp(s, "tabl", SNIFF_SIZE) == 0)
		format = &wire_line;
	else if (word == IMSG_OPEN)
		format = &wire_imsg;
	else
		refuse(s, n);
	log_debug("smtpd speaks the %s protocol", format->name);
}

static void
set_writable(void)
{
	if (writable == NULL && (writable = event_new(table_loop(),
	    format->answers_to, EV_WRITE, can_write, NULL)) == NULL)
		fatalx("can't watch descriptor %d", format->answers_to);
	event_add(writable, NULL);
}

static void
stop_reading(int stop)
{
	if (stop == stopped || at_end)
		return;
	stopped = stop;
	if (stop)
		event_del(readable);
	else
		event_add(readable, NULL);
}

/* Writes what can be written now; what can't stops the reading at a limit. */
static void
flush(void)
{
	ssize_t	 n = 0;

	while (buffer_len(&output) > 0 && n >= 0) {
		n = write(format->answers_to, buffer_bytes(&output),
		    buffer_len(&output));
		if (n > 0)
			buffer_take(&output, (size_t)n);
	}
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		if (errno != EPIPE && errno != ECONNRESET)
			fatal("answer to smtpd");
		main_exit();
	}
	if (buffer_len(&output) > 0)
		set_writable();
	if (at_end && buffer_len(&output) == 0)
		main_exit();
	stop_reading(buffer_len(&output) > BACKLOG_MAX);
}

static void
can_write(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	flush();
}

static void
consume(void)
{
	if (format == NULL)
		choose_format(buffer_bytes(&input), buffer_len(&input));
	if (format == NULL)
		return;
	gathering = 1;
	buffer_take(&input, format->input(buffer_bytes(&input),
	    buffer_len(&input), table_now_ms()));
	gathering = 0;
	flush();
}

/* smtpd is gone; answers that a pipe has not taken yet may still go. */
static void
end_of_input(void)
{
	if (buffer_len(&input) > 0)
		log_debug("smtpd is gone in the middle of a request");
	if (buffer_len(&output) == 0)
		main_exit();
	at_end = 1;
	event_del(readable);
}

static void
can_read(evutil_socket_t fd, short what, void *arg)
{
	ssize_t	 n;

	(void)what;
	(void)arg;
	n = read(fd, buffer_reserve(&input, READ_SIZE), READ_SIZE);
	if (n > 0) {
		input.end += (size_t)n;
		consume();
	} else if (n == 0 || errno == ECONNRESET)
		end_of_input();
	else if (errno != EAGAIN && errno != EINTR)
		fatal("read from smtpd");
}

static void
nonblocking(int fd)
{
	int	 flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		fatal("descriptor %d", fd);
}

void
wire_start(void)
{
	/* So that there is room to say `out of memory'. */
	buffer_reserve(&input, 2 * READ_SIZE);
	buffer_reserve(&output, BACKLOG_MAX + READ_SIZE);
	nonblocking(STDIN_FILENO);
	if (fcntl(STDOUT_FILENO, F_GETFL) != -1)
		nonblocking(STDOUT_FILENO);
	readable = event_new(table_loop(), STDIN_FILENO, EV_READ | EV_PERSIST,
	    can_read, NULL);
	if (readable == NULL || event_add(readable, NULL) == -1)
		fatalx("can't watch descriptor 0");
}

void
wire_answer(const struct table_request *rq, enum table_operation operation,
    enum result result, const char *text, size_t len)
{
	format->answer(&output, rq, operation, result, text, len);
	if (!gathering)
		flush();
}

void
wire_last(int is_last)
{
	gathering = !is_last;
}

void
wire_reloaded(uint32_t services)
{
	if (format != NULL)
		format->reloaded(services);
}

struct buffer *
wire_output(void)
{
	return &output;
}
