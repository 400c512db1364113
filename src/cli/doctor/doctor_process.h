/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLYBALL_CLI_DOCTOR_DOCTOR_PROCESS_H
#define FLYBALL_CLI_DOCTOR_DOCTOR_PROCESS_H

#include "cli/doctor/doctor.h"

struct doctor_process {
    int id;
    struct rt_cores allowed;    /* where it may run */
};

/* setup: the first process of that name, as /proc/N/comm has it (15 characters at most). 1, 0 where there is
 * none, or -errno. */
int doctor_process_find(const struct doctor *doctor, const char *name, struct doctor_process *process);

#endif
