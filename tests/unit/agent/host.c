/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "wire/cap.h"
#include "wire/frame.h"

static bool is_true(struct host *host, const uint8_t *data, const struct frame *frame)
{
    if (!host->controller)
        return true;
    if (auth_check(&host->controller->user[0], auth_host(0), data, frame)) {
        host->untrue++;
        return false;
    }
    auth_heard(&host->controller->user[0], auth_host(0), frame->key_id);
    host->key_id = frame->key_id;
    return true;
}

static void take_frame(void *user, const uint8_t *data, uint32_t bytes)
{
    struct host *host = user;
    struct frame frame;
    assert_int_equal(frame_decode(data, bytes, &frame), ACCEPTED);
    assert_int_equal(frame.sender, HOST_NUMBER);
    host->frames++;
    memcpy(host->sent, data, bytes);
    host->sent_bytes = bytes;
    if (!is_true(host, data, &frame))
        return;
    if (frame.kind == FRAME_TOKEN_REQUEST) {
        assert_int_equal(token_request_decode(frame.body, frame.body_bytes, &host->request), ACCEPTED);
        return;
    }
    assert_int_equal(frame.kind, FRAME_REPORT);
    assert_int_equal(report_decode(frame.body, frame.body_bytes, &host->report), ACCEPTED);
    host->reports++;
}

static void take_write(void *user, uint32_t device, int64_t cap_mw)
{
    struct host *host = user;
    assert_true(device < HOST_DEVICES);
    assert_int_equal(host->device[device].writing_mw, -1);
    assert_true(cap_mw >= 0);
    host->device[device].writing_mw = cap_mw;
    host->device[device].writes++;
}

static void take_epoch(void *user, uint64_t epoch)
{
    ((struct host *)user)->save_asked = epoch;
}

static void take_word(void *user, int64_t boottime_ns)
{
    ((struct host *)user)->word_ns = boottime_ns;
}

static uint64_t new_incarnation(void *user)
{
    return 0xACE0 + ++((struct host *)user)->incarnations;
}

static void take_answer(void *user, const struct token_response *response)
{
    ((struct host *)user)->answer = *response;
}

static void look_at_clocks(struct host *host)
{
    agent_clock(&host->agent, host->now_ns, host->now_ns + host->slept_ns, host->now_ns);
}

void host_restart(struct host *host)
{
    const struct agent_hooks hooks = {.user = host, .send = take_frame, .write = take_write,
                                      .save_epoch = take_epoch, .word = take_word,
                                      .incarnation = new_incarnation, .answered = take_answer};
    const struct agent_birth birth = {.incarnation = new_incarnation(host),
                                      .epoch = host->agent.holder.epoch_saved,
                                      .frame_sequence = (uint64_t)host->now_ns,
                                      .silent = host->silent};
    for (uint32_t i = 0; i < HOST_DEVICES; i++)
        host->device[i].writing_mw = -1;
    agent_init(&host->agent, &host->config, &hooks);
    agent_auth(&host->agent, host->own, 0);
    look_at_clocks(host);
    agent_watchdog(&host->agent, true, 0, host->now_ns);
    agent_start(&host->agent, &birth, host->now_ns);
}

void host_start(struct host *host)
{
    *host = (struct host){
        .config = {
            .holder = {.host = HOST_NUMBER, .devices = HOST_DEVICES, .fail_safe_mw = 2000 * W,
                       .phys_max_mw = 12000 * W, .cap_max_mw = 8000 * W, .report_ns = 100 * MS,
                       .actuation_ns = 120 * MS},
            .cap_min_mw = 800 * W, .base_mw = 1500 * W, .efficiency_ppm = 960000,
            .watchdog_required = true,
        },
        .now_ns = NS_PER_S, .slept_ns = 5 * NS_PER_S, .word_ns = -1, .epoch = 3,
    };
    for (uint32_t i = 0; i < HOST_DEVICES; i++)
        host->device[i].cap_mw = 2500 * W;
    host_restart(host);
}

void host_pass(struct host *host, int64_t ns)
{
    for (int64_t end_ns = host->now_ns + ns; host->now_ns < end_ns;) {
        host->now_ns += MS;
        look_at_clocks(host);
        agent_turn(&host->agent, host->now_ns);
    }
}

void host_return(struct host *host, uint32_t device, int rc)
{
    struct host_device *d = &host->device[device];
    int64_t applied_mw = d->writing_mw;
    assert_true(applied_mw >= 0);
    d->writing_mw = -1;
    if (!rc)
        d->cap_mw = applied_mw;
    agent_written(&host->agent, device, rc, applied_mw, d->cap_mw, host->now_ns);
}

void host_settle(struct host *host)
{
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < HOST_DEVICES; i++) {
            if (host->device[i].writing_mw >= 0)
                host_return(host, i, 0);
        }
    }
}

struct lease host_next_lease(struct host *host, int64_t cap_mw)
{
    return (struct lease){.incarnation = host->report.incarnation, .epoch = host->epoch,
                          .sequence = ++host->sequence, .echo = host->report.number, .cap_mw = cap_mw,
                          .duration_ns = NS_PER_S, .session = HOST_SESSION};
}

uint32_t host_frame(struct host *host, const struct lease *lease, uint8_t data[DATAGRAM_MAX])
{
    struct frame frame = {.kind = FRAME_LEASE, .sender = HOST_NUMBER, .sequence = lease->sequence};
    frame.body_bytes = lease_encode(lease, data + FRAME_HEADER_BYTES, DATAGRAM_MAX - FRAME_HEADER_BYTES);
    assert_true(frame.body_bytes);
    uint32_t bytes = frame_encode(data, &frame);
    if (host->controller)
        assert_int_equal(auth_seal(&host->controller->user[0], auth_host(0), data, bytes), 0);
    return bytes;
}

int host_send(struct host *host, const struct lease *lease)
{
    uint8_t data[DATAGRAM_MAX];
    uint32_t bytes = host_frame(host, lease, data);
    return agent_receive(&host->agent, data, bytes, host->now_ns);
}

int host_lease(struct host *host, int64_t cap_mw)
{
    struct lease lease = host_next_lease(host, cap_mw);
    return host_send(host, &lease);
}

void host_govern(struct host *host, int64_t cap_mw)
{
    host_settle(host);
    host_pass(host, MS);
    host_lease(host, cap_mw);
    if (host->save_asked > host->agent.holder.epoch_saved)
        agent_epoch_saved(&host->agent, host->save_asked, host->now_ns);
    host_pass(host, 100 * MS);
    assert_int_equal(host_lease(host, cap_mw), ACCEPTED);
    host_settle(host);
}

int64_t host_cap_mw(const struct host *host)
{
    int64_t sum_mw = 0;
    for (uint32_t i = 0; i < HOST_DEVICES; i++)
        sum_mw += host->device[i].cap_mw;
    return sum_mw;
}
