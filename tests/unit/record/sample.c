/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void set_node(struct model_node *node, const char *name, uint32_t index)
{
    snprintf(node->name, NAME_BYTES, "%s", name);
    node->phases = 3;
    node->parent_count = index > 0;
    node->ancestor_count = 1 + (index > 0);
    node->ancestor[0] = index;
    node->meter = index == 1 ? 0 : INDEX_NONE;
    node->steady_ma = 480000 + index;
}

/* A device with one element of each law on the first branch, and two curves that it may mean. */
static void set_breaker(struct sample *sample)
{
    struct breaker *breaker = &sample->node[1].breaker;

    breaker->element_count = 3;
    breaker->element[0] = (struct breaker_element){.law = BREAKER_IMAGE, .role = ELEMENT_LONG_TIME,
        .pickup_ma = 504000, .heat_ns = 200 * NS_PER_S, .heat_fast_ns = 180 * NS_PER_S,
        .fast_above_ma = 2880000, .cool_ns = 240 * NS_PER_S, .shortest_ns = 7 * NS_PER_S};
    breaker->element[1] = (struct breaker_element){.law = BREAKER_TRAVEL, .role = ELEMENT_SHORT_TIME,
        .reset = RESET_DECAY, .curve = 1, .pickup_ma = 1785600, .unit_ma = 1785600,
        .reset_ns = NS_PER_S / 2, .shortest_ns = 90 * NS_PER_MS};
    breaker->element[2] = (struct breaker_element){.law = BREAKER_PEAK, .role = ELEMENT_INSTANTANEOUS,
        .pickup_ma = 3600000};
    for (uint32_t i = 0; i < SAMPLE_CURVES * CURVE_POINTS; i++)
        sample->curve[i / CURVE_POINTS].rate[i % CURVE_POINTS] = 1000 * i;
}

void sample_init(struct sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    set_node(&sample->node[0], "main", 0);
    set_node(&sample->node[1], "branch-1", 1);
    set_node(&sample->node[2], "branch-2", 2);
    sample->node[0].child_first = 1;
    sample->node[0].child_count = 2;
    for (uint32_t i = 0; i < SAMPLE_HOSTS; i++) {
        snprintf(sample->host[i].name, NAME_BYTES, "host-%u", i);
        sample->host[i].weight = 1;
        sample->host[i].cord_count = 1;
        sample->host[i].cord[0].node = 1 + i;
        sample->host[i].fail_safe_mw = 2100000;
    }
    snprintf(sample->type.name, NAME_BYTES, "eight-gpu");
    sample->type.quantum_mw = 100000;
    snprintf(sample->meter.name, NAME_BYTES, "meter-1");
    sample->meter.node = 1;
    set_breaker(sample);

    struct model *model = &sample->model;

    snprintf(model->name, NAME_BYTES, "sample");
    model->mode = MODE_ENFORCE;
    model->node_count = SAMPLE_NODES;
    model->host_count = SAMPLE_HOSTS;
    model->type_count = 1;
    model->meter_count = 1;
    model->contingency_count = 1;
    model->curve_count = SAMPLE_CURVES;
    model->policy.tick_ns = 20 * NS_PER_MS;
    model->node = sample->node;
    model->host = sample->host;
    model->type = &sample->type;
    model->meter = &sample->meter;
    model->curve = sample->curve;
    sample->start.epoch = 7;
    sample->start.t_ns = 123456789;
    sample->start.realtime_ns = 1700000000 * NS_PER_S;
}

void sample_slot(struct slot *slot, uint64_t seed, uint64_t sequence)
{
    uint64_t word[SLOT_BYTES / 8];

    /* splitmix64 (Steele, Lea, Flood 2014) */
    for (uint64_t i = 0; i < SLOT_BYTES / 8; i++) {
        uint64_t value = seed + (sequence * 32 + i) * UINT64_C(0x9E3779B97F4A7C15);

        value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
        word[i] = value ^ value >> 31;
    }
    memcpy(slot, word, sizeof(word));
    slot->sequence = sequence;
}

void sample_path(char *path, size_t bytes, const char *name)
{
    const char *directory = getenv("TMPDIR");

    snprintf(path, bytes, "%s/flyball-%s-%d.journal", directory ? directory : "/tmp", name, (int)getpid());
    unlink(path);
}

struct journal_writer *sample_create(struct sample *sample, const char *path)
{
    struct journal_writer *writer = NULL;

    sample_init(sample);
    return journal_create(&writer, path, &sample->model, &sample->start) ? NULL : writer;
}

void sample_append(struct journal_writer *writer, uint64_t seed, uint64_t first, uint64_t last,
                   uint64_t flush_every)
{
    for (uint64_t sequence = first; sequence <= last; sequence++) {
        struct slot slot;

        sample_slot(&slot, seed, sequence);
        while (!journal_append(writer, &slot))
            journal_flush(writer);
        if (sequence % flush_every == 0)
            journal_flush(writer);
    }
}

void sample_read_all(struct sample_read *read, const char *path, uint64_t seed)
{
    struct journal_reader *reader;
    struct slot slot, expected;

    memset(read, 0, sizeof(*read));
    read->result = journal_open(&reader, path, read->error, sizeof(read->error));
    if (read->result)
        return;
    while ((read->result = journal_next(reader, &slot, read->error, sizeof(read->error))) > 0) {
        sample_slot(&expected, seed, ++read->slots);
        read->wrong += memcmp(&slot, &expected, sizeof(slot)) != 0;
    }
    read->dropped = journal_dropped(reader);
    journal_close(reader);
}
