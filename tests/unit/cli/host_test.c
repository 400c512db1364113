/* SPDX-License-Identifier: Apache-2.0 */
/* What `flyball host` makes of a history. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "act/act.h"
#include "cli/host/host_print.h"
#include "msg/lease.h"

enum { SAMPLES = 600 };
#define MINUTE_NS (60 * NS_PER_S)
#define START_NS (INT64_C(1700000000) * NS_PER_S)

static struct history_record *a_minute(void)
{
    struct history_record *record = calloc(SAMPLES, sizeof *record);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        record[i].number = i + 1;
        record[i].sample = (struct history_sample){
            .realtime_ns = START_NS + (i + 1) * HISTORY_PERIOD_NS, .boottime_ms = 5000000 + i * 100,
            .energy_mj = 100000000 + i * UINT64_C(800000), .lease = 4000 + i / 10,
            .asked_mw = i < 300 ? 10300000 : 9000000, .enforced_mw = i < 310 ? 10300000 : 9000000,
            .draw_mw = 7000000 + i * 1000, .temperature_mc = 60000 + (int32_t)i * 10, .known = 31,
            .state = HOST_LEASED, .flags = i >= 500 ? REPORT_AT_CAP : 0,
            .throttle = i >= 540 ? ACT_THROTTLE_CAP : 0};
    }
    return record;
}

static struct host_sum *sum_of(const struct history_record *record, uint64_t count)
{
    struct host_sum *sum = malloc(sizeof *sum);
    assert_non_null(sum);
    host_sum(sum, record, count, MINUTE_NS, 12, 64);
    return sum;
}

static void a_minute_is_added_up(void **state)
{
    struct history_record *record = a_minute();
    struct host_sum *sum = sum_of(record, SAMPLES);
    (void)state;
    assert_int_equal(sum->all.samples, 600);
    assert_int_equal(sum->expected, 600);
    assert_int_equal(sum->breaches, 0);
    assert_int_equal(sum->all.draw_mw.least, 7000000);
    assert_int_equal(sum->all.draw_mw.most, 7599000);
    assert_true(host_mean(&sum->all.draw_mw) > 7299499 && host_mean(&sum->all.draw_mw) < 7299501);
    assert_true(sum->used_known);
    assert_int_equal(sum->used_mj, 599 * 800000);
    assert_int_equal(sum->in_state[HOST_LEASED], 600);
    assert_int_equal(sum->with_throttle[0], 60);
    assert_int_equal(sum->with_flag[3], 100);
    for (uint32_t i = 0; i < 12; i++)
        assert_int_equal(sum->row[i].samples, 50);
    assert_int_equal(sum->row[5].asked_mw.least, 10300000);
    assert_int_equal(sum->row[6].asked_mw.least, 9000000);
    assert_int_equal(sum->row[6].enforced_mw.most, 10300000);
    free(sum);
    free(record);
}

static void time_lost_a_clock_that_was_set_and_a_restart_are_told_apart(void **state)
{
    struct history_record *record = a_minute();
    (void)state;
    memmove(&record[100], &record[150], (SAMPLES - 150) * sizeof *record);      /* 5 s are missing */
    for (uint32_t i = 200; i < SAMPLES - 50; i++)
        record[i].sample.realtime_ns -= 2 * NS_PER_S;
    for (uint32_t i = 300; i < SAMPLES - 50; i++)
        record[i].sample.boottime_ms -= 4000000;
    struct host_sum *sum = sum_of(record, SAMPLES - 50);
    assert_int_equal(sum->breaches, 3);
    assert_int_equal(sum->breach[0].what, HOST_GAP);
    assert_int_equal(sum->breach[0].amount_ns, 51 * HISTORY_PERIOD_NS);
    assert_int_equal(sum->breach[1].what, HOST_CLOCK_SET);
    assert_int_equal(sum->breach[1].amount_ns, -2 * NS_PER_S);
    assert_int_equal(sum->breach[2].what, HOST_RESTART);
    free(sum);
    free(record);
}

static void of_many_gaps_the_newest_are_kept(void **state)
{
    struct history_record *record = a_minute();
    (void)state;
    for (uint32_t i = 0; i < SAMPLES / 10; i++)
        record[i] = record[i * 10];
    struct host_sum *sum = sum_of(record, SAMPLES / 10);
    assert_int_equal(sum->breaches, 59);
    assert_int_equal(sum->breach[HOST_BREAKS_MAX - 1].to_ns, record[59].sample.realtime_ns);
    assert_int_equal(sum->breach[0].to_ns, record[52].sample.realtime_ns);
    free(sum);
    free(record);
}

static char *printed(const struct host_sum *sum, bool blocks)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    host_print(out, "gpu-1", sum, sum->to_ns + NS_PER_S / 2, blocks);
    fclose(out);
    return text;
}

static size_t columns(const char *line, size_t bytes)
{
    size_t wide = 0;
    for (size_t i = 0; i < bytes; i++)
        wide += (line[i] & 0xC0) != 0x80;
    return wide;
}

static void assert_fits(const char *text)
{
    for (const char *line = text; *line; line = strchr(line, '\n') + 1)
        assert_true(columns(line, strcspn(line, "\n")) <= 80);
}

static void a_page_has_eighty_columns_and_shows_what_was_not_known(void **state)
{
    struct history_record *record = a_minute();
    (void)state;
    struct host_sum *sum = sum_of(record, SAMPLES);
    char *text = printed(sum, true);
    assert_fits(text);
    assert_non_null(strstr(text, "gpu-1: 60.0s up to 2023-11-14 22:14:20.0 UTC, 0.5s ago"));
    assert_non_null(strstr(text, "samples    600 of 600\n"));
    assert_non_null(strstr(text, "state      leased 100.0 %; lease 4059"));
    assert_non_null(strstr(text, "held by    cap 10.0 %"));
    free(text);
    for (uint32_t i = 0; i < SAMPLES; i++)
        record[i].sample.known = 0;
    memmove(&record[100], &record[150], (SAMPLES - 150) * sizeof *record);
    record[50].sample.state = 9;
    record[51].sample.state = HOST_FAIL_SAFE;
    host_sum(sum, record, SAMPLES - 50, MINUTE_NS, 12, 64);
    text = printed(sum, false);
    assert_fits(text);
    assert_non_null(strstr(text, "samples    550 of 600\n"));
    assert_non_null(strstr(text, "draw       not known\n"));
    assert_non_null(strstr(text, "energy     not known\n"));
    assert_non_null(strstr(text, "no samples for 5.1s"));
    assert_non_null(strstr(text, "unknown 0.2 %"));
    assert_non_null(strstr(text, "  no samples\n"));
    free(text);
    free(sum);
    free(record);
}

static void json_has_every_sample_and_null_for_what_was_not_known(void **state)
{
    struct history_record *record = a_minute();
    char *text = NULL;
    size_t bytes = 0;
    (void)state;
    record[7].sample.known = HISTORY_DRAW;
    record[8].lost = 3;
    struct host_sum *sum = sum_of(record, SAMPLES);
    FILE *out = open_memstream(&text, &bytes);
    host_json(out, "gpu \"1\"", sum, record, SAMPLES, sum->to_ns + 1);
    fclose(out);
    json_error_t error;
    json_t *object = json_loads(text, 0, &error);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "host")), "gpu \"1\"");
    json_t *records = json_object_get(object, "records"), *one = json_array_get(records, 7);
    assert_int_equal(json_array_size(records), SAMPLES);
    assert_true(json_is_null(json_object_get(one, "asked_mw")));
    assert_int_equal(json_integer_value(json_object_get(one, "draw_mw")), 7007000);
    assert_int_equal(json_integer_value(json_object_get(object, "lost")), 3);
    assert_int_equal(json_array_size(json_object_get(json_array_get(records, 599), "held_by")), 1);
    json_decref(object);
    free(text);
    free(sum);
    free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minute_is_added_up),
        cmocka_unit_test(time_lost_a_clock_that_was_set_and_a_restart_are_told_apart),
        cmocka_unit_test(of_many_gaps_the_newest_are_kept),
        cmocka_unit_test(a_page_has_eighty_columns_and_shows_what_was_not_known),
        cmocka_unit_test(json_has_every_sample_and_null_for_what_was_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
