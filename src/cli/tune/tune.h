/* SPDX-License-Identifier: Apache-2.0 */
/* flyball tune: its parts, and what they hand to each other. */
#ifndef FLYBALL_CLI_TUNE_H
#define FLYBALL_CLI_TUNE_H

#include <stdarg.h>

#include "site/site.h"

enum { TUNE_NOTES_MAX = 16, TUNE_NOTE_BYTES = 200 };

struct tune_options {
    const char *site;
    const char *meters_netns, *hosts_netns;     /* where frames to the ports can be made, or NULL */
    double seconds;             /* of each measurement */
    bool dry_run, json, no_port;
    bool ages;                  /* only those that a running daemon has seen */
};

struct tune {
    struct tune_options options;
    struct site site;
    struct measured found;
    struct measured_hiccups unlifted;   /* before RT throttling was lifted; for the report only */
    bool unpinned, unprivileged;        /* a core or a priority was refused */
    uint32_t notes;             /* what was not measured, or not as it would run, and why */
    char note[TUNE_NOTES_MAX][TUNE_NOTE_BYTES];
};

/* setup: one line for the report. */
void tune_note(struct tune *tune, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* setup: on what machine, by what build. */
void tune_provenance(struct tune *tune);

/* setup: spins on the lane's core at its priority. Then wake-ups on the housekeeping core. 0 or -errno. */
int tune_hiccups(struct tune *tune);
int tune_unlifted(struct tune *tune);   /* a short look at hiccups, kept apart */
int tune_wakes(struct tune *tune);

/* setup: the real lane, decide and egress with the site's own model, on ports in memory. 0 or -errno. */
int tune_stages(struct tune *tune);

/* setup: of the daemon behind the row's door, the ages of readings; everything else as it was measured
 * before. An exit code; told on standard error. */
int tune_ages(struct tune *tune);

/* setup: opens the ports of the row one by one: what they absorb while nobody polls, and the way to every
 * host. What cannot be measured becomes a note. 0 or -errno. */
int tune_ports(struct tune *tune);

/* setup: runs `run(argument)` on a thread of its own on this core, scheduled as the row has it for hot
 * threads or not at all, waits for its end, and notes what the machine did not permit. 0 or -errno. */
int tune_on_core(struct tune *tune, int core, bool hot, int (*run)(void *argument), void *argument);

/* setup: the calling thread, which is on this core, becomes one in real time, as the row has it. 0; 1: not
 * on its core any more; -errno: refused. */
int tune_schedule(const struct tune *tune, int core);

/* any: the report for a reader, and the same as JSON. */
void tune_print(const struct tune *tune, FILE *out);
void tune_print_json(const struct tune *tune, FILE *out);

/* setup: puts the block into the site file, or says in `why` what hindered it; the file is then as it was.
 * 0 or -errno. */
int tune_write(const struct tune *tune, char *why, size_t why_bytes);

/* any: the block alone, as it would stand in the file. */
int tune_print_block(const struct tune *tune, FILE *out);

#endif
