/* SPDX-License-Identifier: Apache-2.0 */
/* What `flyball tune` measured on a server, as it stands in that server's row of the site file. */
#ifndef FLYBALL_SITE_MEASURED_H
#define FLYBALL_SITE_MEASURED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { MEASURED_TEXT_BYTES = 128, MEASURED_NAMED_MAX = 10, MEASURED_PORTS_MAX = 2 };

/* Quantiles of one quantity, ns; n = 0: it was not measured. */
struct measured_spread {
    int64_t n, p50_ns, p99_ns, p999_ns, max_ns;
};

/* Moments in which a spinning thread did not run (rt/hiccup.h). span_ns = 0: not measured. */
struct measured_hiccups {
    int64_t span_ns, longest_ns;
    int64_t p999_ns;            /* wait of an event that arrives at a random moment */
    int64_t over_10us, over_100us, over_1ms;    /* how many, over the whole span */
    int64_t lost_ppm;           /* of the core */
};

/* Frames that a port kept while nobody polled it. */
struct measured_ring {
    char interface[MEASURED_TEXT_BYTES];
    int64_t offered, absorbed;
};

/* Echo requests to every host and back. hosts = 0: not measured. */
struct measured_path {
    int64_t hosts, answered;    /* asked, and heard from at least once */
    int64_t sent, lost;         /* requests; one to a host whose MAC nobody tells cannot even leave */
    int64_t min_ns, p50_ns, p99_ns, max_ns;     /* of all answers */
    uint32_t worst_count, silent_count;         /* named below */
    char worst[MEASURED_NAMED_MAX][MEASURED_TEXT_BYTES];    /* "a1-01 at 1.2ms", slowest first */
    char silent[MEASURED_NAMED_MAX][MEASURED_TEXT_BYTES];
};

struct measured {
    bool present;
    uint32_t line, column;      /* of the mapping in the file */
    int64_t when_s;             /* Unix time, UTC */
    char host[MEASURED_TEXT_BYTES], kernel[MEASURED_TEXT_BYTES], cpu[MEASURED_TEXT_BYTES];
    char version[MEASURED_TEXT_BYTES];          /* of flyball, with its commit */
    int core, housekeeping;     /* measured on; -1 = not pinned */
    int priority;               /* SCHED_FIFO that held during the hiccups, 0 = none */
    bool throttling_lifted;
    struct measured_hiccups hiccups;
    struct measured_spread wake_timer, wake_event;
    struct measured_spread reading, report, tick_part, emergency;
    struct measured_spread age; /* of readings when they came, by the age rule: of a running daemon */
    uint32_t ring_count;
    struct measured_ring ring[MEASURED_PORTS_MAX];
    struct measured_path path;
};

/* How a block of text stands in its file. */
struct measured_style {
    uint32_t column;            /* of the key `measured`, from 0 */
    bool flow;                  /* inside { } */
    const char *eol;            /* "\n" or "\r\n" */
};

/* any: writes `measured: ...` without a line end behind it; the first line without indentation. Times are
 * rounded up to a thousandth of their unit, so what is read back may be that much larger. */
void measured_write(const struct measured *measured, const struct measured_style *style, FILE *out);

/* any: "2026-11-21T02:14:03Z" and back. 0 or -EINVAL. */
void measured_when_write(int64_t when_s, char *text, size_t bytes);
int measured_when_parse(const char *text, int64_t *when_s);

/* any: as it will be read back from the file. */
int64_t measured_rounded_ns(int64_t ns);

#endif
