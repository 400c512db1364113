/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/hand.h"

#include <errno.h>
#include <string.h>

#include "msg/model.h"

void hands_init(struct hands *hands)
{
    *hands = (struct hands){.renewed_ns = INT64_MIN / 2};
    pthread_mutex_init(&hands->lock, NULL);
}

static bool is_taken(const struct hands *hands, const char *identity)
{
    for (uint32_t i = 0; i < hands->taken_count; i++)
        if (!strcmp(hands->taken[i], identity))
            return true;
    return false;
}

static void take(struct hand *hand, const char *identity)
{
    struct hands *hands = hand->hands;
    strncpy(hand->identity, identity, sizeof hand->identity - 1);
    if (!is_taken(hands, identity) && hands->taken_count < HOST_DEVICES_MAX)
        memcpy(hands->taken[hands->taken_count++], hand->identity, sizeof hand->identity);
}

/* The one of its identity; without one, what nobody else has, and that for good. */
static uint32_t find_own(struct hand *hand)
{
    uint32_t found = INDEX_NONE;
    if (hand->identity[0])
        return act_device_find(&hand->act, hand->identity);
    pthread_mutex_lock(&hand->hands->lock);
    for (uint32_t i = 0; i < hand->act.count && found == INDEX_NONE; i++)
        if (!is_taken(hand->hands, hand->act.device[i].identity))
            found = i;
    if (found != INDEX_NONE)
        take(hand, hand->act.device[found].identity);
    pthread_mutex_unlock(&hand->hands->lock);
    return found;
}

static void close_driver(struct hand *hand)
{
    if (!hand->act.driver)
        return;
    act_close(&hand->act);
    hand->device = INDEX_NONE;
    atomic_fetch_sub(&hand->hands->open, 1);
}

/* Whoever does not find its device keeps the driver open for nothing. One that was closed because all were to
 * be, and opens again, ends that for all: nobody waits any more, and whoever has not closed yet need not. */
static int open_driver(struct hand *hand, char why[ACT_WHY_BYTES])
{
    int error = act_open(&hand->act, hand->driver, &hand->place, why);
    if (hand->renewing)
        atomic_store(&hand->hands->reopened, hand->renewal);
    hand->renewing = false;
    hand->renewal = atomic_load(&hand->hands->renewals);
    if (error)
        return error;
    atomic_fetch_add(&hand->hands->open, 1);
    hand->device = find_own(hand);
    if (hand->device == INDEX_NONE)
        close_driver(hand);
    return 0;
}

int hand_open(struct hand *hand, struct hands *hands, const struct act_driver *driver,
              const struct act_place *place, const char *identity, char why[ACT_WHY_BYTES])
{
    *hand = (struct hand){.hands = hands, .driver = driver, .place = *place, .device = INDEX_NONE};
    pthread_mutex_lock(&hands->lock);
    if (*identity)
        take(hand, identity);
    pthread_mutex_unlock(&hands->lock);
    return open_driver(hand, why);
}

void hand_close(struct hand *hand)
{
    close_driver(hand);
    hand->renewing = false;
}

/* All that have the driver open are to close it: what this one looks for may be hidden by that alone. */
static void ask_to_renew(struct hand *hand, int64_t now_ns)
{
    struct hands *hands = hand->hands;
    int64_t renewed_ns = atomic_load(&hands->renewed_ns);
    if (!hand->driver->shared || !atomic_load(&hands->open) || now_ns - hand->gone_ns < HAND_RENEW_AFTER_NS ||
        now_ns - renewed_ns < HAND_RENEW_EVERY_NS)
        return;
    if (atomic_compare_exchange_strong(&hands->renewed_ns, &renewed_ns, now_ns))
        atomic_fetch_add(&hands->renewals, 1);
}

/* Closes where it was asked to, and until then: true while it waits for the others. */
static bool renews(struct hand *hand, int64_t now_ns)
{
    uint32_t asked = atomic_load(&hand->hands->renewals), reopened = atomic_load(&hand->hands->reopened);
    if (hand->device != INDEX_NONE && hand->renewal != asked && reopened != asked) {
        close_driver(hand);
        hand->renewing = true;
        hand->renewal = asked;
        hand->reopen_ns = now_ns + HAND_RENEW_WAIT_NS;
    }
    return hand->renewing && reopened != hand->renewal && atomic_load(&hand->hands->open) &&
           now_ns < hand->reopen_ns;
}

static void open_again(struct hand *hand, int64_t now_ns)
{
    char why[ACT_WHY_BYTES];
    bool was_there = hand->renewing;
    hand->reopen_ns = now_ns + HAND_REOPEN_NS;
    open_driver(hand, why);
    if (hand->device == INDEX_NONE && (was_there || !hand->gone_ns))
        hand->gone_ns = now_ns;
}

void hand_find(struct hand *hand, int64_t now_ns)
{
    bool waits = renews(hand, now_ns);
    if (hand->device != INDEX_NONE || waits || (!hand->renewing && now_ns < hand->reopen_ns))
        return;
    open_again(hand, now_ns);
    if (hand->device == INDEX_NONE)
        ask_to_renew(hand, now_ns);
}

static int note(struct hand *hand, int rc, int64_t now_ns)
{
    if (rc != -ENODEV)
        return rc;
    close_driver(hand);
    hand->gone_ns = now_ns;
    hand->reopen_ns = now_ns + HAND_REOPEN_NS;
    return rc;
}

static int why_not(const struct hand *hand)
{
    return hand->renewing ? -EAGAIN : -ENODEV;
}

int hand_apply(struct hand *hand, int64_t cap_mw, int64_t now_ns)
{
    if (hand->renewing)         /* what is found so is worth less than a cut that waits */
        open_again(hand, now_ns);
    if (hand->device == INDEX_NONE)
        return why_not(hand);
    return note(hand, hand->driver->apply(&hand->act, hand->device, cap_mw), now_ns);
}

/* After an error neither is known: half of it would be taken for all. */
int hand_read_back(struct hand *hand, struct hand_seen *seen, int64_t now_ns)
{
    const struct act_driver *driver = hand->driver;
    *seen = (struct hand_seen){-1, -1};
    if (hand->device == INDEX_NONE)
        return why_not(hand);
    struct hand_seen fresh = *seen;
    int rc = driver->read_back(&hand->act, hand->device, &fresh.enforced_mw);
    if (!rc && driver->kept)
        rc = driver->kept(&hand->act, hand->device, &fresh.kept_mw);
    if (rc == -ENOTSUP && fresh.enforced_mw >= 0) {
        fresh.kept_mw = -1;
        rc = 0;
    }
    if (!rc)
        *seen = fresh;
    return note(hand, rc, now_ns);
}

int hand_sample(struct hand *hand, struct act_sample *sample, int64_t now_ns)
{
    if (hand->device == INDEX_NONE)
        return why_not(hand);
    return note(hand, hand->driver->sample(&hand->act, hand->device, sample), now_ns);
}

int hand_smooth(struct hand *hand, const struct act_smooth *smooth, int64_t now_ns)
{
    if (hand->device == INDEX_NONE)
        return why_not(hand);
    if (!hand->driver->smooth || !(hand->act.device[hand->device].features & ACT_SMOOTHING))
        return -ENOTSUP;
    return note(hand, hand->driver->smooth(&hand->act, hand->device, smooth), now_ns);
}
