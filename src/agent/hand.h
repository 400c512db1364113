/* SPDX-License-Identifier: Apache-2.0 */
/* One thread's own handle on one device: known by its identity, opened anew once it was gone. */
#ifndef FLYBALL_AGENT_HAND_H
#define FLYBALL_AGENT_HAND_H

#include "act/act.h"

struct hand {
    const struct act_driver *driver;
    struct act_place place;
    char identity[ACT_IDENTITY_BYTES];
    struct act act;
    uint32_t device;            /* its place in act; INDEX_NONE: gone */
    int64_t reopen_ns;          /* MONOTONIC: not before */
};

/* setup: 0, also where the device is not there (yet); -errno of the actuator, and why in words. */
int hand_open(struct hand *hand, const struct act_driver *driver, const struct act_place *place,
              const char *identity, char why[ACT_WHY_BYTES]);
void hand_close(struct hand *hand);

/* any: looks for a device that is gone, once a second at most. This may allocate; nothing else here does. */
void hand_find(struct hand *hand, int64_t now_ns);

/* any: as the driver's calls (act/act.h); -ENODEV, and gone from then on. */
int hand_apply(struct hand *hand, int64_t cap_mw, int64_t now_ns);
int hand_read_back(struct hand *hand, int64_t *enforced_mw, int64_t now_ns);
int hand_sample(struct hand *hand, struct act_sample *sample, int64_t now_ns);
/* any: -ENOTSUP also where the driver has no such call. */
int hand_smooth(struct hand *hand, const struct act_smooth *smooth, int64_t now_ns);

#endif
