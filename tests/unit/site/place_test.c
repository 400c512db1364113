/* SPDX-License-Identifier: Apache-2.0 */
/* The measured block goes into a site file and no other byte of it changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "msg/limits.h"
#include "site/read/place.h"
#include "written_site.h"

#define HEAD "site: t\nnodes:\n  - {id: n, kind: main, volts: 400V, rating: 100A}\n"
#define PORTS "ports: [{driver: synthetic, interface: a, address: 10.0.0.1, udp: 7001}]"

static const struct measured sample = {
    .present = true,
    .when_s = 1795227243,       /* 2026-11-21T02:14:03Z */
    .host = "alpha",
    .kernel = "6.1.0-rt #1 SMP \"x\"",
    .cpu = "cpu, 2 cores",
    .version = "0.1.0 (abc)",
    .core = 1,
    .housekeeping = -1,
    .priority = 80,
    .hiccups = {.span_ns = 5 * NS_PER_S, .longest_ns = 2300000, .p999_ns = 110000, .over_10us = 7,
                .over_100us = 3, .over_1ms = 1, .lost_ppm = 6477},
};

struct edited {
    char *text;
    size_t bytes;
    int rc;
    char why[300];
    struct place place;
};

static struct edited edit(const char *text, const char *row)
{
    struct edited e = {0};
    e.rc = place_find(text, strlen(text), row, &e.place, e.why, sizeof e.why);
    if (!e.rc)
        e.text = place_fill(text, strlen(text), &e.place, &sample, &e.bytes);
    return e;
}

/* The bytes before and behind the place are those of the old text, and the whole loads with the block. */
static void check(const char *text, const struct edited *e, const char *row)
{
    struct written_site before, after;
    size_t tail = strlen(text) - e->place.to;
    assert_int_equal(e->rc, 0);
    assert_non_null(e->text);
    assert_memory_equal(e->text, text, e->place.from);
    assert_memory_equal(e->text + e->bytes - tail, text + e->place.to, tail);
    written_site_load(&before, text, row);
    written_site_load(&after, e->text, row);
    assert_string_equal(after.report, "");
    assert_int_equal(before.rc, 0);
    assert_int_equal(after.rc, 0);
    const struct measured *m = &after.site.server.measured;
    assert_true(m->present);
    assert_int_equal(m->when_s, sample.when_s);
    assert_string_equal(m->kernel, sample.kernel);
    assert_int_equal(m->hiccups.longest_ns, 2300000);
    assert_int_equal(m->hiccups.lost_ppm, 6477);
    assert_int_equal(m->housekeeping, -1);
    assert_memory_equal(before.site.model.node, after.site.model.node, sizeof *before.site.model.node);
    assert_int_equal(before.site.server.port[0].ring_frames, after.site.server.port[0].ring_frames);
    site_unload(&before.site);
    site_unload(&after.site);
}

static void a_block_row_gets_the_block_behind_its_last_line(void **state)
{
    static const char text[] = HEAD "servers:   # machines\n"
                                    "  - name: alpha\n"
                                    "    " PORTS "   # one port\n"
                                    "    memory: 256MiB   # of it\n"
                                    "\n"
                                    "  # the next\n"
                                    "  - {name: beta, " PORTS "}\n";
    static const char begins[] = "    memory: 256MiB   # of it\n"
                                 "    measured:  # by `flyball tune`, which replaces all of it\n"
                                 "      when: \"2026-11-21T02:14:03Z\"\n"
                                 "      host: \"alpha\"\n";
    (void)state;
    struct edited e = edit(text, "alpha");
    check(text, &e, "alpha");
    assert_false(e.place.replaces);
    assert_int_equal(e.place.from, e.place.to);
    assert_non_null(strstr(e.text, begins));
    assert_non_null(strstr(e.text, "lost: 0.6477%}\n\n  # the next\n  - {name: beta"));
    free(e.text);
}

static void a_second_run_replaces_the_block_and_nothing_else(void **state)
{
    static const char text[] = HEAD "servers:\n"
                                    "  - name: alpha\n"
                                    "    measured:  # old\n"
                                    "      when: \"2020-01-01T00:00:00Z\"\n"
                                    "      # a remark of the old one\n"
                                    "      host: x\n"
                                    "      kernel: k\n"
                                    "      cpu: c\n"
                                    "      version: v   # last\n"
                                    "    # a remark behind it\n"
                                    "    " PORTS "\n"
                                    "    priority: 5\n";
    (void)state;
    struct edited e = edit(text, "alpha");
    check(text, &e, "alpha");
    assert_true(e.place.replaces);
    assert_null(strstr(e.text, "2020"));
    assert_null(strstr(e.text, "remark of the old"));
    assert_non_null(strstr(e.text, "lost: 0.6477%}\n    # a remark behind it\n    ports"));
    struct edited again = edit(e.text, "alpha");
    assert_int_equal(again.rc, 0);
    assert_string_equal(again.text, e.text);    /* the same block once more: the same file */
    free(again.text);
    free(e.text);
}

static void a_row_that_begins_with_the_block_keeps_its_dash(void **state)
{
    static const char text[] = HEAD "servers:\n"
                                    "- measured: {when: \"2020-01-01T00:00:00Z\", host: x, kernel: k, "
                                    "cpu: c, version: v}\n"
                                    "  name: alpha\n"
                                    "  " PORTS "\n";
    (void)state;
    struct edited e = edit(text, "alpha");
    check(text, &e, "alpha");
    assert_non_null(strstr(e.text, "\n- measured:  # by"));
    assert_non_null(strstr(e.text, "\n    when: \"2026"));
    free(e.text);
}

static void a_flow_row_gets_it_before_its_brace(void **state)
{
    static const char text[] = HEAD "servers:\n"
                                    "  - {name: alpha, " PORTS ", door: \"/run/a b\" }   # one line\n"
                                    "  - {name: beta, " PORTS "}\n";
    (void)state;
    struct edited e = edit(text, "alpha");
    check(text, &e, "alpha");
    assert_non_null(strstr(e.text, "door: \"/run/a b\",\n     measured: {\n"));
    assert_non_null(strstr(e.text, "lost: 0.6477%}} }   # one line\n  - {name: beta"));
    struct edited again = edit(e.text, "alpha");
    check(e.text, &again, "alpha");
    assert_true(again.place.replaces);
    assert_string_equal(again.text, e.text);
    free(again.text);
    free(e.text);
}

static void a_list_of_rows_in_brackets_is_extended_too(void **state)
{
    static const char text[] = HEAD "servers: [{name: alpha, " PORTS ",}, {name: beta, " PORTS "}]\n";
    (void)state;
    struct edited first = edit(text, "alpha"), last = edit(text, "beta");
    check(text, &first, "alpha");
    check(text, &last, "beta");
    free(first.text);
    free(last.text);
}

static void the_row_with_the_name_is_taken_wherever_it_stands(void **state)
{
    static const char text[] = HEAD "servers:\n"
                                    "  - name: alpha\n"
                                    "    " PORTS "\n"
                                    "  - " PORTS "\n"
                                    "    name: \"beta\"\n"
                                    "  - name: gamma\n"
                                    "    " PORTS "\n"
                                    "redundancy: {scheme: N}\n";
    (void)state;
    struct edited beta = edit(text, "beta"), gamma = edit(text, "gamma");
    check(text, &beta, "beta");
    check(text, &gamma, "gamma");
    assert_non_null(strstr(beta.text, "name: \"beta\"\n    measured:"));
    assert_non_null(strstr(gamma.text, "%}\nredundancy: {scheme: N}\n"));
    assert_non_null(strstr(gamma.text, "name: \"beta\"\n  - name: gamma\n"));
    free(beta.text);
    free(gamma.text);
}

static void line_ends_stay_as_they_are(void **state)
{
    static const char text[] = "site: t\r\nnodes:\r\n  - {id: n, kind: main, volts: 400V, rating: 100A}\r\n"
                               "servers:\r\n  - name: alpha   # x\r\n    " PORTS "\r\n";
    (void)state;
    struct edited e = edit(text, "alpha");
    check(text, &e, "alpha");
    uint32_t ends = 0, returns = 0;
    for (size_t i = 0; i < e.bytes; i++) {
        ends += e.text[i] == '\n';
        returns += e.text[i] == '\n' && i && e.text[i - 1] == '\r';
    }
    assert_true(ends > 14);
    assert_int_equal(ends, returns);
    assert_null(strstr(e.text, "\r\r"));
    free(e.text);
}

static void a_file_without_a_last_line_end_gets_none(void **state)
{
    static const char text[] = HEAD "servers:\n  - name: alpha\n    " PORTS "\n    priority: 3";
    (void)state;
    struct edited e = edit(text, "alpha");
    check(text, &e, "alpha");
    assert_non_null(strstr(e.text, "priority: 3\n    measured:"));
    assert_int_equal(e.text[e.bytes - 1], '}');
    free(e.text);
}

static void what_cannot_be_extended_is_refused_in_words(void **state)
{
    (void)state;
    struct edited none = edit(HEAD "servers:\n  - {name: alpha, " PORTS "}\n", "delta");
    assert_int_equal(none.rc, -ENOENT);
    assert_string_equal(none.why, "servers: has no row named 'delta'");
    struct edited tabs = edit(HEAD "servers:\n\t- name: alpha\n", "alpha");
    assert_int_equal(tabs.rc, -EINVAL);
    assert_non_null(strstr(tabs.why, "5:1: not YAML"));
    struct edited quoted = edit(HEAD "servers:\n  - \"name\": alpha\n    " PORTS "\n", "alpha");
    assert_int_equal(quoted.rc, -EINVAL);
    assert_non_null(strstr(quoted.why, "paste the block by hand"));
    struct edited empty = edit("", "alpha");
    assert_int_equal(empty.rc, -EINVAL);
}

static void umlauts_before_the_row_do_not_shift_the_place(void **state)
{
    static const char text[] = "# Gr\xc3\xb6\xc3\x9f" "e \xe2\x82\xac\n" HEAD
                               "servers:\n  - name: alpha  # \xc3\xbc" "ber\n    " PORTS " # \xc3\xbc\n";
    (void)state;
    struct edited e = edit(text, "alpha");
    check(text, &e, "alpha");
    assert_non_null(strstr(e.text, "# \xc3\xbc\n    measured:"));
    free(e.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_row_gets_the_block_behind_its_last_line),
        cmocka_unit_test(a_second_run_replaces_the_block_and_nothing_else),
        cmocka_unit_test(a_row_that_begins_with_the_block_keeps_its_dash),
        cmocka_unit_test(a_flow_row_gets_it_before_its_brace),
        cmocka_unit_test(a_list_of_rows_in_brackets_is_extended_too),
        cmocka_unit_test(the_row_with_the_name_is_taken_wherever_it_stands),
        cmocka_unit_test(line_ends_stay_as_they_are),
        cmocka_unit_test(a_file_without_a_last_line_end_gets_none),
        cmocka_unit_test(what_cannot_be_extended_is_refused_in_words),
        cmocka_unit_test(umlauts_before_the_row_do_not_shift_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
