/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lease in one slot to every host below a node that must come down: in an emergency (safety.md section
 * 8), and where a limit in force has fallen below S (I3: a permit or a feed lost, a sag, heat; a host that
 * reset). All nodes of a slot are cut together: one sending, no host twice. What is leased above fail-safe is
 * scaled by one factor per node, so that S fits afterwards and nobody pays for having been asked first.
 */
#ifndef FLYBALL_CORE_CUT_H
#define FLYBALL_CORE_CUT_H

#include <stdint.h>

struct core;

enum cut_kind { CUT_NOT, CUT_LIMIT, CUT_EMERGENCY, CUT_FAIL_SAFE };

struct cuts {
    uint32_t *node;             /* marked in this slot */
    uint32_t count;
    uint8_t *kind;              /* by node: enum cut_kind */
    int64_t *share_ppm;         /* by node: of what hosts below hold above fail-safe */
    int64_t *scale_ppm;         /* by node: of an emergency's shot */
    uint64_t *run;              /* by host: the run it was cut in */
    uint64_t runs;
};

/* rt: a cut of this kind is due below the node. */
void cut_mark(struct core *core, uint32_t node, enum cut_kind kind);

/* rt: cuts below every marked node and every node that the ledger found fallen. */
void cut_run(struct core *core);

#endif
