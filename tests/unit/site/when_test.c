/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: what becomes of them, and where each fault is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "site/read/when.h"

static struct when_program program;
static struct when_fault fault;
static char text[WHEN_TEXT_BYTES];

static const struct when_step *made(const char *condition, int64_t hysteresis_ppm, uint32_t steps)
{
    if (when_parse(condition, hysteresis_ppm, &program, &fault))
        fail_msg("%s: %s", condition, fault.words);
    assert_int_equal(program.count, steps);
    return program.step;
}

static void check_comparison(const struct when_step *step, enum when_op op, enum when_quantity quantity,
                             uint32_t place, int64_t bound, int64_t clear)
{
    assert_int_equal(step->op, op);
    assert_int_equal(step->quantity, quantity);
    assert_int_equal(step->place, place);
    assert_int_equal(step->bound, bound);
    assert_int_equal(step->clear, clear);
}

static void the_condition_of_the_manual_is_compiled(void **state)
{
    const struct when_step *step = made("thd_current > 8% and power > 600kW for 200ms", 0, 4);

    (void)state;
    check_comparison(&step[0], WHEN_ABOVE, WHEN_THD_CURRENT, 0, 80000, 80000);
    check_comparison(&step[1], WHEN_ABOVE, WHEN_POWER, 1, 600000000, 600000000);
    assert_int_equal(step[2].op, WHEN_FOR);
    assert_int_equal(step[2].bound, 200 * NS_PER_MS);
    assert_int_equal(step[3].op, WHEN_AND);
}

static void hysteresis_lies_on_the_side_that_clears(void **state)
{
    (void)state;
    check_comparison(made("power > 600kW", 20000, 1), WHEN_ABOVE, WHEN_POWER, 0, 600000000, 588000000);
    check_comparison(made("power >= -600kW", 20000, 1), WHEN_AT_LEAST, WHEN_POWER, 0, -600000000,
                     -612000000);
    check_comparison(made("power < 600kW", 20000, 1), WHEN_BELOW, WHEN_POWER, 0, 600000000, 612000000);
    check_comparison(made("power <= -1W", 500000, 1), WHEN_AT_MOST, WHEN_POWER, 0, -1000, -500);
    check_comparison(made("power > 0W", 500000, 1), WHEN_ABOVE, WHEN_POWER, 0, 0, 0);
    check_comparison(made("frequency < 49.8Hz", 20000, 1), WHEN_BELOW, WHEN_FREQUENCY, 0, 49800, 49820);
    check_comparison(made("power > 600 kW clear 1kW", 20000, 1), WHEN_ABOVE, WHEN_POWER, 0, 600000000,
                     1000000);
    check_comparison(made("power > 1000000MW", 500000, 1), WHEN_ABOVE, WHEN_POWER, 0,
                     INT64_C(1000000000000000), INT64_C(500000000000000));
    check_comparison(made("sag", 20000, 1), WHEN_IS, WHEN_SAG, 0, 0, 0);
}

static void any_phase_is_the_one_that_decides(void **state)
{
    static const struct {
        const char *condition;
        enum when_quantity quantity;
    } rows[] = {
        {"current > 1A", WHEN_CURRENT_MAX}, {"current >= 1A", WHEN_CURRENT_MAX},
        {"current < 1A", WHEN_CURRENT_MIN}, {"current <= 1A", WHEN_CURRENT_MIN},
        {"voltage > 1V", WHEN_VOLTAGE_MAX}, {"voltage < 1V", WHEN_VOLTAGE_MIN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(made(rows[i].condition, 0, 1)->quantity, rows[i].quantity);
}

/* not before and before or; `for` only what stands right before it. */
static void words_bind_as_they_are_documented(void **state)
{
    static const struct {
        const char *condition, *written;
    } rows[] = {
        {"sag or swell and not interruption", "sag or (swell and (not interruption))"},
        {"sag and swell or interruption and sag", "(sag and swell) or (interruption and sag)"},
        {"not sag and swell", "(not sag) and swell"},
        {"not (sag and swell)", "not (sag and swell)"},
        {"not sag for 1s", "not (sag for 1s)"},
        {"(not sag) for 1s", "(not sag) for 1s"},
        {"sag and swell for 1500ms", "sag and (swell for 1.5s)"},
        {"(sag and swell) for 90s", "(sag and swell) for 1.5min"},
        {"((sag for 1s) and swell) for 2s", "((sag for 1s) and swell) for 2s"},
        {"sag or swell or interruption", "sag or swell or interruption"},
        {"sag or (swell or interruption)", "sag or (swell or interruption)"},
        {"  ( ( sag ) )  ", "sag"},
        {"power>1kW clear 0.5kW for 1ms", "power > 1kW clear 500W for 1ms"},
        {"power_factor < 90 %", "power_factor < 0.9"},
        {"dp_dt <= -2 MW/s", "dp_dt <= -2MW/s"},
        {"reactive > 0.0015kvar", "reactive > 1.5var"},
        {"frequency >= 49.999Hz", "frequency >= 49.999Hz"},
        {"harmonic_5 > 0.5%", "harmonic_5 > 0.5%"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct when_program again;

        if (when_parse(rows[i].condition, 0, &program, &fault))
            fail_msg("%s: %s", rows[i].condition, fault.words);
        assert_string_equal(when_write(&program, text), rows[i].written);
        assert_int_equal(when_parse(text, 0, &again, &fault), 0);
        assert_memory_equal(&again, &program, sizeof again);
    }
}

static void every_quantity_can_be_named(void **state)
{
    static const char *const value[] = {"1W", "1VA", "1var", "1A", "1V", "1Hz", "1%", "1", "1W/s", NULL};
    char condition[80];

    (void)state;
    for (uint32_t i = 0; i < WHEN_QUANTITY_COUNT; i++) {
        uint32_t worked = 0;

        assert_non_null(when_quantity_meaning(i));
        for (uint32_t v = 0; v < sizeof value / sizeof value[0]; v++) {
            snprintf(condition, sizeof condition, "%s%s%s", when_quantity_name(i), value[v] ? " > " : "",
                     value[v] ? value[v] : "");
            if (when_parse(condition, 0, &program, &fault))
                continue;
            assert_int_equal(program.step[0].quantity, i);
            worked++;
        }
        uint32_t factor = when_quantity_unit(i) == when_quantity_unit(WHEN_POWER_FACTOR);
        assert_int_equal(worked, factor ? 2 : 1);   /* it may be written in % */
    }
}

static void a_fault_is_told_at_its_token(void **state)
{
    static const struct {
        const char *condition, *words;
        uint32_t at;
    } rows[] = {
        {"", "when is empty", 0},
        {"   ", "is missing", 3},
        {"power", "compared with nothing", 5},
        {"power >", "none stands here", 7},
        {"power > and", "none stands here", 8},
        {"power > 6", "has no unit: power is a power, write 6W", 8},
        {"power > 6A", "has a unit that power has not", 8},
        {"power > 6 and sag", "has no unit", 8},
        {"power > 0.0001W", "is finer than 1 mW", 8},
        {"power > 1000001MW", "more than any meter", 8},
        {"power > 9999999999999999999W", "more than any meter", 8},
        {"power > 1.W", "is no number", 8},
        {"power > 6kW clear", "none stands here", 17},
        {"power > 6kW clear 7kW", "clear must lie below", 18},
        {"power < 6kW clear 5kW", "clear must lie above", 18},
        {"power > 6kW clear 5kW clear 4kW", "and or or must stand here, not 'clear'", 22},
        {"powre > 6kW", "did you mean 'power'?", 0},
        {"currnet > 6A", "did you mean 'current'?", 0},
        {"zzzzzz > 6A", "unknown quantity 'zzzzzz', flyball-site(5)", 0},
        {"6kW > power", "a quantity like power must stand here, not '6kW'", 0},
        {"power = 6kW", "'=' is not known", 6},
        {"power != 6kW", "'!' is not known", 6},
        {"power > =6kW", "'=' is not known", 8},
        {"!sag", "'!' is not known", 0},
        {"sag & swell", "write and", 4},
        {"sag || swell", "write or", 4},
        {"sag; swell", "';' has no meaning", 3},
        {"sag \xC2\xB5", "a character that has no meaning", 4},
        {"sag\tswell", "a character that has no meaning", 3},
        {"sag swell", "and or or must stand here, not 'swell'", 4},
        {"sag and", "ends here", 7},
        {"sag and or swell", "must stand here, not 'or'", 8},
        {"not", "ends here", 3},
        {"(sag", "this parenthesis is not closed", 0},
        {"sag and (swell or (sag)", "this parenthesis is not closed", 8},
        {"(sag swell)", "and, or or ) must stand here, not 'swell'", 5},
        {"(sag ?)", "'?' has no meaning", 5},
        {"sag)", "never opened", 3},
        {"()", "must stand here, not ')'", 1},
        {"sag > 5%", "is compared with nothing", 4},
        {"sag clear 5%", "is compared with nothing", 4},
        {"sag for", "a time like 200ms", 7},
        {"sag for swell", "a time like 200ms", 8},
        {"sag for ?", "'?' has no meaning", 8},
        {"sag for 5", "for is a time, write 5ms", 8},
        {"sag for 5kW", "has a unit that for has not", 8},
        {"sag for 999us", "out of range", 8},
        {"sag for 3601s", "out of range", 8},
        {"sag for -1s", "out of range", 8},
        {"sag for 1s for 2s", "for stands here twice", 11},
        {"for 1s", "must stand here, not 'for'", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!when_parse(rows[i].condition, 0, &program, &fault))
            fail_msg("%s was taken", rows[i].condition);
        if (!strstr(fault.words, rows[i].words) || fault.at != rows[i].at)
            fail_msg("%s: at %u: %s", rows[i].condition, fault.at, fault.words);
    }
}

static void repeat(char *into, const char *word, uint32_t times)
{
    while (times--)
        into = stpcpy(into, word);
}

static void what_is_too_long_is_told_where_it_is(void **state)
{
    static const struct {
        const char *word, *last;
        uint32_t times, more;   /* fits; and does not, from byte `at` */
        uint32_t at;
        const char *words;
    } rows[] = {
        {"sag or ", "sag", 23, 24, 24 * 7, "more than 24 comparisons"},
        {"not ", "sag", 47, 48, 0, "is longer than 48"},
        {"not ", "sag", 47, 97, 96 * 4, "more than 96 parentheses"},
        {"sag for 1s or ", "sag", 8, 9, 8 * 14 + 4, "more than 8 times"},
        {"(", "sag", 0, 97, 96, "more than 96 parentheses"},
    };
    char condition[800];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        repeat(condition, rows[i].word, rows[i].times);
        strcpy(condition + rows[i].times * strlen(rows[i].word), rows[i].last);
        assert_int_equal(when_parse(condition, 0, &program, &fault), 0);
        repeat(condition, rows[i].word, rows[i].more);
        strcpy(condition + rows[i].more * strlen(rows[i].word), rows[i].last);
        assert_int_not_equal(when_parse(condition, 0, &program, &fault), 0);
        if (!strstr(fault.words, rows[i].words) || fault.at != rows[i].at)
            fail_msg("%s: at %u: %s", condition, fault.at, fault.words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_condition_of_the_manual_is_compiled),
        cmocka_unit_test(hysteresis_lies_on_the_side_that_clears),
        cmocka_unit_test(any_phase_is_the_one_that_decides),
        cmocka_unit_test(words_bind_as_they_are_documented),
        cmocka_unit_test(every_quantity_can_be_named),
        cmocka_unit_test(a_fault_is_told_at_its_token),
        cmocka_unit_test(what_is_too_long_is_told_where_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
