/* SPDX-License-Identifier: Apache-2.0 */
/* A block of raw samples of one meter, whatever protocol brought it: what core/measure works on. */
#ifndef FLYBALL_MSG_SAMPLES_H
#define FLYBALL_MSG_SAMPLES_H

#include "msg/limits.h"

/* Volts line to neutral, amperes toward the load. Six channels, or eight with the neutral. */
enum samples_channel {
    SAMPLES_VA, SAMPLES_VB, SAMPLES_VC, SAMPLES_IA, SAMPLES_IB, SAMPLES_IC, SAMPLES_VN, SAMPLES_IN,
};

enum samples_flag {
    SAMPLES_LOCKED = 1,         /* the meter's clock follows a global reference */
    SAMPLES_HOLDOVER = 2,       /* it has lost it, and runs on its last correction */
    SAMPLES_CLIPPED = 4,        /* at least one value stands at the end of its range: `clipped` */
    SAMPLES_GAP = 8,            /* samples are missing before the first one, or time has stepped */
    SAMPLES_NOMINAL_50 = 16,    /* 50 Hz nominal; else 60 Hz, or not said */
    SAMPLES_TAI = 32,           /* t0_ns is TAI; else UTC */
    SAMPLES_SIMULATED = 64,     /* a test's or a simulator's: never for decisions on a real site */
    SAMPLES_INVALID = 128,      /* the meter vouches not for at least one channel: `invalid` */
    SAMPLES_FILLED = 256,       /* a short gap before this block was filled in by its receiver */
    /* its receiver has set the time anew, by the arrival: how late it is against those before nobody knows */
    SAMPLES_SET = 512,
};

struct samples {
    uint32_t meter;             /* as the protocol names it; the lane puts the index into model.meter here */
    uint32_t flags;             /* enum samples_flag */
    int64_t t0_ns;              /* of the first sample, Unix epoch */
    uint64_t sequence;          /* of the packet, as the sender counts, wrapped counts unrolled */
    uint32_t period_ps;         /* between two samples; 125,000,000 at 8 kHz */
    uint16_t count;             /* of samples in each channel, 1 .. SAMPLES_MAX */
    uint8_t channels;           /* 6 or 8 */
    uint8_t clipped;            /* bit i: channel i; what was there was as large or larger */
    uint8_t invalid;            /* bit i: channel i */
    uint8_t reserved[3];
    float value[SAMPLES_CHANNELS_MAX][SAMPLES_MAX];     /* V and A */
};

#endif
