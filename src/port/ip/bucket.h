/* SPDX-License-Identifier: Apache-2.0 */
/* A token bucket in one word: the time at which it is full again. */
#ifndef FLYBALL_PORT_IP_BUCKET_H
#define FLYBALL_PORT_IP_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    int64_t each_ns;            /* one token flows in per each_ns */
    int64_t room_ns;            /* tokens it holds, times each_ns */
    int64_t t_full_ns;
};

/* rt: takes one token, false where there is none. Time does not run back. */
static inline bool bucket_take(struct bucket *bucket, int64_t now_ns)
{
    int64_t t_full_ns = bucket->t_full_ns > now_ns ? bucket->t_full_ns : now_ns;
    if (t_full_ns + bucket->each_ns - now_ns > bucket->room_ns)
        return false;
    bucket->t_full_ns = t_full_ns + bucket->each_ns;
    return true;
}

#endif
