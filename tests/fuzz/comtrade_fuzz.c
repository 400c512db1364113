/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings: two bytes of length, a configuration, and data behind it; or a file with all parts, where it
 * begins with "---". Any bytes are refused with a fault that has a place, or give samples that go on in time,
 * as many as promised at most. Every number in a configuration is what the C library reads.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"
#include "wire/comtrade.h"
#include "wire/decimal.h"

enum { SAMPLES_SEEN_MAX = 2000, WORD_MAX = 63, SHOWN = 256 };

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_text(struct comtrade_text text, const uint8_t *cfg, uint32_t bytes)
{
    char out[SHOWN];

    require(!text.bytes || (text.at >= cfg && text.at + text.bytes <= cfg + bytes));
    uint32_t shown = comtrade_show(text, out, sizeof out);
    require(shown < sizeof out && out[shown] == 0 && strlen(out) == shown);
}

/* Bit for bit where at most 15 digits count and no exponent stands; within ten units in the last place
 * else. */
static void check_number(const uint8_t *at, uint32_t bytes)
{
    char word[WORD_MAX + 1], *end;
    uint32_t digits = 0;
    double value;

    if (!decimal_double(at, bytes, &value) || bytes > WORD_MAX)
        return;
    memcpy(word, at, bytes);
    word[bytes] = 0;
    double wanted = strtod(word, &end);
    while (*end == ' ' || *end == '\t' || *end == '\r')
        end++;
    require(end == word + bytes);
    for (uint32_t i = 0; i < bytes; i++)
        digits += at[i] >= '0' && at[i] <= '9' ? 1 : (at[i] | 0x20) == 'e' ? WORD_MAX : 0;
    require(isfinite(value));
    require(digits > 15 ? fabs(value - wanted) <= 2.2e-15 * fabs(wanted) : value == wanted);
}

static void check_words(const uint8_t *at, uint32_t bytes)
{
    uint32_t first = 0;
    int64_t whole;
    double value;

    for (uint32_t i = 0; i <= bytes; i++) {
        if (i < bytes && at[i] != ',' && at[i] != '\n')
            continue;
        check_number(at + first, i - first);
        if (decimal_integer(at + first, i - first, &whole) && whole < INT64_C(1) << 53)
            require(decimal_double(at + first, i - first, &value) && value == (double)whole);
        first = i + 1;
    }
}

static void check_recording(const struct comtrade *recording, const uint8_t *cfg, uint32_t bytes)
{
    uint64_t before = 0;
    double factor;

    check_text(recording->station, cfg, bytes);
    check_text(recording->device, cfg, bytes);
    for (uint32_t i = 0; i < recording->analogs; i++) {
        check_text(recording->analog[i].name, cfg, bytes);
        check_text(recording->analog[i].component, cfg, bytes);
        require(comtrade_factor(&recording->analog[i], 'P') >= 0);
        require(comtrade_factor(&recording->analog[i], 'S') >= 0);
        require(!comtrade_quantity(&recording->analog[i], &factor) || factor > 0);
    }
    for (uint32_t i = 0; i < recording->statuses; i++) {
        check_text(recording->status[i].name, cfg, bytes);
        require(recording->status[i].normal <= 1);
    }
    for (uint32_t i = 0; i < recording->rates; i++) {
        require(recording->rate[i].last > before);
        before = recording->rate[i].last;
    }
    require(comtrade_samples(recording) == before);
}

static void read_samples(const struct comtrade *recording, const uint8_t *dat, uint64_t bytes)
{
    double *value = malloc(recording->analogs * sizeof *value + 1);
    uint8_t *status = malloc(recording->statuses + 1u);
    struct comtrade_reader reader;
    struct comtrade_sample sample;
    struct comtrade_fault fault = {0};
    int rc = 1;

    require(value && status);
    comtrade_rewind(&reader, recording, dat, bytes);
    for (int i = 0; i < SAMPLES_SEEN_MAX; i++) {
        rc = comtrade_next(&reader, value, i & 1 ? status : NULL, &sample, &fault);
        if (rc <= 0)
            break;
        uint32_t missing = 0;
        for (uint32_t k = 0; k < recording->analogs; k++)
            missing += isnan(value[k]);
        require(missing >= sample.missing && reader.position <= comtrade_samples(recording));
        require(sample.number == reader.number && reader.records == (uint64_t)i + 1);
    }
    require(rc >= 0 || (rc == -EINVAL && fault.what && fault.line));
    free(status);
    free(value);
}

static void run(const uint8_t *cfg, uint32_t cfg_bytes, const uint8_t *dat, uint64_t dat_bytes)
{
    uint64_t room = comtrade_bytes(cfg, cfg_bytes);
    void *memory = malloc(room);
    struct comtrade recording;
    struct comtrade_fault fault = {0};

    require(memory != NULL);
    int rc = comtrade_parse(cfg, cfg_bytes, memory, &recording, &fault);
    require(rc == 0 || (rc == -EINVAL && fault.what && fault.line));
    if (!rc) {
        check_recording(&recording, cfg, cfg_bytes);
        read_samples(&recording, dat, dat_bytes);
    }
    check_words(cfg, cfg_bytes);
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct comtrade_parts parts;
    struct comtrade_fault fault = {0};

    if (bytes >= 3 && memcmp(data, "---", 3) == 0) {
        int rc = comtrade_split(data, bytes, &parts, &fault);
        require(rc == 0 || (rc == -EINVAL && fault.what));
        if (!rc) {
            require(parts.dat >= data && parts.dat + parts.dat_bytes <= data + bytes);
            run(parts.cfg.at, parts.cfg.bytes, parts.dat, parts.dat_bytes);
        }
        return 0;
    }
    if (bytes < 2)
        return 0;
    size_t length = data[0] | (size_t)data[1] << 8;
    data += 2;
    bytes -= 2;
    length = length < bytes ? length : bytes;
    run(data, (uint32_t)length, data + length, bytes - length);
    return 0;
}
