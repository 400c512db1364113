/* SPDX-License-Identifier: Apache-2.0 */
/* The agent as an object, in made-up time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "wire/cap.h"
#include "wire/frame.h"

static void starts_at_fail_safe_with_an_armed_word(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    assert_true(host.word_ns > 0 && host.word_ns <= host.now_ns + host.slept_ns);
    for (uint32_t i = 0; i < HOST_DEVICES; i++)
        assert_int_equal(host.device[i].writing_mw, 500 * W);
    host_pass(&host, MS);
    assert_int_equal(host.report.state, HOST_BOOT);
    host_settle(&host);
    assert_int_equal(host.word_ns, 0);
    host_pass(&host, 100 * MS);
    assert_int_equal(host.report.state, HOST_FAIL_SAFE);
    assert_int_equal(host.report.cap_mw, 2000 * W);
}

static void obeys_a_lease_once_its_epoch_is_durable(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_settle(&host);
    host_pass(&host, MS);
    assert_int_equal(host_lease(&host, 6000 * W), -1);
    assert_int_equal(host.save_asked, 3);
    assert_int_equal(host.device[0].writing_mw, -1);
    agent_epoch_saved(&host.agent, 3, host.now_ns);
    host_pass(&host, 20 * MS);
    assert_int_equal(host.reports, 2);      /* it asks for the lease that had to wait */
    int64_t sent_ns = host.agent.holder.last_report_ns;
    assert_int_equal(host_lease(&host, 6000 * W), ACCEPTED);
    assert_int_equal(host.word_ns, sent_ns + NS_PER_S + host.slept_ns);
    host_settle(&host);
    assert_int_equal(host_cap_mw(&host), 6000 * W);
}

static void falls_to_fail_safe_at_the_deadline(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 6000 * W);
    int64_t deadline_ns = host.agent.holder.deadline_ns;
    host_pass(&host, deadline_ns - MS - host.now_ns);
    assert_int_equal(host.device[0].writing_mw, -1);
    assert_true(agent_due_ns(&host.agent) <= deadline_ns);
    host_pass(&host, MS);
    assert_int_equal(host.device[0].writing_mw, 500 * W);
    assert_true(host.word_ns > 0 && host.word_ns <= host.now_ns + host.slept_ns);
    host_settle(&host);
    assert_int_equal(host.word_ns, 0);
    assert_int_equal(host.agent.counter[AGENT_FALLS], 1);
}

static void a_stuck_device_delays_no_other(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 6000 * W);
    host_pass(&host, 100 * MS);
    host_lease(&host, 4000 * W);
    for (uint32_t i = 1; i < HOST_DEVICES; i++)
        host_return(&host, i, 0);
    host_pass(&host, 100 * MS);
    assert_int_equal(host.report.cap_mw, 3 * 1000 * W + 1500 * W);      /* the one that hangs as it was */
    host_lease(&host, 3000 * W);
    for (uint32_t i = 1; i < HOST_DEVICES; i++)
        host_return(&host, i, 0);
    assert_int_equal(host.device[1].cap_mw, 750 * W);
    assert_int_equal(host.device[0].writing_mw, 1000 * W);
    host_return(&host, 0, 0);
    assert_int_equal(host.device[0].writing_mw, 750 * W);       /* the newest, nothing between */
}

static void a_write_that_failed_is_tried_again_and_counts_until_then(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 4000 * W);
    host_pass(&host, 100 * MS);
    host_lease(&host, 3000 * W);
    host_return(&host, 2, -EIO);
    assert_int_equal(host.device[2].writing_mw, -1);
    host_pass(&host, 9 * MS);
    assert_int_equal(host.device[2].writing_mw, -1);
    host_pass(&host, 2 * MS);
    assert_int_equal(host.device[2].writing_mw, 750 * W);
    host_return(&host, 2, -EIO);
    host_lease(&host, 2000 * W);
    host_pass(&host, 25 * MS);
    assert_int_equal(host.device[2].writing_mw, 500 * W);       /* what is wanted by now, being less */
    assert_int_equal(host.agent.counter[AGENT_WRITES_FAILED], 2);
    assert_int_equal(host.agent.device[2].last_error, -EIO);
}

static void a_device_that_vanishes_is_a_new_incarnation(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 4000 * W);
    uint64_t first = host.report.incarnation;
    agent_seen(&host.agent, 1, -ENODEV, 0, host.now_ns);
    host_pass(&host, 100 * MS);
    assert_true(host.report.incarnation != first);
    assert_true(host.report.flags & REPORT_DEVICE_LOST);
    assert_int_equal(host.device[0].writing_mw, 500 * W);
    assert_int_equal(host.device[1].writing_mw, -1);
    host_settle(&host);
    host.device[1].cap_mw = 2500 * W;
    agent_seen(&host.agent, 1, 0, 2500 * W, host.now_ns);
    assert_int_equal(host.device[1].writing_mw, 500 * W);
    host_settle(&host);
    host_pass(&host, 100 * MS);
    assert_false(host.report.flags & REPORT_DEVICE_LOST);
    assert_int_equal(host.report.state, HOST_FAIL_SAFE);
}

/* Looks at one device fail with this error for that long, every 100 ms. */
static void fail_to_look(struct host *host, uint32_t device, int rc, int64_t ns)
{
    for (int64_t end_ns = host->now_ns + ns; host->now_ns < end_ns;) {
        host_pass(host, 100 * MS);
        agent_seen(&host->agent, device, rc, 0, host->now_ns);
    }
}

static void a_device_that_cannot_be_read_is_written_until_it_reads_back(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 4000 * W);
    uint64_t first = host.report.incarnation;
    fail_to_look(&host, 2, -EIO, 900 * MS);
    assert_int_equal(host.agent.holder.incarnation, first);     /* a lease outlives a second of it */
    fail_to_look(&host, 2, -EIO, 300 * MS);
    assert_true(host.agent.holder.incarnation != first);
    assert_int_equal(host.device[2].writing_mw, 500 * W);
    for (uint32_t i = 0; i < HOST_DEVICES; i++)
        if (host.device[i].writing_mw >= 0)
            host_return(&host, i, i == 2 ? -EIO : 0);
    for (int i = 0; i < 40; i++) {      /* two seconds more: each write is taken and cannot be read back */
        fail_to_look(&host, 2, -EIO, 100 * MS);
        assert_int_equal(host.device[2].writing_mw, 500 * W);
        host_return(&host, 2, -EIO);
        assert_int_equal(host.word_ns, 1 + host.slept_ns);      /* the watchdog is to write, too */
        assert_int_equal(host.report.state, HOST_BOOT);
        assert_true(host.report.flags & REPORT_DEVICE_LOST);
        assert_int_equal(host.report.cap_mw, 3 * 500 * W + 2000 * W);
    }
    assert_int_equal(host.agent.counter[AGENT_BLIND], 1);
    assert_int_equal(host.agent.counter[AGENT_LOSSES], 0);
    uint64_t second = host.agent.holder.incarnation;
    host_pass(&host, 100 * MS);
    host_settle(&host);                 /* it reads back again */
    assert_int_equal(host.word_ns, 0);
    host_pass(&host, 100 * MS);
    assert_int_equal(host.report.state, HOST_FAIL_SAFE);
    assert_int_equal(host.report.incarnation, second);
    assert_false(host.report.flags & REPORT_DEVICE_LOST);
}

static void a_lease_that_ends_is_written_to_a_device_that_cannot_be_read(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 4000 * W);
    fail_to_look(&host, 1, -ETIMEDOUT, 1200 * MS);
    host_settle(&host);
    fail_to_look(&host, 1, -ETIMEDOUT, 100 * MS);
    host_lease(&host, 1200 * W);        /* a claim: lower than fail-safe */
    assert_int_equal(host.device[1].writing_mw, 300 * W);
    host_return(&host, 1, -ETIMEDOUT);
    fail_to_look(&host, 1, -ETIMEDOUT, 1200 * MS);
    assert_int_equal(host.device[1].writing_mw, 300 * W);       /* out since then */
    host_return(&host, 1, -ETIMEDOUT);
    fail_to_look(&host, 1, -ETIMEDOUT, 100 * MS);
    assert_int_equal(host.device[1].writing_mw, 300 * W);
    assert_true(host.word_ns > 0 && host.word_ns <= host.now_ns + host.slept_ns);
    fail_to_look(&host, 1, -ENODEV, 100 * MS);  /* gone: now nothing is written to it */
    host_settle(&host);
    fail_to_look(&host, 1, -ENODEV, 300 * MS);
    assert_int_equal(host.device[1].writing_mw, -1);
    assert_int_equal(host.word_ns, 0);
    assert_false(host.agent.device[1].blind);
    fail_to_look(&host, 1, -EIO, 100 * MS);     /* there again, and as blind as before */
    assert_int_equal(host.device[1].writing_mw, 500 * W);
    assert_int_equal(host.word_ns, 1 + host.slept_ns);
    assert_true(host.agent.device[1].blind);
}

static void a_write_from_before_the_loss_counts_for_nothing(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 4000 * W);
    host_pass(&host, 100 * MS);
    host_lease(&host, 6000 * W);        /* out on every device */
    agent_seen(&host.agent, 1, -ENODEV, 0, host.now_ns);
    agent_seen(&host.agent, 1, 0, 2500 * W, host.now_ns);
    assert_int_equal(host.device[1].writing_mw, 1500 * W);      /* still the old one */
    host_return(&host, 1, 0);
    assert_int_equal(host.device[1].writing_mw, 500 * W);
    host_settle(&host);
    assert_int_equal(host_cap_mw(&host), 2000 * W);
}

static void a_cap_that_came_back_above_is_a_new_incarnation(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 4000 * W);
    uint64_t first = host.agent.holder.incarnation;
    agent_seen(&host.agent, 3, 0, 2500 * W, host.now_ns);
    assert_true(host.agent.holder.incarnation != first);
    assert_int_equal(host.device[3].writing_mw, 500 * W);
    assert_int_equal(host.agent.counter[AGENT_RESETS], 1);
    assert_true(host.word_ns > 0 && host.word_ns <= host.now_ns + host.slept_ns);
}

static void a_foreign_limit_is_reported_and_not_fought(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 4000 * W);
    agent_seen(&host.agent, 3, 0, 700 * W, host.now_ns);
    assert_int_equal(host.device[3].writing_mw, -1);
    host_pass(&host, 100 * MS);
    assert_true(host.report.flags & REPORT_FOREIGN_LIMIT);
    assert_int_equal(host.report.readback_mw, 3700 * W);
    assert_int_equal(host.agent.counter[AGENT_FOREIGN], 1);
    /* a driver's rounding is nobody's limit */
    agent_seen(&host.agent, 3, 0, 1000 * W - 250, host.now_ns);
    host_pass(&host, 100 * MS);
    assert_false(host.report.flags & REPORT_FOREIGN_LIMIT);
}

/* Somebody else's 400 W is in force on device 3 all the time. Its cut to 500 W returns, and the device keeps
 * the 1000 W of before: what reads back is below all that is wanted, and 1000 W may come at any moment. */
static void a_cap_that_is_held_up_under_a_lower_limit_is_no_receipt(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 4000 * W);
    agent_kept(&host.agent, 3, 1000 * W);
    agent_seen(&host.agent, 3, 0, 400 * W, host.now_ns);
    host_pass(&host, 100 * MS);
    assert_int_equal(host.report.cap_mw, 4000 * W);
    assert_int_equal(host_lease(&host, 2000 * W), ACCEPTED);
    for (uint32_t i = 0; i < 3; i++)
        host_return(&host, i, 0);
    for (int round = 1; round <= 3; round++) {
        assert_int_equal(host.device[3].writing_mw, 500 * W);
        host.device[3].writing_mw = -1;
        agent_kept(&host.agent, 3, 1000 * W);
        agent_written(&host.agent, 3, 0, 500 * W, 400 * W, host.now_ns);
        host_pass(&host, 100 * MS);
        assert_int_equal(host.agent.counter[AGENT_WRITES_FAILED], round);
        assert_int_equal(host.report.cap_mw, 2500 * W);
        assert_int_equal(host.report.held_ns, 0);
    }
    host.device[3].writing_mw = -1;
    agent_kept(&host.agent, 3, 500 * W);
    agent_written(&host.agent, 3, 0, 500 * W, 400 * W, host.now_ns);
    host_pass(&host, 200 * MS);
    assert_int_equal(host.report.cap_mw, 2000 * W);
    assert_true(host.report.held_ns > 0);
    assert_true(host.report.flags & REPORT_FOREIGN_LIMIT);
}

static void a_cap_that_came_back_above_under_a_lower_limit_is_a_new_incarnation(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 4000 * W);
    uint64_t first = host.agent.holder.incarnation;
    agent_kept(&host.agent, 3, 1000 * W);
    agent_seen(&host.agent, 3, 0, 400 * W, host.now_ns);
    assert_int_equal(host.agent.holder.incarnation, first);
    agent_kept(&host.agent, 3, 2500 * W);
    agent_seen(&host.agent, 3, 0, 400 * W, host.now_ns);
    assert_true(host.agent.holder.incarnation != first);
    assert_int_equal(host.device[3].writing_mw, 500 * W);
    assert_int_equal(host.agent.counter[AGENT_RESETS], 1);
    /* fail-safe is not in force while it is held up: the watchdog is to write, too */
    for (uint32_t i = 0; i < 3; i++)
        host_return(&host, i, 0);
    host.device[3].writing_mw = -1;
    agent_written(&host.agent, 3, 0, 500 * W, 400 * W, host.now_ns);
    assert_true(host.word_ns > 0 && host.word_ns <= host.now_ns + host.slept_ns);
    host_pass(&host, 100 * MS);
    host.device[3].writing_mw = -1;
    agent_kept(&host.agent, 3, 500 * W);
    agent_written(&host.agent, 3, 0, 500 * W, 400 * W, host.now_ns);
    assert_int_equal(host.word_ns, 0);
}

static void a_late_fail_safe_is_written_over(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 4000 * W);
    agent_watchdog(&host.agent, true, 1, host.now_ns);          /* it wrote since the lease was */
    agent_seen(&host.agent, 3, 0, 500 * W, host.now_ns);
    assert_int_equal(host.device[3].writing_mw, 1000 * W);
    host_return(&host, 3, 0);
    agent_seen(&host.agent, 3, 0, 500 * W, host.now_ns);        /* again, and it was not the watchdog */
    assert_int_equal(host.device[3].writing_mw, -1);
}

static void a_limit_of_a_person_that_equals_fail_safe_is_not_fought(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    agent_watchdog(&host.agent, true, 5, host.now_ns);          /* before the agent's first write */
    host_govern(&host, 4000 * W);
    for (int i = 0; i < 60; i++) {
        host_pass(&host, 100 * MS);
        host_lease(&host, 4000 * W);
        agent_seen(&host.agent, 3, 0, 500 * W, host.now_ns);
        assert_int_equal(host.device[3].writing_mw, -1);
    }
    assert_true(host.report.flags & REPORT_FOREIGN_LIMIT);
    assert_int_equal(host.agent.counter[AGENT_FOREIGN], 1);
}

static void its_own_bounds_stand_above_any_order(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host.config.raise_mw_per_s = 2000 * W;
    host_restart(&host);
    host_govern(&host, 2000 * W);
    host_pass(&host, 500 * MS);
    host_lease(&host, 100 * W);
    assert_int_equal(host.agent.holder.wanted_mw, 800 * W);
    host_settle(&host);
    host_pass(&host, 500 * MS);
    host_lease(&host, 9999 * W);
    assert_int_equal(host.agent.holder.wanted_mw, 1800 * W);
    host_settle(&host);
    for (int i = 0; i < 60; i++) {
        host_pass(&host, 200 * MS);
        host_lease(&host, 9999 * W);
        host_settle(&host);
    }
    assert_int_equal(host_cap_mw(&host), 8000 * W);
    host_lease(&host, 2000 * W);
    assert_int_equal(host.device[0].writing_mw, 500 * W);       /* at once */
    assert_true(host.agent.counter[AGENT_LOWERED] > 50);
    assert_int_equal(host.agent.counter[AGENT_FLOORED], 1);
}

/* What the filler may draw is taken from the lease: neither a renewal nor a raise may take it twice. */
static void a_filler_and_bounds_on_raises_leave_a_renewal_as_it_is(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host.config.raise_every_ns = NS_PER_S;
    host.config.raise_mw_per_s = 2000 * W;
    host.config.ballast_mw = 1000 * W;
    host_restart(&host);
    host_pass(&host, NS_PER_S);
    for (int i = 0; i < 100; i++) {
        host_govern(&host, 6000 * W);
        host_pass(&host, 100 * MS);
    }
    assert_int_equal(host.agent.holder.wanted_mw, 5000 * W);
    for (int i = 0; i < 20; i++) {
        host_govern(&host, 6000 * W);
        assert_int_equal(host.agent.holder.wanted_mw, 5000 * W);
        host_pass(&host, 100 * MS);
    }
}

/* From the moment that one cannot be read no report says that all are known, and without input. */
static void supplies_that_cannot_be_read_are_not_dark(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 3000 * W);
    agent_psu(&host.agent, true, 6, 0x3F, host.now_ns);
    host_pass(&host, 100 * MS);
    assert_true(host.report.flags & REPORT_PSU_KNOWN);
    assert_int_equal(host.report.psu_inputs, 0x3F);
    agent_psu(&host.agent, false, 6, 0, host.now_ns);
    host_pass(&host, 100 * MS);
    assert_false(host.report.flags & REPORT_PSU_KNOWN);
}

static void two_raises_keep_their_distance(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host.config.raise_every_ns = 300 * MS;
    host_restart(&host);
    host_pass(&host, 300 * MS);
    host_govern(&host, 3000 * W);
    assert_int_equal(host_cap_mw(&host), 3000 * W);
    host_pass(&host, 200 * MS);
    host_lease(&host, 4000 * W);
    assert_int_equal(host.agent.holder.wanted_mw, 3000 * W);
    host_pass(&host, 100 * MS);
    host_lease(&host, 4000 * W);
    assert_int_equal(host.agent.holder.wanted_mw, 4000 * W);
}

static void without_a_watchdog_nothing_above_fail_safe(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 4000 * W);
    agent_watchdog(&host.agent, false, 0, host.now_ns);
    host_pass(&host, 100 * MS);
    host_lease(&host, 4000 * W);
    host_settle(&host);
    assert_int_equal(host_cap_mw(&host), 2000 * W);
    agent_watchdog(&host.agent, true, 0, host.now_ns);
    host_pass(&host, 100 * MS);
    host_lease(&host, 4000 * W);
    host_settle(&host);
    assert_int_equal(host_cap_mw(&host), 4000 * W);
}

static void a_sleep_voids_the_incarnation(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 4000 * W);
    uint64_t first = host.agent.holder.incarnation;
    host.slept_ns += 10 * NS_PER_S;
    assert_true(host.word_ns <= host.now_ns + host.slept_ns);   /* the watchdog's own clock says so, too */
    host_pass(&host, MS);
    assert_true(host.agent.holder.incarnation != first);
    assert_int_equal(host.device[0].writing_mw, 500 * W);
    assert_int_equal(host.agent.counter[AGENT_SLEEPS], 1);
}

static void draw_is_at_the_wall_and_rounded_up(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 4000 * W);
    struct act_sample sample = {.valid = ACT_READ_DRAW, .draw_mw = 300 * W + 1};
    for (uint32_t i = 0; i < 3; i++)
        agent_sampled(&host.agent, i, &sample, host.now_ns);
    /* three times 300.001 W and a device that nobody sampled, at its cap of 1 kW; by 0.96, and 1.5 kW */
    assert_int_equal(agent_draw_mw(&host.agent, host.now_ns), 1979170 + 1500 * W);
    agent_seen(&host.agent, 3, -ENODEV, 0, host.now_ns);
    assert_int_equal(agent_draw_mw(&host.agent, host.now_ns), 937504 + 1500 * W);
    assert_false(host.agent.holder.flags & REPORT_AT_CAP);
    sample.draw_mw = 490 * W;       /* of the 500 W of its fail-safe part */
    host_settle(&host);
    agent_sampled(&host.agent, 1, &sample, host.now_ns);
    assert_true(host.agent.holder.flags & REPORT_AT_CAP);
}

static void what_is_not_for_it_changes_nothing(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host_govern(&host, 4000 * W);
    uint8_t data[DATAGRAM_MAX] = {0};
    assert_int_equal(agent_receive(&host.agent, data, 10, host.now_ns), REFUSED_TRUNCATED);
    struct lease lease = host_next_lease(&host, 2500 * W);
    struct frame frame = {.kind = FRAME_LEASE, .sender = HOST_NUMBER + 1, .sequence = 1};
    frame.body_bytes = lease_encode(&lease, data + FRAME_HEADER_BYTES, sizeof data - FRAME_HEADER_BYTES);
    uint32_t bytes = frame_encode(data, &frame);
    assert_int_equal(agent_receive(&host.agent, data, bytes, host.now_ns), REFUSED_UNKNOWN_HOST);
    frame.sender = HOST_NUMBER;
    frame.kind = FRAME_REPORT;
    bytes = frame_encode(data, &frame);
    assert_int_equal(agent_receive(&host.agent, data, bytes, host.now_ns), REFUSED_KIND);
    assert_int_equal(agent_receive(&host.agent, data, bytes - 1, host.now_ns), REFUSED_TRUNCATED);
    lease.epoch--;
    assert_int_equal(host_send(&host, &lease), -1);
    assert_int_equal(host.device[0].writing_mw, -1);
    assert_int_equal(host.agent.counter[AGENT_NOT_MINE], 2);
    assert_int_equal(host.agent.counter[AGENT_UNREADABLE], 2);
}

static void asks_and_hears_the_answer(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    const struct token_request request = {.request = 42, .amount_mw = 5000 * W, .duration_ns = NS_PER_S};
    assert_int_equal(agent_ask(&host.agent, &request, host.now_ns), 0);
    assert_int_equal(host.request.amount_mw, 5000 * W);
    uint8_t data[DATAGRAM_MAX];
    const struct token_response response = {.request = 42, .granted_mw = 4000 * W};
    struct frame frame = {.kind = FRAME_TOKEN_RESPONSE, .sender = HOST_NUMBER, .sequence = 1};
    frame.body_bytes = token_response_encode(&response, data + FRAME_HEADER_BYTES,
                                             sizeof data - FRAME_HEADER_BYTES);
    assert_int_equal(agent_receive(&host.agent, data, frame_encode(data, &frame), host.now_ns), ACCEPTED);
    assert_int_equal(host.answer.granted_mw, 4000 * W);
    const struct token_request absurd = {.request = 43, .amount_mw = -1};
    assert_int_equal(agent_ask(&host.agent, &absurd, host.now_ns), -EINVAL);
}

static int lease_with_floor(struct host *host, int64_t cap_mw, int64_t floor_mw)
{
    struct lease lease = host_next_lease(host, cap_mw);
    lease.floor_mw = floor_mw;
    return host_send(host, &lease);
}

/* Four devices, fail-safe 2000 W. */
static void a_floor_is_never_above_a_cap_and_ends_with_its_lease(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host.agent.config.smoothing = true;
    host.agent.config.smooth =
        (struct act_smooth){.ramp_up_mw_per_s = 8000 * W, .ramp_down_mw_per_s = 4000 * W,
                            .hysteresis_ns = 250 * MS};
    assert_true(agent_smooth(&host.agent).off);
    host_govern(&host, 6000 * W);
    assert_true(agent_smooth(&host.agent).off);         /* a lease without a floor */
    host_pass(&host, 100 * MS);
    assert_int_equal(lease_with_floor(&host, 6000 * W, 1200 * W), ACCEPTED);
    struct act_smooth smooth = agent_smooth(&host.agent);
    assert_false(smooth.off);
    assert_int_equal(smooth.floor_mw, 300 * W);
    assert_int_equal(smooth.ramp_up_mw_per_s, 2000 * W);
    assert_int_equal(smooth.ramp_down_mw_per_s, 1000 * W);
    assert_int_equal(smooth.hysteresis_ns, 250 * MS);
    host_pass(&host, 100 * MS);
    assert_int_equal(lease_with_floor(&host, 6000 * W, 7000 * W), ACCEPTED);
    assert_int_equal(agent_smooth(&host.agent).floor_mw, 500 * W);      /* fail-safe */
    host_pass(&host, 100 * MS);
    assert_int_equal(lease_with_floor(&host, 1000 * W, 1200 * W), ACCEPTED);
    assert_int_equal(agent_smooth(&host.agent).floor_mw, 250 * W);      /* the cap */
    host.agent.config.smoothing = false;
    assert_true(agent_smooth(&host.agent).off);
    host.agent.config.smoothing = true;
    host_pass(&host, NS_PER_S + MS);                                    /* it has run out */
    assert_true(agent_smooth(&host.agent).off);
}

/* What the lease tells stands above the agent's file, each for itself; what it tells not is the file's. */
static void ramps_of_the_lease_stand_above_those_of_the_file(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host.agent.config.smoothing = true;
    host.agent.config.smooth =
        (struct act_smooth){.ramp_up_mw_per_s = 8000 * W, .hysteresis_ns = 250 * MS};
    host_govern(&host, 6000 * W);
    host_pass(&host, 100 * MS);
    struct lease lease = host_next_lease(&host, 6000 * W);
    lease.floor_mw = 1200 * W;
    lease.ramp_up_mw_per_s = 2000 * W;
    lease.ramp_down_mw_per_s = 400 * W;
    assert_int_equal(host_send(&host, &lease), ACCEPTED);
    struct act_smooth smooth = agent_smooth(&host.agent);
    assert_int_equal(smooth.ramp_up_mw_per_s, 500 * W);
    assert_int_equal(smooth.ramp_down_mw_per_s, 100 * W);
    assert_int_equal(smooth.hysteresis_ns, 250 * MS);
    host_pass(&host, 100 * MS);
    lease = host_next_lease(&host, 6000 * W);
    lease.floor_mw = 1200 * W;
    lease.hysteresis_ns = 40 * MS;
    assert_int_equal(host_send(&host, &lease), ACCEPTED);
    smooth = agent_smooth(&host.agent);
    assert_int_equal(smooth.ramp_up_mw_per_s, 2000 * W);
    assert_int_equal(smooth.ramp_down_mw_per_s, 0);
    assert_int_equal(smooth.hysteresis_ns, 40 * MS);
    host_pass(&host, 100 * MS);
    lease = host_next_lease(&host, 6000 * W);
    lease.ramp_up_mw_per_s = 2000 * W;
    assert_int_equal(host_send(&host, &lease), ACCEPTED);
    assert_true(agent_smooth(&host.agent).off);         /* ramps go with a floor */
}

static void draw_of_all(struct host *host, int64_t draw_mw)
{
    for (uint32_t i = 0; i < HOST_DEVICES; i++)
        agent_sampled(&host->agent, i, &(struct act_sample){.valid = ACT_READ_DRAW, .draw_mw = draw_mw},
                      host->now_ns);
}

/* Four devices, fail-safe 2000 W, least cap 800 W, a filler of 400 W. */
static void a_filler_is_part_of_the_lease_and_ends_with_it(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    host.agent.config.ballast_mw = 400 * W;
    host_govern(&host, 6000 * W);
    assert_int_equal(host_cap_mw(&host), 5600 * W);             /* the rest is the filler's */
    host_pass(&host, 100 * MS);
    assert_int_equal(lease_with_floor(&host, 6000 * W, 1200 * W), ACCEPTED);
    draw_of_all(&host, 275 * W);
    assert_in_range(agent_fill_mw(&host.agent, host.now_ns), 99 * W, 100 * W);
    draw_of_all(&host, 100 * W);
    assert_int_equal(agent_fill_mw(&host.agent, host.now_ns), 400 * W);     /* all it has */
    draw_of_all(&host, 300 * W);
    assert_int_equal(agent_fill_mw(&host.agent, host.now_ns), 0);
    draw_of_all(&host, 100 * W);
    host_pass(&host, 100 * MS);
    assert_int_equal(lease_with_floor(&host, 1000 * W, 1200 * W), ACCEPTED);
    assert_int_equal(agent_fill_mw(&host.agent, host.now_ns), 0);           /* caps are not down yet */
    host_settle(&host);
    assert_int_equal(host_cap_mw(&host), 800 * W);              /* its least: 200 W are left */
    assert_int_equal(agent_fill_mw(&host.agent, host.now_ns), 200 * W);
    host_pass(&host, 100 * MS);
    assert_int_equal(lease_with_floor(&host, 500 * W, 1200 * W), ACCEPTED);
    assert_int_equal(agent_fill_mw(&host.agent, host.now_ns), 0);
    host_pass(&host, 100 * MS);
    assert_int_equal(lease_with_floor(&host, 6000 * W, 1200 * W), ACCEPTED);
    host_settle(&host);
    draw_of_all(&host, 100 * W);
    assert_int_equal(agent_fill_mw(&host.agent, host.now_ns), 400 * W);
    assert_int_equal(agent_fill_mw(&host.agent, host.agent.holder.deadline_ns), 0);
    host_pass(&host, NS_PER_S + MS);                            /* it has run out */
    assert_int_equal(agent_fill_mw(&host.agent, host.now_ns), 0);
    host_settle(&host);
    draw_of_all(&host, 100 * W);
    assert_int_equal(agent_fill_mw(&host.agent, host.now_ns), 0);
}

static void what_devices_say_to_floors_is_counted(void **state)
{
    (void)state;
    struct host host;
    host_start(&host);
    agent_smoothed(&host.agent, 0, 0);
    agent_smoothed(&host.agent, 1, -ENOTSUP);
    assert_int_equal(host.agent.device[1].last_error, 0);
    agent_smoothed(&host.agent, 1, -ERANGE);
    assert_int_equal(host.agent.device[1].last_error, -ERANGE);
    assert_int_equal(host.agent.counter[AGENT_SMOOTHED], 1);
    assert_int_equal(host.agent.counter[AGENT_UNSMOOTHED], 2);
}

/* Its host's own limits are 2.4 kW a device; it is leased 6 kW. */
static void start_to_leave(struct host *host, bool let_go)
{
    host_start(host);
    host->config.let_go = let_go;
    for (uint32_t i = 0; i < HOST_DEVICES; i++)
        host->config.holder.own_mw[i] = 2400 * W;
    host_restart(host);
    host_govern(host, 6000 * W);
}

static void let_go_it_puts_own_limits_back_and_the_watchdog_leaves_them(void **state)
{
    (void)state;
    struct host host;
    start_to_leave(&host, true);
    assert_true(agent_leave(&host.agent, host.now_ns));
    host_pass(&host, 20 * MS);
    assert_true(host.report.flags & REPORT_LEAVING);
    int64_t deadline_ns = host.word_ns;
    assert_true(deadline_ns > 0 && deadline_ns < INT64_MAX);    /* it may die yet */
    struct lease lease = host_next_lease(&host, 2000 * W);
    lease.flags = LEASE_LET_GO;
    assert_int_equal(host_send(&host, &lease), ACCEPTED);
    assert_int_equal(host.word_ns, INT64_MAX);
    for (uint32_t i = 0; i < HOST_DEVICES; i++)
        assert_int_equal(host.device[i].writing_mw, 2400 * W);
    agent_stop(&host.agent, host.now_ns);
    assert_false(agent_is_done(&host.agent));
    host_settle(&host);
    assert_true(agent_is_done(&host.agent));
    uint32_t reports = host.reports;
    host_pass(&host, 3 * NS_PER_S);
    assert_int_equal(host.word_ns, INT64_MAX);
    assert_int_equal(host_cap_mw(&host), HOST_DEVICES * 2400 * W);
    assert_int_equal(host.reports, reports);
    assert_int_equal(host.agent.counter[AGENT_LET_GO], 1);
    assert_true(agent_due_ns(&host.agent) > host.now_ns + NS_PER_S);
    host_restart(&host);
    assert_true(host.word_ns > 0 && host.word_ns <= host.now_ns + host.slept_ns);
}

static void without_an_agreement_it_ends_at_fail_safe(void **state)
{
    (void)state;
    struct host host;
    start_to_leave(&host, true);
    assert_true(agent_leave(&host.agent, host.now_ns));
    host_pass(&host, 20 * MS);
    assert_int_equal(host_lease(&host, 5000 * W), ACCEPTED);    /* no */
    host_settle(&host);
    assert_int_equal(host_cap_mw(&host), 5000 * W);
    struct lease late = host_next_lease(&host, 2000 * W);
    late.flags = LEASE_LET_GO;
    agent_stop(&host.agent, host.now_ns);
    host_settle(&host);
    assert_true(agent_is_done(&host.agent));
    assert_int_equal(host.word_ns, 0);
    assert_int_not_equal(host_send(&host, &late), ACCEPTED);
    host_settle(&host);
    assert_int_equal(host_cap_mw(&host), 2000 * W);
    assert_int_equal(host.agent.counter[AGENT_LET_GO], 0);
}

static void nobody_asks_where_the_file_does_not_say_so(void **state)
{
    (void)state;
    struct host host;
    start_to_leave(&host, false);
    assert_false(agent_leave(&host.agent, host.now_ns));
    host_pass(&host, 120 * MS);
    assert_false(host.report.flags & REPORT_LEAVING);
    struct lease lease = host_next_lease(&host, 2000 * W);
    lease.flags = LEASE_LET_GO;
    assert_int_equal(host_send(&host, &lease), -1);
    assert_int_equal(host.agent.counter[AGENT_UNASKED], 1);
    host_settle(&host);
    assert_int_equal(host_cap_mw(&host), 6000 * W);
}

/* Its driver is loaded anew, or the device goes, while own limits are put back: fail-safe, and the word says
 * so. */
static void a_device_lost_while_it_leaves_means_fail_safe(void **state)
{
    (void)state;
    struct host host;
    start_to_leave(&host, true);
    agent_leave(&host.agent, host.now_ns);
    host_pass(&host, 20 * MS);
    struct lease lease = host_next_lease(&host, 2000 * W);
    lease.flags = LEASE_LET_GO;
    assert_int_equal(host_send(&host, &lease), ACCEPTED);
    agent_stop(&host.agent, host.now_ns);
    host_return(&host, 1, -ENODEV);
    assert_true(host.word_ns < host.now_ns + host.slept_ns);
    host_settle(&host);
    host_settle(&host);
    assert_int_equal(host.device[0].cap_mw, 500 * W);
}

/* Fail-safe waits for no disk, and nothing that is sent has a number of before. */
static void nothing_is_sent_before_the_disk_has_spoken(void **state)
{
    (void)state;
    struct host host;
    struct frame frame;
    const struct token_request request = {.request = 1};
    host_start(&host);
    host.frames = host.reports = 0;
    host.silent = true;
    host_restart(&host);
    for (uint32_t i = 0; i < HOST_DEVICES; i++)
        assert_int_equal(host.device[i].writing_mw, 500 * W);
    host_settle(&host);
    assert_int_equal(host_cap_mw(&host), 2000 * W);
    assert_int_equal(host.word_ns, 0);
    host_pass(&host, 2 * NS_PER_S);
    assert_int_equal(host.frames, 0);
    assert_int_equal(agent_ask(&host.agent, &request, host.now_ns), -EAGAIN);
    agent_frame_send(&host.agent, FRAME_REPORT, 4);
    assert_int_equal(host.frames, 0);
    assert_true(agent_due_ns(&host.agent) > host.now_ns);      /* nobody turns for a report that waits */
    host.report = (struct report){.incarnation = host.agent.holder.incarnation, .number = 1};
    assert_int_equal(host_lease(&host, 4000 * W), -1);          /* it answers no report */
    assert_int_equal(host.agent.counter[AGENT_UNKNOWN_ECHO], 1);

    agent_remember(&host.agent, 3, UINT64_C(5) << 60, host.now_ns);
    host_pass(&host, MS);
    assert_int_equal(host.reports, 1);
    assert_int_equal(host.report.epoch, 3);
    assert_int_equal(host.report.cap_mw, 2000 * W);
    assert_int_equal(frame_decode(host.sent, host.sent_bytes, &frame), ACCEPTED);
    assert_true(frame.sequence == (UINT64_C(5) << 60) + 1);
    host.epoch = 2;                                             /* one that was fenced before */
    assert_int_equal(host_lease(&host, 4000 * W), -1);
    assert_int_equal(host.agent.counter[AGENT_OLD_EPOCH], 1);
    host.epoch = 3;
    assert_int_equal(host_lease(&host, 4000 * W), ACCEPTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_floor_is_never_above_a_cap_and_ends_with_its_lease),
        cmocka_unit_test(ramps_of_the_lease_stand_above_those_of_the_file),
        cmocka_unit_test(a_filler_is_part_of_the_lease_and_ends_with_it),
        cmocka_unit_test(what_devices_say_to_floors_is_counted),
        cmocka_unit_test(starts_at_fail_safe_with_an_armed_word),
        cmocka_unit_test(obeys_a_lease_once_its_epoch_is_durable),
        cmocka_unit_test(falls_to_fail_safe_at_the_deadline),
        cmocka_unit_test(a_stuck_device_delays_no_other),
        cmocka_unit_test(a_write_that_failed_is_tried_again_and_counts_until_then),
        cmocka_unit_test(a_device_that_vanishes_is_a_new_incarnation),
        cmocka_unit_test(a_device_that_cannot_be_read_is_written_until_it_reads_back),
        cmocka_unit_test(a_lease_that_ends_is_written_to_a_device_that_cannot_be_read),
        cmocka_unit_test(a_write_from_before_the_loss_counts_for_nothing),
        cmocka_unit_test(a_cap_that_came_back_above_is_a_new_incarnation),
        cmocka_unit_test(a_foreign_limit_is_reported_and_not_fought),
        cmocka_unit_test(a_cap_that_is_held_up_under_a_lower_limit_is_no_receipt),
        cmocka_unit_test(a_cap_that_came_back_above_under_a_lower_limit_is_a_new_incarnation),
        cmocka_unit_test(a_late_fail_safe_is_written_over),
        cmocka_unit_test(a_limit_of_a_person_that_equals_fail_safe_is_not_fought),
        cmocka_unit_test(its_own_bounds_stand_above_any_order),
        cmocka_unit_test(a_filler_and_bounds_on_raises_leave_a_renewal_as_it_is),
        cmocka_unit_test(supplies_that_cannot_be_read_are_not_dark),
        cmocka_unit_test(two_raises_keep_their_distance),
        cmocka_unit_test(without_a_watchdog_nothing_above_fail_safe),
        cmocka_unit_test(a_sleep_voids_the_incarnation),
        cmocka_unit_test(draw_is_at_the_wall_and_rounded_up),
        cmocka_unit_test(what_is_not_for_it_changes_nothing),
        cmocka_unit_test(asks_and_hears_the_answer),
        cmocka_unit_test(let_go_it_puts_own_limits_back_and_the_watchdog_leaves_them),
        cmocka_unit_test(without_an_agreement_it_ends_at_fail_safe),
        cmocka_unit_test(nobody_asks_where_the_file_does_not_say_so),
        cmocka_unit_test(a_device_lost_while_it_leaves_means_fail_safe),
        cmocka_unit_test(nothing_is_sent_before_the_disk_has_spoken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
