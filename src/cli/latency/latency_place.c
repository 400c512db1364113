/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/latency/latency_place.h"

#include <errno.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "cli/latency/latency_leaf.h"
#include "place.skel.h"
#include "rt/clock.h"

enum { BLOCKS = 8, CALLS = 250 };
/* Less is noise. */
#define FASTER 0.9

static void call(struct place_trial *trial, uint64_t (*leaf)(uint64_t))
{
    for (int block = 0; block < BLOCKS; block++) {
        int64_t begin_ns = clock_monotonic_ns();
        for (int i = 0; i < CALLS; i++)
            trial->spoilt += leaf(UINT64_C(0x5a5a5a5a00000000) + (uint64_t)i) != 0;
        double call_ns = (double)(clock_monotonic_ns() - begin_ns) / CALLS;
        if (!block || call_ns < trial->call_ns)
            trial->call_ns = call_ns;
    }
    trial->calls = BLOCKS * CALLS;
}

static int try_one(struct place_bpf *object, struct place_trial *trial, const char *provider,
                   uint64_t (*leaf)(uint64_t))
{
    uint64_t before = object->bss->hits;
    struct bpf_link *link =
        bpf_program__attach_usdt(object->progs.leaf, getpid(), "/proc/self/exe", provider, "leaf", NULL);
    if (!link)
        return -errno;
    call(trial, leaf);
    bpf_link__destroy(link);
    trial->there = object->bss->hits - before == trial->calls;
    return 0;
}

void place_choose(struct place *place)
{
    const struct place_trial *one = &place->one, *five = &place->five;
    place->provider = "flyball";
    if (!five->there)
        place->why = "the 5-byte place cannot be armed here";
    else if (five->spoilt)
        place->why = "this kernel writes below the stack pointer at an armed 5-byte place";
    else if (one->there && five->call_ns > one->call_ns * FASTER)
        place->why = "the 5-byte place is no faster on this kernel";
    else {
        place->provider = "flyball5";
        place->why = "the 5-byte place is faster, and spares the bytes below the stack pointer";
    }
}

int place_try(struct place *place)
{
    *place = (struct place){.provider = "flyball"};
    struct place_bpf *object = place_bpf__open_and_load();
    if (!object)
        return -errno;
    int error = try_one(object, &place->one, "flyball", latency_leaf_one);
    if (!error)
        try_one(object, &place->five, "flyball5", latency_leaf_five);
    place_bpf__destroy(object);
    if (!error)
        place_choose(place);
    return error;
}
