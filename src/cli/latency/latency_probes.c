/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/latency/latency_probes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

int probes_arm(const struct probe_arming *arming, size_t count, pid_t pid, const char *program,
               const char *provider, char why[PROBES_WHY_BYTES])
{
    for (size_t i = 0; i < count; i++) {
        *arming[i].link =
            bpf_program__attach_usdt(arming[i].program, pid, program, provider, arming[i].name, NULL);
        if (*arming[i].link)
            continue;
        int error = -errno;
        snprintf(why, PROBES_WHY_BYTES, "the probe %s of process %d cannot be armed: %s", arming[i].name,
                 (int)pid, strerror(-error));
        return error;
    }
    return 0;
}
