/* SPDX-License-Identifier: Apache-2.0 */
/* Devices, and the watchdog that writes fail-safe caps to them when its word has passed. */
#include "crowd.h"

static void begin(struct crowd *crowd, struct crowd_host *host, struct crowd_device *device,
                  enum crowd_writer who)
{
    device->writing_mw = device->waiting_mw[who];
    device->waiting_mw[who] = -1;
    device->writer = (uint8_t)who;
    device->life = host->life;
    device->done_ns = crowd->lived_ns + WRITE_LEAST_NS +
                      (int64_t)(random_unit(&crowd->random) * (double)(WRITE_MOST_NS - WRITE_LEAST_NS));
}

void crowd_device_write(struct crowd *crowd, struct crowd_host *host, uint32_t index, enum crowd_writer who,
                        int64_t cap_mw)
{
    struct crowd_device *device = &host->device[index];
    device->waiting_mw[who] = cap_mw;
    if (device->done_ns == NEVER_NS)
        begin(crowd, host, device, who);
}

/* The driver is free; an agent that is stopped hears of its write when it goes on. */
static void finish(struct crowd *crowd, struct crowd_host *host, uint32_t index)
{
    struct crowd_device *device = &host->device[index];
    device->cap_mw = device->writing_mw;
    device->done_ns = NEVER_NS;
    device->receipt |= device->writer == CROWD_AGENT && device->life == host->life && host->alive;
    if (device->writer == CROWD_AGENT)
        device->receipt_mw = device->writing_mw;
    host->watchdog_writes += device->writer == CROWD_WATCHDOG;
    for (uint32_t who = 0; who < CROWD_WRITERS && device->done_ns == NEVER_NS; who++)
        if (device->waiting_mw[who] >= 0)
            begin(crowd, host, device, who);
}

static void tell_receipt(struct crowd *crowd, struct crowd_host *host, uint32_t index)
{
    struct crowd_device *device = &host->device[index];
    int64_t now_ns = crowd_mono_ns(crowd, host);
    device->receipt = false;
    agent_clock(&host->agent, now_ns, crowd_boot_ns(crowd), now_ns);
    agent_written(&host->agent, index, 0, device->receipt_mw, device->cap_mw, now_ns);
}

void crowd_device_turn(struct crowd *crowd, struct crowd_host *host)
{
    for (uint32_t i = 0; i < CROWD_DEVICES; i++)
        if (crowd->lived_ns >= host->device[i].done_ns)
            finish(crowd, host, i);
}

void crowd_device_receipts(struct crowd *crowd, struct crowd_host *host)
{
    for (uint32_t i = 0; i < CROWD_DEVICES; i++)
        if (host->device[i].receipt)
            tell_receipt(crowd, host, i);
}

/* A process of its own: it knows the word, the devices and BOOTTIME, and writes for as long as it has
 * passed. */
void crowd_device_watch(struct crowd *crowd, struct crowd_host *host)
{
    int64_t part_mw = agent_part_mw(&host->agent, host->agent.config.holder.fail_safe_mw);
    if (!host->watchdog || crowd->blind || crowd->lived_ns < host->watch_ns)
        return;
    host->watch_ns = crowd->lived_ns + WATCH_NS;
    if (!host->word_boot_ns || crowd_boot_ns(crowd) < host->word_boot_ns)
        return;
    for (uint32_t i = 0; i < CROWD_DEVICES; i++) {
        struct crowd_device *device = &host->device[i];
        bool under_way = device->done_ns != NEVER_NS && device->writer == CROWD_WATCHDOG;
        if (!under_way && device->waiting_mw[CROWD_WATCHDOG] < 0 &&
            (device->cap_mw > part_mw || device->done_ns != NEVER_NS))
            crowd_device_write(crowd, host, i, CROWD_WATCHDOG, part_mw);
    }
}
