/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For ip_test.py, at a peer's eth0 by `tc`: makes of it what a VLAN interface would be, also in a kernel that
 * was built without them. The tag of what leaves stands beside the frame, as the kernel itself would put it.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

enum { VLAN = 100, ID_MASK = 0x0FFF };

SEC("out")
int tag(struct __sk_buff *frame)
{
    if (!frame->vlan_present)
        bpf_skb_vlan_push(frame, __builtin_bswap16(0x8100), VLAN);
    return 0;
}

SEC("in")
int untag(struct __sk_buff *frame)
{
    if (frame->vlan_present && (frame->vlan_tci & ID_MASK) == VLAN)
        bpf_skb_vlan_pop(frame);
    return 0;
}

char terms[] SEC("license") = "Apache-2.0";
