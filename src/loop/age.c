/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/age.h"

static int64_t minus(int64_t a, int64_t b)
{
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return difference;
}

static const struct age_least NONE = {INT64_MAX, INT64_MAX, INT64_MAX};

static void lower(int64_t *least, int64_t offset)
{
    if (offset < *least)
        *least = offset;
}

static void lower_all(struct age_least *least, const struct age_least *by)
{
    lower(&least->found, by->found);
    lower(&least->sure, by->sure);
    lower(&least->early, by->early);
}

/* Opens the buckets up to `bucket`; those in between heard nothing. */
static void turn(struct age *age, int64_t bucket)
{
    int64_t opened = age->bucket ? bucket - age->bucket : AGE_BUCKETS;
    if (opened > AGE_BUCKETS)
        opened = AGE_BUCKETS;
    for (int64_t i = 0; i < opened; i++)
        age->least[(bucket - i) % AGE_BUCKETS] = NONE;
    age->bucket = bucket;
    age->all = NONE;
    for (int i = 0; i < AGE_BUCKETS; i++)
        lower_all(&age->all, &age->least[i]);
}

void age_doubt(struct age *age, int64_t now_ns)
{
    age->doubted_until_ns = now_ns + AGE_FORGETS_NS;
}

void age_set_anew(struct age *age, int64_t arrival_ns)
{
    age->stepped = true;
    age->recents = 0;
    age_doubt(age, arrival_ns);
}

/* True when this reading stands ahead of the line and is not to be believed yet. The last of a row that
 * agrees is: then the line starts anew. By the polls alone: what they find early is early, whatever it
 * waited. */
static bool claims_step(struct age *age, int64_t bucket, int64_t offset, int64_t arrival_ns)
{
    int64_t floor = age->all.found;
    if (age->seen < AGE_YOUNG || floor == INT64_MAX || offset >= minus(floor, AGE_STEP_NS)) {
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
    age_set_anew(age, arrival_ns);
    age->bucket = 0;
    turn(age, bucket);
    return false;
}

void age_resume(struct age *age, int64_t floor, int64_t now_ns)
{
    int64_t bucket = now_ns / AGE_BUCKET_NS + AGE_BUCKETS;
    turn(age, bucket);
    age->all = age->least[bucket % AGE_BUCKETS] = (struct age_least){floor, floor, floor};
    age->found_within_ns = 0;
    age->seen = AGE_YOUNG;
}

/* All that were just there were later by more than a reading may make up for: a queue that empties gives
 * back a period a reading, one that lost some gives back more. */
static bool leaps(const struct age *age, int64_t offset)
{
    int64_t least = age->recent_ns < age->before_ns ? age->recent_ns : age->before_ns;
    return age->recents >= AGE_RECENT && offset < minus(least, AGE_STEP_NS + age->period_ns);
}

static void note_recent(struct age *age, int64_t early)
{
    if (age->recents % AGE_RECENT == 0) {
        age->before_ns = age->recents ? age->recent_ns : INT64_MAX;
        age->recent_ns = INT64_MAX;
        age->recents = age->recents ? AGE_RECENT : 0;
    }
    age->recents++;
    lower(&age->recent_ns, early);
}

static void note(struct age *age, int64_t offset, int64_t within_ns)
{
    struct age_least *newest = &age->least[age->bucket % AGE_BUCKETS];
    struct age_least here = {.found = offset, .sure = INT64_MAX, .early = minus(offset, within_ns)};
    if (within_ns <= AGE_SURE_NS)
        here.sure = here.early;
    if (offset < newest->found)
        age->found_within_ns = within_ns;
    lower_all(newest, &here);
    lower_all(&age->all, &here);
}

int64_t age_observe(struct age *age, int64_t arrival_ns, int64_t within_ns, int64_t stamp_ns)
{
    /* Counted from AGE_BUCKETS: the eleven before it have numbers too, even a second after the machine's
     * start. */
    int64_t bucket = arrival_ns / AGE_BUCKET_NS + AGE_BUCKETS;
    if (bucket > age->bucket)
        turn(age, bucket);
    int64_t offset = minus(arrival_ns, stamp_ns);
    if (claims_step(age, bucket, offset, arrival_ns))
        return INT64_MAX;
    if (leaps(age, offset))
        age_set_anew(age, arrival_ns);
    note_recent(age, minus(offset, within_ns));
    note(age, offset, within_ns);
    return minus(offset, age_floor(age));
}
