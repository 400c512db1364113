/* SPDX-License-Identifier: Apache-2.0 */
#include "packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct packets *packets_begin(const struct measure_config *config, const struct waves *waves)
{
    struct packets *packets = calloc(1, sizeof *packets);

    assert_non_null(packets);
    assert_int_equal(measure_meter_init(&packets->meter, config), 0);
    packets->waves = *waves;
    packets->factor = 1;
    packets->packet = (struct samples){.period_ps = PACKETS_PERIOD_NS * 1000, .count = PACKETS_COUNT,
                                     .channels = (uint8_t)config->channels};
    return packets;
}

void packets_feed(struct packets *packets, uint32_t from, uint32_t to)
{
    struct samples *packet = &packets->packet;

    for (uint32_t n = from; n < to; n += PACKETS_COUNT) {
        packet->t0_ns = n * INT64_C(125000) + packets->moved_ns;
        for (uint32_t c = 0; c < packet->channels; c++)
            for (uint32_t k = 0; k < PACKETS_COUNT; k++)
                packet->value[c][k] = (float)(waves_value(&packets->waves, c % 6, (n + k) / 8000.0) *
                                              (c < 3 ? packets->factor : 1));
        assert_int_equal(measure_meter_samples(&packets->meter, packet, &packets->out), 0);
        waves_collect(&packets->result, &packets->out);
        packet->flags = 0;
        packet->invalid = 0;
    }
}
