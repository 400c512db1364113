/* SPDX-License-Identifier: Apache-2.0 */
/* Drawings and report: amounts in words, escaping, paper, edges of bands, lists of names. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/markup.h"
#include "cli/check/plot/plot_page.h"
#include "cli/check/report/report_groups.h"
#include "cli/check/setpoints.h"

#define NBSP "\xC2\xA0"

static void amounts_have_four_digits_and_their_unit(void **state)
{
    (void)state;
    assert_string_equal(study_amperes(800).text, "800" NBSP "A");
    assert_string_equal(study_amperes(14400).text, "14.4" NBSP "kA");
    assert_string_equal(study_amperes(9999).text, "9999" NBSP "A");
    assert_string_equal(study_amperes(0).text, "0" NBSP "A");
    assert_string_equal(study_amperes(43.394).text, "43.39" NBSP "A");
    assert_string_equal(study_amperes(INFINITY).text, "none");
    assert_string_equal(study_amperes(NAN).text, "unknown");
    assert_string_equal(study_seconds(0.08).text, "80" NBSP "ms");
    assert_string_equal(study_seconds(0.1).text, "0.1" NBSP "s");
    assert_string_equal(study_seconds(1.2413).text, "1.241" NBSP "s");
    assert_string_equal(study_seconds(3600).text, "60" NBSP "min");
    assert_string_equal(study_seconds(7200).text, "2" NBSP "h");
    assert_string_equal(study_seconds(INFINITY).text, "never");
    /* 480 V and 13.8 kV line to line, kept as line to neutral */
    assert_string_equal(study_volts(277128, 3).text, "480" NBSP "V");
    assert_string_equal(study_volts(7967433, 3).text, "13.8" NBSP "kV");
    assert_string_equal(study_volts(230000, 1).text, "230" NBSP "V");
    assert_string_equal(study_power(2500000000, "VA").text, "2.5" NBSP "MVA");
    assert_string_equal(study_power(10300000, "W").text, "10.3" NBSP "kW");
    assert_string_equal(study_power(900000, "W").text, "900" NBSP "W");
    assert_string_equal(study_day(1775088000).text, "2026-04-02");
}

static void escaped(const char *text, const char *expected)
{
    char *got = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&got, &bytes);

    assert_non_null(out);
    markup_escape(out, text);
    fclose(out);
    assert_string_equal(got, expected);
    free(got);
}

static void text_inside_markup_is_text(void **state)
{
    (void)state;
    escaped("a & b <c> \"d\" 'e'", "a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#39;");
    escaped("gr\xC3\xBC\xC3\x9F, \xE2\x80\x93, \xF0\x9F\x94\x8C",
            "gr\xC3\xBC\xC3\x9F, \xE2\x80\x93, \xF0\x9F\x94\x8C");
    /* a lone byte, an overlong slash, half a character at the end, a surrogate, no character, a bell */
    escaped("x\xFFy", "x\xEF\xBF\xBDy");
    escaped("\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD");
    escaped("z\xC3", "z\xEF\xBF\xBD");
    escaped("\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    escaped("\xEF\xBF\xBF", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    escaped("\a\t\n", "\xEF\xBF\xBD\t\n");
}

/* cmocka compares floats; a drawing's places are doubles */
static void near(double got, double expected, double apart)
{
    if (!(fabs(got - expected) <= apart))
        fail_msg("%.9g, not %.9g within %g", got, expected, apart);
}

static const struct plot_axis paper = {100, 100000, 0.01, 10000, 60, 20, 600, 600};

static void paper_is_logarithmic_both_ways(void **state)
{
    (void)state;
    near(plot_x(&paper, 100), 60, 1e-9);
    near(plot_x(&paper, 1000), 260, 1e-9);
    near(plot_x(&paper, 100000), 660, 1e-9);
    near(plot_x(&paper, 5000), 60 + 200 * log10(50), 1e-9);
    near(plot_x(&paper, 0), 60, 0);
    near(plot_x(&paper, INFINITY), 660, 0);
    near(plot_y(&paper, 10000), 20, 1e-9);
    near(plot_y(&paper, 1), 420, 1e-9);
    near(plot_y(&paper, 0), 620, 0);
    near(plot_y(&paper, INFINITY), 20, 0);
    near(plot_amperes(&paper, 260), 1000, 1e-6);
    near(plot_round_down(840), 800, 1e-9);
    near(plot_round_down(800), 800, 1e-9);
    near(plot_round_up(32400), 40000, 1e-6);
    near(plot_round_up(35.0), 40, 1e-9);
    near(plot_round_up(9100), 10000, 1e-6);
}

/* BR800 of domain.md 1.3. */
static const struct site_device br800 = {
    .kind = DEVICE_ELECTRONIC, .rating_ma = 800000, .long_time_ma = 800000, .long_time_ns = 8000000000,
    .long_time_at_ppm = 6000000, .thermal_memory = true,
    .short_time = {4800000, 100000000, -1, false, true},
    .instantaneous = {8000000, 0, -1, false, false}, .opening_ns = 50000000, .clears_ns = 80000000,
    .ambient_ppm = 1000000,
};

static double height(const struct plot_line *line, double amperes)
{
    double x = plot_x(&paper, amperes);

    for (uint32_t i = line->count - 1; i > 0; i--) {
        const struct plot_point *a = &line->point[i - 1], *b = &line->point[i];

        if (a->x <= x && x <= b->x)
            return b->x > a->x ? a->y + (b->y - a->y) * (x - a->x) / (b->x - a->x) : b->y;
    }
    return NAN;
}

static void edges_lie_where_the_worked_example_has_them(void **state)
{
    static struct plot_line line;
    const struct plot_subject subject = {&br800, false, 1, 35000};
    static const struct { double a, s[PLOT_EDGE_COUNT]; } at[] = {
        /* 8 s (4800 A / I)^2, +-10 % */
        {905, {202.54, 225.05, 0}},         {965, {178.14, 197.93, 217.73 + 0.05}},
        {1200, {115.2, 128, 140.8 + 0.05}}, {4000, {10.37, 11.52, 12.67 + 0.05}},
        {4500, {0.09, 9.102, 10.01 + 0.05}}, {6000, {0.09, 0.1, 0.11 + 0.05}},
        {8900, {0.01, 0.03, 0.08}},
    };

    (void)state;
    for (int e = 0; e < PLOT_EDGE_COUNT; e++) {
        plot_trace(&line, &paper, &subject, (enum plot_edge)e);
        assert_in_range(line.count, 4, 40);
        for (uint32_t i = 0; i < sizeof at / sizeof at[0]; i++)
            if (at[i].s[e] > 0)
                near(height(&line, at[i].a), plot_y(&paper, at[i].s[e]), 0.1);
    }
}

static void jumps_are_upright_and_the_end_is_the_fault_current(void **state)
{
    static struct plot_line line;
    const struct plot_subject subject = {&br800, false, 1, 35000};
    uint32_t upright = 0;

    (void)state;
    plot_trace(&line, &paper, &subject, PLOT_NOMINAL);
    /* from the upper edge at 1.125 Ir, at Isd, at Ii */
    static const double jump[] = {900, 4800, 8000};

    for (uint32_t i = 1; i < line.count; i++)
        for (uint32_t k = 0; k < 3; k++)
            upright += line.point[i].y - line.point[i - 1].y > 20 &&
                       fabs(line.point[i].x - line.point[i - 1].x) < 0.05 &&
                       fabs(line.point[i].x - plot_x(&paper, jump[k])) < 0.05;
    assert_int_equal(upright, 3);
    near(line.point[0].y, 20, 1e-6);
    near(line.point[line.count - 1].x, plot_x(&paper, 35000), 1e-6);
    for (uint32_t i = 1; i < line.count; i++)
        assert_true(line.point[i].x >= line.point[i - 1].x && line.point[i].y >= line.point[i - 1].y - 1e-9);
}

static void a_device_of_another_voltage_is_moved_by_the_ratio(void **state)
{
    static struct plot_line here, there;
    const struct plot_subject one = {&br800, false, 1, 10000}, other = {&br800, false, 5, 50000};

    (void)state;
    plot_trace(&here, &paper, &one, PLOT_FAST);
    plot_trace(&there, &paper, &other, PLOT_FAST);
    near(height(&there, 6000), height(&here, 1200), 0.1);
    near(there.point[0].x - here.point[0].x, 200 * log10(5), 0.01);
    near(plot_line_x(&there, plot_y(&paper, 115.2)), plot_x(&paper, 6000), 0.1);
}

static void words_are_moved_as_little_as_keeps_them_apart(void **state)
{
    static const double want[] = {10, 50, 52, 51, 90}, offset[] = {0, 13, 26, 39, 52};
    double place[5];

    (void)state;
    plot_pool(want, 5, offset, place);
    /* three around 51, the outer ones where they want to be */
    near(place[0], 10, 1e-9);
    near(place[1], 38, 1e-9);
    near(place[2], 51, 1e-9);
    near(place[3], 64, 1e-9);
    near(place[4], 90, 1e-9);
    /* all want the same place */
    static const double same[] = {7, 7, 7}, apart[] = {0, 10, 20};

    plot_pool(same, 3, apart, place);
    near(place[0], -3, 1e-9);
    near(place[2], 17, 1e-9);
}

static const char *const names[] = {"r-01",    "r-02",    "r-03",  "r-04",  "x",    "bus-a9",
                                    "bus-a10", "bus-a11", "a1-b1", "a2-b2", "q8",   "q9",
                                    "q&<",     "t1-a",    "t2-a",  "t3-a",  "t4-a", "t5-b"};

static const char *name(const struct study *study, uint32_t item)
{
    (void)study;
    return names[item];
}

static void names_that_count_on_are_a_range(void **state)
{
    uint32_t item[sizeof names / sizeof names[0]];
    char *got = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&got, &bytes);

    (void)state;
    assert_non_null(out);
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++)
        item[i] = i;
    report_names(out, name, NULL, item, sizeof names / sizeof names[0]);
    fclose(out);
    assert_string_equal(got, "r-01 to r-04, x, bus-a9, bus-a10, bus-a11, a1-b1, a2-b2, q8, q9, q&amp;&lt;, "
                             "t1-a to t4-a, t5-b");
    free(got);
}

static void put_parity(FILE *out, const struct study *study, uint32_t item)
{
    (void)study;
    if (item != 3)
        fprintf(out, "%s", item % 2 ? "odd" : "even");
}

static void items_of_the_same_words_are_one_group(void **state)
{
    struct report_groups groups;

    (void)state;
    assert_int_equal(report_groups_open(&groups, NULL, 7, put_parity), 0);
    assert_int_equal(groups.count, 2);
    assert_string_equal(groups.group[0].text, "even");
    assert_int_equal(groups.group[0].count, 4);
    assert_string_equal(groups.group[1].text, "odd");
    assert_int_equal(groups.group[1].count, 2);
    assert_int_equal(groups.group[1].item[1], 5);
    report_groups_close(&groups);
}

static void find(const struct setpoint *setpoint, uint32_t count, const char *symbol, const char *value,
                 bool assumed)
{
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(setpoint[i].symbol, symbol)) {
            assert_string_equal(setpoint[i].value, value);
            assert_int_equal(setpoint[i].assumed, assumed);
            return;
        }
    fail_msg("no setpoint %s", symbol);
}

static void setpoints_tell_what_is_assumed(void **state)
{
    struct site_device d = br800;
    struct setpoint setpoint[SETPOINTS_MAX];

    (void)state;
    d.assumed = ASSUMED_AT | ASSUMED_CLEARS;
    uint32_t count = setpoints_of(&d, setpoint);

    find(setpoint, count, "Ir", "800" NBSP "A", false);
    find(setpoint, count, "tr", "8" NBSP "s", false);
    find(setpoint, count, "at", "6 Ir", true);
    find(setpoint, count, "memory", "kept", false);
    find(setpoint, count, "tolerance", "7 % up to 6 In, 10 % above (profile)", true);
    find(setpoint, count, "T_dec", "0.5 s", true);
    find(setpoint, count, "clears", "80" NBSP "ms", true);
    find(setpoint, count, "opening", "50" NBSP "ms", false);
    d.short_time.tolerance_ppm = 80000;
    d.assumed = 0;
    count = setpoints_of(&d, setpoint);
    find(setpoint, count, "tolerance", "8 %", false);
    find(setpoint, count, "at", "6 Ir", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_have_four_digits_and_their_unit),
        cmocka_unit_test(text_inside_markup_is_text),
        cmocka_unit_test(paper_is_logarithmic_both_ways),
        cmocka_unit_test(edges_lie_where_the_worked_example_has_them),
        cmocka_unit_test(jumps_are_upright_and_the_end_is_the_fault_current),
        cmocka_unit_test(a_device_of_another_voltage_is_moved_by_the_ratio),
        cmocka_unit_test(words_are_moved_as_little_as_keeps_them_apart),
        cmocka_unit_test(names_that_count_on_are_a_range),
        cmocka_unit_test(items_of_the_same_words_are_one_group),
        cmocka_unit_test(setpoints_tell_what_is_assumed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
