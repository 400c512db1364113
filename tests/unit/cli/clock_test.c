/* SPDX-License-Identifier: Apache-2.0 */
/* What `flyball clock` prints of the daemon's answer, and when it is content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/clock/clock_print.h"

static void check(const char *text, const char *expected, bool well)
{
    json_error_t error;
    json_t *clock = json_loads(text, 0, &error);
    char *printed = NULL;
    size_t bytes = 0;
    if (!clock)
        fail_msg("%s in %s", error.text, text);
    FILE *out = open_memstream(&printed, &bytes);
    clock_print(out, clock);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(printed, expected);
    assert_int_equal(clock_is_well(clock), well);
    free(printed);
    json_decref(clock);
}

#define METERS "\nmeter                                    offset       within          drift\n"

static void a_clock_that_follows_a_grandmaster_is_told_in_its_units(void **state)
{
    (void)state;
    check("{\"source\": \"ptp\", \"state\": \"locked\", \"for_s\": 61.4, \"fault\": \"none\", "
          "\"fault_words\": \"nothing is missing\", \"error\": null, "
          "\"grandmaster\": \"001122.fffe.334455\", \"has_master\": true, \"clock_class\": 6, "
          "\"accuracy_ns\": 250, \"port_state\": \"slave\", "
          "\"master_offset_ns\": -1500, \"uncertainty_ns\": 1260, \"system_offset_ns\": 270000000, "
          "\"tai_utc_s\": 37, \"leap_pending\": 1, \"leaps\": 2, \"samples\": 100, \"outliers\": 3, "
          "\"unanswered\": 4, \"losses\": 5, \"steps\": 1, \"step_ns\": -2000000000, \"sets\": 6, "
          "\"masters\": 7, \"counter\": \"tsc\", \"meters\": ["
          "{\"id\": \"m-1\", \"offset_us\": -0.4, \"offset_half_us\": 21.5, \"drift_ppm\": 1.25, "
          "\"off\": false, \"doubted\": false}]}",
          "time           locked for 61 s\n"
          "source         ptp\n"
          "uncertainty    1.26 us\n"
          "system clock   270.00 ms\n"
          "grandmaster    001122.fffe.334455, clock class 6, within 250 ns of its reference\n"
          "ptp4l          port slave, this clock is -1.50 us ahead of it\n"
          "TAI - UTC      37 s, a leap second is coming (+1 s), changed 2 times\n"
          "so far         100 samples, 3 outliers, 4 unanswered, lost 5 times\n"
          "steps          1 of the time (the newest -2.000 s), 6 of the system clock, 7 other grandmasters\n"
          METERS
          "m-1                                     -400 ns     21.50 us      +1.25 ppm\n", true);
}

static void what_is_not_known_is_said_and_who_is_off_stands_out(void **state)
{
    (void)state;
    static const char unsync[] =
        "{\"source\": \"system\", \"state\": \"unsync\", \"for_s\": 0, \"fault\": \"no_answer\", "
        "\"fault_words\": \"w\", \"error\": \"No such file\", \"uncertainty_ns\": null, \"tai_utc_s\": null, "
        "\"counter\": \"system\", \"meters\": []}";
    check(unsync,
          "time           unsync for 0 s: no_answer (w)\n"
          "source         system: No such file\n"
          "uncertainty    unknown\n"
          "system clock   unknown\n"
          "TAI - UTC      unknown, changed 0 times\n"
          "so far         0 samples, 0 outliers, 0 unanswered, lost 0 times\n"
          "steps          0 of the time, 0 of the system clock, 0 other grandmasters\n"
          "ages by        the system's clock: the processor's counter (TSC) may not be trusted\n" METERS,
          false);
    for (int i = 0; i < 3; i++) {
        static const char *const marks[] = {"\"off\": true", "\"doubted\": true, \"off\": true",
                                            "\"off\": false"},
                          *const words[] = {"  OFF", "  DOUBTED", ""};
        char text[256], expected[640];
        snprintf(text, sizeof text, "{\"state\": \"locked\", \"meters\": [{\"id\": \"m\", %s}]}", marks[i]);
        snprintf(expected, sizeof expected,
                 "time           locked for 0 s: - (-)\nsource         -\nuncertainty    unknown\n"
                 "system clock   unknown\nTAI - UTC      unknown, changed 0 times\n"
                 "so far         0 samples, 0 outliers, 0 unanswered, lost 0 times\n"
                 "steps          0 of the time, 0 of the system clock, 0 other grandmasters\n" METERS
                 "%-32s %14s %12s %14s%s\n", "m", "-", "-", "-", words[i]);
        check(text, expected, i == 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_follows_a_grandmaster_is_told_in_its_units),
        cmocka_unit_test(what_is_not_known_is_said_and_who_is_off_stands_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
