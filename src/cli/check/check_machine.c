/* SPDX-License-Identifier: Apache-2.0 */
/* What this server's row takes: memory, receive rings, cores; and whether this machine has them. */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "cli/check/check.h"
#include "port/kernel_address.h"
#include "port/pci_device.h"
#include "port/port.h"
#include "record/disk.h"
#include "record/journal_format.h"
#include "site/read/suggest.h"

static void __attribute__((format(printf, 2, 3))) note(struct check_machine *machine, const char *format, ...)
{
    va_list arguments;

    if (machine->note_count == CHECK_NOTES_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(machine->note[machine->note_count++], CHECK_NOTE_BYTES, format, arguments);
    va_end(arguments);
}

static bool has_driver(const char *name, struct suggest *near)
{
    for (uint32_t i = 0; port_table[i]; i++) {
        if (!strcmp(port_table[i]->name, name))
            return true;
        suggest_offer(near, port_table[i]->name);
    }
    return false;
}

/* Of the port that meters speak to. */
static uint32_t check_sampled_values(const struct check *check, const struct site_driver *driver,
                                     FILE *report)
{
    const struct site_port *port = &check->site.server.port[0];
    const struct port_driver *known = port_find_driver(driver->name);

    if (!port->sampled_values || strcmp(port->driver, driver->name) || !known || known->kind == PORT_FRAMES)
        return 0;
    fprintf(report, "%s:%u:%u: error: driver %s carries UDP alone, and a meter sends sampled values: take "
            "af_packet, af_xdp or pci\n", check->options.site, driver->line, driver->column, driver->name);
    return 1;
}

uint32_t check_drivers(const struct check *check, FILE *report)
{
    uint32_t faults = 0;

    for (uint32_t i = 0; i < check->site.driver_count; i++) {
        const struct site_driver *driver = &check->site.driver[i];
        struct suggest near;

        faults += check_sampled_values(check, driver, report);
        suggest_start(&near, driver->name);
        if (has_driver(driver->name, &near))
            continue;
        fprintf(report, "%s:%u:%u: error: there is no driver '%s', ", check->options.site, driver->line,
                driver->column, driver->name);
        if (near.best)
            fprintf(report, "did you mean '%s'?\n", near.best);
        for (uint32_t d = 0; !near.best && port_table[d]; d++)
            fprintf(report, "%s%s%s", d ? ", " : "this build has ", port_table[d]->name,
                    port_table[d + 1] ? "" : "\n");
        faults++;
    }
    return faults;
}

static void look_at_core(struct check_machine *machine, int core, const char *what)
{
    long cores = sysconf(_SC_NPROCESSORS_CONF);
    cpu_set_t allowed;

    if (core < 0)
        return;
    if (core >= cores) {
        note(machine, "%s is on core %d, this machine has cores 0 to %ld", what, core, cores - 1);
        return;
    }
    if (!sched_getaffinity(0, sizeof allowed, &allowed) && core < CPU_SETSIZE && !CPU_ISSET(core, &allowed))
        note(machine, "%s is on core %d, which is offline or not ours", what, core);
}

static uint64_t wanted_bytes(const struct check_machine *machine)
{
    uint64_t wanted = machine->loop.total + machine->journal_bytes + machine->dpdk_bytes;

    for (uint32_t i = 0; i < PORTS_MAX; i++)
        wanted += machine->ring_bytes[i];
    return wanted;
}

static void look_at_card(struct check_machine *machine, const char *address)
{
    struct port port = {0};
    struct pci_device device;

    if (pci_device_look(&port, PCI_SYSFS, address, &device))
        note(machine, "%s", port.error);
}

/* Cores, memory and interfaces of the machine that the check runs on. */
static void look_at_machine(struct check *check)
{
    struct check_machine *machine = &check->machine;
    const struct site_server *server = &check->site.server;
    long pages = sysconf(_SC_AVPHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t wanted = wanted_bytes(machine);

    for (uint32_t t = 0; t < machine->crew.threads; t++)
        look_at_core(machine, machine->crew.thread[t].core, machine->crew.thread[t].name);
    look_at_core(machine, server->housekeeping_core, "housekeeping");
    for (uint32_t i = 0; i < server->port_count; i++) {
        const struct site_port *port = &server->port[i];
        bool kernel = strcmp(port->driver, "pcap") && strcmp(port->driver, "synthetic") &&
                      !strchr(port->interface, ':');    /* a PCI address is no interface of the kernel */

        if (kernel && !if_nametoindex(port->interface))
            note(machine, "there is no interface %s on this machine", port->interface);
        if (!strcmp(port->driver, "pci"))
            look_at_card(machine, port->interface);
    }
    if (pages > 0 && page > 0 && wanted > (uint64_t)pages * (uint64_t)page)
        note(machine, "%.0f MiB are wanted and %.0f MiB are free", (double)wanted / (1 << 20),
             (double)pages * (double)page / (1 << 20));
}

/* Also of a default row: an interface of that name is evidence enough. */
static void look_at_addresses(struct check *check)
{
    const struct site_server *server = &check->site.server;

    for (uint32_t i = 0; i < server->port_count; i++) {
        const struct site_port *port = &server->port[i];
        char words[CHECK_NOTE_BYTES];

        if (if_nametoindex(port->interface) &&
            kernel_address_check(port->driver, port->interface, port->own.ipv4, words, sizeof words))
            note(&check->machine, "%s", words);
    }
}

static bool uses_dpdk(const char *driver)
{
    return strcmp(driver, "uring") && strcmp(driver, "pcap") && strcmp(driver, "synthetic");
}

int check_machine_look(struct check *check)
{
    struct check_machine *machine = &check->machine;
    const struct site_server *server = &check->site.server;
    int rc = 0;

    gethostname(machine->host, sizeof machine->host - 1);
    machine->known = *server->name != '\0';
    if (!machine->known)
        return 0;
    machine->here = !strcmp(server->name, machine->host);
    rc = crew_make(&machine->crew, server);
    if (!rc)
        rc = loop_measure(&check->site, &machine->loop);
    machine->journal_bytes = *server->journal ? (uint64_t)DISK_DEPTH * JOURNAL_BLOCK_BYTES : 0;
    for (uint32_t i = 0; i < server->port_count; i++) {
        const struct site_port *port = &server->port[i];
        const struct port_driver *driver = port_find_driver(port->driver);

        if (driver && driver->ring_bytes)
            machine->ring_bytes[i] = port->queues * driver->ring_bytes(port->mtu, port->ring_frames);
        if (uses_dpdk(port->driver))
            machine->dpdk_bytes = (uint64_t)server->memory_mib << 20;
    }
    if (!rc && machine->here)
        look_at_machine(check);
    if (!rc)
        look_at_addresses(check);
    return rc;
}

static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

static void print_core(const char *what, int core)
{
    if (core < 0)
        printf("%s anywhere", what);
    else
        printf("%s on core %d", what, core);
}

static void print_cores(const struct check *check)
{
    const struct site_server *s = &check->site.server;
    const struct crew *crew = &check->machine.crew;

    for (uint32_t t = 0; t < crew->threads; t++) {
        const struct crew_thread *thread = &crew->thread[t];
        uint32_t lanes = (uint32_t)__builtin_popcount(thread->lanes);

        printf("%s", !t ? "  cores     " : t % 3 ? "; " : ";\n            ");
        print_core(thread->name, thread->core);
        if (lanes)
            printf(" (%u lane%s)", lanes, lanes == 1 ? "" : "s");
    }
    print_core(crew->threads > 2 ? ";\n            everything else" : "; everything else",
               s->housekeeping_core);
    if (s->deadline_period_ns)
        printf("; SCHED_DEADLINE, %lld us of every %lld us\n",
               (long long)(s->deadline_runtime_ns / NS_PER_US),
               (long long)(s->deadline_period_ns / NS_PER_US));
    else if (s->priority)
        printf("; SCHED_FIFO %d\n", s->priority);
    else
        printf("; no real-time priority\n");
}

static void print_rings(const struct check *check)
{
    const struct site_server *s = &check->site.server;

    for (uint32_t i = 0; i < s->port_count; i++) {
        const struct site_port *port = &s->port[i];

        printf("  port      %s %s, %u queue%s, ring of %u frames", port->driver, port->interface,
               port->queues, port->queues == 1 ? "" : "s", port->ring_frames);
        if (check->machine.ring_bytes[i])
            printf(", %.1f MiB of kernel memory\n", mib(check->machine.ring_bytes[i]));
        else
            printf("\n");
    }
}

void check_machine_text(const struct check *check)
{
    const struct check_machine *machine = &check->machine;
    const struct loop_memory *l = &machine->loop;
    uint64_t total = wanted_bytes(machine);

    if (!machine->known && check->site.driver_count)
        printf(
            "\nno row of servers bears the name of this machine (%s): --server NAME shows what one takes\n",
            machine->host);
    if (!machine->known)
        return;
    printf("\nserver %s%s%s%s\n", check->site.server.name,
           machine->here ? " (this machine)" : " (not held against this machine, ",
           machine->here ? "" : machine->host, machine->here ? "" : ", whose name it does not bear)");
    printf("  memory    %.1f MiB: loop %.1f (core %.1f, ring %.1f, queues %.1f, tap %.1f, view %.1f, stages "
           "%.1f,"
           "\n            spectra %.1f), DPDK %.0f in %s pages, journal %.1f, packet rings %.1f\n",
           mib(total), mib(l->total), mib(l->core), mib(l->ring), mib(l->queues), mib(l->tap), mib(l->view),
           mib(l->paths), mib(l->spectra), mib(machine->dpdk_bytes),
           check->site.server.hugepages ? "2 MiB" : "4 KiB", mib(machine->journal_bytes),
           mib(total - l->total - machine->journal_bytes - machine->dpdk_bytes));
    print_cores(check);
    print_rings(check);
    for (uint32_t i = 0; i < machine->note_count; i++)
        printf("  !         %s\n", machine->note[i]);
}

static json_t *json_ports(const struct check *check)
{
    json_t *ports = json_array();

    for (uint32_t i = 0; i < check->site.server.port_count; i++) {
        const struct site_port *port = &check->site.server.port[i];

        json_array_append_new(ports, json_pack("{s:s, s:s, s:i, s:i, s:I}", "driver", port->driver,
                                               "interface", port->interface, "queues", (int)port->queues,
                                               "ring_frames", (int)port->ring_frames, "kernel_ring_bytes",
                                               (json_int_t)check->machine.ring_bytes[i]));
    }
    return ports;
}

static json_t *json_threads(const struct check *check)
{
    const struct crew *crew = &check->machine.crew;
    json_t *threads = json_array();

    for (uint32_t t = 0; t < crew->threads; t++)
        json_array_append_new(threads, json_pack("{s:s, s:i, s:b, s:i}", "name", crew->thread[t].name, "core",
                                                 crew->thread[t].core, "decide",
                                                 (crew->thread[t].roles & HOT_DECIDE) != 0, "lanes",
                                                 __builtin_popcount(crew->thread[t].lanes)));
    return threads;
}

json_t *check_machine_json(const struct check *check)
{
    const struct check_machine *machine = &check->machine;
    const struct loop_memory *l = &machine->loop;
    const struct site_server *s = &check->site.server;
    json_t *notes = json_array();

    if (!machine->known) {
        json_decref(notes);
        return json_null();
    }
    for (uint32_t i = 0; i < machine->note_count; i++)
        json_array_append_new(notes, json_string(machine->note[i]));
    json_t *loop =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "total", (json_int_t)l->total, "core",
                  (json_int_t)l->core, "ring", (json_int_t)l->ring, "queues", (json_int_t)l->queues, "tap",
                  (json_int_t)l->tap, "view", (json_int_t)l->view, "stages", (json_int_t)l->paths, "spectra",
                  (json_int_t)l->spectra);

    return json_pack("{s:s, s:b, s:o, s:I, s:b, s:I, s:o, s:i, s:i, s:o, s:o}", "server", s->name,
                     "this_machine", (int)machine->here, "loop_bytes", loop, "dpdk_bytes",
                     (json_int_t)machine->dpdk_bytes, "hugepages", (int)s->hugepages, "journal_bytes",
                     (json_int_t)machine->journal_bytes, "threads", json_threads(check),
                     "housekeeping_core", s->housekeeping_core, "priority", s->priority,
                     "ports", json_ports(check), "findings", notes);
}
