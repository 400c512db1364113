/* SPDX-License-Identifier: Apache-2.0 */
/* Which meters' samples spectra are worked out of: from the site file to the desk, and its waves to the
 * lanes. */
#ifndef FLYBALL_LOOP_SPECTRA_SOURCE_H
#define FLYBALL_LOOP_SPECTRA_SOURCE_H

#include "loop/loop.h"

/* setup, before the lanes begin: opens loop->spectra. 0 or -errno. */
int spectra_source_open(struct loop *loop);

/* setup: adds what that takes for a site to the memory of its loop, taking nothing. 0 or -ENOMEM. */
int spectra_source_measure(const struct site *site, struct loop_memory *memory);


#endif
