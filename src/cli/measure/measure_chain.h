/* SPDX-License-Identifier: Apache-2.0 */
/* A recording through the chain that meters' samples go through, block by block. */
#ifndef FLYBALL_CLI_MEASURE_CHAIN_H
#define FLYBALL_CLI_MEASURE_CHAIN_H

#include "cli/measure/recording.h"
#include "core/measure_meter.h"

typedef void measure_chain_told(void *told_by, const struct measure_out *out);

/* How a run ended. */
struct measure_chain_end {
    double frequency_hz;                /* of the mains, as followed */
    uint32_t opens;                     /* events that are not over */
    struct measure_event open[MEASURE_EVENT_KINDS];
};

/* setup: one run of the recording; config's period, phases and channels are set by it. 0; -EINVAL where the
 * meter refuses the configuration; -ENOMEM. */
int measure_chain_run(const struct recording *recording, uint32_t run, const struct measure_config *config,
                      uint32_t block, measure_chain_told *told, void *told_by,
                      struct measure_chain_end *ended);

/* setup: frequency and voltage to neutral where the recording first has no flag, else what there is, else
 * 0. */
int measure_chain_survey(const struct recording *recording, uint32_t run, const struct measure_config *config,
                         double *frequency_hz, double *voltage_v);

#endif
