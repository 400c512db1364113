/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor/doctor_process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor_file.h"

static void read_allowed(const struct doctor *doctor, struct doctor_process *process)
{
    static const char key[] = "\nCpus_allowed_list:";
    char path[64], text[DOCTOR_TEXT_BYTES];
    snprintf(path, sizeof path, "/proc/%d/status", process->id);
    if (doctor_read_all(doctor, text, sizeof text, path) < 0)
        return;
    char *list = strstr(text, key);
    if (!list)
        return;
    list += sizeof key - 1;
    list += strspn(list, " \t");
    list[strcspn(list, "\n")] = 0;
    rt_cores_parse(list, &process->allowed);
}

int doctor_process_find(const struct doctor *doctor, const char *name, struct doctor_process *process)
{
    char path[DOCTOR_PATH_BYTES], comm[32];
    memset(process, 0, sizeof *process);
    snprintf(path, sizeof path, "%s/proc", doctor->root);
    DIR *folder = opendir(path);
    if (!folder)
        return -errno;
    const struct dirent *entry;
    int found = 0;
    while (!found && (entry = readdir(folder))) {
        if (!isdigit((unsigned char)*entry->d_name))
            continue;
        process->id = atoi(entry->d_name);
        found = doctor_read(doctor, comm, sizeof comm, "/proc/%d/comm", process->id) > 0 &&
                !strcmp(comm, name);
    }
    closedir(folder);
    if (found)
        read_allowed(doctor, process);
    return found;
}
