/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/hand.h"

#include <errno.h>
#include <string.h>

#include "msg/model.h"

#define REOPEN_EVERY_NS NS_PER_S

int hand_open(struct hand *hand, const struct act_driver *driver, const struct act_place *place,
              const char *identity, char why[ACT_WHY_BYTES])
{
    *hand = (struct hand){.driver = driver, .place = *place, .device = INDEX_NONE};
    strncpy(hand->identity, identity, sizeof hand->identity - 1);
    int error = act_open(&hand->act, driver, place, why);
    if (!error)
        hand->device = act_device_find(&hand->act, identity);
    return error;
}

void hand_close(struct hand *hand)
{
    act_close(&hand->act);
    hand->device = INDEX_NONE;
}

void hand_find(struct hand *hand, int64_t now_ns)
{
    char why[ACT_WHY_BYTES];
    if (hand->device != INDEX_NONE || now_ns < hand->reopen_ns)
        return;
    hand->reopen_ns = now_ns + REOPEN_EVERY_NS;
    act_close(&hand->act);
    if (!act_open(&hand->act, hand->driver, &hand->place, why))
        hand->device = act_device_find(&hand->act, hand->identity);
}

static int note(struct hand *hand, int rc, int64_t now_ns)
{
    if (rc != -ENODEV)
        return rc;
    hand->device = INDEX_NONE;
    hand->reopen_ns = now_ns + REOPEN_EVERY_NS;
    return rc;
}

int hand_apply(struct hand *hand, int64_t cap_mw, int64_t now_ns)
{
    if (hand->device == INDEX_NONE)
        return -ENODEV;
    return note(hand, hand->driver->apply(&hand->act, hand->device, cap_mw), now_ns);
}

int hand_read_back(struct hand *hand, int64_t *enforced_mw, int64_t now_ns)
{
    if (hand->device == INDEX_NONE)
        return -ENODEV;
    return note(hand, hand->driver->read_back(&hand->act, hand->device, enforced_mw), now_ns);
}

int hand_sample(struct hand *hand, struct act_sample *sample, int64_t now_ns)
{
    if (hand->device == INDEX_NONE)
        return -ENODEV;
    return note(hand, hand->driver->sample(&hand->act, hand->device, sample), now_ns);
}

int hand_smooth(struct hand *hand, const struct act_smooth *smooth, int64_t now_ns)
{
    if (hand->device == INDEX_NONE)
        return -ENODEV;
    if (!hand->driver->smooth || !(hand->act.device[hand->device].features & ACT_SMOOTHING))
        return -ENOTSUP;
    return note(hand, hand->driver->smooth(&hand->act, hand->device, smooth), now_ns);
}
