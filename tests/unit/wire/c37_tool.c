/* SPDX-License-Identifier: Apache-2.0 */
/*
 * c37_tool: frames of one stream in hex, one a line, come out as lines of fields, in the order and the words
 * of the expected files beside the captures: configurations, their PMUs, commands, data frames and their
 * PMUs. "again": whether what was read is written as the same bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/c37.h"

enum { FRAME_MAX = 65535, NAMES_MAX = 4096 };

static const char *yes(unsigned set)
{
    return set ? "T" : "F";
}

/* The names from `first` on. */
static void print_names(const uint8_t *data, const struct c37_config *config, uint32_t pmu, uint32_t first,
    uint32_t count)
{
    printf("\t");
    for (uint32_t i = 0; i < count; i++) {
        struct c37_text name = c37_name(data, config, pmu, first + i);
        printf("%s%.*s", i ? "," : "", (int)name.bytes, (const char *)name.at);
    }
    printf("%s", count ? "" : "(empty)");
}

static void print_units(const struct c37_pmu *pmu)
{
    printf("\t");
    for (uint32_t i = 0; i < pmu->phasors; i++)
        printf("%s%08x", i ? "," : "", pmu->phasor[i].unit);
    printf("\t");
    for (uint32_t i = 0; i < pmu->analogs; i++)
        printf("%s%08x", i ? "," : "", pmu->analog[i].unit);
    printf("\t");
    for (uint32_t i = 0; i < pmu->digitals; i++)
        printf("%s%08x", i ? "," : "", pmu->digital_unit[i]);
}

static void print_config(const uint8_t *data, uint32_t bytes, const struct c37_config *config)
{
    printf("cfg\tCFG%d\t%u\t%u\t%d\n", config->type == C37_CFG3 ? 3 : 2, bytes, config->pmus,
        config->data_rate);
    for (uint32_t i = 0; i < config->pmus; i++) {
        const struct c37_pmu *pmu = &config->pmu[i];

        printf("cfg_detail\t%u", i);
        print_names(data, config, i, 0, 1);
        printf("\t%u\t%s\t%s\t%s\t%s\t%u\t%u\t%u", pmu->id, yes(pmu->format & C37_POLAR),
            yes(pmu->format & C37_PHASORS_FLOAT), yes(pmu->format & C37_ANALOGS_FLOAT),
            yes(pmu->format & C37_FREQUENCY_FLOAT), pmu->phasors, pmu->analogs, pmu->digitals);
        print_names(data, config, i, 1, pmu->phasors);
        print_names(data, config, i, 1u + pmu->phasors, pmu->analogs);
        print_names(data, config, i, 1u + pmu->phasors + pmu->analogs,
            (uint32_t)pmu->digitals * C37_DIGITAL_NAMES);
        print_units(pmu);
        printf("\t%u\t%u\n", pmu->nominal_50, pmu->changes);
    }
}

/* `second`: of both numbers the other one; `there`: they are meant, else zeros stand in their place. */
static void print_phasors(const struct phasors_pmu *pmu, bool second, bool there)
{
    printf("\t");
    for (uint32_t i = 0; i < pmu->phasors; i++) {
        double value = second ? pmu->phasor[i].second : pmu->phasor[i].first;
        printf("%s%.6f", i ? "," : "", there ? value : 0.0);
    }
    printf("%s", pmu->phasors ? "" : "(empty)");
}

static void print_pmu(const struct phasors_pmu *pmu, const struct c37_pmu *config, uint32_t index)
{
    uint32_t stat = pmu->stat;
    double nominal_hz = config->nominal_50 ? 50 : 60;
    /* the expected files leave whole numbers of it in hundredths */
    double rocof = pmu->rocof_hz_per_s * (config->format & C37_FREQUENCY_FLOAT ? 1 : 100);

    printf("data_detail\t%u\t%u\t%u\t%u\t%s\t%s\t%s\t%s\t%s\t%u", index, stat & PHASORS_REASON_MASK,
        stat >> PHASORS_UNLOCKED_SHIFT & 3, stat >> PHASORS_QUALITY_SHIFT & 7, yes(stat & PHASORS_MODIFIED),
        yes(stat & PHASORS_CONFIG_PENDING), yes(stat & PHASORS_TRIGGERED), yes(stat & PHASORS_BY_ARRIVAL),
        yes(stat & PHASORS_UNSYNCED), stat >> PHASORS_ERROR_SHIFT & 3);
    for (int k = 0; k < 4; k++)
        print_phasors(pmu, k & 1, pmu->polar == (k >= 2));
    printf("\t%.6f\t%.6f\t", (pmu->frequency_hz - nominal_hz) * 1000, rocof);
    for (uint32_t i = 0; i < pmu->analogs; i++)
        printf("%s%.6f", i ? "," : "", pmu->analog[i]);
    printf("%s\t", pmu->analogs ? "" : "(empty)");
    for (uint32_t i = 0; i < pmu->digitals; i++)
        printf("%s%u", i ? "," : "", pmu->digital[i]);
    printf("%s\n", pmu->digitals ? "" : "(empty)");
}

static void print_again(const uint8_t *data, uint32_t bytes, const uint8_t *made, uint32_t made_bytes)
{
    printf("again\t%s\n", bytes == made_bytes && memcmp(data, made, bytes) == 0 ? "same" : "differs");
}

static void config_again(const uint8_t *data, const struct c37_head *head, const struct c37_config *config)
{
    static uint8_t made[FRAME_MAX];
    static struct c37_text name[NAMES_MAX];
    uint32_t names = 0;

    for (uint32_t i = 0; i < config->pmus; i++) {
        const struct c37_pmu *pmu = &config->pmu[i];
        uint32_t own = 1u + pmu->phasors + pmu->analogs + (uint32_t)pmu->digitals * C37_DIGITAL_NAMES;

        for (uint32_t k = 0; k < own && names < NAMES_MAX; k++)
            name[names++] = c37_name(data, config, i, k);
    }
    print_again(data, head->bytes, made, c37_config_encode(config, head, name, NULL, made, sizeof made));
}

static void data_again(const uint8_t *data, const struct c37_head *head, const struct c37_config *config,
    const struct phasors *phasors)
{
    static uint8_t made[FRAME_MAX];

    print_again(data, head->bytes, made,
        c37_data_encode(config, head->version, phasors, made, sizeof made));
}

static void print_frame(struct c37_stream *stream, const uint8_t *data, uint32_t bytes)
{
    static struct phasors phasors;
    struct c37_head head;
    uint32_t frames;
    uint16_t command;
    int refusal = c37_receive(stream, data, bytes, &phasors, &frames);

    if (refusal || c37_check(data, bytes, &head)) {
        printf("refused\t%s\n", meter_refusal_name(refusal));
        return;
    }
    printf("frame\t%u\t%u\t%u\n", head.version, head.id, head.bytes);
    if (!c37_command_decode(data, bytes, &command))
        printf("cmd\t%u\t%u\n", bytes, command);
    if (head.type == C37_CFG2 || head.type == C37_CFG3) {
        print_config(data, bytes, &stream->config);
        config_again(data, &head, &stream->config);
    }
    if (!frames)
        return;
    printf("data\t%u\t%u\t%lld\n", bytes, phasors.pmus, (long long)phasors.t_ns);
    for (uint32_t i = 0; i < phasors.pmus; i++)
        print_pmu(&phasors.pmu[i], &stream->config.pmu[i], i);
    data_again(data, &head, &stream->config, &phasors);
}

int main(void)
{
    static struct c37_stream stream;
    static uint8_t data[FRAME_MAX];
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0) {
        uint32_t bytes = 0;

        for (const char *hex = line; hex[0] > ' ' && hex[1] > ' ' && bytes < FRAME_MAX; hex += 2) {
            char pair[3] = {hex[0], hex[1], 0};
            data[bytes++] = (uint8_t)strtoul(pair, NULL, 16);
        }
        print_frame(&stream, data, bytes);
    }
    free(line);
    return 0;
}
