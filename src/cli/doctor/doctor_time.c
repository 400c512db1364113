/* SPDX-License-Identifier: Apache-2.0 */
/* The clock, and who keeps it. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "cli/doctor/doctor_file.h"
#include "cli/doctor/doctor_process.h"

#define CLOCK_SOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

enum doctor_state doctor_clock_source(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    char name[64];
    int error = doctor_read(doctor, name, sizeof name, CLOCK_SOURCE);
    if (error < 0) {
        snprintf(said, DOCTOR_SAID_BYTES, CLOCK_SOURCE ": %s", strerror(-error));
        return DOCTOR_UNKNOWN;
    }
    snprintf(said, DOCTOR_SAID_BYTES, "the kernel's clock is %s", name);
    return strcmp(name, "tsc") ? DOCTOR_LACKS : DOCTOR_OK;
}

enum doctor_state doctor_ptp4l(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    struct doctor_process process;
    int found = doctor_process_find(doctor, "ptp4l", &process);
    if (found < 0) {
        snprintf(said, DOCTOR_SAID_BYTES, "/proc: %s", strerror(-found));
        return DOCTOR_UNKNOWN;
    }
    snprintf(said, DOCTOR_SAID_BYTES, found ? "ptp4l runs, process %d" : "ptp4l does not run", process.id);
    return found ? DOCTOR_OK : DOCTOR_LACKS;
}

enum doctor_state doctor_ptp_apart(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    static const char *const names[] = {"ptp4l", "phc2sys"};
    bool seen = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct doctor_process process;
        char text[RT_CORES_BYTES];
        if (doctor_process_find(doctor, names[i], &process) <= 0)
            continue;
        seen = true;
        struct rt_cores apart = rt_cores_less(&process.allowed, &doctor->loop);
        if (memcmp(&apart, &process.allowed, sizeof apart)) {
            snprintf(said, DOCTOR_SAID_BYTES, "%s, process %d, may run on the loop's cores: %.100s", names[i],
                     process.id, rt_cores_text(&process.allowed, text));
            return DOCTOR_LACKS;
        }
    }
    snprintf(said, DOCTOR_SAID_BYTES, seen ? "linuxptp keeps off the loop's cores" : "linuxptp does not run");
    return seen ? DOCTOR_OK : DOCTOR_APART;
}

enum doctor_state doctor_ptp_clock(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    char path[DOCTOR_PATH_BYTES], name[64] = "", first[32] = "";
    snprintf(path, sizeof path, "%s/sys/class/ptp", doctor->root);
    DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (*entry->d_name != '.' && (!*first || strcmp(entry->d_name, first) < 0))
            snprintf(first, sizeof first, "%.30s", entry->d_name);
    if (folder)
        closedir(folder);
    if (*first)
        doctor_read(doctor, name, sizeof name, "/sys/class/ptp/%s/clock_name", first);
    snprintf(said, DOCTOR_SAID_BYTES, *first ? "%s: %s" : "no card here has a clock of its own", first, name);
    return *first ? DOCTOR_OK : DOCTOR_LACKS;
}
