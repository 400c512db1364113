/* SPDX-License-Identifier: Apache-2.0 */
/* site.yaml -> checked model, addresses and this server's row. All or nothing: a site with an error is not
 * loaded. */
#ifndef FLYBALL_SITE_SITE_H
#define FLYBALL_SITE_SITE_H

#include <stdbool.h>
#include <stdio.h>

#include "msg/model.h"
#include "site/clock.h"
#include "site/contract.h"
#include "site/device.h"
#include "site/measured.h"
#include "site/meter.h"
#include "site/shed.h"

enum { SITE_GEAR_BYTES = 64, SITE_GEAR_MAX = 4096, SITE_LINKS_MAX = 1 << 18 };

/* Where a host or the meters are reached; MAC is static until ARP comes (zero = use the interface's peer). */
struct site_address {
    uint32_t ipv4;              /* host byte order */
    uint16_t port;
    uint8_t mac[6];
    bool has_mac;
};

struct site_port {
    char driver[NAME_BYTES];
    char interface[INTERFACE_BYTES];
    struct site_address own;    /* its mac, where given: the device must have it */
    uint32_t prefix;            /* bits of own.ipv4 that make its network; 0: every host is on the link */
    uint32_t gateway;           /* IPv4 on that network, host byte order; 0 = none */
    uint32_t vlan;              /* 1 to 4094, 0 = untagged */
    uint32_t queues;            /* receive queues, one lane each */
    uint32_t mtu;
    uint32_t ring_frames;
    uint8_t stamps;             /* of frames as they come: 0 none, 1 the kernel's, 2 a card's (port/port.h) */
    bool sampled_values;        /* some meter sends Ethernet frames to it */
};

/* The row of `servers:` that fits this machine's host name, or the row named "default". */
struct site_server {
    char name[64];
    uint32_t port_count;        /* 1: meters and hosts on one port; 2: [0] meters, [1] hosts */
    struct site_port port[2];
    int lane_core[LANES_MAX];   /* lane i is on lane_core[i % lane_cores]; -1: not pinned */
    uint32_t lane_cores;        /* at least 1 */
    int decide_core;            /* lanes on it are run to completion; -1: not pinned */
    int housekeeping_core;
    int64_t budget_ns;          /* of every input from outside; 0 = nothing is accounted */
    int priority;               /* SCHED_FIFO, 0 = leave the scheduler alone */
    int64_t deadline_runtime_ns, deadline_period_ns;    /* SCHED_DEADLINE instead; 0 = not */
    bool lock_memory;
    bool lift_rt_throttling;    /* set sched_rt_runtime_us to -1 while running, restore at stop */
    bool interrupts_away;       /* those of devices keep off the hot cores while the daemon runs */
    bool hold_awake;            /* no core sleeps deeply while the daemon runs */
    bool hugepages;
    uint32_t memory_mib;
    char eal[256];              /* more EAL arguments */
    char journal[256];          /* path, "" = none */
    char door[108];             /* local socket */
    char order_group[33];       /* whose members may give orders there; "" = none */
    char ledger[256];           /* path on tmpfs; "" = door with .ledger behind it, "none" = none */
    char keys[256];             /* path of the key file; "" = none */
    struct measured measured;   /* what `flyball tune` found on this server, if it ran */
};

enum { SITE_DRIVERS_MAX = 64 };

/* Where the file names a port driver, in any row of servers: this layer does not know which there are. */
struct site_driver {
    char name[NAME_BYTES];
    uint32_t line, column;
};

/* What the decision does not need but a person does, by node index. */
struct site_note {
    uint8_t steady_term;        /* enum steady_term of site/derive.h: what makes steady_limit no larger */
    uint8_t next_term;          /* what would bind were that one relaxed */
    /* settings_from is given, or nothing is set: without it no oversubscription */
    bool settings_known;
    bool volts_low_assumed;     /* neither it nor a node above says volts_low */
    uint32_t settings;          /* index into site.settings; INDEX_NONE without settings_from */
    int64_t next_ma;            /* and at how many amperes; 0 = nothing else bounds it */
    uint32_t line, column;      /* of the node in the file */
};

/* Where settings come from, in the words of the site file: each different settings_from once. */
struct site_settings { char study[201], as_left[11], by[101]; };

/* What else the file does not say: sets, of a host type, a meter, the policy. */
enum site_assumed {
    ASSUMED_OVERSHOOT = 1, ASSUMED_EFFICIENCY = 2, ASSUMED_POWER_FACTOR = 4, ASSUMED_INRUSH = 8,
    ASSUMED_ERROR = 1, ASSUMED_PERIOD = 2, ASSUMED_FRESH = 4,
    ASSUMED_LEASE = 1, ASSUMED_CLOCKS = 2,
};

/* Who asked for oversubscription at a node. */
enum site_asked { ASKED_NOT, ASKED_BY_POLICY, ASKED_HERE };

/* X(symbol, name) */
#define SITE_SCHEMES(X) \
    X(SCHEME_N, "N") \
    X(SCHEME_N_PLUS_1, "N+1") \
    X(SCHEME_2N, "2N") \
    X(SCHEME_DISTRIBUTED, "distributed") \
    X(SCHEME_CATCHER, "catcher")

enum site_scheme {
#define SITE_SCHEME(symbol, name) symbol,
    SITE_SCHEMES(SITE_SCHEME)
#undef SITE_SCHEME
    SCHEME_COUNT
};

extern const char *const site_scheme_names[SCHEME_COUNT + 1];    /* ends with NULL */
extern const char *const site_mode_names[MODE_ENFORCE + 2];      /* by enum mode; ends with NULL */

/* any: does every host of it have cords on two systems? */
static inline bool site_scheme_pairs(uint32_t scheme)
{
    return scheme == SCHEME_2N || scheme == SCHEME_DISTRIBUTED;
}

/* Where a thing that is no host takes its power; none given = it is not known to go with any loss. */
struct site_feed {
    uint32_t count;
    uint32_t node[CORDS_MAX];
};

enum site_gear_kind { GEAR_CONTROLLER, GEAR_SWITCH, GEAR_PTP, GEAR_KIND_COUNT };

/* Controllers, switches and clocks: of `infrastructure:`, and every server that names its cords. */
struct site_gear {
    char name[SITE_GEAR_BYTES];
    uint8_t kind;               /* enum site_gear_kind */
    struct site_feed feed;
};

enum site_end { END_HOST, END_METER, END_GEAR, END_ALL_HOSTS, END_ALL_METERS };

/* One cable of the network, from a switch (or a controller, where it is plugged in directly). */
struct site_link {
    uint32_t gear;
    uint32_t end;               /* enum site_end */
    uint32_t index;             /* host, meter or gear; 0 where the end is all of a kind */
};

/* Power beside the hosts' caps: what a declared loss takes away. */
struct site_redundancy {
    uint8_t scheme;                             /* enum site_scheme */
    uint8_t lend[CONTINGENCIES_MAX];            /* reserve: lend was asked for, of a loss */
    uint32_t catcher;           /* node that takes over for any one block, or INDEX_NONE */
    uint32_t sag_ppm;           /* of nominal volts; 0: none is declared */
    uint32_t *psus_needed;      /* by type index: supplies a host of it needs to run */
    uint8_t *single_corded;     /* by host index: declared */
    struct site_feed *meter_feed;               /* by meter index */
    uint32_t gear_count, link_count;
    struct site_gear *gear;
    struct site_link *link;
};

/* Hosts of one job. */
struct site_job { char name[NAME_BYTES]; };

/* Whose frames carry tags: docs/authentication.md. */
struct site_auth {
    bool said;                  /* the file says it; if not, nobody's do */
    bool hosts, meters;
};

struct site {
    struct model model;
    struct site_auth auth;
    struct site_clock clock;
    struct site_note *note;
    struct site_meter *meter;           /* by meter index */
    struct site_device *device;         /* by node index; kind DEVICE_NONE: no curve is known */
    struct site_equipment *equipment;   /* by node index */
    uint32_t settings_count;
    struct site_settings *settings;     /* one block of its own, with the next two */
    uint32_t *type_efficiency_ppm;      /* by type index: of its supplies, lowest */
    uint8_t *type_assumed, *meter_assumed;      /* by type and meter index: enum site_assumed */
    uint8_t policy_assumed;
    struct site_redundancy redundancy;
    uint32_t contract_count;
    struct site_contract contract[SITE_CONTRACTS_MAX];
    uint32_t shed_count;
    struct site_shed *shed;
    uint32_t *shed_of;          /* by node index: its shed action, or INDEX_NONE; in the block of shed */
    struct site_job *job;               /* by gang, model.gang_count of them */
    uint8_t *computed;          /* by host index: its fail-safe cap is flyball's; in that block, too */
    uint8_t *asked;             /* by node index: enum site_asked; in the block of settings */
    char *warnings;             /* lines like those of the report, "warning:" for "error:"; "" = none */
    struct site_address *host_address;  /* by host index */
    struct site_server server;
    uint32_t driver_count;      /* at most SITE_DRIVERS_MAX are kept */
    struct site_driver driver[SITE_DRIVERS_MAX];
    void *memory, *gear_memory; /* everything above that points */
};

/* One line per finding: `file:line:column: error: what is wrong, what would be right`. Written to `report`;
 * at most 100. */

/* setup: loads and checks. `server` names a row of servers:; NULL = this host's name or "default", which
 * must be there; "" = the same, but a site without such a row is fine, or without measurements in it. Returns
 * 0, -EINVAL when the file has errors (all reported), or another -errno (reported too). */
int site_load(struct site *site, const char *path, const char *server, FILE *report);

/* setup: the same for whoever governs nothing by it: T_fresh that has yet to be measured is a warning, and as
 * long as it can be. */
int site_load_unmeasured(struct site *site, const char *path, const char *server, FILE *report);
void site_unload(struct site *site);

#endif
