/* SPDX-License-Identifier: Apache-2.0 */
/* PowerMeasurement bodies: the hand-written decoder against protobuf-c. */
#include <stddef.h>

#include "differ.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    differ_upmu(data, (uint32_t)bytes);
    return 0;
}
