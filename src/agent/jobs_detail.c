/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jobs_detail.h"

#include <stdio.h>
#include <string.h>

#include "agent/supply.h"
#include "wire/detail.h"

static uint32_t narrow(int64_t value)
{
    return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static uint16_t known_of(const struct agent_device *device, bool sampled, const struct holder_device *held)
{
    static const uint32_t read = DETAIL_KNOWN_DRAW | DETAIL_KNOWN_AVERAGE | DETAIL_KNOWN_ENERGY |
                                 DETAIL_KNOWN_TEMPERATURE | DETAIL_KNOWN_CLOCK | DETAIL_KNOWN_THROTTLE;
    uint32_t known = sampled ? device->sample.valid & read : 0;
    known |= held->readback_mw >= 0 ? DETAIL_KNOWN_ENFORCED : 0;
    known |= held->lost ? DETAIL_DEVICE_LOST : 0;
    known |= device->last_error ? DETAIL_WRITE_FAILED : 0;
    return (uint16_t)known;
}

static void fill_device(const struct agent *agent, uint32_t i, struct detail_device *to)
{
    const struct agent_device *device = &agent->device[i];
    const struct act_sample *sample = &device->sample;
    const struct holder_device *held = &agent->holder.device[i];
    uint16_t known = known_of(device, device->sampled_ns != INT64_MIN, held);
    *to = (struct detail_device){.index = (uint8_t)i, .known = known,
                                 .asked_mw = narrow(agent_part_mw(agent, agent->holder.wanted_mw)),
                                 .enforced_mw = narrow(held->readback_mw),
                                 .throttle = device->foreign ? DETAIL_THROTTLE_FOREIGN : 0};
    if (known & DETAIL_KNOWN_DRAW)
        to->draw_mw = narrow(sample->draw_mw);
    if (known & DETAIL_KNOWN_AVERAGE) {
        to->average_mw = narrow(sample->average_mw);
        to->window_us = narrow(sample->average_ns / NS_PER_US);
    }
    if (known & DETAIL_KNOWN_ENERGY)
        to->energy_mj = sample->energy_mj > 0 ? (uint64_t)sample->energy_mj : 0;
    if (known & DETAIL_KNOWN_TEMPERATURE)
        to->temperature_mc = sample->temperature_mc;
    if (known & DETAIL_KNOWN_CLOCK)
        to->clock_mhz = (uint16_t)(sample->clock_mhz < UINT16_MAX ? sample->clock_mhz : UINT16_MAX);
    if (known & DETAIL_KNOWN_THROTTLE)
        to->throttle |= (uint8_t)(sample->throttle & 15);
}

static void fill_jobs(const struct job_set *set, struct detail *detail)
{
    uint32_t all = set->count + set->more;
    detail->jobs = (uint16_t)(all < UINT16_MAX ? all : UINT16_MAX);
    detail->job_count = (uint8_t)(set->count < DETAIL_JOBS_MAX ? set->count : DETAIL_JOBS_MAX);
    static_assert((int)JOB_TEXT_BYTES <= (int)DETAIL_JOB_BYTES, "a job's words fit");
    for (uint32_t i = 0; i < detail->job_count; i++)
        job_text(&set->job[i], detail->job[i]);
}

static uint32_t supply_marks(const struct agent *agent)
{
    static_assert((int)SUPPLIES_MAX == (int)DETAIL_SUPPLIES_MAX, "each has its bit");
    uint32_t inputs = agent->psu_inputs;
    return (uint32_t)agent->psus << DETAIL_SUPPLIES_SHIFT | inputs << DETAIL_INPUTS_SHIFT;
}

void jobs_detail(const struct agent *agent, const struct job_set *set, int64_t watchdog_ns, bool history,
                 struct detail *detail)
{
    uint64_t failed = agent->counter[AGENT_WRITES_FAILED];
    uint32_t devices = agent->config.holder.devices ? agent->config.holder.devices : 1;
    memset(detail, 0, sizeof *detail);
    detail->incarnation = agent->holder.incarnation;
    detail->host = agent->config.holder.host;
    detail->marks = (uint16_t)((watchdog_ns >= 0 ? DETAIL_WATCHDOG : 0) | (history ? DETAIL_HISTORY : 0) |
                               supply_marks(agent));
    detail->watchdog_us = watchdog_ns >= 0 ? narrow(watchdog_ns / NS_PER_US) : 0;
    detail->write_errors = failed < UINT32_MAX ? (uint32_t)failed : UINT32_MAX;
    snprintf(detail->version, sizeof detail->version, "%s", FLYBALL_VERSION);
    detail->device_count = (uint8_t)devices;
    for (uint32_t i = 0; i < devices; i++)
        fill_device(agent, i, &detail->device[i]);
    fill_jobs(set, detail);
}

void jobs_detail_send(struct agent *agent, const struct detail *detail)
{
    uint32_t bytes = detail_encode(detail, agent->out + FRAME_HEADER_BYTES,
                                   sizeof agent->out - FRAME_HEADER_BYTES);
    if (bytes)
        agent_frame_send(agent, FRAME_DETAIL, bytes);
}
