/* SPDX-License-Identifier: Apache-2.0 */
/* flyball latency in a build that was made without libbpf. */
#include <stdio.h>

#include "cli/cli.h"

static int run_latency(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    fprintf(stderr, "flyball latency: this build has no eBPF: build it with -Dlatency=enabled, which wants "
            "libbpf, clang and bpftool\n");
    return CLI_REFUSED;
}

const struct cli_verb cli_latency = {
    .name = "latency",
    .arguments = "SITE",
    .summary = "how long each stage of a running flyballd takes: not in this build",
    .help = "This build has no eBPF.\n",
    .run = run_latency,
};
