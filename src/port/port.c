/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a port by its driver's name and hands every call to that driver. */
#include "port/port.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port/driver.h"

int port_fail(struct port *port, int error, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    vsnprintf(port->error, sizeof port->error, format, words);
    va_end(words);
    return error;
}

/* Behind what the driver has noted. */
static void tell_stamps(struct port *port, const struct port_config *config)
{
    size_t used = strlen(port->note);
    snprintf(port->note + used, sizeof port->note - used, "%s%s on %s: there are no stamps of %s",
             used ? "; " : "", config->driver, config->interface,
             config->stamps == STAMPS_CARD ? "a card" : "the kernel");
}

void port_counters_sum(const struct port_counters *counters, struct port_statistics *statistics)
{
    statistics->received += atomic_load_explicit(&counters->received, memory_order_relaxed);
    statistics->received_bytes += atomic_load_explicit(&counters->received_bytes, memory_order_relaxed);
    statistics->receive_errors += atomic_load_explicit(&counters->receive_errors, memory_order_relaxed);
    statistics->sent += atomic_load_explicit(&counters->sent, memory_order_relaxed);
    statistics->sent_bytes += atomic_load_explicit(&counters->sent_bytes, memory_order_relaxed);
    statistics->refused += atomic_load_explicit(&counters->refused, memory_order_relaxed);
}

bool port_fits(const struct port *port, const uint8_t *frame, uint32_t length)
{
    if (length < ETHERNET_HEADER_BYTES)
        return false;
    bool tagged = frame[12] == 0x81 && frame[13] == 0x00;       /* IEEE 802.1Q */
    return length <= port_longest(port) - (tagged ? 0 : VLAN_TAG_HEADER_BYTES);
}

uint32_t port_fitting(const struct port *port, const struct port_frame *frame, uint32_t count)
{
    uint32_t i = 0;
    while (i < count && port_fits(port, frame[i].data, frame[i].length))
        i++;
    return i;
}

void port_made_mac(uint8_t mac[6], uint32_t ipv4)
{
    const uint8_t made[6] = {0x02, 0xf1, (uint8_t)(ipv4 >> 24), (uint8_t)(ipv4 >> 16), (uint8_t)(ipv4 >> 8),
                             (uint8_t)ipv4};
    memcpy(mac, made, sizeof made);
}

const struct port_driver *port_find_driver(const char *name)
{
    for (const struct port_driver *const *driver = port_table; *driver; driver++)
        if (name && !strcmp((*driver)->name, name))
            return *driver;
    return NULL;
}

static int check_config(struct port *port, const struct port_config *config)
{
    if (!config->interface || !config->interface[0])
        return port_fail(port, -EINVAL, "no interface named");
    if (config->mtu < MTU_MIN || config->mtu > MTU_MAX)
        return port_fail(port, -EINVAL, "%s: MTU %u is outside %d to %d", config->interface, config->mtu,
                         MTU_MIN, MTU_MAX);
    if (config->queues < 1 || config->queues > LANES_MAX)
        return port_fail(port, -EINVAL, "%s: %u queues, 1 to %d are possible", config->interface,
                         config->queues, LANES_MAX);
    if (config->ring_frames < BURST_MAX || config->ring_frames > UINT32_C(1) << 20)
        return port_fail(port, -EINVAL, "%s: a ring of %u frames is outside %d to 2^20", config->interface,
                         config->ring_frames, BURST_MAX);
    return 0;
}

/* A device whose address differs from the one written down is the wrong device. */
static int check_mac(struct port *port, const struct port_config *config)
{
    if (!config->mac || !memcmp(config->mac, port->mac, sizeof port->mac))
        return 0;
    const uint8_t *mac = port->mac;
    int rc =
        port_fail(port, -ENODEV, "%s: its MAC address is %02x:%02x:%02x:%02x:%02x:%02x, not the one given",
                  config->interface, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    port->driver->close(port);
    return rc;
}

static void *take_state(size_t bytes)
{
    size_t whole_lines = (bytes + 63) / 64 * 64;
    void *state = aligned_alloc(64, whole_lines);
    return state ? memset(state, 0, whole_lines) : NULL;
}

static void drop_state(struct port *port)
{
    free(port->state);
    port->state = NULL;
    port->driver = NULL;
}

int port_open(struct port *port, const struct port_config *config)
{
    memset(port, 0, sizeof *port);
    const struct port_driver *driver = port_find_driver(config->driver);
    if (!driver)
        return port_fail(port, -ENOENT, "this build has no port driver named \"%s\": flyball check SITE says "
                         "where it stands and which there are",
                         config->driver ? config->driver : "");
    int rc = check_config(port, config);
    if (rc)
        return rc;
    port->driver = driver;
    port->mtu = config->mtu;
    port->state = take_state(driver->state_bytes);
    rc = port->state ? driver->open(port, config)
                     : port_fail(port, -ENOMEM, "%s: no memory", config->interface);
    if (!rc)
        rc = check_mac(port, config);
    if (rc)
        drop_state(port);
    else if (port->stamps != config->stamps)
        tell_stamps(port, config);
    return rc;
}

int port_attach(struct port *port, uint32_t queue)
{
    return port->driver->attach(port, queue);
}

uint32_t port_receive(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count)
{
    return port->driver->receive(port, queue, frame, count < BURST_MAX ? count : BURST_MAX);
}

bool port_emptied(const struct port *port, uint32_t queue)
{
    return !port->driver->leaves || !port->driver->leaves(port, queue);
}

bool port_clock(const struct port *port, int64_t *clock_ns)
{
    return port->driver->clock && port->driver->clock(port, clock_ns);
}

uint32_t port_send(struct port *port, uint32_t queue, const struct port_frame *frame, uint32_t count)
{
    return port->driver->send(port, queue, frame, count);
}

void port_statistics(struct port *port, struct port_statistics *statistics)
{
    memset(statistics, 0, sizeof *statistics);
    port->driver->statistics(port, statistics);
}

int port_link(struct port *port)
{
    return port->driver->link(port);
}

void port_close(struct port *port)
{
    if (!port->driver)
        return;
    port->driver->close(port);
    drop_state(port);
}
