/* SPDX-License-Identifier: Apache-2.0 */
/* A survey notes what was read and how long it took, and writes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "act/dry.h"
#include "act/survey.h"

static void a_survey_notes_every_device(void **state)
{
    struct survey *survey = (struct survey *)calloc(1, sizeof *survey);
    struct act_place place = {.dry_devices = 3};
    char folder[] = "/tmp/flyball-survey-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(place.dry_file, sizeof place.dry_file, "%s/dry", folder);
    struct dry_state *dry = dry_map(place.dry_file, 700000);
    assert_non_null(dry);
    atomic_store(&dry->device[1].cap_mw, 250000);
    atomic_store(&dry->device[2].lost, 1);
    assert_int_equal(survey_take(survey, act_find("dry"), &place, 5, 0), 0);
    assert_int_equal(survey->count, 3);
    assert_true(survey->open_ns > 0);
    for (int i = 0; i < 3; i++) {
        const struct survey_time *time[] = {&survey->device[i].read_back, &survey->device[i].sampling};
        for (int t = 0; t < 2; t++) {
            assert_int_equal(time[t]->calls, 5);
            assert_true(time[t]->least_ns >= 0);
            assert_true(time[t]->least_ns <= time[t]->median_ns && time[t]->median_ns <= time[t]->most_ns);
        }
        assert_int_equal(atomic_load(&dry->device[i].writes), 0);
    }
    assert_string_equal(survey->device[1].device.identity, "dry-1");
    assert_int_equal(survey->device[1].enforced_mw, 250000);
    assert_int_equal(survey->device[1].sample.draw_mw, 250000);
    assert_int_equal(survey->device[1].read_back_error, 0);
    assert_int_equal(survey->device[2].read_back_error, -ENODEV);
    assert_int_equal(survey->device[2].sample_error, -ENODEV);
    munmap(dry, sizeof *dry);
    unlink(place.dry_file);
    assert_int_equal(rmdir(folder), 0);
    free(survey);
}

static void what_cannot_be_opened_says_why(void **state)
{
    struct survey *survey = (struct survey *)calloc(1, sizeof *survey);
    struct act_place place = {.root = "/nonexistent/flyball", .dry_devices = HOST_DEVICES_MAX + 1};
    (void)state;
    assert_int_equal(survey_take(survey, act_find("hwmon"), &place, 1, 0), -ENOENT);
    assert_int_equal(survey->error, -ENOENT);
    assert_non_null(strstr(survey->why, "/nonexistent/flyball"));
    assert_int_equal(survey_take(survey, act_find("dry"), &place, 1, 0), -E2BIG);
    assert_non_null(strstr(survey->why, "17 dry devices"));
    assert_int_equal(survey_take(survey, act_find("dry"), NULL, 0, 0), -EINVAL);
    assert_int_equal(survey_take(survey, act_find("dry"), NULL, SURVEY_CALLS_MAX + 1, 0), -EINVAL);
    assert_int_equal(survey_take(survey, act_find("dry"), NULL, 1, -1), -EINVAL);
    assert_int_equal(survey_take(survey, act_find("dry"), NULL, 1, 0), 0);
    assert_int_equal(survey->count, 1);
    assert_null(act_find("no such driver"));
    free(survey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_survey_notes_every_device),
        cmocka_unit_test(what_cannot_be_opened_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
