/* SPDX-License-Identifier: Apache-2.0 */
/* The rooms of why.c: what several of them use. */
#ifndef FLYBALL_LOOP_WHY_PARTS_H
#define FLYBALL_LOOP_WHY_PARTS_H

#include "loop/orders.h"
#include "loop/why.h"

enum { WHY_SENTENCE_BYTES = 400, WHY_PLACE_BYTES = 160 };

/* Members of the object that is open; each begins with a comma. */
void why_text(const struct why *why, const char *key, const char *value);     /* NULL = null */
void why_number(const struct why *why, const char *key, double value);
void why_null(const struct why *why, const char *key);
void why_whether(const struct why *why, const char *key, bool value);

/* A list of sentences: open it, say, close it. */
struct why_sentences {
    const struct why *why;
    uint32_t count;
};
void why_open(struct why_sentences *list, const struct why *why, const char *key);
void why_say(struct why_sentences *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
void why_close(const struct why_sentences *list);

/* Amperes on a phase of a node that stand for a load of so many mVA. */
double why_amperes(const struct why *why, uint32_t node, int64_t load_mva);

/* "branch-a phase B", ", on loss of feed-a" behind it where something is lost. */
void why_place(char text[WHY_PLACE_BYTES], const struct why *why, uint32_t node, uint8_t contingency,
               uint8_t phase);

/* A sum and its limit as members of the object that is open, the first without a comma: contingency, phase,
 * amperes, kVA. */
void why_sum(const struct why *why, uint32_t node, uint8_t contingency, uint8_t phase, int64_t sum_mva,
             int64_t limit_mva);

/* mVA that a draw of this host puts on a phase of a node, over all cords below it; 0: none hangs there. */
int64_t why_on_node_mva(const struct why *why, uint32_t host, uint32_t node, uint8_t contingency,
                        uint8_t phase, int64_t draw_mw);

/* Name of a job by its gang; NULL where that is none. */
const char *why_job(const struct why *why, uint32_t gang);

/* What a cap lets a host draw at the wall. */
int64_t why_draw_mw(const struct why *why, uint32_t host, int64_t cap_mw);

/* What stands in D at a place and may go without anything being taken from anybody. */
struct why_excess {
    int64_t unconfirmed_mva, unshown_mva;   /* older leases; hosts at phys_max above their fail-safe */
    uint32_t unconfirmed, unshown;          /* hosts */
    uint32_t first_unconfirmed, first_unshown;  /* those with most of it */
};
void why_excess(const struct why *why, uint32_t node, uint8_t contingency, uint8_t phase,
                struct why_excess *excess);
/* ... said as more for a host, or, with INDEX_NONE, as room at the node. */
void why_say_excess(struct why_sentences *list, uint32_t host, uint32_t node, uint8_t contingency,
                    uint8_t phase);

/* What keeps a node at its steady limit, where more might be lent. */
void why_say_permit(struct why_sentences *list, uint32_t node, const struct core_node_view *view);

/* What holds raises back there for a time. */
void why_say_waits(struct why_sentences *list, uint32_t node, const struct core_node_view *view);

/* What a contract in force bounds, and that its end would raise it. */
void why_say_contract(struct why_sentences *list, const struct orders_contract *contract);

/* why_host.c, why_node.c: the whole object. */
void why_host(const struct why *why, uint32_t host);
void why_node(const struct why *why, uint32_t node);

/* why_detail.c: members of the host that is open: its agent, its jobs, its devices. */
void why_detail(const struct why *why, uint32_t host);

/* why_more.c: what would raise the cap of a host. */
void why_more(struct why_sentences *list, uint32_t host, const struct core_host_view *view);

#endif
