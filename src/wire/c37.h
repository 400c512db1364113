/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IEEE C37.118.2 (2005 and 2011): data frames, and the configuration frames without which nobody can read
 * them. CFG-1 says what a device could send, CFG-2 and CFG-3 what it sends.
 */
#ifndef FLYBALL_WIRE_C37_H
#define FLYBALL_WIRE_C37_H

#include "msg/phasors.h"
#include "wire/meter_refusal.h"

enum {
    C37_HEADER_BYTES = 14, C37_FRAME_MIN = 16,
    C37_NAME_BYTES = 255,       /* 16 in CFG-1 and CFG-2 */
    C37_DIGITAL_NAMES = 16,     /* of one word */
    C37_JOINED_BYTES = 16384,   /* of a CFG-3 that comes in several frames */
};

enum c37_type {
    C37_DATA = 0, C37_HEADER = 1, C37_CFG1 = 2, C37_CFG2 = 3, C37_COMMAND = 4, C37_CFG3 = 5,
};

enum c37_format { C37_POLAR = 1, C37_PHASORS_FLOAT = 2, C37_ANALOGS_FLOAT = 4, C37_FREQUENCY_FLOAT = 8 };

enum c37_command {
    C37_DATA_OFF = 1, C37_DATA_ON = 2, C37_SEND_HEADER = 3, C37_SEND_CFG1 = 4, C37_SEND_CFG2 = 5,
    C37_SEND_CFG3 = 6, C37_EXTENDED = 8,
};

struct c37_head {
    enum c37_type type;
    uint8_t version;            /* 1: 2005, 2: 2011 */
    uint16_t bytes;             /* of the whole frame */
    uint16_t id;
    uint32_t soc;
    uint8_t time_quality;
    uint32_t fraction;          /* in parts of the configuration's time base */
};

/* Bytes in a frame. */
struct c37_text {
    const uint8_t *at;
    uint32_t bytes;
};

struct c37_phasor_scale {
    double factor;              /* of a count, to V or A */
    double angle_rad;           /* CFG-3: of the transducer, taken off by whoever wants; else 0 */
    uint32_t unit;              /* PHUNIT, or the flags and bytes of CFG-3's PHSCALE, as sent */
    bool current;
    uint64_t name;              /* c37_name_print of its name */
};

struct c37_analog_scale {
    double factor, offset;      /* CFG-3; else 1 and 0 */
    uint32_t unit;              /* ANUNIT as sent: 8 bits of kind, 24 of a factor that users agree upon */
};

struct c37_pmu {
    uint16_t id, format;        /* enum c37_format */
    uint8_t phasors, analogs, digitals;
    bool nominal_50;
    uint16_t changes;           /* CFGCNT */
    char class;                 /* 'M', 'P'; 0 = not said */
    uint32_t names_at;          /* in the frame: station first, then phasors, analogs, digitals */
    struct c37_phasor_scale phasor[PHASORS_MAX];
    struct c37_analog_scale analog[PHASORS_ANALOGS_MAX];
    uint32_t digital_unit[PHASORS_DIGITALS_MAX];    /* normal states, valid inputs */
};

struct c37_config {
    enum c37_type type;
    uint16_t id;
    uint8_t pmus;
    uint32_t time_base;
    int16_t data_rate;          /* above 0: frames a second; below: seconds a frame */
    uint16_t data_bytes;        /* of a data frame under this configuration */
    struct c37_pmu pmu[PHASORS_PMUS_MAX];
};

/* rt: the header and the checksum. The frame ends where it says: more bytes are METER_OVERSIZED. */
int c37_check(const uint8_t *data, uint32_t bytes, struct c37_head *head);

/* rt: a frame of CFG-1, CFG-2 or CFG-3 by itself. METER_SHAPE beyond the bounds of msg/limits.h, METER_MTU
 * where the data frames that it asks for would not fit DATAGRAM_MAX, METER_CONFIG_PARTS for one of several
 * frames. */
int c37_config_decode(const uint8_t *data, uint32_t bytes, struct c37_config *config);

/* any: of a PMU of a configuration that was decoded from the frame at `data`: name 0 is the station's, then
 * those of phasors, analogs and bits of digitals, in order. No bytes beyond the last one. */
struct c37_text c37_name(const uint8_t *data, const struct c37_config *config, uint32_t pmu, uint32_t index);

/* any: by what a name is found again in configurations that come later: FNV-1a. */
uint64_t c37_name_print(const uint8_t *at, uint32_t bytes);

/* rt: a data frame under `config`. METER_CONFIG_CHANGED where its size is another's. */
int c37_data_decode(const struct c37_config *config, const uint8_t *data, uint32_t bytes,
    struct phasors *phasors);

/* rt: what a command frame asks for: enum c37_command. */
int c37_command_decode(const uint8_t *data, uint32_t bytes, uint16_t *command);

/* What CFG-3 says of a PMU beside what its data need. */
struct c37_place {
    uint8_t global_id[16];
    double latitude_deg, longitude_deg, elevation_m;    /* infinite: not known */
    int32_t window_us, delay_us;
};

/* rt: a time into seconds and parts of the time base, rounded. */
void c37_time(int64_t t_ns, uint32_t time_base, struct c37_head *head);

/* rt: a data frame: what is NaN is sent as missing, and whole numbers are rounded to counts. Of `missing` and
 * what else `phasors` says of itself only values, stat, time and its quality are sent. Returns its bytes; 0
 * where the configuration is none that c37_config_decode would take, the PMUs are not its own, or the frame
 * fits neither DATAGRAM_MAX nor `room`. */
uint32_t c37_data_encode(const struct c37_config *config, uint8_t version, const struct phasors *phasors,
    uint8_t *data, uint32_t room);

/* rt: a frame of config->type; version, time and quality are `head`'s. `names`: of each PMU the station's,
 * those of phasors, analogs and bits of digitals, one after the other; longer ones are cut. `places`, by PMU,
 * may be NULL. Returns its bytes; 0 where it does not fit `room` or no frame could say it. */
uint32_t c37_config_encode(const struct c37_config *config, const struct c37_head *head,
    const struct c37_text *names, const struct c37_place *places, uint8_t *data, uint32_t room);

/* A CFG-3 that comes in several frames, as far as it has come. */
struct c37_parts {
    uint32_t taken;             /* number of the newest one; 0: none is waited for */
    uint32_t newest;            /* print of the frame that was taken last */
    bool taken_any;
    uint32_t bytes;             /* of `joined`: */
    uint8_t joined[C37_JOINED_BYTES];   /* head and body of the one frame that it would be, no checksum */
};

/* What a receiver remembers of one stream. Zeroed at start. */
struct c37_stream {
    bool named, known;
    bool pending, held;         /* a change is announced; what it will change to has come */
    uint16_t id;
    uint32_t print, next_print; /* of the frames of both, without their times */
    struct c37_config config, next;
    struct c37_parts parts;
};

/* rt: the next frame. METER_ACCEPTED with *frames 1 and `phasors`, or 0: a configuration, header or command.
 * A configuration that comes while a change is announced and differs from the known one holds from the frame
 * on that takes the announcement back; the same one again renews nothing. A CFG-3 in several frames is one
 * when the last has come, in order: METER_CONFIG_PARTS where one is missing, or they are too long. A
 * configuration that is refused, data of another size, and an announced change without a new configuration
 * end the one that was known; a frame of several that comes twice (METER_DUPLICATE) does not. */
int c37_receive(struct c37_stream *stream, const uint8_t *data, uint32_t bytes, struct phasors *phasors,
    uint32_t *frames);

#endif
