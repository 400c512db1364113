/* SPDX-License-Identifier: Apache-2.0 */
/* servers: one row per machine; the one that fits this host name becomes the site's server. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "site/read/draft.h"
#include "site/read/suggest.h"

static const char *const scheduler_words[] = {"fifo", "deadline", NULL};
static const char *const interrupt_words[] = {"leave", "away", NULL};
static const char *const throttle_words[] = {"leave", "lift", NULL};
static const char *const idle_words[] = {"leave", "awake", NULL};
static const char *const hugepage_words[] = {"no", "yes", "auto", NULL};
static const char *const stamp_words[] = {"off", "kernel", "card", NULL};     /* as enum port_stamps */
static const char *const role_words[] = {"meters", "hosts", "both", NULL};
enum { HUGEPAGES_AUTO = 2, ROLE_METERS = 0, ROLE_HOSTS, ROLE_BOTH };

struct row {
    struct value name, ports, cords, cores, budget, scheduler, priority, deadline, lock_memory, throttling,
        interrupts, idle, hugepages, memory, eal, journal, door, order_group, ledger, keys, measured;
};

struct port {
    struct value role, driver, interface, address, gateway, vlan, udp, mac, queues, mtu, ring, stamps;
};

struct cores {
    struct value core[3];
};

struct deadline {
    struct value runtime, period;
};

/* A pause of the loop is none that its gap meter counts as a gap, not even two in a row. */
#define PAUSE_MOST_NS (500 * NS_PER_US)

#define AT(member) .offset = offsetof(struct row, member)
static const struct field row_fields[] = {
    {.key = "name", .kind = FIELD_TEXT, .most = 63, .required = 1, AT(name)},
    {.key = "ports", .kind = FIELD_LIST, .required = 1, AT(ports)},
    {.key = "cords", .kind = FIELD_LIST, AT(cords)},    /* read by read_gear.c */
    {.key = "cores", .kind = FIELD_ANY, AT(cores)},
    {.key = "budget", .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = NS_PER_MS,
     .most = 60 * NS_PER_S, .otherwise = 50 * NS_PER_MS, AT(budget)},
    {.key = "scheduler", .kind = FIELD_WORD, .words = scheduler_words, AT(scheduler)},
    {.key = "priority", .kind = FIELD_COUNT, .least = 0, .most = 98, AT(priority)},
    {.key = "deadline", .kind = FIELD_ANY, AT(deadline)},
    {.key = "lock_memory", .kind = FIELD_SWITCH, .otherwise = 1, AT(lock_memory)},
    {.key = "rt_throttling", .kind = FIELD_WORD, .words = throttle_words, AT(throttling)},
    {.key = "interrupts", .kind = FIELD_WORD, .words = interrupt_words, AT(interrupts)},
    {.key = "idle_cores", .kind = FIELD_WORD, .words = idle_words, AT(idle)},
    {.key = "hugepages", .kind = FIELD_WORD, .words = hugepage_words, .otherwise = HUGEPAGES_AUTO,
     AT(hugepages)},
    {.key = "memory", .kind = FIELD_QUANTITY, .quantity = QUANTITY_MEMORY, .least = 64, .most = 65536,
     .otherwise = 256, AT(memory)},
    {.key = "eal", .kind = FIELD_TEXT, .most = 255, AT(eal)},
    {.key = "journal", .kind = FIELD_TEXT, .most = 255, AT(journal)},
    {.key = "door", .kind = FIELD_TEXT, .most = 107, AT(door)},
    {.key = "order_group", .kind = FIELD_TEXT, .most = 32, AT(order_group)},
    {.key = "ledger", .kind = FIELD_TEXT, .most = 255, AT(ledger)},
    {.key = "keys", .kind = FIELD_TEXT, .most = 255, AT(keys)},
    {.key = "measured", .kind = FIELD_ANY, AT(measured)},
    FIELD_END};
#undef AT

#define AT(member) .offset = offsetof(struct port, member)
static const struct field port_fields[] = {
    {.key = "role", .kind = FIELD_WORD, .words = role_words, .otherwise = ROLE_BOTH, AT(role)},
    {.key = "driver", .kind = FIELD_ID, .required = 1, AT(driver)},
    {.key = "interface", .kind = FIELD_TEXT, .most = INTERFACE_BYTES - 1, .required = 1, AT(interface)},
    {.key = "address", .kind = FIELD_TEXT, .most = 18, .required = 1, AT(address)},
    {.key = "gateway", .kind = FIELD_TEXT, .most = 15, AT(gateway)},
    {.key = "vlan", .kind = FIELD_COUNT, .least = 1, .most = 4094, AT(vlan)},
    {.key = "udp", .kind = FIELD_COUNT, .least = 1, .most = 65535, .required = 1, AT(udp)},
    {.key = "mac", .kind = FIELD_TEXT, .most = 17, AT(mac)},
    {.key = "queues", .kind = FIELD_COUNT, .least = 1, .most = LANES_MAX, .otherwise = 1, AT(queues)},
    {.key = "mtu", .kind = FIELD_COUNT, .least = 576, .most = 9000, .otherwise = 1500, AT(mtu)},
    {.key = "ring", .kind = FIELD_COUNT, .least = 64, .most = 1 << 20, .otherwise = 32768, AT(ring)},
    {.key = "stamps", .kind = FIELD_WORD, .words = stamp_words, AT(stamps)},
    FIELD_END};
#undef AT

#define CORE(name, i) \
    {.key = name, .kind = FIELD_COUNT, .least = 0, .most = 1023, .otherwise = -1, \
     .offset = offsetof(struct cores, core) + i * sizeof(struct value)}
static const struct field lane_core_fields[] = {CORE("lane", 0), FIELD_END};
static const struct field core_fields[] = {
    {.key = "lane", .kind = FIELD_ANY, .otherwise = -1, .offset = offsetof(struct cores, core)},
    CORE("decide", 1),
    CORE("housekeeping", 2),
    FIELD_END};

/* The kernel takes no period below 100 us. */
static const struct field deadline_fields[] = {
    {.key = "runtime", .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = 50 * NS_PER_US,
     .most = 10 * NS_PER_MS, .otherwise = 940 * NS_PER_US, .offset = offsetof(struct deadline, runtime)},
    {.key = "period", .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = 100 * NS_PER_US,
     .most = 10 * NS_PER_MS, .otherwise = NS_PER_MS, .offset = offsetof(struct deadline, period)},
    FIELD_END};

const struct shape_map draft_server_shapes[] = {
    {"server", row_fields}, {"port", port_fields}, {"cores", core_fields}, {"lane", lane_core_fields},
    {"deadline", deadline_fields}, {0}};

static void set_text(char *into, size_t bytes, const struct value *value)
{
    snprintf(into, bytes, "%s", value->at ? value->text : "");
}

/* Behind the gateway lies what the prefix does not cover, so there must be one. */
static void read_gateway(struct draft *d, const struct value *gateway, struct site_port *out)
{
    if (address_parse_ipv4(gateway->text, &out->gateway))
        finding_at(d->errors, gateway->at,
                   "gateway '%s' is not an IPv4 host address, write one like 198.51.100.254", gateway->text);
    else if (!out->prefix)
        finding_at(d->errors, gateway->at,
                   "a gateway needs to know what is not behind it, write the address with its prefix, "
                   "like 198.51.100.1/24");
    else if ((out->gateway ^ out->own.ipv4) >> (32 - out->prefix) || out->gateway == out->own.ipv4)
        finding_at(d->errors, gateway->at, "gateway %s is not another address of the port's own network /%u",
                   gateway->text, out->prefix);
}

static void note_driver(struct draft *d, const struct value *driver)
{
    if (d->driver_count == SITE_DRIVERS_MAX)
        return;
    struct site_driver *named = &d->driver[d->driver_count++];

    set_text(named->name, sizeof named->name, driver);
    named->line = driver->at->line;
    named->column = driver->at->column;
}

static void read_port(struct draft *d, const struct tree *at, struct port *port, struct site_port *out)
{
    if (fields_read(port_fields, at, "a port", port, d->errors))
        return;
    if (address_parse_ipv4_prefix(port->address.text, &out->own.ipv4, &out->prefix))
        finding_at(d->errors, port->address.at,
                   "address '%s' is not an IPv4 host address, write one like 198.51.100.1 or 198.51.100.1/24",
                   port->address.text);
    if (port->gateway.at)
        read_gateway(d, &port->gateway, out);
    out->vlan = (uint32_t)port->vlan.number;
    out->queues = (uint32_t)port->queues.number;
    out->own.has_mac = port->mac.at != NULL;
    if (out->own.has_mac && address_parse_mac(port->mac.text, out->own.mac))
        finding_at(d->errors, port->mac.at,
                   "mac '%s' is not a host's MAC address, write one like 02:00:00:00:00:0b", port->mac.text);
    out->own.port = (uint16_t)port->udp.number;
    out->mtu = (uint32_t)port->mtu.number;
    out->ring_frames = (uint32_t)port->ring.number;
    out->stamps = (uint8_t)port->stamps.number;
    set_text(out->driver, sizeof out->driver, &port->driver);
    note_driver(d, &port->driver);
    set_text(out->interface, sizeof out->interface, &port->interface);
}

/* One port carries both; of two, one has the meters and one the hosts, and [0] is the meters'. */
static void read_ports(struct draft *d, const struct row *row, struct site_server *out)
{
    struct port port[2] = {0};
    struct site_port found[2] = {0};
    uint32_t count = row->ports.at->count, i = 0, faults = d->errors->count;

    if (count < 1 || count > 2) {
        finding_at(d->errors, row->ports.at,
                   "%u ports, write one for both or one for meters and one for hosts", count);
        return;
    }
    for (const struct tree *at = row->ports.at->first; at; at = at->next, i++)
        read_port(d, at, &port[i], &found[i]);
    if (d->errors->count != faults)
        return;
    if (count == 2 && found[0].queues + found[1].queues > LANES_MAX)
        finding_at(d->errors, port[1].queues.at ? port[1].queues.at : port[0].queues.at,
                   "%u queues over both ports, together they may have %d", found[0].queues + found[1].queues,
                   LANES_MAX);
    out->port_count = count;
    out->port[0] = found[0];
    if (count == 1) {
        if (port[0].role.number != ROLE_BOTH)
            finding_at(d->errors, port[0].role.at, "the only port has role %s, leave role out or write both",
                       port[0].role.text);
        return;
    }
    uint32_t meters = port[0].role.number != ROLE_METERS;

    if (port[meters].role.number != ROLE_METERS || port[!meters].role.number != ROLE_HOSTS)
        finding_at(d->errors, row->ports.at, "of two ports one has role meters and the other role hosts");
    if (!strcmp(found[0].interface, found[1].interface) && !strcmp(found[0].driver, found[1].driver))
        finding_at(d->errors, port[1].interface.at, "both ports open '%s', write one port for both roles",
                   port[1].interface.text);
    out->port[0] = found[meters];
    out->port[1] = found[!meters];
}

/* `auto`: only where enough 2 MiB pages are free now. */
static bool hugepages_free(uint32_t memory_mib)
{
    FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");
    unsigned long pages = 0;

    if (!file)
        return false;
    if (fscanf(file, "%lu", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * 2 >= memory_mib;
}

/* One core for all lanes, or a list that they share in turn. */
static void read_lane_cores(struct draft *d, const struct value *lane, struct site_server *out)
{
    const struct tree *list = lane->at && lane->at->kind == TREE_LIST ? lane->at : NULL;
    const struct tree *at = list ? list->first : lane->at;
    uint32_t lanes = 0, count = list ? list->count : 1;

    out->lane_cores = 1;
    out->lane_core[0] = -1;
    for (uint32_t i = 0; i < out->port_count; i++)
        lanes += out->port[i].queues;
    if (list && !count) {
        finding_at(d->errors, list, "lane is an empty list, name a core or leave it out");
        return;
    }
    if (list && lanes && count > lanes) {
        finding_at(d->errors, list, "%u cores for %u lane%s (one per queue of a port), write 1 to %u", count,
                   lanes, lanes == 1 ? "" : "s", lanes);
        return;
    }
    for (uint32_t i = 0; at && i < count && i < LANES_MAX; i++, at = list ? at->next : NULL) {
        struct value core = {.number = -1};

        field_read(lane_core_fields, at, &core, d->errors);
        out->lane_core[i] = (int)core.number;
        out->lane_cores = i + 1;
    }
}

/* A spinning thread in real time leaves its core to nobody: the door, the journal and the watchdog would
 * never run there. */
static void check_housekeeping(struct draft *d, const struct tree *at, const struct site_server *out)
{
    int core = out->housekeeping_core;
    bool hot = core == out->decide_core;

    for (uint32_t i = 0; i < out->lane_cores; i++)
        hot |= core == out->lane_core[i];
    if (at && hot && out->priority > 0)
        finding_at(d->errors, at,
                   "housekeeping core %d is a hot core too, and at priority %d nothing else would run there, "
                   "name another core or write priority: 0", core, out->priority);
    else if (at && hot && out->deadline_period_ns)
        finding_at(
            d->errors, at,
            "housekeeping core %d is a hot core too, and with scheduler: deadline hardly anything else "
            "would run there, name another core",
            core);
}

static void read_deadline(struct draft *d, const struct row *row, struct site_server *out)
{
    struct deadline deadline = {{.number = 940 * NS_PER_US}, {.number = NS_PER_MS}};

    if (!row->scheduler.number) {
        if (row->deadline.at)
            finding_at(d->errors, row->deadline.at, "only scheduler: deadline has a runtime and a period, "
                       "write that or take deadline out");
        return;
    }
    if (row->priority.at)
        finding_at(d->errors, row->priority.at,
                   "priority is one of SCHED_FIFO, and scheduler: deadline knows "
                   "none, take it out");
    if (row->deadline.at && fields_read(deadline_fields, row->deadline.at, "deadline", &deadline, d->errors))
        return;
    int64_t pause_ns = deadline.period.number - deadline.runtime.number;
    const struct tree *at = row->deadline.at ? row->deadline.at : row->scheduler.at;

    if (pause_ns <= 0)
        finding_at(d->errors, at, "a runtime of %lld us does not fit into a period of %lld us, it must leave "
                   "some of it to others", (long long)(deadline.runtime.number / NS_PER_US),
                   (long long)(deadline.period.number / NS_PER_US));
    else if (pause_ns > PAUSE_MOST_NS)
        finding_at(d->errors, at, "the loop would pause for %lld us of every %lld us, at most %lld us are "
                   "no gap", (long long)(pause_ns / NS_PER_US),
                   (long long)(deadline.period.number / NS_PER_US), (long long)(PAUSE_MOST_NS / NS_PER_US));
    out->deadline_runtime_ns = deadline.runtime.number;
    out->deadline_period_ns = deadline.period.number;
}

/* Off which cores, if the loop has none of its own? */
static void read_interrupts(struct draft *d, const struct row *row, struct site_server *out)
{
    bool some = out->decide_core >= 0;

    for (uint32_t i = 0; i < out->lane_cores; i++)
        some |= out->lane_core[i] >= 0;
    out->interrupts_away = row->interrupts.number;
    if (out->interrupts_away && !some)
        finding_at(d->errors, row->interrupts.at,
                   "interrupts keep away from the cores of the loop, and cores "
                   "names none, write which they are or take interrupts out");
}

static void read_row(struct draft *d, const struct tree *at, struct row *row, struct site_server *out)
{
    struct cores cores = {{{.number = -1}, {.number = -1}, {.number = -1}}};

    *out = (struct site_server){0};
    if (fields_read(row_fields, at, "a server", row, d->errors))
        return;
    if (row->cores.at)
        fields_read(core_fields, row->cores.at, "cores", &cores, d->errors);
    read_ports(d, row, out);
    read_lane_cores(d, &cores.core[0], out);
    out->decide_core = cores.core[1].at ? (int)cores.core[1].number : out->lane_core[0];
    out->housekeeping_core = (int)cores.core[2].number;
    out->budget_ns = row->budget.number;
    out->priority = (int)row->priority.number;
    read_deadline(d, row, out);
    read_interrupts(d, row, out);
    check_housekeeping(d, cores.core[2].at, out);
    out->lock_memory = row->lock_memory.number;
    out->lift_rt_throttling = row->throttling.number;
    out->hold_awake = row->idle.number;
    out->memory_mib = (uint32_t)row->memory.number;
    out->hugepages = row->hugepages.number == HUGEPAGES_AUTO ? hugepages_free(out->memory_mib)
                                                             : row->hugepages.number;
    set_text(out->name, sizeof out->name, &row->name);
    set_text(out->eal, sizeof out->eal, &row->eal);
    set_text(out->journal, sizeof out->journal, &row->journal);
    set_text(out->door, sizeof out->door, &row->door);
    set_text(out->order_group, sizeof out->order_group, &row->order_group);
    set_text(out->ledger, sizeof out->ledger, &row->ledger);
    set_text(out->keys, sizeof out->keys, &row->keys);
    if (row->measured.at)
        draft_read_measured(d, row->measured.at, &out->measured);
}

/* 2 = the very name, 1 = the default row that stands in for it, 0 = somebody else's. */
static int fits(const struct value *name, const char *wanted)
{
    if (!name->at)
        return 0;
    return !strcmp(name->text, wanted) ? 2 : !strcmp(name->text, "default");
}

int draft_read_server(struct draft *d, const char *name, struct site_server *server)
{
    char host[64] = "";
    int best = 0;
    uint32_t faults = d->errors->count;
    struct suggest near;

    suggest_start(&near, name ? name : "");
    *server = (struct site_server){
        .lane_core = {-1}, .lane_cores = 1, .decide_core = -1, .housekeeping_core = -1};
    gethostname(host, sizeof host - 1);
    for (const struct tree *at = d->servers_at.at ? d->servers_at.at->first : NULL; at; at = at->next) {
        struct row row = {0};
        struct site_server one;

        read_row(d, at, &row, &one);
        if (row.name.at)
            suggest_offer(&near, row.name.text);
        /* the row that `flyball import` writes */
        if (row.name.at && !strcmp(row.name.text, "fill-in"))
            finding_at(d->warnings, row.name.at,
                       "this row is still to be filled in: name, interface, address and cores of the machine "
                       "that runs flyballd");
        int fit = fits(&row.name, name && *name ? name : host);

        /* a server asked for by name is not stood in for */
        if (fit <= best || (name && *name && fit < 2))
            continue;
        best = fit;
        *server = one;
    }
    bool any = name && !*name;

    if (best || any || d->errors->count != faults || (!d->servers_at.at && !name))
        return 0;
    const struct tree *at = d->servers_at.at ? d->servers_at.at : d->root;

    if (name && near.best)
        finding_at(d->errors, at, "there is no server '%s', did you mean '%s'?", name, near.best);
    else if (name)
        finding_at(d->errors, at, "there is no server '%s', add a row with that name", name);
    else
        finding_at(d->errors, at,
                   "no row of servers fits host '%s', add one with that name or one named default", host);
    return 0;
}
