/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus.h"

#include <string.h>

#include "corpus_meter.h"
#include "wire/cap.h"
#include "wire/detail.h"
#include "wire/frame.h"
#include "wire/upmu.h"

struct bytes {
    const char *data;
    uint32_t bytes;
};

#define BYTES(literal) { literal, sizeof(literal) - 1 }
#define ONE  "\0\0\0\0\0\0\xf0\x3f"     /* 1.0 */

/* Shapes that the encoder never makes: other senders may. */
static const struct bytes upmu_shape[] = {
    BYTES("\x22\x09\x19" ONE),                                          /* harmonics unpacked */
    BYTES("\x22\x15\x1a\x08" ONE "\x1a\x08" ONE "\x28"),                /* split runs, then cut short */
    BYTES("\x22\x0b\x09" ONE "\x28\x01\x22\x0b\x11" ONE "\x30\x01"),    /* pq twice: merged */
    BYTES("\x2a\x09\x09" ONE "\x2a\x09\x11" ONE),                       /* features twice */
    BYTES("\x12\x01" "A\x12\x01" "B\x08\x01\x08\x02"),                  /* last one wins */
    BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),              /* -1 */
    BYTES("\x33\x38\x01\x3b\x3c\x34\x45\1\2\3\4\x7a\x03" "abc"),        /* unknown: groups, fixed32, bytes */
    BYTES("\x88\x80\x00\x85\x00\x1a\x80\x00\x1a\x00\x1a\x00"),          /* long forms of small numbers */
    BYTES("\x1a\x09\x09\0\0\0\0\0\0\0\x80"),                            /* -0.0 */
    BYTES("\x1a\x09\x09\0\0\0\0\0\0\xf0\x7f"),                          /* infinite */
    BYTES("\x1a\x0c\x3b\x43\x4b\x4c\x44\x3c\x31" ONE),                  /* groups in a phase, cut short */
    BYTES("\x1a\x08\x09\0\0\0\0\0\0\0\x08\x01"),                      /* a double one byte short, in a body */
    BYTES("\x2a\x11\x09" ONE "\x11\0\0\0\0\0\0\0\x08\x01"),          /* the second one */
    BYTES("\x22\x08\x21\0\0\0\0\0\0\0\x08\x01"),
    BYTES("\x22\x08\x19\0\0\0\0\0\0\0\x08\x01"),
    BYTES("\x22\x0a\x1a\x10" ONE ONE),                                /* a run longer than its message */
    BYTES("\x22\x09\x1a\x07\0\0\0\0\0\0\0"),                         /* seven bytes of doubles */
    BYTES("\x22\x06\x28\x02\x30\x80\x80\x01"),                        /* bools that are neither 0 nor 1 */
    BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),              /* 65 bits */
    BYTES("\x88\x80\x80\x80\x10\x05\x12\x81\x80\x80\x80\x10" "A"),     /* tag and length of 33 bits */
    BYTES("\x88\x80\x80\x80\x00\x05\x12\x81\x80\x80\x80\x00" "A"),     /* of five bytes */
    BYTES("\x12\x82\x80\x80\x80\x80\x00" "AB"),                      /* a length of six bytes */
    BYTES("\x33\x33\x33\x33\x33\x33\x33\x33\x34\x34\x34\x34\x34\x34\x34\x34"),      /* as deep as allowed */
    BYTES("\x1a\x00\x1a\x00\x1a\x00\x1a\x00"),                        /* a fourth phase */
    BYTES("\x22\x09\x29" ONE "\x28\x01"),                            /* wrong wire types */
    BYTES("\x4d\1\2\3"),                                            /* a fixed32 cut short */
};

static const struct bytes cap_shape[] = {
    BYTES("\x09\1\2\3\4\5\6\7\x08\x10\x05\x10\x06\x28\x80\x80\x01"),    /* last one wins, long forms */
    BYTES("\x7b\x08\x01\x7c\x85\x01\1\2\3\4\x82\x01\x02" "hi"),         /* unknown fields and a group */
    BYTES("\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),              /* a negative cap */
    BYTES("\x28\x80\xa0\x94\xa5\x8d\x1d"),                           /* 1 GW */
    BYTES("\x38\x80\x80\x8c\xa3\x80\xe0\xe0\xe5\x2b"),               /* 100 years */
    BYTES("\x58\x02\x60\xff\xff\xff\xff\x0f\x68\xff\xff\x03"),     /* state, flags, inputs at their largest */
    BYTES("\x10\x04\x20\xff\xff\xff\xff\x0f"),                        /* reason, priority at their largest */
    BYTES("\x09\1\2\3\4\5\6\7"),                                    /* a fixed64 cut short */
    BYTES("\x42\x00\x42\x00"),                                      /* details: two devices of one index */
    BYTES("\x42\x02\x08\x01\x42\x02\x08\x0f\x42\x02\x50\x01"),       /* ascending, and not */
    BYTES("\x3a\x01" "1\x3a\x01" "2\x3a\x01" "3\x3a\x01" "4"),         /* jobs ... */
    BYTES("\x3a\x01" "1\x3a\x01" "2\x3a\x01" "3\x3a\x01" "4\x3a\x01" "5"),     /* one too many */
    BYTES("\x3a\x00\x32\x00"),                                      /* no name */
    BYTES("\x32\x03" "abc\x32\x01" "d"),                            /* the last one counts */
    BYTES("\x3a\x02" "a\x00\x32\x01 "),                             /* not for print */
    BYTES("\x42\x06\x50\xff\xff\xff\xff\x0f\x10\xff\xff\x03"),      /* the coldest; marks at their largest */
    BYTES("\x42\x06\x50\xff\xff\xff\xff\x1f"),                      /* colder than 32 bits */
};

/* Variant 0 is the worked example of the protocol notes; the others add harmonics or leave parts out. */
static uint32_t upmu_body(uint32_t variant, const char *name, uint8_t *out)
{
    static const uint32_t harmonics[] = { 5, 50, 64, 0, 1 };
    struct upmu upmu = {
        .timestamp_ns = INT64_C(1751538645123456789), .device_id = name,
        .device_id_bytes = (uint32_t)strlen(name),
        .phase_count = variant == 3 ? 1 : 3, .thd_voltage_pct = 2.25, .thd_current_pct = 12.5,
        .frequency_hz = 60.0, .harmonic_count = harmonics[variant], .sag_detected = 1,
        .swell_detected = variant == 4, .dp_dt_mw_per_s = -12.5, .peak_factor = 1.5, .load_factor = 0.75,
        .power_trend = 0.125,
    };

    for (uint32_t i = 0; i < upmu.phase_count; i++)
        upmu.phase[i] = (struct upmu_phase){ 277.125, 600.5, 160400, 43040, 166420, 0.9638 };
    for (uint32_t i = 0; i < upmu.harmonic_count; i++)
        upmu.harmonic_pct[i] = 100.0 / (i + 1);
    return upmu_encode(&upmu, out, SEED_ROOM);
}

#define METER "PDU-A01-001"
enum { UPMU_BODIES = 5, CAP_BODIES = 6 };

static uint32_t detail_body(uint8_t *out)
{
    const struct detail detail = {
        .incarnation = UINT64_C(0x0123456789ABCDEF), .marks = DETAIL_WATCHDOG | DETAIL_HISTORY,
        .watchdog_us = 40000, .write_errors = 2, .jobs = 3, .device_count = 2, .job_count = 2,
        .version = "0.6.0", .job = { "4711.0", "0f3c9a52-5d0e-4b0a-9a55-0c6b3c8d1e2f" },
        .device = {
            { .index = 0, .known = 0x1FF, .asked_mw = 700000, .enforced_mw = 700000, .draw_mw = 512000,
              .average_mw = 498000, .window_us = 1000000, .energy_mj = UINT64_C(98765432100),
              .temperature_mc = 61500, .clock_mhz = 1755, .write_us = 9000, .write_worst_us = 42000 },
            { .index = 5, .known = DETAIL_DEVICE_LOST, .throttle = DETAIL_THROTTLE_FOREIGN,
              .temperature_mc = -1 },
        },
    };
    return detail_encode(&detail, out, SEED_ROOM);
}

/* In the order of enum cap_message of differ.h: lease, claim, report, request, response, detail. */
static uint32_t cap_body(uint32_t message, uint8_t *out)
{
    const struct lease lease = {
        .incarnation = UINT64_C(0x0123456789ABCDEF), .epoch = 3, .sequence = 70000, .echo = 69990,
        .cap_mw = 5600000, .floor_mw = 1200000, .duration_ns = NS_PER_S,
        .ramp_up_mw_per_s = 8000000, .ramp_down_mw_per_s = 4000000, .hysteresis_ns = 250000000,
        .flags = message == 1 ? LEASE_CLAIM : LEASE_EMERGENCY,
        .session = UINT64_C(0xFEDCBA9876543210),
    };
    const struct report report = {
        .incarnation = UINT64_C(0x0123456789ABCDEF), .epoch = 3, .number = 69990, .applied = 69980,
        .held_ns = 240 * NS_PER_MS, .cap_mw = 5600000, .readback_mw = 5600000, .fail_safe_mw = 2400000,
        .phys_max_mw = 10200000, .draw_mw = 6100000, .state = HOST_LEASED,
        .flags = REPORT_PSU_KNOWN | REPORT_AT_CAP, .psu_inputs = 0x3F,
        .session = UINT64_C(0xFEDCBA9876543210),
    };
    const struct token_request request = {
        .request = 12, .amount_mw = 800000, .duration_ns = 60 * NS_PER_S, .priority = 2,
        .session = UINT64_C(0xFEDCBA9876543210) };
    const struct token_response response = {
        .request = 12, .reason = TOKEN_POOL_EMPTY, .alternative_mw = 300000, .retry_after_ns = NS_PER_S };

    switch (message) {
    case 2:
        return report_encode(&report, out, SEED_ROOM);
    case 3:
        return token_request_encode(&request, out, SEED_ROOM);
    case 4:
        return token_response_encode(&response, out, SEED_ROOM);
    case 5:
        return detail_body(out);
    default:
        return lease_encode(&lease, out, SEED_ROOM);
    }
}

static uint32_t copy(const struct bytes *from, uint8_t *out)
{
    memcpy(out, from->data, from->bytes);
    return from->bytes;
}

static uint32_t upmu_seed(uint32_t index, uint8_t *out)
{
    if (index < UPMU_BODIES)
        return upmu_body(index, METER, out);
    index -= UPMU_BODIES;
    return index < sizeof upmu_shape / sizeof *upmu_shape ? copy(&upmu_shape[index], out) : 0;
}

/* One byte before the body says which message it is; every shape is tried as each of them. */
static uint32_t cap_seed(uint32_t index, uint8_t *out)
{
    uint32_t message = index % CAP_BODIES, shape = index / CAP_BODIES;

    out[0] = (uint8_t)message;
    if (shape == 0)
        return 1 + cap_body(message, out + 1);
    shape--;
    return shape < sizeof cap_shape / sizeof *cap_shape ? 1 + copy(&cap_shape[shape], out + 1) : 0;
}

/* A datagram behind its two bytes of length. */
static uint32_t put_frame(uint8_t kind, uint64_t sequence, const char *name, uint8_t *out)
{
    static const uint32_t cap_of[FRAME_KIND_COUNT] = {
        [FRAME_LEASE] = 0, [FRAME_CLAIM] = 1, [FRAME_REPORT] = 2, [FRAME_TOKEN_REQUEST] = 3,
        [FRAME_TOKEN_RESPONSE] = 4, [FRAME_DETAIL] = 5,
    };
    uint8_t *body = out + 2 + FRAME_HEADER_BYTES;
    const struct frame frame = {
        .kind = kind, .sender = kind == FRAME_MEASUREMENT ? 0 : 17, .sequence = sequence,
        .body_bytes = kind == FRAME_MEASUREMENT ? upmu_body(0, name, body) : cap_body(cap_of[kind], body),
    };
    uint32_t bytes = frame_encode(out + 2, &frame);

    out[0] = (uint8_t)bytes;
    out[1] = (uint8_t)(bytes >> 8);
    return bytes + 2;
}

/* Single frames of each kind, then streams whose numbers repeat, fall back, jump, and begin anew. */
static uint32_t frame_seed(uint32_t index, uint8_t *out)
{
    static const uint64_t stream[][6] = {
        { 1, 2, 2, 1, 3, 4 }, { 10, 12, 11, 10, 75, 12 }, { 5, 69, 5, 6, UINT64_MAX, 69 },
        { 64, 1, 65, 128, 64, 129 }, { 100, 1, 2, 3, 4, 5 }, { 900, 7, 6, 8, 9, 10 },
    };
    uint32_t bytes = 0;

    if (index < FRAME_KIND_COUNT - 1)
        return put_frame((uint8_t)(index + 1), 1, METER, out);
    index -= FRAME_KIND_COUNT - 1;
    if (index >= sizeof stream / sizeof *stream)
        return 0;
    for (uint32_t i = 0; i < 6; i++)
        bytes += put_frame((uint8_t)(1 + i % (FRAME_KIND_COUNT - 1)), stream[index][i],
                           METER, out + bytes);
    return bytes;
}

/* ---- steps of lane_fuzz.c and agent_fuzz.c: how it is sent, by whom, a datagram ---- */

enum { SEALED_HOWS = 8, SEALED_STREAM = 8 };

static uint32_t put_step_sealed(uint8_t how, uint8_t who, uint8_t kind, uint64_t sequence, uint8_t *out)
{
    out[0] = how;
    out[1] = who;
    return 2 + put_frame(kind, sequence, "m-1", out + 2);
}

/* Each kind alone: sealed, bare, turned, under another key, elsewhere, again, later, after a take-over; then
 * streams. */
static uint32_t sealed_seed(const uint8_t *kinds, uint32_t count, uint32_t index, uint8_t *out)
{
    static const uint8_t how[SEALED_HOWS] = {1, 0, 2, 3, 1 | 4, 1 | 8, 1 | 16, 1 | 32};
    uint32_t bytes = 0;

    if (index < count * SEALED_HOWS)
        return put_step_sealed(how[index / count], 1, kinds[index % count], 1, out);
    index -= count * SEALED_HOWS;
    if (index >= SEALED_HOWS)
        return 0;
    for (uint32_t i = 0; i < SEALED_STREAM; i++)
        bytes += put_step_sealed(i % 3 ? 1 : how[index], i % 2 ? 4 : 1, kinds[i % count], i + 1,
                                 out + bytes);
    return bytes;
}

static uint32_t lane_seed(uint32_t index, uint8_t *out)
{
    static const uint8_t kinds[] = {FRAME_REPORT, FRAME_DETAIL, FRAME_TOKEN_REQUEST, FRAME_MEASUREMENT,
                                    FRAME_LEASE};

    return sealed_seed(kinds, sizeof kinds, index, out);
}

static uint32_t agent_seed(uint32_t index, uint8_t *out)
{
    static const uint8_t kinds[] = {FRAME_LEASE, FRAME_CLAIM, FRAME_TOKEN_RESPONSE, FRAME_REPORT};

    return sealed_seed(kinds, sizeof kinds, index, out);
}

/* Tables as people and spreadsheets write them, and some that are broken. */
static uint32_t csv_seed(uint32_t index, uint8_t *out)
{
    static const char *const table[] = {
        "id,kind,rating\nmain,source,600A\nrow,branch,63A\n",
        "\xef\xbb\xbfsep=;\r\nID;Rating [A];by\r\nmain;600;\"A. Person, \"\"PE\"\"\"\r\n;;\r\n\r\n",
        "id\tnote\na\t\"two\nlines\"\nb\t \n",
        "a,,b,\n1,2,3,\n",
        "sep=,\n\"\"\"\",\" x \"\n\"\xe2\x82\xac\",y",
        "a,b\n\"open,1\n",
        "a;b\n1;2;3\n\"x\" y;2\r\n",
        "\r\n,,\nid\r\n1\r\n",
    };

    if (index >= sizeof table / sizeof *table)
        return 0;
    memcpy(out, table[index], strlen(table[index]));
    return (uint32_t)strlen(table[index]);
}

/* Conditions, with what else may stand in one. */
static uint32_t when_seed(uint32_t index, uint8_t *out)
{
    static const char *const condition[] = {
        "thd_current > 8% and power > 600kW for 200ms",
        "not (sag or swell) and interruption or frequency < 49.8Hz clear 49.9Hz",
        "((current >= 0.8kA clear 799A and voltage <= 2.0 kV) for 1min or dp_dt < -2MW/s) for 1.5s",
        "power_factor < 0.95 clear 97% or reactive > 1Mvar or apparent > 2MVA or peak_factor > 2.5",
        "power_a > 1mW and power_b > 1W and power_c > 1kW and load > 5ppm and harmonic_5 > 1%",
        "powr > 1kW", "quux > 1kW", "power 1kW", "power == 1kW && sag", "power > 1 | sag", "sag > 5%",
        "sag clear 5%", "power > 1kA", "power > 0.00001W", "power > 99999999999999999999W", "power > 1.2.3kW",
        "power > 5kW clear 6kW", "power < 6kW clear 5kW", "sag swell", "(sag", "sag)", "(sag ?)", "sag for",
        "sag for 1us", "sag for 2h", "sag for ?", "sag for 1s for 2s", "sag for 1kW", "5kW > power", "for",
        " ",
        "sag \xC2\xB5", "voltage > ;", "power_factor < 0.9 = 1", "power_factor > 1 and", "power > 1min",
    };
    /* what is too long by one of each */
    static const struct { const char *word; uint32_t times; } longest[] = {
        {"sag for 1s or ", 8}, {"sag or ", 24}, {"not ", 48}, {"(", 96}, {"not ", 24}, {"(", 24}};
    enum { CONDITIONS = sizeof condition / sizeof *condition, LONGEST = sizeof longest / sizeof *longest };

    if (index >= CONDITIONS + LONGEST)
        return 0;
    if (index < CONDITIONS) {
        memcpy(out, condition[index], strlen(condition[index]));
        return (uint32_t)strlen(condition[index]);
    }
    uint8_t *to = out;

    for (uint32_t i = 0; i <= longest[index - CONDITIONS].times; i++)
        to = (uint8_t *)stpcpy((char *)to, longest[index - CONDITIONS].word);
    memcpy(to, "sag", 3);
    return (uint32_t)(to + 3 - out);
}

/* ---- frames for a port that owns 198.51.100.1 at 02:f1:ba:11:01:01 ---- */

enum { IP_FRAMES = 7, IP_STREAMS = 4, IP_FLOOD = 80, WORK = 64, TAG_BESIDE = 4, VLAN_BESIDE = 16 };

#define OURS 0x02, 0xf1, 0xba, 0x11, 0x01, 0x01
#define PEER 0x02, 0xf1, 0xba, 0x11, 0x01, 0x02
#define ALL 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
#define ARP_OF(operation) 8, 6, 0, 1, 8, 0, 6, 4, 0, operation, PEER
#define OUR_IP 0xc6, 0x33, 0x64, 0x01
#define PEER_IP 0xc6, 0x33, 0x64, 0x02
#define IP_FRAME(...) {sizeof(uint8_t[]){__VA_ARGS__}, (const uint8_t[]){__VA_ARGS__}}

/* A request for us, an answer to us, an announcement, a claim to our address, an echo request, the same
 * tagged with 100, and a whole datagram. */
static const struct { uint32_t bytes; const uint8_t *data; } ip_frame[IP_FRAMES] = {
    IP_FRAME(ALL, PEER, ARP_OF(1), PEER_IP, 0, 0, 0, 0, 0, 0, OUR_IP),
    IP_FRAME(OURS, PEER, ARP_OF(2), PEER_IP, OURS, OUR_IP),
    IP_FRAME(ALL, PEER, ARP_OF(1), PEER_IP, 0, 0, 0, 0, 0, 0, PEER_IP),
    IP_FRAME(ALL, PEER, ARP_OF(1), OUR_IP, 0, 0, 0, 0, 0, 0, OUR_IP),
    IP_FRAME(OURS, PEER, 8, 0, 0x45, 0x10, 0, 0x24, 0x43, 0x21, 0, 0, 0x3f, 1, 0xe4, 0x3d, PEER_IP, OUR_IP,
             8, 0, 0x26, 0x15, 0x12, 0x34, 0, 1, 'g', 'o', 'v', 'e', 'r', 'n', 'o', 'r'),
    IP_FRAME(OURS, PEER, 0x81, 0, 0xe0, 100, 8, 0, 0x45, 0x10, 0, 0x24, 0x43, 0x21, 0, 0, 0x3f, 1, 0xe4, 0x3d,
             PEER_IP, OUR_IP, 8, 0, 0x26, 0x15, 0x12, 0x34, 0, 1, 'g', 'o', 'v', 'e', 'r', 'n', 'o', 'r'),
    IP_FRAME(OURS, PEER, 8, 0, 0x45, 0xb8, 0, 0x21, 0, 0, 0x40, 0, 0x40, 0x11, 0xe5, 0xa9, PEER_IP, OUR_IP,
             0x9c, 0x40, 0x1b, 0x59, 0, 0x0d, 0xaf, 0xfd, 'h', 'e', 'l', 'l', 'o'),
};

static uint32_t put_step(uint8_t what, uint32_t frame, uint8_t *out)
{
    out[0] = what;
    out[1] = (uint8_t)ip_frame[frame].bytes;
    out[2] = 0;
    memcpy(out + 3, ip_frame[frame].data, ip_frame[frame].bytes);
    return 3 + ip_frame[frame].bytes;
}

/* More echo requests at one moment than are answered: what is refused is reached without luck. */
static uint32_t ip_flood(uint8_t *out)
{
    uint32_t bytes = 1;

    out[0] = 2;
    for (uint32_t i = 0; i < IP_FLOOD; i++)
        bytes += put_step(WORK, 4, out + bytes);
    return bytes;
}

/* Each frame alone, to a port with a VLAN and to one without; then streams in which hosts are wanted, time
 * goes on and links change. */
static uint32_t ip_seed(uint32_t index, uint8_t *out)
{
    static const uint8_t what[IP_STREAMS] = {WORK | 1, WORK | 2 | 32, WORK | 1 | 128,
                                             TAG_BESIDE | VLAN_BESIDE | WORK};
    uint32_t bytes = 1;

    if (index < 2 * IP_FRAMES) {
        out[0] = (uint8_t)(index % 2);
        return 1 + put_step(index % 2 ? WORK | TAG_BESIDE | VLAN_BESIDE : WORK, index / 2, out + 1);
    }
    index -= 2 * IP_FRAMES;
    if (index == IP_STREAMS)
        return ip_flood(out);
    if (index > IP_STREAMS)
        return 0;
    out[0] = (uint8_t)(index == 3 ? 3 : 2);
    for (uint32_t i = 0; i < 4 * IP_FRAMES; i++)
        bytes += put_step(what[index], i % IP_FRAMES, out + bytes);
    return bytes;
}

/* ---- answers of ptp4l, as captured, and with the other data sets in them ---- */

enum { PTP_HEAD = 54, PTP_SEEDS = 6 };

/* One of each set, an error in place of one, and one of a set that is not known. */
static uint32_t ptp_seed(uint32_t index, uint8_t *out)
{
    static const uint8_t head[PTP_HEAD] = {
        0x0d, 2, 0, PTP_HEAD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 0, 0, 0,
        0, 0, 1, 4, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0, 0, 2, 0, 0, 1, 0, 2, 0xc0, 0};
    static const struct { uint8_t set[2], bytes; } set[PTP_SEEDS] = {
        {{0xc0, 0}, 50}, {{0x20, 2}, 32}, {{0x20, 3}, 4}, {{0x20, 4}, 26}, {{0, 2}, 6}, {{0x20, 1}, 18}};

    if (index >= PTP_SEEDS)
        return 0;
    memcpy(out, head, sizeof head);
    out[3] = (uint8_t)(PTP_HEAD + set[index].bytes);
    out[49] = set[index].set[0] ? 1 : 2;
    out[51] = (uint8_t)(2 + set[index].bytes);
    memcpy(out + 52, set[index].set, 2);
    for (uint32_t i = 0; i < set[index].bytes; i++)
        out[PTP_HEAD + i] = (uint8_t)(i % 5 ? 0 : i + 3);
    return PTP_HEAD + set[index].bytes;
}

uint32_t corpus_seed(enum corpus corpus, uint32_t index, uint8_t *out)
{
    switch (corpus) {
    case CORPUS_UPMU:
        return upmu_seed(index, out);
    case CORPUS_CAP:
        return cap_seed(index, out);
    case CORPUS_CSV:
        return csv_seed(index, out);
    case CORPUS_FRAME:
        return frame_seed(index, out);
    case CORPUS_WHEN:
        return when_seed(index, out);
    case CORPUS_PTP:
        return ptp_seed(index, out);
    case CORPUS_LANE:
        return lane_seed(index, out);
    case CORPUS_AGENT:
        return agent_seed(index, out);
    case CORPUS_METER:
        return corpus_meter_seed(index, out);
    case CORPUS_COMTRADE:
        return corpus_comtrade_seed(index, out);
    default:
        return ip_seed(index, out);
    }
}

const char *corpus_name(enum corpus corpus)
{
    static const char *const name[CORPUS_COUNT] = { "upmu", "cap", "frame", "csv", "ip", "lane",
                                                     "agent", "meter", "comtrade", "when",
                                                     "ptp" };

    return name[corpus];
}
