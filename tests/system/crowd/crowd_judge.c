/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a device stands above its fail-safe cap later than the deadline of the latest lease that its host
 * obeyed, plus A. Deadlines are made of datagrams alone: when a report left, and what the lease that answers
 * it says. After a start, or a sleep, a host has A from then.
 */
#include <inttypes.h>

#include "crowd.h"
#include "wire/cap.h"
#include "wire/frame.h"

void crowd_judge_note(struct crowd *crowd, struct crowd_host *host, const char *what, int64_t for_ns)
{
    host->note[host->notes++ % CROWD_NOTES] =
        (struct crowd_note){.at_ns = crowd->lived_ns, .what = what, .for_ns = for_ns};
}

void crowd_judge_sent(struct crowd *crowd, struct crowd_host *host, const uint8_t *data, uint32_t bytes)
{
    struct frame frame;
    struct report report;
    if (frame_decode(data, bytes, &frame) != ACCEPTED || frame.kind != FRAME_REPORT ||
        report_decode(frame.body, frame.body_bytes, &report) != ACCEPTED)
        return;
    host->sent[report.number % CROWD_ECHOES] = (struct crowd_sent){
        .incarnation = report.incarnation, .number = report.number, .boot_ns = crowd_boot_ns(crowd)};
    crowd->figures.reports += crowd->measuring;
}

void crowd_judge_obeyed(struct crowd *crowd, struct crowd_host *host, const uint8_t *data, uint32_t bytes)
{
    struct frame frame;
    struct lease lease;
    if (frame_decode(data, bytes, &frame) != ACCEPTED ||
        (frame.kind != FRAME_LEASE && frame.kind != FRAME_CLAIM) ||
        lease_decode(frame.body, frame.body_bytes, &lease) != ACCEPTED)
        return;
    crowd->figures.leases_obeyed += crowd->measuring;
    const struct crowd_sent *sent = &host->sent[lease.echo % CROWD_ECHOES];
    if (sent->number != lease.echo || sent->incarnation != lease.incarnation) {
        crowd_judge_note(crowd, host, "OBEYED A LEASE WHOSE REPORT IT NEVER SENT", 0);
        crowd->figures.violations++;
        return;
    }
    int64_t deadline_ns = sent->boot_ns + lease.duration_ns;
    if (deadline_ns > host->deadline_ns)
        host->deadline_ns = deadline_ns;
}

static void tell(const struct crowd *crowd, uint32_t h, uint32_t device)
{
    const struct crowd_host *host = &crowd->host[h];
    uint32_t first = host->notes > CROWD_NOTES ? host->notes - CROWD_NOTES : 0;
    fprintf(stderr, "seed %" PRIu64 ", %.3f s: host %" PRIu32 " device %" PRIu32 " at %.1f W, %.0f ms after "
            "its deadline; alive %d stopped %d watchdog %d, word %.3f s\n", crowd->seed,
            (double)crowd->lived_ns / 1e9, h, device, (double)host->device[device].cap_mw / 1e3,
            (double)(crowd->lived_ns - host->deadline_ns) / 1e6, host->alive, host->stopped, host->watchdog,
            (double)host->word_boot_ns / 1e9);
    for (uint32_t i = first; i < host->notes; i++)
        fprintf(stderr, "  %.3f s: %s for %.3f s\n", (double)host->note[i % CROWD_NOTES].at_ns / 1e9,
                host->note[i % CROWD_NOTES].what, (double)host->note[i % CROWD_NOTES].for_ns / 1e9);
}

void crowd_judge_look(struct crowd *crowd, uint32_t h)
{
    struct crowd_host *host = &crowd->host[h];
    const struct model *model = &crowd->site.model;
    int64_t part_mw = model->host[h].fail_safe_mw / CROWD_DEVICES;
    bool late = crowd->lived_ns > host->deadline_ns + model->type[model->host[h].type].actuation_ns;
    crowd->figures.checks++;
    if (!late || host->asleep_until_ns) {
        host->over = false;
        return;
    }
    for (uint32_t i = 0; i < CROWD_DEVICES; i++) {
        if (host->device[i].cap_mw <= part_mw || host->over)
            continue;
        host->over = true;
        crowd->figures.violations++;
        tell(crowd, h, i);
    }
}
