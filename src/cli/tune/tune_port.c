/* SPDX-License-Identifier: Apache-2.0 */
/* The site's own ports: opened as the daemon opens them, one after the other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tune/tune_burst.h"
#include "cli/tune/tune_path.h"
#include "loop/port_row.h"
#include "port/ip/ping.h"
#include "rt/clock.h"
#include "rt/thread.h"

#define RESOLVE_NS (2 * NS_PER_S)
#define RESOLVE_EACH_NS (2 * NS_PER_MS)     /* requests are rate limited, ip.h */
enum { PING_IDENTIFIER = 0xF1BA };

struct bed {
    struct tune *tune;
    uint32_t index;
    bool hosts;                 /* hosts are reached by this port */
    struct port port;
    struct endpoint own;
    struct ip_port *ip;         /* NULL: the kernel owns the address */
    void *ip_memory;
    /* of the newest poll */
    struct port_frame frame[BURST_MAX];
    uint32_t frames, next;
    int64_t t_poll_ns;
};

static const struct site_port *row_of(const struct bed *bed)
{
    return &bed->tune->site.server.port[bed->index];
}

static int open_port(struct bed *bed)
{
    char why[TUNE_NOTE_BYTES];
    int rc = port_row_open(&bed->port, &bed->tune->site.server, bed->index, 1, why, sizeof why);
    if (rc)
        tune_note(bed->tune, "%s", why);
    return rc;
}

static int own_address(struct bed *bed)
{
    const struct site_port *row = row_of(bed);
    uint32_t neighbours = bed->hosts ? bed->tune->site.model.host_count : 0;
    bed->own = port_row_end(&bed->port, row);
    if (bed->port.driver->kind != PORT_FRAMES)
        return 0;
    bed->ip = aligned_alloc(64, sizeof *bed->ip);
    bed->ip_memory = aligned_alloc(64, (ip_bytes(row->mtu, neighbours, 1) + 63) / 64 * 64);
    if (!bed->ip || !bed->ip_memory)
        return -ENOMEM;
    const struct ip_config config = {.own = bed->own, .prefix = row->prefix, .gateway = row->gateway,
                                     .port = &bed->port, .asides = 1, .mtu = row->mtu,
                                     .neighbours = neighbours};
    ip_init(bed->ip, &config, bed->ip_memory);
    return 0;
}

/* ---- receive burst ---- */

static const char *netns_of(const struct bed *bed)
{
    const struct tune_options *o = &bed->tune->options;
    if (bed->index == 0 && o->meters_netns)
        return o->meters_netns;
    return bed->hosts ? o->hosts_netns : NULL;
}

static void measure_burst(struct bed *bed)
{
    struct measured *found = &bed->tune->found;
    const struct site_port *row = row_of(bed);
    bool memory = !strcmp(row->driver, "synthetic");
    const struct burst burst = {.port = &bed->port, .ip = bed->ip, .row = row, .netns = netns_of(bed),
                                .sender_core = bed->tune->site.server.housekeeping_core};
    struct measured_ring *ring = &found->ring[found->ring_count];
    if (!memory && !burst.netns) {
        tune_note(bed->tune, "receive burst of %.60s: not measured, nothing here can send to it (see "
                  "--meters-netns, --hosts-netns); the ring is computed", row->interface);
        return;
    }
    int rc = memory ? burst_in_memory(&burst, ring) : burst_measure(&burst, ring);
    if (!rc)
        found->ring_count++;
    else if (rc == -ETIMEDOUT)
        tune_note(bed->tune,
                  "receive burst of %.60s: not measured, nothing sent from namespace %.40s arrives",
                  row->interface, burst.netns);
    else
        tune_note(bed->tune, "receive burst of %.60s: not measured: %s", row->interface, strerror(-rc));
}

/* ---- the way to the hosts, through this port ---- */

static void receive(struct bed *bed)
{
    bed->next = 0;
    bed->frames = port_receive(&bed->port, 0, bed->frame, BURST_MAX);
    bed->t_poll_ns = clock_monotonic_ns();
}

static bool next_answer(void *argument, uint32_t *ipv4, uint16_t *round, int64_t *t_ns)
{
    struct bed *bed = argument;
    struct ping ping;
    if (bed->next == bed->frames)
        receive(bed);
    while (bed->next < bed->frames) {
        const struct port_frame *frame = &bed->frame[bed->next++];
        if (!ping_parse(frame, &bed->own, &ping) || ping.identifier != PING_IDENTIFIER) {
            ip_set_aside(&bed->ip->aside[0], frame);
            continue;
        }
        *ipv4 = ping.ipv4;
        *round = ping.sequence;
        *t_ns = bed->t_poll_ns;
        return true;
    }
    return false;
}

static void turn(void *argument)
{
    struct bed *bed = argument;
    ip_turn(bed->ip, clock_monotonic_ns());
}

static bool find_mac(struct bed *bed, uint32_t host, uint8_t mac[6])
{
    const struct site_address *address = &bed->tune->site.host_address[host];
    if (!address->has_mac)
        return ip_find_mac(bed->ip, address->ipv4, mac);
    memcpy(mac, address->mac, sizeof address->mac);
    return true;
}

static int send_one(void *argument, uint32_t host, uint16_t round)
{
    struct bed *bed = argument;
    uint8_t data[PING_FRAME_BYTES], mac[6];
    const struct ping ping = {.ipv4 = bed->tune->site.host_address[host].ipv4, .identifier = PING_IDENTIFIER,
                              .sequence = round};
    if (!find_mac(bed, host, mac))
        return -EHOSTUNREACH;
    struct port_frame frame = {.data = data, .length = ping_build(data, &bed->own, mac, &ping)};
    return port_send(&bed->port, 0, &frame, 1) == 1 ? 0 : -ENOBUFS;
}

/* ARP for all of them first: a first round trip would hold the asking too. */
static void resolve(struct bed *bed)
{
    uint32_t hosts = bed->tune->site.model.host_count, known = 0;
    int64_t end_ns = clock_monotonic_ns() + RESOLVE_NS + hosts * RESOLVE_EACH_NS;
    while (known < hosts && clock_monotonic_ns() < end_ns) {
        uint8_t mac[6];
        uint32_t ipv4;
        uint16_t round;
        int64_t t_ns;
        while (next_answer(bed, &ipv4, &round, &t_ns))
            ;
        turn(bed);
        known = 0;
        for (uint32_t h = 0; h < hosts; h++)
            known += find_mac(bed, h, mac);
    }
}

static void measure_path(struct bed *bed)
{
    struct tune *tune = bed->tune;
    const struct path_way way = {.way = bed, .send = send_one, .receive = next_answer, .turn = turn};
    tune_schedule(tune, tune->site.server.lane_core[0]);
    resolve(bed);
    int rc = path_measure(&tune->site, &way, (int64_t)(tune->options.seconds * 1e9), &tune->found.path);
    if (rc)
        tune_note(tune, "way to the hosts: not measured: %s", strerror(-rc));
}

/* ---- a port ---- */

/* Without a priority at first: the sender is a thread of this one's kind. */
static int run_port(void *argument)
{
    struct bed *bed = argument;
    int rc = port_attach(&bed->port, 0);
    if (rc)
        return rc;
    measure_burst(bed);
    if (bed->hosts && bed->ip && strcmp(row_of(bed)->driver, "synthetic"))
        measure_path(bed);
    return 0;
}

static void kernel_path(struct tune *tune)
{
    int rc = path_by_kernel(&tune->site, (int64_t)(tune->options.seconds * 1e9), &tune->found.path);
    if (rc)
        tune_note(tune, "way to the hosts: not measured, no echo through the kernel: %s", strerror(-rc));
}

static int measure_port(struct bed *bed)
{
    struct tune *tune = bed->tune;
    const struct site_server *server = &tune->site.server;
    if (open_port(bed))
        return 0;
    int rc = own_address(bed);
    if (!rc)
        rc = tune_on_core(tune, server->lane_core[0], false, run_port, bed);
    if (rc)
        tune_note(tune, "port %.60s: %s", row_of(bed)->interface, strerror(-rc));
    if (bed->hosts && !bed->ip && !rc)
        kernel_path(tune);
    port_close(&bed->port);
    return 0;
}

int tune_ports(struct tune *tune)
{
    uint32_t ports = tune->site.server.port_count;
    int rc = 0;
    for (uint32_t i = 0; i < ports && !rc; i++) {
        struct bed *bed = calloc(1, sizeof *bed);
        if (!bed)
            return -ENOMEM;
        bed->tune = tune;
        bed->index = i;
        bed->hosts = i + 1 == ports;
        rc = measure_port(bed);
        free(bed->ip_memory);
        free(bed->ip);
        free(bed);
    }
    if (!tune->found.path.hosts)
        tune_note(tune, "way to the hosts: not measured");
    else if (!tune->found.path.answered)
        tune_note(tune, "way to the hosts: none answers an echo request");
    tune_note(tune, "way to the meters: not measured, the site file has no addresses of meters");
    return rc;
}
