/* SPDX-License-Identifier: Apache-2.0 */
/* What libFuzzer calls, and so does mutate.c where there is no libFuzzer. */
#ifndef FLYBALL_FUZZ_TARGET_H
#define FLYBALL_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#endif
