/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this host takes the loop's threads as SCHED_DEADLINE, on their cores. */
#include <string.h>

#include "cli/doctor/doctor_file.h"
#include "rt/deadline.h"
#include "rt/thread.h"
#include "site/site.h"

struct trial {
    int core, result;
    struct rt_deadline deadline;
};

/* The thread ends with it: nothing is left of that. */
static void *try_it(void *argument)
{
    struct trial *trial = argument;
    trial->result = rt_deadline_on(trial->core, &trial->deadline);
    return NULL;
}

static int ask_kernel(const struct doctor *doctor, int core)
{
    pthread_t thread;
    const struct site_server *server = doctor->server;
    struct trial trial = {.core = core,
                          .deadline = {server->deadline_runtime_ns, server->deadline_period_ns}};
    int error = rt_spawn(&thread, "fb-doctor", try_it, &trial);
    if (error)
        return error;
    pthread_join(thread, NULL);
    return trial.result;
}

/* By its sum alone: what is promised to others is the kernel's to know. */
static bool is_too_much(const struct doctor *doctor, int64_t runtime_us)
{
    int64_t period_us = 1000000;
    const struct site_server *server = doctor->server;
    doctor_read_number(doctor, &period_us, "/proc/sys/kernel/sched_rt_period_us");
    return (double)server->deadline_runtime_ns / (double)server->deadline_period_ns >
           (double)runtime_us / (double)period_us;
}

enum doctor_state doctor_deadline(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    int64_t runtime_us = 0;
    if (!doctor->server || !doctor->server->deadline_period_ns) {
        snprintf(said, DOCTOR_SAID_BYTES, "the loop's threads want none (scheduler: deadline)");
        return DOCTOR_APART;
    }
    int error = doctor_read_number(doctor, &runtime_us, "/proc/sys/kernel/sched_rt_runtime_us");
    bool lifted = doctor->server->lift_rt_throttling || (!error && runtime_us < 0);
    if (!error && !lifted && is_too_much(doctor, runtime_us)) {
        snprintf(said, DOCTOR_SAID_BYTES, "%lld us of every %lld us are more than the kernel gives away",
                 (long long)doctor->server->deadline_runtime_ns / 1000,
                 (long long)doctor->server->deadline_period_ns / 1000);
        return DOCTOR_LACKS;
    }
    /* a host that is a tree of files is not this kernel */
    int result = *doctor->root ? !lifted : ask_kernel(doctor, rt_cores_next(&doctor->loop, 0));
    if (result < 0 || (result > 0 && !lifted))
        snprintf(said, DOCTOR_SAID_BYTES, "%s",
                 result < 0 ? strerror(-result)
                            : "the kernel takes it on all cores only, not pinned to its own");
    else
        snprintf(said, DOCTOR_SAID_BYTES, "the kernel takes it on its core%s",
                 result ? ", once flyballd has lifted RT throttling (rt_throttling: lift)" : "");
    return result < 0 || (result > 0 && !lifted) ? DOCTOR_LACKS : DOCTOR_OK;
}
