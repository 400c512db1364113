/* SPDX-License-Identifier: Apache-2.0 */
/* What the terms of a site file must be at least, given what was measured on its server. Pure. */
#ifndef FLYBALL_SITE_NEEDS_H
#define FLYBALL_SITE_NEEDS_H

#include "site/site.h"

enum { NEEDS_MAX = 8, NEEDS_MARGIN = 2, NEEDS_LIFE_S = 365 * 86400 };

enum need_kind { NEED_RING, NEED_ABSORBED, NEED_FRESH, NEED_REPORT, NEED_LEASE, NEED_LEASE_ACTUATION };

struct need {
    uint8_t kind;               /* enum need_kind */
    uint32_t index;             /* of the port, or of the meter that has least to spare */
    int64_t configured, needed; /* frames of a ring, else ns */
    bool too_small;
    char term[96];              /* "ring of fb-meters" */
    const char *formula, *source;
};

/* How long a wrong state may last (safety.md section 5): T_resp = T_fresh + X. */
struct response {
    int64_t fresh_ns;           /* the longest T_fresh of a meter */
    int64_t actuation_ns;       /* A of the slowest host type; configured, not measured */
    int64_t retire_ns;          /* X = (D / (1 - rho) + A) (1 + rho) */
    int64_t response_ns;
};

/* any: fills `need`, room for NEEDS_MAX; what was not measured gives no need. Returns how many. */
uint32_t needs_find(const struct site *site, const struct measured *measured, struct need *need);

/* any: true when frames; quantities of the others are times. */
bool need_is_frames(const struct need *need);

/* any: X of an actuation. */
int64_t needs_retire_ns(const struct model_policy *policy, int64_t actuation_ns);

/* any */
void needs_response(const struct model *model, struct response *response);

/* any: 0, or why the figures are not to be believed any more on host `here` at `now_s`. `row` is the server's
 * name: where it is a machine's, that machine counts and not `here`. */
enum stale { STALE_NOT, STALE_OTHER_MACHINE, STALE_OLD };
enum stale needs_stale(const struct measured *measured, const char *row, const char *here, int64_t now_s);

#endif
