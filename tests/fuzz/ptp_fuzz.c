/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of ptp4l: whatever comes is refused, with nothing left behind, or lies within what came. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"
#include "time/ptp_message.h"

static void require(int condition)
{
    if (!condition)
        abort();
}

static size_t needed(uint16_t set)
{
    return set == PTP_TIME_STATUS ? 104 : set == PTP_PARENT ? 86 : set == PTP_TIME_PROPERTIES ? 58 : 80;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const struct ptp_answer none;
    struct ptp_answer answer, again;
    uint8_t *exact = malloc(bytes ? bytes : 1);    /* so that a sanitizer sees its end */

    require(exact != NULL);
    if (bytes)
        memcpy(exact, data, bytes);
    int error = ptp_message_read(exact, bytes, &answer);
    require(error == 0 || error == -EBADMSG || error == -EREMOTEIO);
    if (error) {
        answer.sequence = 0;
        require(!memcmp(&answer, &none, sizeof none));
    } else {
        require(answer.set == PTP_TIME_STATUS || answer.set == PTP_PARENT ||
                answer.set == PTP_TIME_PROPERTIES || answer.set == PTP_PORT);
        require(bytes >= needed(answer.set));
        require(answer.sequence == (exact[30] << 8 | exact[31]));
        require(answer.set != PTP_PORT || answer.port_state < PTP_PORT_STATES);
        /* what stands behind the set changes nothing */
        require(!ptp_message_read(exact, (size_t)(exact[2] << 8 | exact[3]), &again));
        require(!memcmp(&answer, &again, sizeof answer));
    }
    free(exact);
    return 0;
}
