/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Counts calls of the loader's own leaf functions: which places of probes are good on this kernel? */
#include "latency.h"

#include <bpf/bpf_helpers.h>
#include <bpf/usdt.bpf.h>

char terms[] SEC("license") = "GPL";

uint64_t hits;

SEC("usdt")
int BPF_USDT(leaf)
{
    __sync_fetch_and_add(&hits, 1);
    return 0;
}
