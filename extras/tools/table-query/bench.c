/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#define TICK_NS		200000000	/* between two drawings */

static int64_t	 first_ns, drawn_ns;
static int	 is_drawn;

void
progress_tick(const uint64_t *count, int64_t now_ns)
{
	uint64_t	 n = count[FOUND] + count[NOT_FOUND] + count[FAILED];

	if (first_ns == 0)
		first_ns = drawn_ns = now_ns;
	if (now_ns - drawn_ns < TICK_NS)
		return;
	drawn_ns = now_ns;
	is_drawn = 1;
	fprintf(stderr, "\r%" PRIu64 " asked, %.0f/s, %" PRIu64 " not found, %"
	    PRIu64 " errors\033[K", n, (double)n * 1e9 /
	    (double)(now_ns - first_ns), count[NOT_FOUND], count[FAILED]);
}

void
progress_clear(void)
{
	if (is_drawn)
		fputs("\r\033[K", stderr);
	is_drawn = 0;
}

void
bench_answer(void *arg, struct session *s, struct slot *slot)
{
	struct bench	*b = arg;

	b->took_ns[b->done++] = slot->took_ns;
	b->count[slot->outcome]++;
	if (b->progress)
		progress_tick(b->count, s->now_ns);
}

static int
compare(const void *a, const void *b)
{
	int64_t	 x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The latency that a share of all answers took at most. */
static double
quantile_ms(const struct bench *b, unsigned int percent)
{
	return (double)b->took_ns[(b->done - 1) * percent / 100] / 1e6;
}

void
bench_report(struct bench *b, const struct session *s, int64_t took_ns,
    int json)
{
	double	 seconds = (double)took_ns / 1e9;
	double	 rate = (double)b->done / seconds;

	qsort(b->took_ns, b->done, sizeof(*b->took_ns), compare);
	if (json) {
		fputs("{\"table\":", stdout);
		show_json(stdout, s->program->name, strlen(s->program->name));
	}
	printf(json ? ",\"operation\":\"%s\",\"service\":\"%s\",\"asked\":%"
	    PRIu64 ",\"jobs\":%" PRIu64 ",\"seconds\":%.6f,\"per_second\":%.0f,"
	    "\"median_ms\":%.4f,\"p99_ms\":%.4f,\"found\":%" PRIu64
	    ",\"not_found\":%" PRIu64 ",\"errors\":%" PRIu64 "}\n" :
	    "%s %s: %" PRIu64 " asked, %" PRIu64 " at once, in %.3f s: %.0f/s, "
	    "median %.4f ms, p99 %.4f ms; %" PRIu64 " found, %" PRIu64
	    " not found, %" PRIu64 " errors\n",
	    operation_name(s->operation), service_name(s->service), b->done,
	    s->window, seconds, rate, quantile_ms(b, 50), quantile_ms(b, 99),
	    b->count[FOUND], b->count[NOT_FOUND], b->count[FAILED]);
}
