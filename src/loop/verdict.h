/* SPDX-License-Identifier: Apache-2.0 */
/* One line that answers "am I good?", and the numbers behind it. */
#ifndef FLYBALL_LOOP_VERDICT_H
#define FLYBALL_LOOP_VERDICT_H

#include "loop/view.h"
#include "msg/model.h"

enum verdict_level { VERDICT_OK, VERDICT_STARTING, VERDICT_ALARM };

enum { VERDICT_WORDS_BYTES = 256 };

/* How a meter does. X(symbol, name, meaning) */
#define METER_STATES(X) \
    X(METER_OK, "ok", "its newest reading is no older than fresh") \
    X(METER_LATE, "late", "older than fresh, by a period at most: the next reading is due") \
    X(METER_STALE, "stale", "older than that, though it sends: its readings are refused as stale") \
    X(METER_SILENT, "silent", "older than that, or never heard: it sends nothing that may be used")

enum meter_state {
#define METER_STATE_SYMBOL(symbol, name, meaning) symbol,
    METER_STATES(METER_STATE_SYMBOL)
#undef METER_STATE_SYMBOL
    METER_STATE_COUNT
};
#define VERDICT_STARTING_NS (INT64_C(3) * NS_PER_S)

/* What else goes wrong than the power: the disk, the wire. */
struct verdict_port {
    const char *driver, *interface;
    bool down, conflict;
    uint8_t mac[6];                 /* of whoever else claims the port's address */
};

struct verdict_surroundings {
    /* writes that the disk refused, slots it was too slow for; told while that goes on */
    uint64_t journal_failures;
    const struct verdict_port *port;
    uint32_t ports;
    uint32_t breached;              /* contracts over several nodes whose loads together are above */
    const char *breached_name;      /* the first */
    /* nodes that are shed or about to be; of which that, or restoring, failed */
    uint32_t sheds, sheds_failed;
    uint32_t node_shed, node_shed_failed;   /* the first of each */
    /* meters whose clock drifts, so that their readings renew no permit; whose clock is merely off */
    uint32_t clocks_doubted, clocks_off;
    uint32_t meter_doubted, meter_off;      /* the first of each */
};

struct verdict {
    enum verdict_level level;
    uint32_t meters_fresh, meters_silent;   /* ok and late; stale and silent */
    uint32_t hosts_heard, hosts_leased;
    uint32_t hosts_mismatched;      /* whose fail-safe cap is above the site file's: the larger counts */
    uint32_t nodes_above, nodes_emergency, nodes_recovery;
    uint32_t nodes_overdue;         /* in recovery for longer than X, and no host is known to hold it */
    uint32_t nodes_stood_in;    /* whose meter is lost, others standing in */
    uint32_t nodes_doubted, nodes_breach;   /* whose meter is frozen or implausible; above a contract */
    uint32_t nodes_dead;                    /* that lend, and whose meter reads no volts */
    uint32_t breached;              /* contracts over several nodes */
    uint32_t alerts;                /* of the site file, severity alarm, that stand anywhere */
    uint64_t invariant_failures;
    uint64_t journal_failures;
    struct degrade_row row[DEGRADATION_COUNT];
    uint32_t ports_down;
    uint32_t ports_wrong;           /* their link is down, or their address is claimed by another */
    /* the first of each kind, INDEX_NONE = none */
    uint32_t meter_silent, host_unheard, host_mismatched;
    uint32_t node_emergency, node_above, node_recovery, node_doubted, node_breach, node_dead;
    uint32_t node_stood_in;
    uint32_t node_overdue;
    uint32_t alert_first;
    uint32_t worst_node;            /* nearest to its limit, INDEX_NONE = no limits */
    int64_t worst_ppm;
    uint8_t worst_contingency;      /* in which it is; 0 = none */
    char words[VERDICT_WORDS_BYTES];
};

/* cold: how old a meter's newest reading is now; INT64_MAX = none yet. */
int64_t verdict_meter_age_ns(const struct view_meter *meter, int64_t now_ns);

/* cold */
enum meter_state verdict_meter_state(const struct model_meter *known, const struct view_meter *meter,
                                     const struct view_stale *stale, int64_t now_ns);

/* cold: the name of a member of a row, by its index there; "" = none. */
enum { VERDICT_MEMBER_BYTES = NAME_BYTES + 8 };
void verdict_member(char text[VERDICT_MEMBER_BYTES], const struct model *model, enum degradation row,
                    uint32_t index);

/* cold: "ok", "starting", "alarm" */
const char *verdict_level_name(enum verdict_level level);

/* cold */
void verdict_make(struct verdict *verdict, const struct model *model, const struct view *view,
                  const struct verdict_surroundings *around, int64_t t_start_ns, int64_t now_ns);

#endif
