/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutate CORPUS [RUNS [SEED]]: drives a fuzz target without libFuzzer, so that any compiler and every test
 * run holds the decoders against protobuf-c: each seed as it is, then RUNS random damages of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "corpus.h"
#include "target.h"

static uint64_t next_random(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);     /* splitmix64 (Steele, Lea, Flood 2014) */

    uint64_t z = *state;

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static void damage_byte(uint8_t *data, uint32_t bytes, uint64_t *state)
{
    static const uint8_t telling[] = {
        0x00, 0x01, 0x7F, 0x80, 0xFF, 0x08, 0x0A, 0x0B, 0x0C, 0x0D, 0x12, 0x1A, 0x22, 0x2C, 0x3B, 0x3C };
    uint64_t dice = next_random(state);
    uint8_t *at = &data[(dice >> 32) % bytes];

    switch (dice % 3) {
    case 0:
        *at ^= (uint8_t)(1 << (dice >> 8) % 8);
        break;
    case 1:
        *at = (uint8_t)(dice >> 8);
        break;
    default:
        *at = telling[(dice >> 8) % sizeof telling];
    }
}

/* A piece of the input moved to another place: repeated fields, lost fields, fields inside others. */
static void damage_piece(uint8_t *data, uint32_t bytes, uint64_t *state)
{
    uint64_t from = next_random(state) % bytes, to = next_random(state) % bytes;
    uint64_t most = bytes - (from > to ? from : to);

    memmove(data + to, data + from, 1 + next_random(state) % most);
}

static uint32_t damage(uint8_t *data, uint32_t bytes, uint64_t *state)
{
    for (uint64_t i = next_random(state) % 4 + 1; i; i--) {
        if (next_random(state) % 4)
            damage_byte(data, bytes, state);
        else
            damage_piece(data, bytes, state);
    }
    return next_random(state) % 4 ? bytes : (uint32_t)(next_random(state) % bytes);
}

/* In a block of exactly its size: a sanitizer then sees one byte too far. */
static void run(const uint8_t *data, uint32_t bytes)
{
    uint8_t *exact = malloc(bytes ? bytes : 1);

    if (!exact)
        abort();
    memcpy(exact, data, bytes);
    LLVMFuzzerTestOneInput(exact, bytes);
    free(exact);
}

static int corpus_of(const char *name)
{
    for (int i = 0; i < CORPUS_COUNT; i++)
        if (strcmp(name, corpus_name((enum corpus)i)) == 0)
            return i;
    return -1;
}

int main(int argc, char **argv)
{
    int corpus = argc > 1 ? corpus_of(argv[1]) : -1;
    uint64_t runs = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : (uint64_t)time(NULL);
    uint64_t state = seed;
    static uint8_t data[SEED_ROOM];
    uint32_t seeds = 0, bytes;

    if (corpus < 0) {
        fprintf(stderr, "usage: mutate upmu|cap|frame|csv|ip|lane|agent|meter|comtrade|when|ptp "
                        "[RUNS [SEED]]\n");
        return 2;
    }
    printf("corpus %s, runs %llu a seed, seed %llu\n", argv[1], (unsigned long long)runs,
        (unsigned long long)seed);
    fflush(stdout);
    for (; (bytes = corpus_seed((enum corpus)corpus, seeds, data)); seeds++) {
        run(data, bytes);
        for (uint64_t i = 0; i < runs; i++) {
            bytes = corpus_seed((enum corpus)corpus, seeds, data);
            run(data, damage(data, bytes, &state));
        }
    }
    printf("%u seeds, no disagreement\n", seeds);
    return 0;
}
