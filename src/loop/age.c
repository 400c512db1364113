/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/age.h"

static int64_t minus(int64_t a, int64_t b)
{
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return difference;
}

/* Opens the buckets up to `bucket`; those in between heard nothing. */
static void turn(struct age *age, int64_t bucket)
{
    int64_t opened = age->bucket ? bucket - age->bucket : AGE_BUCKETS;
    if (opened > AGE_BUCKETS)
        opened = AGE_BUCKETS;
    for (int64_t i = 0; i < opened; i++)
        age->least[(bucket - i) % AGE_BUCKETS] = INT64_MAX;
    age->bucket = bucket;
    age->floor = INT64_MAX;
    for (int i = 0; i < AGE_BUCKETS; i++)
        if (age->least[i] < age->floor)
            age->floor = age->least[i];
}

/* True when this reading stands ahead of the line and is not to be believed yet. The last of a row that
 * agrees is: then the line starts anew. */
static bool claims_step(struct age *age, int64_t bucket, int64_t offset, int64_t arrival_ns)
{
    if (age->seen < AGE_YOUNG || age->floor == INT64_MAX || offset >= minus(age->floor, AGE_STEP_NS)) {
        age->seen += age->seen < AGE_YOUNG;
        age->ahead = 0;
        return false;
    }
    int64_t apart = minus(offset, age->ahead_ns);
    bool agrees = age->ahead && apart < AGE_AGREE_NS && apart > -AGE_AGREE_NS;
    age->ahead = agrees ? age->ahead + 1 : 1;
    age->ahead_ns = offset;
    if (age->ahead < AGE_CONFIRMATIONS)
        return true;
    age->ahead = 0;
    age->stepped = true;
    age->doubted_until_ns = arrival_ns + AGE_FORGETS_NS;
    age->bucket = 0;
    turn(age, bucket);
    return false;
}

void age_resume(struct age *age, int64_t floor, int64_t now_ns)
{
    int64_t bucket = now_ns / AGE_BUCKET_NS + AGE_BUCKETS;
    turn(age, bucket);
    age->least[bucket % AGE_BUCKETS] = age->floor = floor;
    age->seen = AGE_YOUNG;
}

int64_t age_observe(struct age *age, int64_t arrival_ns, int64_t stamp_ns)
{
    /* Counted from AGE_BUCKETS: the eleven before it have numbers too, even a second after the machine's
     * start. */
    int64_t bucket = arrival_ns / AGE_BUCKET_NS + AGE_BUCKETS;
    if (bucket > age->bucket)
        turn(age, bucket);
    int64_t offset = minus(arrival_ns, stamp_ns);
    if (claims_step(age, bucket, offset, arrival_ns))
        return INT64_MAX;
    int64_t *least = &age->least[age->bucket % AGE_BUCKETS];
    if (offset < *least)
        *least = offset;
    if (offset < age->floor)
        age->floor = offset;
    return minus(offset, age->floor);
}
