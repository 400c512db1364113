/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of datagrams to an agent with keys, by somebody who speaks as the controller: the steps and the
 * ways to send of lane_fuzz.c. What is not truly sealed, and what the lease protocol refuses, changes
 * nothing; what is obeyed is newer than what was, within the host's own bounds, and for no longer than its
 * report allows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "target.h"
#include "wire/cap.h"
#include "wire/frame.h"

enum { STEP_BYTES = 4, FRAMES_MAX = 64, ROOM = 2048, KEY = 7, DEVICES = 4, AT_KIND = 5 };
enum { HOW_AS_IT_IS, HOW_TRUE, HOW_TURNED, HOW_OTHER_KEY, HOW_MASK = 3, LATER = 16 };
/* of the seeds: what leases of theirs answer */
#define INCARNATION UINT64_C(0x0123456789ABCDEF)
enum { HOST = 17, EPOCH = 3, REPORTS = 70000 };
#define MW INT64_C(1000000)
#define BEGIN_NS (INT64_C(1000) * NS_PER_S)

struct keys {
    struct auth controller, other, own;
    bool opened;
};

struct bed {
    struct agent agent;
    struct keys *keys;
    int64_t now_ns;
    uint64_t sequence, writes, answers;
};

static void require(int condition)
{
    if (!condition)
        abort();
}

static const char *name_of(const void *names, uint32_t index)
{
    (void)names;
    (void)index;
    return "h";
}

static void open_end(struct auth *auth, enum auth_end end, const char *down)
{
    const struct auth_names names = {.hosts = 1, .host = name_of};
    struct auth_row row = {.name = "h", .who = AUTH_HOST, .id = KEY, .not_before_s = INT64_MIN,
                           .not_after_s = INT64_MAX};
    snprintf((char *)row.down, sizeof row.down, "%s", down);
    const struct auth_keys keys = {.row = &row, .count = 1};
    require(!auth_open(auth, end, &names, 1));
    require(!auth_publish(auth, &keys, 0));
    auth_look(&auth->user[0]);
}

/* Once for all streams: libcrypto's contexts take long to make. */
static struct keys *all_keys(void)
{
    static struct keys keys;
    if (keys.opened)
        return &keys;
    keys.opened = true;
    open_end(&keys.controller, AUTH_CONTROLLER, "down");
    open_end(&keys.other, AUTH_CONTROLLER, "another");
    open_end(&keys.own, AUTH_PEER, "down");
    return &keys;
}

static void take_frame(void *user, const uint8_t *data, uint32_t bytes)
{
    (void)user;
    (void)data;
    (void)bytes;
}

static void take_write(void *user, uint32_t device, int64_t cap_mw)
{
    struct bed *bed = user;
    require(device < DEVICES && cap_mw >= 0);
    bed->writes++;
}

static void take_epoch(void *user, uint64_t epoch)
{
    (void)user;
    require(epoch > EPOCH);
}

static void take_word(void *user, int64_t boottime_ns)
{
    (void)user;
    require(boottime_ns >= 0);
}

static uint64_t no_incarnation(void *user)
{
    (void)user;
    abort();        /* nothing that comes by the wire begins one */
}

static void take_answer(void *user, const struct token_response *response)
{
    struct bed *bed = user;
    require(response->host == HOST);
    bed->answers++;
}

/* Fail-safe is in force, and the reports that the seeds answer were sent now. */
static void begin(struct bed *bed)
{
    memset(bed, 0, sizeof *bed);
    bed->keys = all_keys();
    bed->now_ns = BEGIN_NS;
    const struct agent_config config = {
        .holder = {.host = HOST, .devices = DEVICES, .fail_safe_mw = 2 * MW, .phys_max_mw = 12 * MW,
                   .cap_max_mw = 8 * MW, .report_ns = 100 * NS_PER_MS, .actuation_ns = 120 * NS_PER_MS},
        .cap_min_mw = MW};
    const struct agent_hooks hooks = {.user = bed, .send = take_frame, .write = take_write,
                                      .save_epoch = take_epoch, .word = take_word,
                                      .incarnation = no_incarnation, .answered = take_answer};
    const struct agent_birth birth = {.incarnation = INCARNATION, .epoch = EPOCH, .frame_sequence = 1};
    agent_init(&bed->agent, &config, &hooks);
    agent_auth(&bed->agent, &bed->keys->own.user[0], 0);
    agent_clock(&bed->agent, bed->now_ns, bed->now_ns, bed->now_ns);
    agent_start(&bed->agent, &birth, bed->now_ns);
    for (uint32_t i = 0; i < DEVICES; i++)
        agent_written(&bed->agent, i, 0, 2 * MW / DEVICES, 2 * MW / DEVICES, bed->now_ns);
    for (uint64_t i = 0; i < ECHOES_MAX; i++)
        bed->agent.holder.sent_ns[i] = bed->now_ns;
    bed->agent.holder.next_report = REPORTS;
    bed->writes = 0;
}

static uint32_t dress(struct bed *bed, uint8_t how, uint32_t who, uint8_t *data, uint32_t bytes)
{
    struct auth *with = (how & HOW_MASK) == HOW_OTHER_KEY ? &bed->keys->other : &bed->keys->controller;
    struct frame frame = {.kind = (uint8_t)(data[AT_KIND] % FRAME_KIND_COUNT), .sender = HOST,
                          .sequence = ++bed->sequence, .body_bytes = bytes - FRAME_HEADER_BYTES};
    bytes = frame_encode(data, &frame);
    if (!bytes || auth_seal(&with->user[0], 0, data, bytes))
        return bytes;
    if ((how & HOW_MASK) == HOW_TURNED) {
        uint32_t bit = 8 * (FRAME_HEADER_BYTES - FRAME_TAG_BYTES) + who * 31 %
                       (8 * (bytes - FRAME_HEADER_BYTES + FRAME_TAG_BYTES));
        data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    return bytes;
}

static bool is_same(const struct holder *a, const struct holder *b)
{
    return a->incarnation == b->incarnation && a->epoch == b->epoch && a->applied == b->applied &&
           a->session == b->session && a->deadline_ns == b->deadline_ns && a->wanted_mw == b->wanted_mw &&
           a->state_wanted == b->state_wanted;
}

static int64_t within(int64_t cap_mw)
{
    return cap_mw < MW ? MW : cap_mw > 8 * MW ? 8 * MW : cap_mw;
}

static void judge_lease(const struct bed *bed, const struct holder *before, const struct frame *frame)
{
    const struct holder *after = &bed->agent.holder;
    struct lease lease;
    require(lease_decode(frame->body, frame->body_bytes, &lease) == ACCEPTED);
    require(lease.incarnation == INCARNATION && lease.epoch == after->epoch && after->epoch == EPOCH);
    require(lease.sequence > before->applied && lease.sequence == after->applied);
    require(lease.echo < before->next_report && lease.echo + ECHOES_MAX >= before->next_report);
    require(after->wanted_mw == within(lease.cap_mw) && after->session == lease.session);
    int64_t sent_ns = before->sent_ns[lease.echo % ECHOES_MAX];
    if (bed->now_ns - sent_ns < lease.duration_ns)
        require(after->deadline_ns == sent_ns + lease.duration_ns && after->state_wanted == HOST_LEASED);
    else        /* late, it may lower and no more */
        require(after->deadline_ns == before->deadline_ns && after->wanted_mw < before->wanted_mw);
}

static void judge(const struct bed *bed, const struct holder *before, uint64_t answers, bool true_tag,
                  const struct frame *frame, int verdict)
{
    if (!true_tag)
        require(verdict != ACCEPTED && verdict != -1);
    else
        require(verdict != REFUSED_TAG && verdict != REFUSED_KEY && verdict != REFUSED_BARE);
    bool lease = frame->kind == FRAME_LEASE || frame->kind == FRAME_CLAIM;
    if (verdict == ACCEPTED && lease)
        judge_lease(bed, before, frame);
    else
        require(is_same(before, &bed->agent.holder));
    require((verdict == ACCEPTED && !lease) == (bed->answers > answers));
}

static void come_in(struct bed *bed, uint8_t how, uint8_t who, const uint8_t *body, uint32_t length)
{
    uint8_t payload[ROOM];
    struct frame frame = {0};
    uint32_t bytes = length;
    memcpy(payload, body, length);
    if (how & HOW_MASK && length >= FRAME_HEADER_BYTES)
        bytes = dress(bed, how, who, payload, length);
    bed->now_ns += how & LATER ? NS_PER_S : NS_PER_MS;
    agent_turn(&bed->agent, bed->now_ns);       /* a lease that has run out is none */
    const struct holder before = bed->agent.holder;
    uint64_t answers = bed->answers;
    bool whole = frame_decode(payload, bytes, &frame) == ACCEPTED;
    int verdict = agent_receive(&bed->agent, payload, bytes, bed->now_ns);
    judge(bed, &before, answers, whole && (how & HOW_MASK) == HOW_TRUE, &frame, verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct bed bed;
    begin(&bed);
    for (int i = 0; bytes >= STEP_BYTES && i < FRAMES_MAX; i++) {
        size_t length = data[2] | (size_t)data[3] << 8;
        const uint8_t *step = data;
        data += STEP_BYTES;
        bytes -= STEP_BYTES;
        length = length > bytes ? bytes : length;
        length = length > DATAGRAM_MAX ? DATAGRAM_MAX : length;
        come_in(&bed, step[0], step[1], data, (uint32_t)length);
        data += length;
        bytes -= length;
    }
    return 0;
}
