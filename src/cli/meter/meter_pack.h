/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of many meters into packets of one protocol. */
#ifndef FLYBALL_CLI_METER_PACK_H
#define FLYBALL_CLI_METER_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/measure_meter.h"
#include "msg/model.h"
#include "wire/c37.h"
#include "wire/sv.h"

enum { METER_PACKETS_MAX = 2, METER_PACKET_BYTES = SV_FRAME_MAX, METER_NAME_BYTES = 64 };

/* What is said of all meters; 0 is what the protocol usually does. */
struct meter_ask {
    uint32_t meters, first;     /* number of the first one */
    double rate_hz;             /* samples a second; of readings, readings a second */
    uint32_t block;             /* samples in a packet */
    const char *name;           /* with '#' for the number */
    const struct model_meter *site;     /* whose names they have; NULL: the one above */
    double frequency_hz, nominal_hz;
    double declared_v;          /* phase to neutral */
    double volts_full, amperes_full;    /* where 16 bits end */
    int32_t vlan;               /* -1: frames without a tag */
    uint8_t synch;              /* enum sv_synch */
    bool neutral, config_3;
    double config_every_s;
    uint32_t harmonics;         /* of current, that a reading tells: [0] is the fundamental */
    double harmonic_pct[HARMONICS_MAX];
};

/* Samples of one meter, one after the other. */
struct meter_block {
    const double (*row)[SAMPLES_CHANNELS_MAX];
    uint64_t first;             /* number of the first one since the whole second before the start */
    uint32_t count;
    int64_t t_ns;               /* of the first one, Unix */
};

struct meter_packet {
    uint32_t bytes;
    uint8_t data[METER_PACKET_BYTES];
};

struct meter_pack;

/* One row for each protocol. */
struct meter_packer {
    const char *name;
    bool ethernet;              /* whole frames */
    double rate_hz;             /* where nobody says */
    uint32_t block;             /* likewise; 0: packets follow readings, not samples */
    /* setup: what it needs for each meter; 0, -ENOMEM, -EINVAL and why */
    int (*begin)(struct meter_pack *pack);
    /* any: packets that are due with this block, up to METER_PACKETS_MAX */
    uint32_t (*take)(struct meter_pack *pack, uint32_t meter, const struct meter_block *block,
                     struct meter_packet *out);
};

struct meter_pack {
    const struct meter_packer *by;
    struct meter_ask ask;
    double rate_hz;             /* samples a second */
    uint32_t block;             /* samples taken at a time */
    uint32_t period_ps;
    uint64_t *sequence;         /* by meter */
    struct measure_meter *measure;
    struct measure_out *out;
    struct meter_phasors *phasors;
    struct meter_newest *newest;
    char why[200];
};

/* any: NULL where there is none of that name */
const struct meter_packer *meter_packer_named(const char *name);

/* setup: 0; -EINVAL where what is asked for cannot be sent: `why`; -ENOMEM. */
int meter_pack_init(struct meter_pack *pack, const struct meter_packer *by, const struct meter_ask *ask);
void meter_pack_finish(struct meter_pack *pack);

/* any: the meter's name, the number in it. Returns its bytes. */
uint32_t meter_pack_name(const struct meter_pack *pack, uint32_t meter, char name[METER_NAME_BYTES]);

/* any: a block as protocols carry it; up to SAMPLES_MAX samples. */
void meter_pack_samples(const struct meter_pack *pack, uint32_t meter, const struct meter_block *block,
                        struct samples *samples);

/* The rows: meter_reading.c and meter_phasors.c have those of protocols that send no samples. */
int meter_reading_begin(struct meter_pack *pack);
uint32_t meter_reading_take(struct meter_pack *pack, uint32_t meter, const struct meter_block *block,
                            struct meter_packet *out);

int meter_phasors_begin(struct meter_pack *pack);
void meter_phasors_end(struct meter_pack *pack);
uint32_t meter_phasors_take(struct meter_pack *pack, uint32_t meter, const struct meter_block *block,
                            struct meter_packet *out);

#endif
