/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/time.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"

#define RECEIVE_SIZE	65536

int64_t
session_clock(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static const char *
hint(const struct session *s)
{
	return s->ready ? "" : s->wire->hint;
}

static void
timed_out(struct session *s)
{
	program_fail(s->program, "no answer within %g s%s: smtpd would wait "
	    "for ever", (double)s->timeout_ms / 1000, hint(s));
}

/* Sends what can be sent at once.  A peer that is gone is found on reading. */
static void
send_some(struct session *s)
{
	ssize_t	 n;

	while (s->sent < s->out.len) {
		n = send(s->program->fd, s->out.data + s->sent,
		    s->out.len - s->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n == -1)
			break;
		s->sent += (size_t)n;
	}
	s->out.len = s->sent = 0;
}

/* Waits for the table's next bytes. */
static void
receive(struct session *s)
{
	ssize_t	 n;

	text_room(&s->in, RECEIVE_SIZE);
	do {
		n = recv(s->program->fd, s->in.data + s->in.len, RECEIVE_SIZE, 0);
	} while (n == -1 && errno == EINTR);
	s->now_ns = s->heard_ns = session_clock();
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		timed_out(s);
	if (n <= 0)
		program_lost(s->program, s->ready ? "without an answer" :
		    "before it was ready", hint(s));
	s->in.len += (size_t)n;
}

static int
time_left_ms(const struct session *s)
{
	int64_t	 left;

	if (s->ready && s->first == s->next)
		return -1;
	left = s->timeout_ms - (session_clock() - s->heard_ns) / 1000000;
	return left > 0 ? (int)left : 0;
}

/* Waits until the table has answers, or can take more, or keys are there. */
static void
wait_for_any(struct session *s, struct keys *keys)
{
	struct pollfd	 pfd[2];
	int		 n;

	pfd[0].fd = s->program->fd;
	pfd[0].events = (short)(POLLIN | (s->sent < s->out.len ? POLLOUT : 0));
	pfd[1].fd = keys != NULL ? keys->fd : -1;
	pfd[1].events = POLLIN;
	n = poll(pfd, 2, time_left_ms(s));
	if (n == -1 && errno != EINTR)
		err(FAILED, "poll");
	if (n == 0)
		timed_out(s);
	s->now_ns = session_clock();
	if (n <= 0)
		return;
	if (pfd[0].revents & ~POLLOUT)
		receive(s);
	if (pfd[1].revents)
		keys_read(keys);
}

/* keys: NULL unless it must be waited for. */
static void
exchange(struct session *s, struct keys *keys)
{
	send_some(s);
	if (keys != NULL)
		fflush(stdout);
	if (keys != NULL || s->sent < s->out.len)
		wait_for_any(s, keys);
	else
		receive(s);
}

/* Forgets the input that is used up. */
static void
compact(struct session *s)
{
	s->in.len -= s->taken;
	if (s->in.len > 0 && s->taken > 0)
		memmove(s->in.data, s->in.data + s->taken, s->in.len);
	s->taken = 0;
}

void
session_talk(struct session *s, size_t (*take)(struct session *, const char *,
    size_t))
{
	size_t	 n;

	while (s->in.len == 0 || (n = take(s, s->in.data, s->in.len)) == 0)
		exchange(s, NULL);
	s->taken = n;
	compact(s);
}

void
session_open(struct session *s)
{
	struct timeval	 tv;

	tv.tv_sec = (time_t)(s->timeout_ms / 1000);
	tv.tv_usec = (suseconds_t)(s->timeout_ms % 1000 * 1000);
	if (setsockopt(s->program->fd, SOL_SOCKET, SO_RCVTIMEO, &tv,
	    sizeof(tv)) == -1)
		err(FAILED, "setsockopt");
	s->now_ns = s->heard_ns = session_clock();
	/* Any start will do, so that a table which makes up ids is found. */
	s->id = (uint32_t)(s->now_ns / 1000) * 2654435761U;
	s->wire->open(s);
}

void
session_answer(struct session *s, struct slot *slot, enum outcome outcome,
    const char *value, size_t len)
{
	slot->answered = 1;
	slot->outcome = outcome;
	slot->took_ns = s->now_ns - slot->sent_ns;
	text_set(&slot->value, value, len);
}

/* Takes keys while there is room for them. */
static enum key_state
fill(struct session *s, struct keys *keys)
{
	struct slot	*slot;
	enum key_state	 state = KEY_GIVEN;

	while (s->next - s->first < s->window) {
		slot = &s->slots[s->next % s->window];
		slot->answered = 0;
		slot->sent_ns = 0;
		if ((state = keys_next(keys, slot)) != KEY_GIVEN)
			break;
		if (s->first == s->next)
			s->heard_ns = s->now_ns;
		if (!slot->answered) {
			slot->sent_ns = s->now_ns;
			s->wire->ask(s, s->next, slot);
		}
		s->next++;
	}
	return state;
}

/* Hands over what is answered, in the order of the questions. */
static int
deliver(struct session *s, session_sink *sink, void *arg)
{
	struct slot	*slot;
	int		 any = 0;

	while (s->first < s->next) {
		slot = &s->slots[s->first % s->window];
		if (!slot->answered)
			break;
		s->first++;
		sink(arg, s, slot);
		any = 1;
	}
	return any;
}

/*
 * Takes and hands over what is there; whether anything was.  What comes after
 * the last answer that is due stays, for the next question or the end.
 */
static int
take_some(struct session *s, session_sink *sink, void *arg)
{
	size_t	 n;
	int	 any = 0;

	while (s->first < s->next && s->taken < s->in.len) {
		n = s->wire->take(s, s->in.data + s->taken,
		    s->in.len - s->taken);
		if (n == 0)
			break;
		s->taken += n;
		deliver(s, sink, arg);
		any = 1;
	}
	compact(s);
	return any;
}

void
session_run(struct session *s, struct keys *keys, uint64_t window,
    session_sink *sink, void *arg)
{
	enum key_state	 state;

	if ((s->slots = calloc(window, sizeof(*s->slots))) == NULL)
		err(FAILED, NULL);
	s->window = window;
	s->now_ns = session_clock();
	for (;;) {
		state = fill(s, keys);
		if (deliver(s, sink, arg))
			continue;
		if (state == KEY_END && s->first == s->next)
			break;
		if (!take_some(s, sink, arg))
			exchange(s, state == KEY_LATER ? keys : NULL);
	}
}

void
session_close(struct session *s)
{
	uint64_t	 i;

	if (s->in.len > 0)
		program_fail(s->program, "says \"%s\" unasked: smtpd would exit",
		    show_excerpt(s->in.data, s->in.len));
	s->wire->close(s);
	send_some(s);
	program_end(s->program);
	for (i = 0; i < s->window; i++)
		text_free(&s->slots[i].value);
	free(s->slots);
	text_free(&s->in);
	text_free(&s->out);
	text_free(&s->stamp);
}
