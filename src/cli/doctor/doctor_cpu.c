/* SPDX-License-Identifier: Apache-2.0 */
/* Cores: who shares them, how fast they are, what interrupts them. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/doctor/doctor_change.h"
#include "cli/doctor/doctor_file.h"
#include "cli/doctor/doctor_process.h"
#include "site/site.h"

#define CPU "/sys/devices/system/cpu/cpu%d"
#define GOVERNOR CPU "/cpufreq/scaling_governor"
enum { SLOW_WAKE_US = 10, SMI_COUNT_MSR = 0x34, SMI_LOOK_MS = 200, IDLE_STATES = 16 };

enum doctor_state doctor_online(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    char list[DOCTOR_TEXT_BYTES], text[RT_CORES_BYTES];
    struct rt_cores online;
    if (doctor_read(doctor, list, sizeof list, "/sys/devices/system/cpu/online") < 0 ||
        rt_cores_parse(list, &online)) {
        snprintf(said, DOCTOR_SAID_BYTES, "the kernel does not say which cores are online");
        return DOCTOR_UNKNOWN;
    }
    struct rt_cores miss = rt_cores_less(&doctor->loop, &online);
    if (!rt_cores_empty(&miss)) {
        snprintf(said, DOCTOR_SAID_BYTES, "core %.150s is not online: there are %.60s",
                 rt_cores_text(&miss, text), list);
        return DOCTOR_LACKS;
    }
    if (rt_cores_empty(&doctor->others)) {
        snprintf(said, DOCTOR_SAID_BYTES, "the loop has every core: none is left for the rest of the host");
        return DOCTOR_LACKS;
    }
    snprintf(said, DOCTOR_SAID_BYTES, "core %.150s for the loop, the rest for others",
             rt_cores_text(&doctor->loop, text));
    return DOCTOR_OK;
}

enum doctor_state doctor_bare_metal(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    char text[16 * DOCTOR_TEXT_BYTES];
    if (doctor_read_all(doctor, text, sizeof text, "/proc/cpuinfo") < 0) {
        snprintf(said, DOCTOR_SAID_BYTES, "/proc/cpuinfo cannot be read");
        return DOCTOR_UNKNOWN;
    }
    const char *flags = strstr(text, "\nflags");
    const char *found = flags ? strstr(flags, " hypervisor") : NULL;
    bool is_virtual = found && found < flags + strcspn(flags + 1, "\n");
    snprintf(said, DOCTOR_SAID_BYTES, "%s",
             is_virtual ? "a virtual machine: its cores are somebody else's threads" : "no hypervisor below");
    return is_virtual ? DOCTOR_LACKS : DOCTOR_OK;
}

enum doctor_state doctor_sibling(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    int core = rt_cores_next(&doctor->loop, 0);
    for (; core >= 0; core = rt_cores_next(&doctor->loop, core + 1)) {
        char list[DOCTOR_TEXT_BYTES], text[RT_CORES_BYTES];
        struct rt_cores siblings, self = {0};
        if (doctor_read(doctor, list, sizeof list, CPU "/topology/thread_siblings_list", core) < 0 ||
            rt_cores_parse(list, &siblings)) {
            snprintf(said, DOCTOR_SAID_BYTES, "the kernel does not say which threads core %d shares", core);
            return DOCTOR_UNKNOWN;
        }
        rt_cores_add(&self, core);
        struct rt_cores others = rt_cores_less(&siblings, &self);
        if (rt_cores_empty(&others))
            continue;
        snprintf(said, DOCTOR_SAID_BYTES, "core %d shares its pipelines with %.100s", core,
                 rt_cores_text(&others, text));
        return DOCTOR_LACKS;
    }
    snprintf(said, DOCTOR_SAID_BYTES, "no other thread shares the loop's pipelines");
    return DOCTOR_OK;
}

enum doctor_state doctor_governor(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    bool seen = false;
    int core = rt_cores_next(&doctor->loop, 0);
    for (; core >= 0; core = rt_cores_next(&doctor->loop, core + 1)) {
        char text[64];
        if (doctor_read(doctor, text, sizeof text, GOVERNOR, core) < 0)
            continue;
        seen = true;
        if (strcmp(text, "performance")) {
            snprintf(said, DOCTOR_SAID_BYTES, "core %d: governor %s", core, text);
            return DOCTOR_LACKS;
        }
    }
    snprintf(said, DOCTOR_SAID_BYTES, "%s",
             seen ? "governor performance" : "this kernel does not govern frequencies here");
    return seen ? DOCTOR_OK : DOCTOR_APART;
}

int doctor_fix_governor(const struct doctor *doctor)
{
    int error = 0;
    int core = rt_cores_next(&doctor->loop, 0);
    for (; core >= 0 && !error; core = rt_cores_next(&doctor->loop, core + 1))
        if (doctor_is_there(doctor, GOVERNOR, core))
            error = doctor_replace(doctor, "performance", GOVERNOR, core);
    return error;
}

/* The hot thread spins and never sleeps; lanes that wait, and whoever wakes them, do. */
enum doctor_state doctor_idle_states(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    bool seen = false;
    if (doctor->server && doctor->server->hold_awake) {
        snprintf(said, DOCTOR_SAID_BYTES, "flyballd keeps cores awake while it runs (idle_cores: awake)");
        return DOCTOR_OK;
    }
    int core = rt_cores_next(&doctor->loop, 0);
    for (; core >= 0; core = rt_cores_next(&doctor->loop, core + 1)) {
        for (int state = 0; state < IDLE_STATES; state++) {
            int64_t latency_us, disabled = 0;
            char name[32] = "";
            if (doctor_read_number(doctor, &latency_us, CPU "/cpuidle/state%d/latency", core, state))
                break;
            seen = true;
            doctor_read_number(doctor, &disabled, CPU "/cpuidle/state%d/disable", core, state);
            doctor_read(doctor, name, sizeof name, CPU "/cpuidle/state%d/name", core, state);
            if (disabled || latency_us <= SLOW_WAKE_US)
                continue;
            snprintf(said, DOCTOR_SAID_BYTES, "core %d may sleep in %s, %lld us deep", core, name,
                     (long long)latency_us);
            return DOCTOR_LACKS;
        }
    }
    if (seen)
        snprintf(said, DOCTOR_SAID_BYTES, "no sleep takes more than %d us to leave", SLOW_WAKE_US);
    else
        snprintf(said, DOCTOR_SAID_BYTES, "this kernel knows no idle states");
    return seen ? DOCTOR_OK : DOCTOR_APART;
}

/* Goes through the interrupts that may come to a loop's core; 0, or what `act` answered first. */
static int each_interrupt(const struct doctor *doctor,
                          int (*act)(const struct doctor *doctor, int number, void *context), void *context)
{
    char path[DOCTOR_PATH_BYTES], list[DOCTOR_TEXT_BYTES];
    snprintf(path, sizeof path, "%s/proc/irq", doctor->root);
    DIR *folder = opendir(path);
    if (!folder)
        return -errno;
    int result = 0;
    const struct dirent *entry;
    while (!result && (entry = readdir(folder))) {
        struct rt_cores allowed, away;
        if (!isdigit((unsigned char)*entry->d_name))
            continue;
        int number = atoi(entry->d_name);
        if (doctor_read(doctor, list, sizeof list, "/proc/irq/%d/effective_affinity_list", number) <= 0 ||
            rt_cores_parse(list, &allowed))
            continue;
        away = rt_cores_less(&allowed, &doctor->loop);
        if (memcmp(&away, &allowed, sizeof away))
            result = act(doctor, number, context);
    }
    closedir(folder);
    return result;
}

struct counted { int count, first; };

static int count_interrupt(const struct doctor *doctor, int number, void *context)
{
    struct counted *counted = context;
    (void)doctor;
    if (!counted->count++ || number < counted->first)
        counted->first = number;
    return 0;
}

enum doctor_state doctor_interrupts(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    struct counted counted = {0};
    int error = each_interrupt(doctor, count_interrupt, &counted);
    if (error) {
        snprintf(said, DOCTOR_SAID_BYTES, "/proc/irq: %s", strerror(-error));
        return DOCTOR_UNKNOWN;
    }
    if (counted.count)
        snprintf(said, DOCTOR_SAID_BYTES, "%d interrupt%s to the loop's cores, number %d first",
                 counted.count, counted.count == 1 ? " comes" : "s come", counted.first);
    else
        snprintf(said, DOCTOR_SAID_BYTES, "no interrupt of a device comes to the loop's cores");
    return counted.count ? DOCTOR_LACKS : DOCTOR_OK;
}

/* Some refuse to move (of the kernel's own, or managed by their driver): the rest is moved all the same. */
static int move_interrupt(const struct doctor *doctor, int number, void *context)
{
    doctor_replace(doctor, context, "/proc/irq/%d/smp_affinity_list", number);
    return 0;
}

int doctor_fix_interrupts(const struct doctor *doctor)
{
    char text[RT_CORES_BYTES];
    if (rt_cores_empty(&doctor->others))
        return -EINVAL;
    rt_cores_text(&doctor->others, text);
    return each_interrupt(doctor, move_interrupt, text);
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
    const struct timespec rest = {.tv_nsec = SMI_LOOK_MS * 1000000L};
    uint32_t before, after;
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
    snprintf(said, DOCTOR_SAID_BYTES, "%u since power on, %u within %d ms", after, after - before,
             SMI_LOOK_MS);
    return after != before ? DOCTOR_LACKS : DOCTOR_OK;
}
