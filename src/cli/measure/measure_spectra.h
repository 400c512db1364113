/* SPDX-License-Identifier: Apache-2.0 */
/* Spectra of a recording, by the very code that a daemon has beside its loop: samples go through a wave. */
#ifndef FLYBALL_CLI_MEASURE_SPECTRA_H
#define FLYBALL_CLI_MEASURE_SPECTRA_H

#include "core/measure_meter.h"
#include "spectra/spectra.h"
#include "spectra/swing.h"

struct measure_spectra {
    uint32_t phases;
    struct spectra_plan plan;
    struct spectra_work work;
    struct swing_work swing_work;
    struct spectra_meter meter;
    struct wave wave;
    void *memory;
    struct samples block;
    int64_t next;               /* number of the sample that follows without a gap */
    struct swing swing;
    int64_t swing_told_ns;
};

/* setup: for samples of that configuration. 0; -EINVAL where its rate or frequency is none that spectra are
 * made of; -ENOMEM. Closed in any case. */
int measure_spectra_open(struct measure_spectra *spectra, const struct measure_config *config);
void measure_spectra_close(struct measure_spectra *spectra);

/* any: a block that went through `meter`, and what came of it. Prints a line for each window that it
 * completed, and once a second how power swung over the minute. */
void measure_spectra_block(struct measure_spectra *spectra, const struct measure_block *block,
                           const struct measure_meter *meter, const struct measure_out *out);

#endif
