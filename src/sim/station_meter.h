/* SPDX-License-Identifier: Apache-2.0 */
/* What a meter makes of what it measured before it speaks: nothing, or what is wrong with it. */
#ifndef FLYBALL_SIM_STATION_METER_H
#define FLYBALL_SIM_STATION_METER_H

#include "msg/upmu.h"
#include "sim/fault_set.h"

enum { STATION_LATE_MAX = 4096 };       /* measurements a late meter holds back; what is older is lost */

struct station_meter {
    uint32_t strange;           /* faults that strike it now */
    bool holds;                 /* `held` is what it repeats */
    bool silent;
    struct upmu held;
    /* a ring of what it has not said yet */
    struct upmu *late;
    int64_t *due_ns;            /* plant time */
    uint32_t first, count, capacity;
};

/* setup */
void station_meter_finish(struct station_meter *meter);

/* any: its faults changed: `set` holds those that stand, `index` is its own. 0 or -ENOMEM. */
int station_meter_change(struct station_meter *meter, const struct fault_set *set,
                         const struct model *model, uint32_t index);

/* any: a window ended and reads `upmu`. True: it is to be sent now, as it stands there then. */
bool station_meter_takes(struct station_meter *meter, const struct fault_set *set,
                         const struct model *model, uint32_t index, int64_t t_ns, struct upmu *upmu);

/* any: the next of what was held back and is due; false where there is none. */
bool station_meter_late(struct station_meter *meter, int64_t t_ns, struct upmu *upmu);

#endif
