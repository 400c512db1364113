/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's AF_XDP sockets under DPDK's driver for them. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "port/dpdk.h"

enum {
    RING_BUFFERS = 8192,            /* per queue, where the kernel holds them: 2048 in each of its rings */
    HEADROOM = 256,                 /* the kernel keeps it free in every chunk */
    XDP_MTU_MAX = 3400,             /* a whole buffer, headers and padding included, within a page */
};

/* busy_budget=0: polling by us, not by the kernel's preferred busy polling, which needs its sysctls changed.
 * */
static int compose(struct port *port, const struct port_config *config, struct recipe *recipe)
{
    if (config->mtu > XDP_MTU_MAX)
        return port_fail(port, -EMSGSIZE, "%s: af_xdp carries MTU %d at most", config->interface,
                         XDP_MTU_MAX);
    int channels = kernel_interface_channels(config->interface);
    if (channels < (int)config->queues)
        return port_fail(port, -EINVAL,
                         "%s: %u queues, but the interface has %d combined channel%s for af_xdp",
                         config->interface, config->queues, channels, channels == 1 ? "" : "s");
    recipe->bus = "vdev";
    recipe->patient = true;
    snprintf(recipe->device, sizeof recipe->device, "net_af_xdp_%s", config->interface);
    recipe->domain = AF_XDP;
    recipe->buffers = RING_BUFFERS;
    recipe->buffer_bytes = config->mtu + ETHERNET_HEADER_BYTES + DPDK_VLAN_BYTES + HEADROOM;
    snprintf(recipe->arguments, sizeof recipe->arguments,
             "iface=%s,start_queue=0,queue_count=%u,busy_budget=0", config->interface, config->queues);
    return 0;
}

static int xdp_open(struct port *port, const struct port_config *config)
{
    return dpdk_open_interface(port, config, compose);
}

const struct port_driver port_af_xdp = {
    .name = "af_xdp",
    .summary = "the kernel's XDP sockets through DPDK: faster, 2048 frames deep at most, MTU 3400 at most",
    DPDK_DRIVER,
    .open = xdp_open,
};
