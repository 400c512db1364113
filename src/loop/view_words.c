/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/view_words.h"

#include <stddef.h>
#include <stdio.h>

#include "core/breaker.h"
#include "core/emergency.h"
#include "core/ledger.h"
#include "core/permit.h"
#include "loop/shed_states.h"
#include "msg/egress.h"
#include "msg/lease.h"

#define NAMED(symbol, name, meaning) [symbol] = name,
#define MEANT(symbol, name, meaning) [symbol] = meaning,

static const char *word(const char *const *words, size_t count, size_t at)
{
    return at < count && words[at] ? words[at] : "?";
}

const char *view_words_kind(uint8_t kind)
{
    static const char *const words[NODE_KIND_COUNT] = {"source", "main",  "distribution", "branch",
                                                       "rack",   "ups",   "transformer",  "generator",
                                                       "bypass", "busway"};
    return word(words, NODE_KIND_COUNT, kind);
}

const char *view_words_meter(enum meter_state state)
{
    static const char *const words[METER_STATE_COUNT] = {METER_STATES(NAMED)};
    return word(words, METER_STATE_COUNT, state);
}

const char *view_words_host(const struct core_host_view *host)
{
    static const char *const words[] = {
        [HOST_BOOT] = "boot", [HOST_FAIL_SAFE] = "fail_safe", [HOST_LEASED] = "leased"};
    return host->incarnation ? word(words, sizeof words / sizeof words[0], host->state) : "unheard";
}

const char *view_words_basis(uint8_t basis)
{
    static const char *const words[EXPOSURE_BASIS_COUNT] = {EXPOSURE_BASES(NAMED)};
    return word(words, EXPOSURE_BASIS_COUNT, basis);
}

const char *view_words_basis_meaning(uint8_t basis)
{
    static const char *const words[EXPOSURE_BASIS_COUNT] = {EXPOSURE_BASES(MEANT)};
    return word(words, EXPOSURE_BASIS_COUNT, basis);
}

const char *view_words_throttle(uint8_t bit)
{
#define THROTTLE_CASE(symbol, name, meaning) \
    case symbol:                             \
        return name;
    switch (bit) {
    DEVICE_THROTTLES(THROTTLE_CASE)
    default:
        return "?";
    }
#undef THROTTLE_CASE
}

const char *view_words_bound(uint8_t term)
{
    static const char *const words[BOUND_COUNT] = {BOUND_TERMS(NAMED)};
    return word(words, BOUND_COUNT, term);
}

const char *view_words_bound_meaning(uint8_t term)
{
    static const char *const words[BOUND_COUNT] = {BOUND_TERMS(MEANT)};
    return word(words, BOUND_COUNT, term);
}

const char *view_words_permit(uint8_t permit)
{
    static const char *const words[PERMIT_COUNT] = {PERMITS(NAMED)};
    return word(words, PERMIT_COUNT, permit);
}

const char *view_words_permit_meaning(uint8_t permit)
{
    static const char *const words[PERMIT_COUNT] = {PERMITS(MEANT)};
    return word(words, PERMIT_COUNT, permit);
}

const char *view_words_maintenance(uint8_t state)
{
    static const char *const words[MAINTENANCE_STATE_COUNT] = {"none", MAINTENANCE_STATES(NAMED)};
    return word(words, MAINTENANCE_STATE_COUNT, state);
}

const char *view_words_stage(uint8_t stage)
{
    static const char *const words[EMERGENCY_STAGE_COUNT] = {"none", EMERGENCY_STAGES(NAMED)};
    return word(words, EMERGENCY_STAGE_COUNT, stage);
}

const char *view_words_stage_meaning(uint8_t stage)
{
    static const char *const words[EMERGENCY_STAGE_COUNT] = {"no emergency", EMERGENCY_STAGES(MEANT)};
    return word(words, EMERGENCY_STAGE_COUNT, stage);
}

const char *view_words_shed(uint8_t state)
{
    static const char *const words[SHED_STATE_COUNT] = {"none", SHED_STATES(NAMED)};
    return word(words, SHED_STATE_COUNT, state);
}

const char *view_words_shed_meaning(uint8_t state)
{
    static const char *const words[SHED_STATE_COUNT] = {"nothing was shed", SHED_STATES(MEANT)};
    return word(words, SHED_STATE_COUNT, state);
}

const char *view_words_recovery(uint8_t cause)
{
    static const char *const words[RECOVERY_COUNT] = {RECOVERIES(MEANT)};
    return cause < RECOVERY_COUNT ? words[cause] : NULL;
}

const char *view_words_why(uint8_t why)
{
    static const char *const words[] = {[0] = "-", LEASE_WHYS(NAMED)};
    return word(words, sizeof words / sizeof words[0], why);
}

const char *view_words_element(uint8_t role)
{
#define ELEMENT_NAMED(symbol, name) [symbol] = name,
    static const char *const words[] = {BREAKER_ELEMENTS(ELEMENT_NAMED)[ELEMENT_ROLE_COUNT] = "-"};
    return word(words, sizeof words / sizeof words[0], role);
}

/* Rounded down: it is a lower bound. */
void view_words_trip_in(char text[VIEW_WORDS_TIME_BYTES], int64_t trip_in_ns)
{
    const int64_t centis = trip_in_ns / (10 * NS_PER_MS), seconds = trip_in_ns / NS_PER_S;
    if (trip_in_ns == BREAKER_NEVER_NS || seconds >= INT64_C(36000000))
        snprintf(text, VIEW_WORDS_TIME_BYTES, "never");
    else if (seconds < 10)
        snprintf(text, VIEW_WORDS_TIME_BYTES, "%d.%02d s", (int)(centis / 100), (int)(centis % 100));
    else if (seconds < 1000)
        snprintf(text, VIEW_WORDS_TIME_BYTES, "%d s", (int)seconds);
    else if (seconds < 60000)
        snprintf(text, VIEW_WORDS_TIME_BYTES, "%d min", (int)(seconds / 60));
    else
        snprintf(text, VIEW_WORDS_TIME_BYTES, "%d h", (int)(seconds / 3600));
}

void view_words_since(char text[VIEW_WORDS_TIME_BYTES], int64_t since_ns)
{
    const int64_t tenths = since_ns > 0 ? since_ns / (100 * NS_PER_MS) : 0, seconds = tenths / 10;
    if (seconds < 10)
        snprintf(text, VIEW_WORDS_TIME_BYTES, "%d.%d s", (int)seconds, (int)(tenths % 10));
    else if (seconds < 120)
        snprintf(text, VIEW_WORDS_TIME_BYTES, "%d s", (int)seconds);
    else if (seconds < 7200)
        snprintf(text, VIEW_WORDS_TIME_BYTES, "%d min", (int)(seconds / 60));
    else if (seconds < 172800)
        snprintf(text, VIEW_WORDS_TIME_BYTES, "%d h", (int)(seconds / 3600));
    else
        snprintf(text, VIEW_WORDS_TIME_BYTES, "%d d", (int)(seconds / 86400 % 1000000));
}
