/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/latency/latency_agent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "bpf/latency.h"

#include "agent.skel.h"
#include "cli/cli.h"
#include "cli/latency/latency_probes.h"
#include "cli/latency/latency_rows.h"
#include "rt/clock.h"

static int arm(struct agent_bpf *object, pid_t pid, const char *provider)
{
    const struct probe_arming probe[] = {
        {object->progs.reported, &object->links.reported, "reported"},
        {object->progs.leased, &object->links.leased, "leased"},
        {object->progs.write, &object->links.write, "write"},
        {object->progs.written, &object->links.written, "written"},
    };
    char program[TARGET_PATH_BYTES], why[PROBES_WHY_BYTES];
    snprintf(program, sizeof program, "/proc/%d/exe", (int)pid);
    if (!probes_arm(probe, sizeof probe / sizeof probe[0], pid, program, provider, why))
        return CLI_OK;
    fprintf(stderr, "flyball latency: %s\n", why);
    return CLI_CONNECT;
}

static void print(const struct agent_bpf *object, FILE *out)
{
    const struct agent_counts *counts = &object->bss->counts;
    rows_print(object->bss->rows, rows_of_agent, AGENT_STEP_COUNT, "step", out);
    fprintf(out, "\n%llu reports sent, %llu leases received, %llu caps written, %llu of them in vain\n",
            (unsigned long long)counts->reports, (unsigned long long)counts->leases,
            (unsigned long long)counts->writes, (unsigned long long)counts->failed);
}

static void print_json(const struct agent_bpf *object, pid_t pid, int64_t took_ns, FILE *out)
{
    const struct agent_counts *counts = &object->bss->counts;
    json_t *all = json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:o}", "pid", (int)pid, "duration_ns",
                            (json_int_t)took_ns, "reports", rows_integer(counts->reports), "leases",
                            rows_integer(counts->leases), "writes", rows_integer(counts->writes), "failed",
                            rows_integer(counts->failed), "steps",
                            rows_json(object->bss->rows, rows_of_agent, AGENT_STEP_COUNT));
    json_dumpf(all, out, JSON_INDENT(1));
    fputc('\n', out);
    json_decref(all);
}

static void watch(struct agent_bpf *object, pid_t pid, int64_t for_ns, bool json)
{
    int signals = rows_hold_signals();
    int64_t began_ns = clock_monotonic_ns();
    object->bss->open = true;
    fprintf(stderr, "flyball latency: watching agent %d\n", (int)pid);
    while (rows_wait(signals, pid, for_ns ? began_ns + for_ns : 0))
        continue;
    object->bss->open = false;
    if (json)
        print_json(object, pid, clock_monotonic_ns() - began_ns, stdout);
    else
        print(object, stdout);
    if (signals >= 0)
        close(signals);
}

int latency_agent(pid_t pid, const char *provider, int64_t for_ns, bool json)
{
    struct agent_bpf *object = agent_bpf__open_and_load();
    if (!object) {
        fprintf(stderr, "flyball latency: the kernel does not take the program for agents: %s\n",
                strerror(errno));
        return CLI_REFUSED;
    }
    int result = arm(object, pid, provider);
    if (!result)
        watch(object, pid, for_ns, json);
    agent_bpf__destroy(object);
    return result;
}
