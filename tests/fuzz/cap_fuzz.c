/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of cap.proto: the first byte chooses the message. */
#include <stddef.h>

#include "differ.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes)
        differ_cap(data[0] % CAP_MESSAGES, data + 1, (uint32_t)bytes - 1);
    return 0;
}
