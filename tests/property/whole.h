/* SPDX-License-Identifier: Apache-2.0 */
/* An arbitration that looks only at what something has happened to comes to the same as one that looks at
 * everything. */
#ifndef FLYBALL_TESTS_WHOLE_H
#define FLYBALL_TESTS_WHOLE_H

#include "trial.h"

/* Tries the arbitration that this tick begins both ways, on one state, and leaves the core as it was. */
bool whole_agrees(struct trial *trial, const struct slot *tick);

#endif
