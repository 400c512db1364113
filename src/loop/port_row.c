/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/port_row.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "port/kernel_address.h"

static struct port_config config_of(const struct site_server *server, const struct site_port *row,
                                    uint32_t queues)
{
    return (struct port_config){.driver = row->driver,
                                .interface = row->interface,
                                .ipv4 = row->own.ipv4,
                                .udp = row->own.port,
                                .mac = row->own.has_mac ? row->own.mac : NULL,
                                .vlan = row->vlan,
                                .mtu = row->mtu,
                                .ring_frames = row->ring_frames,
                                .queues = queues,
                                .stamps = row->stamps,
                                .groups = row->sampled_values,
                                .hugepages = server->hugepages,
                                .memory_mib = server->memory_mib,
                                .housekeeping_core = server->housekeeping_core,
                                .eal_extra = server->eal[0] ? server->eal : NULL};
}

int port_row_open(struct port *port, const struct site_server *server, uint32_t index, uint32_t queues,
                  char *words, size_t bytes)
{
    const struct site_port *row = &server->port[index];
    const struct port_config config = config_of(server, row, queues);
    const struct port_driver *driver = port_find_driver(row->driver);
    if (row->sampled_values && driver && driver->kind != PORT_FRAMES) {
        snprintf(words, bytes, "port %s %s: it carries UDP alone, and a meter sends sampled values: take "
                 "af_packet, af_xdp or pci", row->driver, row->interface);
        return -EINVAL;
    }
    if (kernel_address_check(row->driver, row->interface, row->own.ipv4, words, bytes))
        return -EINVAL;
    int error = port_open(port, &config);
    if (error)
        snprintf(words, bytes, "port %s %s: %s", row->driver, row->interface,
                 port->error[0] ? port->error : strerror(-error));
    /* a word of the site file that is wrong, not a device that is missing */
    return error && !driver ? -EINVAL : error;
}

struct endpoint port_row_end(const struct port *port, const struct site_port *row)
{
    struct endpoint own = {.vlan = (uint16_t)row->vlan, .ipv4 = row->own.ipv4, .port = row->own.port};
    memcpy(own.mac, port->mac, sizeof own.mac);
    return own;
}
