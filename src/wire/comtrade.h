/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings in COMTRADE: IEEE C37.111 of 1991, 1999 and 2013 (IEC 60255-24). The caller reads the files into
 * memory; nothing is copied out of them: texts point into the configuration, samples are read where they
 * stand.
 *
 *     memory = malloc(comtrade_bytes(cfg, cfg_bytes));
 *     rc = comtrade_parse(cfg, cfg_bytes, memory, &recording, &fault);
 *     comtrade_rewind(&reader, &recording, dat, dat_bytes);
 *     while ((rc = comtrade_next(&reader, value, NULL, &sample, &fault)) > 0)
 *         use(sample.t_ns, value);
 */
#ifndef FLYBALL_WIRE_COMTRADE_H
#define FLYBALL_WIRE_COMTRADE_H

#include <stdbool.h>

#include "msg/limits.h"

enum {
    COMTRADE_CHANNELS_MAX = 65535,  /* analog ones, and as many of status */
    COMTRADE_RATES_MAX = 999,
    COMTRADE_SHOWN_BYTES = 4,       /* of comtrade_show, for each byte of a text */
};

/* Where a file cannot be read, and why, for people. `line` counts from 1, in binary data the record; `field`
 * counts from 1 in its line, 0 is the line as a whole. */
struct comtrade_fault {
    uint64_t line;
    uint32_t field;
    const char *what;
};

/* Bytes of the configuration, blanks at both ends cut off, in whatever encoding its writer had. */
struct comtrade_text {
    const uint8_t *at;
    uint32_t bytes;
};

struct comtrade_analog {
    struct comtrade_text name, phase, component, unit;
    double a, b;                /* value = a * sample + b, in `unit`, on `side` */
    double skew_us;
    double min, max;            /* of samples, before scaling */
    double primary, secondary;  /* rated values of the transformer; 0 = not said */
    char side;                  /* 'P', 'S': the values are those of that side; 0 = not said (1991) */
};

struct comtrade_status {
    struct comtrade_text name, phase, component;
    uint8_t normal;             /* 0 or 1 */
};

/* The samples up to number `last`, the first being 1, come at `rate_hz`; 0: stamps alone say when. */
struct comtrade_rate {
    double rate_hz;
    uint64_t last;
};

enum comtrade_form { COMTRADE_ASCII, COMTRADE_BINARY, COMTRADE_BINARY32, COMTRADE_FLOAT32 };

enum { COMTRADE_CODE_UNKNOWN = INT16_MIN };

struct comtrade {
    struct comtrade_text station, device;
    uint32_t revision;          /* 1991, 1999 or 2013 */
    uint32_t analogs, statuses, rates;
    struct comtrade_analog *analog;
    struct comtrade_status *status;
    struct comtrade_rate *rate;
    double line_hz;             /* nominal; 0 = not said */
    bool dated;                 /* start and trigger are known */
    int64_t start_ns;           /* of the first sample, Unix epoch, in the file's own time zone */
    int64_t trigger_ns;
    enum comtrade_form form;
    /* what one unit of a stamp is: timemult microseconds (2013: or nanoseconds) */
    double stamp_ns;
    int16_t offset_minutes;     /* of start_ns from UTC; COMTRADE_CODE_UNKNOWN before 2013 and for "x" */
    int16_t local_minutes;      /* of the recorder's place */
    uint8_t quality;            /* 0 locked .. 15 fails, as in C37.118; 255 = not said */
    uint8_t leap;               /* 0 none, 1 added, 2 deleted in this recording, 3 cannot be said */
};

/* setup: bytes that the channels and rates of a configuration need at most. */
uint64_t comtrade_bytes(const uint8_t *cfg, uint32_t bytes);

/* setup: `memory` is comtrade_bytes() long and aligned for doubles, it and `cfg` outlive `out`. 0, or -EINVAL
 * and the first fault. Fields that the standard lets be empty may be; a recording of 1999 or 2013 may end
 * before timemult, one of 2013 before its codes. */
int comtrade_parse(const uint8_t *cfg, uint32_t bytes, void *memory, struct comtrade *out,
    struct comtrade_fault *fault);

/* any: samples that the configuration promises. */
uint64_t comtrade_samples(const struct comtrade *recording);

/* any: what values of a channel are multiplied by to be those of `side`, 'P' or 'S'; 1 where nothing is
 * said. */
double comtrade_factor(const struct comtrade_analog *analog, char side);

/* any: 'V' or 'A', and in `factor` what a value is multiplied by to be in volts or amperes ("kV", "mA",
 * "volt", "ampere", ... are known); 0 for any other unit. */
char comtrade_quantity(const struct comtrade_analog *analog, double *factor);

/* any: a text for people, terminated: as it stands where all of it is UTF-8, else (a name in GBK) each
 * byte that is not ASCII as \xHH, and control characters and backslashes too. At most `room` bytes; whole
 * is bytes * COMTRADE_SHOWN_BYTES + 1. Returns the bytes before the NUL. */
uint32_t comtrade_show(struct comtrade_text text, char *out, uint32_t room);

/* A file that holds all parts (.cff, 2013). Parts that are not there have no bytes. */
struct comtrade_parts {
    struct comtrade_text cfg, inf, hdr;
    const uint8_t *dat;
    uint64_t dat_bytes;
};

/* setup: 0, or -EINVAL: a part twice, no CFG or DAT, binary data shorter than announced. */
int comtrade_split(const uint8_t *cff, uint64_t bytes, struct comtrade_parts *parts,
    struct comtrade_fault *fault);

enum comtrade_sample_flag {
    COMTRADE_STAMPED = 1,       /* the sample has a stamp of its own */
    /* its stamp is half a period or more beside the rate: recording paused, or so */
    COMTRADE_STEP = 2,
    COMTRADE_LEFT_OUT = 4,      /* its number is not that of the sample before, and one */
};

struct comtrade_sample {
    uint64_t number;            /* as recorded */
    int64_t t_ns;               /* since the first sample */
    uint32_t flags;             /* enum comtrade_sample_flag */
    uint32_t missing;           /* analog values that were not recorded: NaN */
};

/* Goes through the samples of a recording once. Times follow the rates: stamps are rounded, and often another
 * clock's. Where recording paused only stamps tell: from one of them to the next. */
struct comtrade_reader {
    const struct comtrade *recording;
    const uint8_t *at, *end;
    uint64_t records;           /* read so far */
    uint64_t position;          /* in the recording's own count, from 1: with the samples left out */
    uint64_t number;            /* of the newest */
    uint32_t segment;           /* of recording->rate */
    bool stamped;               /* there was a stamp */
    int64_t stamp, stamp_ns;    /* the newest one, unrolled, in the file's units; the time of its sample */
    uint64_t anchor;            /* a position, */
    int64_t anchor_ns;          /* and its time */
};

/* any */
void comtrade_rewind(struct comtrade_reader *reader, const struct comtrade *recording, const uint8_t *dat,
    uint64_t bytes);

/* any: one sample: recording->analogs values, scaled, and where `status` is not NULL recording->statuses of 0
 * or
 * 1. Returns 1; 0 at the end, which may come before comtrade_samples(); -EINVAL and a fault, after which the
 * reader is of no more use. */
int comtrade_next(struct comtrade_reader *reader, double *value, uint8_t *status,
    struct comtrade_sample *sample, struct comtrade_fault *fault);

#endif
