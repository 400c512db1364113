/* SPDX-License-Identifier: Apache-2.0 */
/* Cores: who shares them, how fast they are. */
#include <string.h>

#include "cli/doctor/doctor_change.h"
#include "cli/doctor/doctor_file.h"
#include "site/site.h"

#define CPU "/sys/devices/system/cpu/cpu%d"
#define GOVERNOR CPU "/cpufreq/scaling_governor"
enum { SLOW_WAKE_US = 10, IDLE_STATES = 16 };

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
