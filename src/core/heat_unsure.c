/* SPDX-License-Identifier: Apache-2.0 */
/* Readings that are not to be relied upon: they may show too little, hardly too much. */
#include "core/compare.h"
#include "core/heat_inside.h"

void heat_unsure(struct heat *heat, const struct reading *reading)
{
    const struct model_meter *meter = &heat->model->meter[reading->meter];
    struct heat_node *h = &heat->meter[reading->meter];
    struct breaker_load load;
    if (!h->started)
        return;
    int64_t low_mv = heat_take_load(&heat->model->node[meter->node], meter, reading, &load);
    h->volts_mv = smaller(h->volts_mv, low_mv);
    if (!(reading->flags & (READING_PEAK | READING_EDGE)))     /* these come beside that of their window */
        h->spoilt_ns += h->window_ns;
    heat_keep_larger(&h->most, &load);
}

bool heat_unsure_trips_soon(const struct heat *heat, const struct reading *reading)
{
    const struct model_meter *meter = &heat->model->meter[reading->meter];
    struct breaker_load load;
    heat_take_load(&heat->model->node[meter->node], meter, reading, &load);
    return heat_load_trips_soon(heat, reading->meter, &load);
}
