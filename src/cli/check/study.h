/* SPDX-License-Identifier: Apache-2.0 */
/* What `flyball check --plot` and `--report` are made of, and how they write amounts. Every number is one of
 * site/, site/flow/figures.h or site/coordination/coordination.h; here it only changes its clothes. */
#ifndef FLYBALL_CLI_CHECK_STUDY_H
#define FLYBALL_CLI_CHECK_STUDY_H

#include "site/coordination/coordination.h"

struct study {
    const struct site *site;
    const struct figures *figures;
    const struct coordination *coordination;
    const char *path;           /* of the site file, as it was named */
    const char *version;        /* of flyball, with its commit */
    const char *warnings;       /* lines, as `flyball check` ends with them; "" = none */
    const char *const *kind_names, *const *term_names;  /* by enum node_kind, enum steady_term */
    int64_t when_s;             /* date of the document, since 1970 UTC */
    uint32_t digest;            /* CRC-32C of the site file's bytes */
};

/* setup: SOURCE_DATE_EPOCH where it is set, else now. 0, or -EINVAL where it is no number of seconds. */
int study_date(int64_t *when_s);

/* any: "2026-11-21", UTC. */
struct study_text { char text[48]; };
struct study_text study_day(int64_t when_s);

/* any: "800 A", "14.4 kA"; "80 ms", "1.25 s", "20 min"; "480 V", "13.8 kV" (line to line); "2.5 MVA". Four
 * digits; INFINITY is "never" or "none". */
struct study_text study_amperes(double amperes);
struct study_text study_seconds(double seconds);
struct study_text study_volts(int64_t volts_ln_mv, uint32_t phases);
struct study_text study_power(int64_t milli, const char *unit);

/* any: worst phase of a node after contingency c, rms amperes at its own lowest volts. fail-safe: hosts at
 * their fail-safe caps, bad(n), other(n); full: every host at phys_max, and other(n). 0 where the loss takes
 * the node. */
double study_fail_safe_a(const struct study *study, uint32_t node, uint32_t c);
double study_full_a(const struct study *study, uint32_t node, uint32_t c);

/* any: has the device a time-current curve? */
bool study_has_curve(const struct study *study, uint32_t node);

#endif
