/* SPDX-License-Identifier: Apache-2.0 */
/* Packets: memory for them, the card. */
#include <errno.h>
#include <string.h>

#include "cli/doctor/doctor_change.h"
#include "cli/doctor/doctor_file.h"
#include "cli/doctor/doctor_process.h"
#include "site/site.h"

#define HUGE_PAGES "/sys/kernel/mm/hugepages/hugepages-2048kB"
enum { PAGE_MIB = 2 };

static int64_t pages_wanted(const struct doctor *doctor)
{
    return doctor->server ? (doctor->server->memory_mib + PAGE_MIB - 1) / PAGE_MIB : 1;
}

enum doctor_state doctor_hugepages(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    int64_t pages = 0, wanted = pages_wanted(doctor);
    struct doctor_process daemon;
    int error = doctor_read_number(doctor, &pages, HUGE_PAGES "/free_hugepages");
    if (error) {
        snprintf(said, DOCTOR_SAID_BYTES, HUGE_PAGES ": %s", strerror(-error));
        return DOCTOR_UNKNOWN;
    }
    bool runs = doctor_process_find(doctor, "flyballd", &daemon) > 0;
    snprintf(said, DOCTOR_SAID_BYTES, "%lld free pages of 2 MiB, %lld wanted%s", (long long)pages,
             (long long)wanted, runs ? "; flyballd runs and has what it could get" : "");
    return runs ? DOCTOR_APART : pages < wanted ? DOCTOR_LACKS : DOCTOR_OK;
}

int doctor_fix_hugepages(const struct doctor *doctor)
{
    char text[32];
    int64_t free_pages, pages;
    int error = doctor_read_number(doctor, &free_pages, HUGE_PAGES "/free_hugepages");
    if (!error)
        error = doctor_read_number(doctor, &pages, HUGE_PAGES "/nr_hugepages");
    if (error)
        return error;
    snprintf(text, sizeof text, "%lld", (long long)(pages + pages_wanted(doctor) - free_pages));
    return doctor_replace(doctor, text, HUGE_PAGES "/nr_hugepages");
}

bool doctor_is_pci(const struct site_port *port)
{
    return strchr(port->interface, ':');
}

/* The driver that has the device: of the kernel for an interface, or one that hands a card to DPDK. */
static int find_driver(const struct doctor *doctor, const struct site_port *port, char *name, size_t bytes)
{
    if (doctor_is_pci(port))
        return doctor_read_link(doctor, name, bytes, "/sys/bus/pci/devices/%s/driver", port->interface);
    return doctor_read_link(doctor, name, bytes, "/sys/class/net/%s/device/driver", port->interface);
}

enum doctor_state doctor_card(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    int length = 0;
    enum doctor_state state = DOCTOR_OK;
    for (uint32_t i = 0; doctor->server && i < doctor->server->port_count; i++) {
        const struct site_port *port = &doctor->server->port[i];
        char name[64] = "";
        bool there = doctor_is_pci(port) ? doctor_is_there(doctor, "/sys/bus/pci/devices/%s", port->interface)
                                  : doctor_is_there(doctor, "/sys/class/net/%s", port->interface);
        int error = find_driver(doctor, port, name, sizeof name);
        if (!there || error)
            state = DOCTOR_LACKS;
        length += snprintf(said + length, (size_t)(DOCTOR_SAID_BYTES - length), "%s%.40s: %s",
                           length ? "; " : "", port->interface,
                           !there  ? "not on this host"
                           : error ? "no card behind it, the kernel made it"
                                   : name);
        if (length >= DOCTOR_SAID_BYTES)
            length = DOCTOR_SAID_BYTES - 1;
    }
    if (length)
        return state;
    snprintf(said, DOCTOR_SAID_BYTES, "give the site file to have its ports looked at");
    return DOCTOR_APART;
}

/* Of a veth or a bridge: no card's interrupt brings its frames, but a softirq on the core where they were
 * handed over, and ksoftirqd there where that is busy. */
static bool waits_for_softirqs(const struct doctor *doctor, const struct site_port *port)
{
    int64_t threaded = 0;
    return !doctor_is_pci(port) && doctor_is_there(doctor, "/sys/class/net/%s", port->interface) &&
           !doctor_is_there(doctor, "/sys/class/net/%s/device", port->interface) &&
           (doctor_read_number(doctor, &threaded, "/sys/class/net/%s/threaded", port->interface) ||
            !threaded);
}

static bool is_in_real_time(const struct site_server *server)
{
    return server && (server->priority || server->deadline_period_ns);
}

enum doctor_state doctor_softirqs(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    char cores[DOCTOR_SAID_BYTES];
    const struct site_server *server = doctor->server;
    for (uint32_t i = 0; is_in_real_time(server) && i < server->port_count; i++) {
        const struct site_port *port = &server->port[i];
        if (!waits_for_softirqs(doctor, port) || doctor_isolated(doctor, cores) == DOCTOR_OK)
            continue;
        snprintf(said, DOCTOR_SAID_BYTES,
                 "%.40s has no card and no NAPI thread, and the loop's cores are not "
                 "isolated: ksoftirqd may wait behind the loop",
                 port->interface);
        return DOCTOR_LACKS;
    }
    snprintf(said, DOCTOR_SAID_BYTES, "%s", !server ? "give the site file to have its ports looked at"
             : !server->priority ? "the loop does not run in real time"
                                 : "no port's frames wait for ksoftirqd behind the loop");
    return server && server->priority ? DOCTOR_OK : DOCTOR_APART;
}
