/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent tells people of its host, and keeps of it: what is known, bounded, and fit for the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/jobs.h"
#include "agent/jobs_detail.h"
#include "wire/detail.h"

#define NOW_NS (1000 * NS_PER_S)

/* Two devices; the second one told nothing. */
static struct agent *an_agent(void)
{
    struct agent *agent = calloc(1, sizeof *agent);
    agent->config.efficiency_ppm = PPM;
    agent->config.stale_ns = NS_PER_S;
    agent->config.holder.host = 7;
    agent->config.holder.devices = agent->holder.config.devices = 2;
    agent->holder.incarnation = 99;
    agent->holder.applied = 4711;
    agent->holder.state = HOST_LEASED;
    agent->holder.wanted_mw = 1200000;
    agent->holder.device[0].readback_mw = 600000;
    agent->holder.device[1].readback_mw = -1;
    agent->device[0].sampled_ns = NOW_NS;
    agent->device[1].sampled_ns = INT64_MIN;
    agent->device[0].sample = (struct act_sample){
        .valid = ACT_READ_DRAW | ACT_READ_ENERGY | ACT_READ_TEMPERATURE | ACT_READ_THROTTLE | ACT_READ_CLOCK,
        .throttle = ACT_THROTTLE_CAP, .draw_mw = 550000, .energy_mj = 123456, .temperature_mc = 71000,
        .clock_mhz = 100000};
    return agent;
}

static void a_detail_has_what_is_known_and_fits_the_wire(void **state)
{
    struct agent *agent = an_agent();
    struct job_set set = {.count = 6, .more = 2};
    struct detail detail, back;
    uint8_t body[DETAIL_BODY_MAX];
    (void)state;
    for (uint32_t i = 0; i < set.count; i++)
        set.job[i] = (struct job){.kind = JOB_SLURM, .number = 100 + i, .step = 0};
    set.job[1] = (struct job){.kind = JOB_POD, .pod = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"};
    jobs_detail(agent, &set, 5 * NS_PER_MS, true, &detail);
    uint32_t bytes = detail_encode(&detail, body, sizeof body);
    assert_true(bytes > 0);
    assert_int_equal(detail_decode(body, bytes, &back), ACCEPTED);
    assert_int_equal(back.incarnation, 99);
    assert_int_equal(back.marks, DETAIL_WATCHDOG | DETAIL_HISTORY);
    assert_int_equal(back.watchdog_us, 5000);
    assert_int_equal(back.jobs, 8);
    assert_int_equal(back.job_count, DETAIL_JOBS_MAX);
    assert_string_equal(back.job[0], "100.0");
    assert_string_equal(back.job[1], "1b4e28ba-2fa1-11d2-883f-0016d3cca427");
    assert_int_equal(back.device_count, 2);
    assert_int_equal(back.device[0].draw_mw, 550000);
    assert_int_equal(back.device[0].enforced_mw, 600000);
    assert_int_equal(back.device[0].asked_mw, 600000);
    assert_int_equal(back.device[0].clock_mhz, UINT16_MAX);
    assert_int_equal(back.device[0].throttle, DETAIL_THROTTLE_CAP);
    assert_true(back.device[0].known & DETAIL_KNOWN_ENFORCED);
    assert_int_equal(back.device[1].known, 0);
    jobs_detail(agent, &set, -1, false, &detail);
    assert_int_equal(detail.marks, 0);
    agent_psu(agent, true, 6, 0x2B, 0);
    jobs_detail(agent, &set, -1, false, &detail);
    assert_int_equal(detail.marks, 0x2B60);
    agent_psu(agent, false, 6, 0x2B, 0);
    jobs_detail(agent, &set, -1, true, &detail);
    assert_int_equal(detail.marks, DETAIL_HISTORY);
    free(agent);
}

static void a_sample_says_what_is_not_known(void **state)
{
    struct agent *agent = an_agent();
    struct history_sample sample;
    (void)state;
    jobs_sample(agent, NOW_NS, &sample);
    assert_int_equal(sample.known, HISTORY_ASKED | HISTORY_DRAW | HISTORY_TEMPERATURE);
    assert_int_equal(sample.asked_mw, 1200000);
    assert_int_equal(sample.temperature_mc, 71000);
    assert_int_equal(sample.throttle, ACT_THROTTLE_CAP);
    assert_int_equal(sample.lease, 4711);
    assert_int_equal(sample.state, HOST_LEASED);
    assert_int_equal(sample.energy_mj, 0);
    agent->device[1] = agent->device[0];
    agent->device[1].sample.temperature_mc = 75000;
    agent->holder.device[1].readback_mw = 500000;
    jobs_sample(agent, NOW_NS, &sample);
    assert_int_equal(sample.known, HISTORY_ASKED | HISTORY_DRAW | HISTORY_TEMPERATURE | HISTORY_ENFORCED |
                                       HISTORY_ENERGY);
    assert_int_equal(sample.enforced_mw, 1100000);
    assert_int_equal(sample.energy_mj, 2 * 123456);
    assert_int_equal(sample.temperature_mc, 75000);
    free(agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_detail_has_what_is_known_and_fits_the_wire),
        cmocka_unit_test(a_sample_says_what_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
