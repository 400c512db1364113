/* SPDX-License-Identifier: Apache-2.0 */
/* What interrupts the loop's cores: devices, who moves their interrupts, the firmware. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/doctor/doctor_change.h"
#include "cli/doctor/doctor_file.h"
#include "cli/doctor/doctor_process.h"
#include "rt/interrupts.h"
#include "site/site.h"

/* Rare ones are not met in the look: their count since the machine has power tells of them. */
enum { SMI_COUNT_MSR = 0x34, SMI_LOOK_MS = 1000, NAMED = 6 };

struct met {
    int count, length;
    char names[100];
};

static void name_it(struct met *met, const struct rt_interrupt *one)
{
    size_t room = sizeof met->names - (size_t)met->length;
    if (met->count++ >= NAMED)
        return;
    int length = snprintf(met->names + met->length, room, "%s%d%s%.12s", met->length ? ", " : "",
                          one->number, one->name[0] ? " " : "", one->name);
    met->length += length < (int)room ? length : (int)room - 1;
}

/* Those that do come to the loop's cores. 0 or -errno. */
static int find_interrupts(const struct doctor *doctor, struct met *met)
{
    struct rt_interrupt *list;
    int count = rt_interrupts_list(doctor->root, &list);
    for (int i = 0; i < count; i++)
        if (rt_cores_meet(&list[i].comes, &doctor->loop))
            name_it(met, &list[i]);
    if (count >= 0)
        free(list);
    return count < 0 ? count : 0;
}

/* Which of them can be moved shows only once somebody has tried: the daemon, while it runs. */
enum doctor_state doctor_interrupts(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    struct met met = {0};
    struct doctor_process daemon;
    int error = find_interrupts(doctor, &met);
    if (error) {
        snprintf(said, DOCTOR_SAID_BYTES, "/proc/irq: %s", strerror(-error));
        return DOCTOR_UNKNOWN;
    }
    if (!met.count) {
        snprintf(said, DOCTOR_SAID_BYTES, "no interrupt of a device comes to the loop's cores");
        return DOCTOR_OK;
    }
    bool away = doctor->server && doctor->server->interrupts_away;
    bool runs = away && doctor_process_find(doctor, "flyballd", &daemon) > 0;
    snprintf(said, DOCTOR_SAID_BYTES, "%d interrupt%s to the loop's cores%s: %.99s%s%s", met.count,
             met.count == 1 ? " comes" : "s come", runs ? " and did not let flyballd move them" : "",
             met.names, met.count > NAMED ? ", ..." : "",
             away && !runs ? "; flyballd moves them while it runs (interrupts: away)" : "");
    return away && !runs ? DOCTOR_OK : DOCTOR_LACKS;
}

/* Some refuse to move (of the kernel's own, or managed by their driver): the rest is moved all the same. */
int doctor_fix_interrupts(const struct doctor *doctor)
{
    struct rt_interrupt *list;
    char text[RT_CORES_BYTES];
    if (rt_cores_empty(&doctor->others))
        return -EINVAL;
    rt_cores_text(&doctor->others, text);
    int count = rt_interrupts_list(doctor->root, &list);
    for (int i = 0; i < count; i++)
        if (rt_cores_meet(&list[i].comes, &doctor->loop))
            doctor_replace(doctor, text, "/proc/irq/%d/smp_affinity_list", list[i].number);
    if (count >= 0)
        free(list);
    return count < 0 ? count : 0;
}

enum doctor_state doctor_irqbalance(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    struct doctor_process process;
    int found = doctor_process_find(doctor, "irqbalance", &process);
    if (found < 0) {
        snprintf(said, DOCTOR_SAID_BYTES, "/proc: %s", strerror(-found));
        return DOCTOR_UNKNOWN;
    }
    if (found)
        snprintf(said, DOCTOR_SAID_BYTES, "irqbalance runs, process %d", process.id);
    else
        snprintf(said, DOCTOR_SAID_BYTES, "irqbalance does not run");
    return found ? DOCTOR_LACKS : DOCTOR_OK;
}

static int read_smi(const struct doctor *doctor, int core, uint32_t *count)
{
    char path[DOCTOR_PATH_BYTES];
    uint64_t value;
    snprintf(path, sizeof path, "%s/dev/cpu/%d/msr", doctor->root, core);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = pread(fd, &value, sizeof value, SMI_COUNT_MSR) == sizeof value ? 0 : -EIO;
    close(fd);
    *count = (uint32_t)value;
    return error;
}

enum doctor_state doctor_smi(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    const struct timespec rest = {.tv_sec = SMI_LOOK_MS / 1000, .tv_nsec = SMI_LOOK_MS % 1000 * 1000000L};
    uint32_t before, after;
    int64_t uptime_s = 0;
    int core = rt_cores_next(&doctor->loop, 0);
    int error = read_smi(doctor, core, &before);
    if (!error) {
        nanosleep(&rest, NULL);
        error = read_smi(doctor, core, &after);
    }
    if (error) {
        snprintf(said, DOCTOR_SAID_BYTES,
                 "/dev/cpu/%d/msr: %s (modprobe msr; not on AMD, not on virtual machines)", core,
                 strerror(-error));
        return DOCTOR_UNKNOWN;
    }
    doctor_read_number(doctor, &uptime_s, "/proc/uptime");
    int length = snprintf(said, DOCTOR_SAID_BYTES, "%u within %d ms, %u since power on", after - before,
                          SMI_LOOK_MS, after);
    if (uptime_s > 0)
        snprintf(said + length, DOCTOR_SAID_BYTES - (size_t)length,
                 ", %.1f an hour if none were before the kernel started",
                 (double)after * 3600 / (double)uptime_s);
    return after != before ? DOCTOR_LACKS : DOCTOR_OK;
}
