/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of one meter from a file: all of it in memory, checked, in even steps with gaps. */
#ifndef FLYBALL_CLI_RECORDING_H
#define FLYBALL_CLI_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msg/samples.h"

enum { RECORDING_WHAT_BYTES = 240, RECORDING_BYTES_MAX = 1 << 30 };

/* V or A, either way: beyond it is no meter, and squares of squares stay numbers */
#define RECORDING_VALUE_MAX 1e12

/* Steps of one rate. A recording has several where its recorder changed the rate. */
struct recording_run {
    int64_t period_ps, t_ns;            /* of the first sample */
    uint64_t first, rows;               /* in the recording */
};

enum { RECORDING_RUNS_MAX = 64 };

struct recording {
    uint64_t rows;
    double (*value)[SAMPLES_CHANNELS_MAX];      /* V and A */
    int64_t *number;                    /* of each sample in its run: a gap where it goes on by more than 1 */
    uint32_t phases, channels;          /* 1 or 3; 6, or 8 with the neutral's */
    double line_hz;                     /* nominal; 0: not said */
    uint32_t runs;
    struct recording_run run[RECORDING_RUNS_MAX];
    uint64_t line;                      /* where it is wrong, 0: as a whole; and why */
    char what[RECORDING_WHAT_BYTES];
};

/* setup: CSV with a header of t_s, va, vb, vc, ia, ib, ic, and perhaps vn, in. 0; -EINVAL, `line` and `what`
 * say where and why; -ENOMEM. `text` ends with a NUL. */
int recording_csv(struct recording *recording, const char *text);

/* any: by its ending, .cfg or .cff */
bool recording_is_comtrade(const char *path);

/* setup: the same of COMTRADE; X.dat lies beside X.cfg. Channels by their numbers, from 1, in the order of
 * enum samples_channel; none: the first three phases in volts and in amperes. Or -errno of a file. Samples
 * at rates beyond 1 to 256 kHz are left out; those above 16 kHz are brought below it. */
int recording_comtrade(struct recording *recording, const char *path, const uint32_t *wanted,
                       uint32_t wanted_count);

/* setup: either of them, by the file's ending. */
int recording_read(struct recording *recording, const char *path, const uint32_t *wanted,
                   uint32_t wanted_count);

/* any: what was wrong, on standard error, with its place; the exit code. */
int recording_tell(const struct recording *recording, const char *path, int rc);

/* setup: brings parts above 16 kHz to half, a third and so on of their rate, through a filter; as much as
 * that is long is left out at either end, and at gaps. 0 or -ENOMEM. */
int recording_decimate(struct recording *recording);

/* any */
void recording_free(struct recording *recording);

/* setup: reads a whole file and a NUL behind it; -errno, -EFBIG. The caller frees. */
int recording_slurp(const char *path, char **text, size_t *bytes);

/* setup: room for so many rows more than there are; 0 or -ENOMEM. */
int recording_room(struct recording *recording, uint64_t *room);

#endif
