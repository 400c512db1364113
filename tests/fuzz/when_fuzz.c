/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of conditions: any text is refused at a place that lies in it, or becomes a program that is
 * sound, that reads back the same once it is written, and that every reading can be held against.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/when.h"
#include "record/journal_format.h"
#include "site/read/when.h"
#include "target.h"

enum { READINGS = 12 };

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_refusal(const struct when_fault *fault, const char *text)
{
    require(fault->at <= strlen(text));
    require(fault->words[0] && memchr(fault->words, '\0', sizeof fault->words));
}

/* Without hysteresis: what clears a comparison is then in the words. */
static void check_same(const struct when_program *program)
{
    char text[WHEN_TEXT_BYTES], twice[WHEN_TEXT_BYTES];
    struct when_program again;
    struct when_fault fault;

    when_write(program, text);
    require(strlen(text) + 1 < sizeof text);
    require(!when_parse(text, 0, &again, &fault));
    require(!memcmp(program, &again, sizeof again));
    require(!strcmp(text, when_write(&again, twice)));
}

static void hold(const struct when_program *program, const char *text)
{
    static const struct model_node node = {.phases = 3, .volts_ln_mv = 277000, .steady_ma = 800000};
    static const struct model_meter meter = {.fresh_ns = 200 * NS_PER_MS};
    static const struct quality quality = {.phases = 3, .reactive_mvar = {1000000, -1, 7}, .neutral_ma = 3,
                                           .apparent_mva = {2000000, 1, 1}};
    static const struct spectrum spectrum = {.flags = SPECTRUM_WINDOW, .thd_a_ppm = {80001, 1, 2}};
    static const struct spectrum_swing swing = {.mean_mw = 1000000, .rms_mw = {50000}};
    struct when_state state = {0};
    uint64_t bits = strlen(text) + 1;

    for (uint32_t i = 0; i < READINGS; i++) {
        struct reading reading = {0};
        uint8_t *bytes = (uint8_t *)&reading;

        for (size_t b = offsetof(struct reading, dp_dt_w_per_s); b < sizeof reading; b++)
            bytes[b] = (uint8_t)((bits = bits * 6364136223846793005u + 1442695040888963407u) >> 56);
        reading.crest_milli &= 0xFFFFF;
        for (uint32_t p = 0; p < PHASES; p++)
            reading.voltage_mv[p] = reading.current_ma[p] = reading.power_mw[p] =
                (int64_t)(bits >> (20 + p)) % 1000000000;
        struct when_seen seen = {.reading = &reading, .node = &node};
        if (i % 3)
            seen = (struct when_seen){&reading, &node, &quality, &spectrum, &swing, i % 2 ? &swing : NULL,
                                      &meter};
        require(when_reading(program, &state, &seen, i * NS_PER_S, i % 5 == 4) <= WHEN_UNKNOWN);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct model_alert alert = {.name = "fuzz"};
    struct when_fault fault;
    char *text = malloc(bytes + 1);

    require(text != NULL);
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    int64_t hysteresis_ppm = bytes ? data[bytes - 1] * INT64_C(1960) : 0;
    int rc = when_parse(text, hysteresis_ppm, &alert.when, &fault);

    require(rc == 0 || rc == -EINVAL);
    if (rc) {
        check_refusal(&fault, text);
    } else {
        require(!journal_alert_fault(&alert));
        check_same(&alert.when);
        hold(&alert.when, text);
    }
    free(text);
    return 0;
}
