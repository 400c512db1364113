/* SPDX-License-Identifier: Apache-2.0 */
/* Names of what the view's records hold as numbers: the same words in status, top and JSON. */
#ifndef FLYBALL_LOOP_VIEW_WORDS_H
#define FLYBALL_LOOP_VIEW_WORDS_H

#include "loop/verdict.h"

/* Which rule gave the newest lease its cap. X(symbol of enum egress_why, name, meaning) */
#define LEASE_WHYS(X) \
    X(WHY_RENEWAL, "renewal", "nothing changed") \
    X(WHY_CLAIM, "claim", "host unknown to this epoch: fail-safe") \
    X(WHY_SHARE, "share", "arbitration gave this share") \
    X(WHY_CUT, "cut", "arbitration took watts for another host") \
    X(WHY_GUARD_S, "guard_s", "I1a: sum of newest leases would pass the limit") \
    X(WHY_GUARD_D, "guard_d", "I1b: exposure would pass the limit, raise withheld") \
    X(WHY_EMERGENCY, "emergency", "measured above a limit") \
    X(WHY_FAIL_SAFE, "fail_safe", "sent to fail-safe by the second stage or a failed renewal") \
    X(WHY_LIMIT, "limit", "a limit fell (permit or feed lost, sag, order): cut to it in one go") \
    X(WHY_ORDER, "order", "a contract or maintenance order") \
    X(WHY_HANDED, "handed", "first lease after a hand-over: the cap it had") \
    X(WHY_LET_GO, "let_go", "it asked to leave, and may have its own limits: it counts at phys_max")

/* Why a device draws less than it would, as its host tells. X(symbol of enum detail_throttle, name,
 * meaning) */
#define DEVICE_THROTTLES(X) \
    X(DETAIL_THROTTLE_CAP, "cap", "at its power cap") \
    X(DETAIL_THROTTLE_HARDWARE, "hardware", "braked by hardware: its supply, or a signal from outside") \
    X(DETAIL_THROTTLE_THERMAL, "thermal", "too hot") \
    X(DETAIL_THROTTLE_OTHER, "other", "clocks set by a person, or kept in step with other devices") \
    X(DETAIL_THROTTLE_FOREIGN, "foreign", "somebody else set a lower cap than was asked for here")

/* any: "?" for a number that has no word, "-" where there is no lease yet. */
const char *view_words_kind(uint8_t kind);
const char *view_words_meter(enum meter_state state);
const char *view_words_host(const struct core_host_view *host);  /* leased, fail_safe, boot, unheard */
const char *view_words_basis(uint8_t basis);
const char *view_words_basis_meaning(uint8_t basis);
const char *view_words_why(uint8_t why);
const char *view_words_bound(uint8_t term);
const char *view_words_bound_meaning(uint8_t term);
const char *view_words_permit(uint8_t permit);
const char *view_words_permit_meaning(uint8_t permit);
const char *view_words_maintenance(uint8_t state);
const char *view_words_stage(uint8_t stage);    /* "none", or of an emergency */
const char *view_words_stage_meaning(uint8_t stage);
const char *view_words_shed(uint8_t state);     /* enum shed_state, "none" */
const char *view_words_shed_meaning(uint8_t state);
const char *view_words_recovery(uint8_t cause); /* NULL for none */
const char *view_words_throttle(uint8_t bit);   /* one of enum detail_throttle */
const char *view_words_element(uint8_t role);   /* "-" where none */

/* any: a time to trip in at most 7 characters: "never", "0.84 s", "128 s", "34 min", "20 h". */
enum { VIEW_WORDS_TIME_BYTES = 16 };
void view_words_trip_in(char text[VIEW_WORDS_TIME_BYTES], int64_t trip_in_ns);

/* any: how long ago, in at most 7 characters: "0.3 s", "84 s", "14 min", "20 h", "12 d". */
void view_words_since(char text[VIEW_WORDS_TIME_BYTES], int64_t since_ns);

#endif
