/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "site/read/quantity.h"
#include "site/read/suggest.h"

static int64_t parsed(enum quantity what, const char *text)
{
    int64_t value = -1;

    assert_int_equal(quantity_parse(what, text, &value), QUANTITY_OK);
    return value;
}

static void a_quantity_is_read_exactly(void **state)
{
    (void)state;
    assert_int_equal(parsed(QUANTITY_CURRENT, "850A"), 850000);
    assert_int_equal(parsed(QUANTITY_CURRENT, "0.85kA"), 850000);
    assert_int_equal(parsed(QUANTITY_CURRENT, "850 A"), 850000);
    assert_int_equal(parsed(QUANTITY_POWER, "10.3kW"), 10300000);
    assert_int_equal(parsed(QUANTITY_POWER, "0.000000001MW"), 1);
    assert_int_equal(parsed(QUANTITY_APPARENT, "1.5MVA"), 1500000000);
    assert_int_equal(parsed(QUANTITY_RAMP, "50MW/s"), 50000000);
    assert_int_equal(parsed(QUANTITY_RAMP, "50kW/ms"), 50000000);
    assert_int_equal(parsed(QUANTITY_TIME, "50ms"), 50000000);
    assert_int_equal(parsed(QUANTITY_TIME, "1.5us"), 1500);
    assert_int_equal(parsed(QUANTITY_RATIO, "0.2%"), 2000);
    assert_int_equal(parsed(QUANTITY_FACTOR, "0.98"), 980000);
    assert_int_equal(parsed(QUANTITY_FACTOR, "98%"), 980000);
    assert_int_equal(parsed(QUANTITY_MEMORY, "2GiB"), 2048);
}

static void what_is_no_such_quantity_is_refused_for_its_reason(void **state)
{
    static const struct {
        enum quantity what;
        const char *text;
        enum quantity_fault fault;
    } row[] = {
        {QUANTITY_CURRENT, "850", QUANTITY_NO_UNIT},
        {QUANTITY_CURRENT, "850 ", QUANTITY_NO_UNIT},
        {QUANTITY_CURRENT, "850a", QUANTITY_WRONG_UNIT},
        {QUANTITY_CURRENT, "850kW", QUANTITY_WRONG_UNIT},
        {QUANTITY_CURRENT, "850AA", QUANTITY_WRONG_UNIT},
        {QUANTITY_CURRENT, "850  A", QUANTITY_WRONG_UNIT},
        {QUANTITY_CURRENT, "", QUANTITY_NOT_NUMBER},
        {QUANTITY_CURRENT, "A", QUANTITY_NOT_NUMBER},
        {QUANTITY_CURRENT, ".5A", QUANTITY_NOT_NUMBER},
        {QUANTITY_CURRENT, "5.A", QUANTITY_NOT_NUMBER},
        {QUANTITY_CURRENT, "1e3A", QUANTITY_WRONG_UNIT},
        {QUANTITY_CURRENT, "0.0005A", QUANTITY_TOO_FINE},
        {QUANTITY_CURRENT, "9999999999999999999A", QUANTITY_TOO_LARGE},
        {QUANTITY_CURRENT, "999999999999999999kA", QUANTITY_TOO_LARGE},
        {QUANTITY_TIME, "0.5ns", QUANTITY_TOO_FINE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        int64_t value;

        assert_int_equal(quantity_parse(row[i].what, row[i].text, &value), row[i].fault);
    }
}

static void a_value_is_written_in_the_unit_a_person_would_choose(void **state)
{
    char text[32];

    (void)state;
    assert_string_equal(quantity_write(QUANTITY_CURRENT, 850000, text, sizeof text), "850A");
    assert_string_equal(quantity_write(QUANTITY_POWER, 10300000, text, sizeof text), "10.3kW");
    assert_string_equal(quantity_write(QUANTITY_TIME, 1000000, text, sizeof text), "1ms");
    assert_string_equal(quantity_write(QUANTITY_RATIO, 950000, text, sizeof text), "95%");
    assert_string_equal(quantity_write(QUANTITY_POWER, 0, text, sizeof text), "0mW");
    assert_string_equal(quantity_write(QUANTITY_POWER, -1500, text, sizeof text), "-1.5W");
}

static const char *nearest(const char *wrong, const char *a, const char *b)
{
    struct suggest s;

    suggest_start(&s, wrong);
    suggest_offer(&s, a);
    suggest_offer(&s, b);
    return s.best;
}

static void the_nearest_word_is_suggested_and_a_far_one_is_not(void **state)
{
    (void)state;
    assert_string_equal(nearest("ratng", "rated", "rating"), "rating");
    assert_string_equal(nearest("burts", "burst", "base"), "burst");
    assert_string_equal(nearest("parnet", "parent", "parents"), "parent");
    assert_null(nearest("colour", "rating", "phases"));
    assert_null(nearest("x", "id", "kind"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quantity_is_read_exactly),
        cmocka_unit_test(what_is_no_such_quantity_is_refused_for_its_reason),
        cmocka_unit_test(a_value_is_written_in_the_unit_a_person_would_choose),
        cmocka_unit_test(the_nearest_word_is_suggested_and_a_far_one_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
