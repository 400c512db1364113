/* SPDX-License-Identifier: Apache-2.0 */
/* What `flyball sim` understands, and what it says of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/sim/options.h"

enum { WORDS_MAX = 600 };

struct said {
    int result;
    struct sim_options options;
    char words[400];            /* on standard error */
};

/* `line` is split at spaces; `_` within a word stands for one. */
static void parse(struct said *said, const char *line)
{
    static char copy[16384];
    char *argv[WORDS_MAX] = {"flyball sim"}, *rest = copy, *word;
    int argc = 1, kept = dup(STDERR_FILENO);
    FILE *catcher = tmpfile();
    assert_non_null(catcher);
    snprintf(copy, sizeof copy, "%s", line);
    while ((word = strsep(&rest, " ")) && argc < WORDS_MAX) {
        for (char *at = word; *at; at++)
            *at = *at == '_' ? ' ' : *at;
        if (*word)
            argv[argc++] = word;
    }
    fflush(stderr);
    dup2(fileno(catcher), STDERR_FILENO);
    said->result = sim_parse(argc, argv, &said->options);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(catcher);
    size_t bytes = fread(said->words, 1, sizeof said->words - 1, catcher);
    said->words[bytes] = 0;
    fclose(catcher);
}

static void everything_that_can_be_said_arrives(void **state)
{
    struct said said;
    (void)state;
    parse(&said,
          "site.yaml --workload w.yaml --random --faults hostile --seed 9223372036854775807 --hours 0.5 "
          "--only 3,17,40-45 --until 63s --no-shrink --json - --fault reset_a_at_3s --server s");
    assert_int_equal(said.result, CLI_OK);
    assert_string_equal(said.words, "");
    assert_string_equal(said.options.site, "site.yaml");
    assert_string_equal(said.options.workload, "w.yaml");
    assert_string_equal(said.options.server, "s");
    assert_true(said.options.random && said.options.no_shrink && said.options.has_seed);
    assert_int_equal(said.options.level, LEVEL_HOSTILE);
    assert_true(said.options.seed == INT64_MAX);
    assert_true(said.options.hours > 0.49 && said.options.hours < 0.51);
    assert_int_equal(said.options.until_ns, 63 * NS_PER_S);
    assert_int_equal(said.options.fault_count, 1);
    assert_string_equal(said.options.fault[0], "reset a at 3s");
}

static void only_keeps_numbers_and_ranges(void **state)
{
    struct said said;
    (void)state;
    parse(&said, "site.yaml --random --only 3,17,40-45");
    for (uint32_t i = 0; i < 60; i++)
        assert_int_equal(sim_keeps(&said.options, i), i == 3 || i == 17 || (i >= 40 && i <= 45));
    parse(&said, "site.yaml --random --only none");
    assert_false(sim_keeps(&said.options, 0));
    parse(&said, "site.yaml --random");
    assert_true(sim_keeps(&said.options, 0) && sim_keeps(&said.options, 16000));
    assert_int_equal(said.options.level, LEVEL_SOME);
}

static void traces_come_with_a_scale(void **state)
{
    struct said said;
    (void)state;
    parse(&said, "site.yaml --trace d --stagger 7s");
    assert_int_equal(said.result, CLI_OK);
    assert_string_equal(said.options.trace, "d");
    assert_true(said.options.play.of_peak && said.options.play.scale > 0.94 &&
                said.options.play.scale < 0.96);
    assert_int_equal(said.options.play.stagger_ns, 7 * NS_PER_S);
    parse(&said, "site.yaml --trace d --scale 12");
    assert_true(!said.options.play.of_peak && said.options.play.scale > 11.9 &&
                said.options.play.scale < 12.1);
}

static void a_scenario_is_found_by_name_and_by_number(void **state)
{
    struct said said;
    (void)state;
    parse(&said, "site.yaml --scenario 1");
    assert_int_equal(said.result, CLI_OK);
    assert_ptr_equal(said.options.scenario, scenario_at(0));
    assert_int_equal(said.options.scenario->number, 1);
    parse(&said, "site.yaml --scenario driver-reload --duration 90s");
    assert_ptr_equal(said.options.scenario, scenario_find("driver-reload"));
    assert_int_equal(said.options.duration_ns, 90 * NS_PER_S);
}

static void what_is_wrong_is_said(void **state)
{
    static const struct { const char *line, *said; } wrong[] = {
        {"", "a SITE is needed"},
        {"a.yaml b.yaml --random", "argument 'b.yaml' is not expected"},
        {"a.yaml", "one of --scenario, --random, --fault and --trace is needed"},
        {"a.yaml --random --stagger 3s", "--stagger and --scale belong to --trace"},
        {"a.yaml --trace d --stagger -3s", "--stagger '-3s' is not a time such as 7s"},
        {"a.yaml --trace d --scale 101%", "--scale '101%' is not a share of phys_max"},
        {"a.yaml --trace d --scale 0", "--scale '0' is not a share of phys_max"},
        {"a.yaml --scenario 1 --random", "--scenario and --random exclude each other"},
        {"a.yaml --scenario no-such", "--scenario 'no-such' is not one of those that --list shows"},
        {"a.yaml --random --faults lots", "--faults 'lots' is not none, some, many or hostile"},
        {"a.yaml --scenario 1 --faults some", "--faults belongs to --random"},
        {"a.yaml --random --seed -1", "--seed '-1' is not a whole number"},
        {"a.yaml --random --seed 1x", "--seed '1x' is not a whole number"},
        {"a.yaml --random --seed 18446744073709551616", "is not a whole number"},
        {"a.yaml --random --seed 9223372036854775808", "is not a whole number below 2^63"},
        {"a.yaml --random --hours 0", "--hours '0' is not a number of hours"},
        {"a.yaml --random --hours nan", "--hours 'nan' is not a number of hours"},
        {"a.yaml --random --hours 10001", "is not a number of hours"},
        {"a.yaml --random --hours 1 --duration 5s", "--hours and --duration exclude each other"},
        {"a.yaml --random --duration 5", "--duration '5' is not a time such as 30s"},
        {"a.yaml --random --until -3s", "--until '-3s' is not a time such as 30s"},
        {"a.yaml --random --only 3,", "--only '3,' is not a list of numbers"},
        {"a.yaml --random --only 5-3", "--only '5-3' is not a list of numbers"},
        {"a.yaml --random --only -3", "--only '-3' is not a list of numbers"},
        {"a.yaml --random --only 16384", "--only '16384' is not a list of numbers"},
        {"a.yaml --fault x --only 3", "--only belongs to --random or --scenario"},
        {"a.yaml --random --seed", "'--seed' wants a value"},
        {"a.yaml --random --speed 3", "no option '--speed'"},
    };
    struct said said;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        parse(&said, wrong[i].line);
        assert_int_equal(said.result, CLI_USAGE);
        if (!strstr(said.words, wrong[i].said))
            fail_msg("'%s': said: %s", wrong[i].line, said.words);
    }
}

static void as_many_faults_as_fit_and_no_more(void **state)
{
    static char line[16384];
    struct said said;
    int length = snprintf(line, sizeof line, "a.yaml");
    (void)state;
    for (int i = 0; i < SIM_FAULTS_MAX; i++)
        length += snprintf(line + length, sizeof line - (size_t)length, " --fault x");
    parse(&said, line);
    assert_int_equal(said.result, CLI_OK);
    assert_int_equal(said.options.fault_count, SIM_FAULTS_MAX);
    snprintf(line + length, sizeof line - (size_t)length, " --fault y");
    parse(&said, line);
    assert_int_equal(said.result, CLI_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_that_can_be_said_arrives),
        cmocka_unit_test(only_keeps_numbers_and_ranges),
        cmocka_unit_test(traces_come_with_a_scale),
        cmocka_unit_test(a_scenario_is_found_by_name_and_by_number),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(as_many_faults_as_fit_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
