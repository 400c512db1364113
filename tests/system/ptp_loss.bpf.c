/* SPDX-License-Identifier: Apache-2.0 */
/* For ptp_test.py, at both ends of a veth by `tc`: of PTP's own frames 30 in 100 are lost. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

enum { ETHERTYPE_PTP = 0x88F7, LOST_OF_100 = 30 };

SEC("some")
int lose(struct __sk_buff *frame)
{
    if (frame->protocol != __builtin_bswap16(ETHERTYPE_PTP))
        return TC_ACT_OK;
    return bpf_get_prandom_u32() % 100 < LOST_OF_100 ? TC_ACT_SHOT : TC_ACT_OK;
}

char terms[] SEC("license") = "Apache-2.0";
