/* SPDX-License-Identifier: Apache-2.0 */
/* Rows to a site file: which columns there are, which hosts become one row, where a place leads back to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/import/import.h"

struct tables {
    struct shape shape;
    struct scratch scratch;
    struct findings *errors;
    struct import_table table[IMPORT_SOURCES];
};

static struct tables *new_tables(void)
{
    struct tables *t = calloc(1, sizeof *t);

    assert_non_null(t);
    t->errors = calloc(1, sizeof *t->errors);
    assert_non_null(t->errors);
    assert_int_equal(shape_gather(&t->shape), 0);
    return t;
}

static void free_tables(struct tables *t)
{
    for (int s = 0; s < IMPORT_SOURCES; s++)
        free(t->table[s].text);
    scratch_free(&t->scratch);
    free(t->errors);
    free(t);
}

/* Takes the text over. */
static int fill(struct tables *t, enum import_source source, const char *path, char *text)
{
    struct import_table *table = &t->table[source];

    *table = (struct import_table){.source = source, .path = path, .text = text};
    assert_int_equal(import_keys(table, &t->shape), 0);
    assert_int_equal(csv_parse(text, strlen(text), &t->scratch, t->errors, &table->csv), 0);
    return import_rows(table, &t->scratch, t->errors);
}

static void every_scalar_key_of_the_site_file_is_a_column(void **state)
{
    static const char *const maps[IMPORT_SOURCES] = {"node", "type", "host", "meter", "device"};
    struct tables *t = new_tables();
    uint32_t keys = 0;

    (void)state;
    for (int s = 0; s < IMPORT_SOURCES; s++) {
        struct import_table *table = &t->table[s];

        table->source = (enum import_source)s;
        assert_int_equal(import_keys(table, &t->shape), 0);
        for (const struct field *f = shape_fields(&t->shape, maps[s]); f->key; f++)
            if (shape_is_scalar(f))
                assert_true(import_key_index(table, f->key) < table->key_count);
        keys += table->key_count;
    }
    assert_true(keys >= 60);
    assert_true(import_key_index(&t->table[IMPORT_NODES], "settings_from.as_left") < IMPORT_KEYS_MAX);
    assert_true(import_key_index(&t->table[IMPORT_NODES], "other") < IMPORT_KEYS_MAX);
    assert_true(import_key_index(&t->table[IMPORT_NODES], "other.C") < IMPORT_KEYS_MAX);
    assert_true(import_key_index(&t->table[IMPORT_TYPES], "cap.max") < IMPORT_KEYS_MAX);
    assert_true(import_key_index(&t->table[IMPORT_HOSTS], "cords") < IMPORT_KEYS_MAX);
    assert_int_equal(import_key_index(&t->table[IMPORT_HOSTS], "cords.node"), IMPORT_KEYS_MAX);
    free_tables(t);
}

static void every_list_and_mapping_of_the_site_file_has_a_shape(void **state)
{
    struct tables *t = new_tables();

    (void)state;
    for (uint32_t i = 0; i < t->shape.count; i++)
        for (const struct field *f = t->shape.map[i].fields; f->key; f++)
            if (!shape_is_scalar(f) && !shape_child(t->shape.map[i].name, f->key))
                fail_msg("%s: %s has no row in src/site/read/shape.c", t->shape.map[i].name, f->key);
    assert_true(t->shape.count >= 20);
    free_tables(t);
}

static void a_unit_of_the_column_stands_for_bare_numbers_only(void **state)
{
    struct tables *t = new_tables();
    struct import_table *nodes = &t->table[IMPORT_NODES];

    (void)state;
    char *text = strdup("ID,kind,Rating [A],Long time (A),volts\n"
                        "a,main,800,1.6kA,400 V\nb,main,\"63.5\",,230V\n");

    assert_int_equal(fill(t, IMPORT_NODES, "n", text), 0);
    uint32_t rating = import_key_index(nodes, "rating"), long_time = import_key_index(nodes, "long_time");

    assert_string_equal(import_value(nodes, 0, rating), "800A");
    assert_string_equal(import_value(nodes, 0, long_time), "1.6kA");
    assert_string_equal(import_value(nodes, 1, rating), "63.5A");
    assert_null(import_value(nodes, 1, long_time));
    free_tables(t);
}

static void hosts_become_one_row_only_where_the_reader_would_make_the_same_hosts(void **state)
{
    static const struct {
        const char *rows;
        uint32_t count;
    } given[] = {
        {"h-01,g,n,10.0.0.1\nh-02,g,n,10.0.0.2\nh-03,g,n,10.0.0.3\n", 3},
        {"h-01,g,n,10.0.0.255\nh-02,g,n,10.0.1.0\n", 2},        /* addresses run on over a byte */
        {"h-01,g,n,10.0.0.1\nh-02,g,n,10.0.0.2\nh-03,g,n,10.0.0.9\n", 2},
        {"h-01,g,n,10.0.0.1\nh-02,g,m,10.0.0.2\n", 1},           /* another cord */
        {"h-01,g,n,10.0.0.1\nh-03,g,n,10.0.0.2\n", 1},           /* a number left out */
        {"h-02,g,n,10.0.0.2\nh-03,g,n,10.0.0.3\n", 1},           /* does not start at 1 */
        {"h-1,g,n,10.0.0.1\nh-2,g,n,10.0.0.2\n", 1},             /* the reader writes two digits */
        {"h-001,g,n,10.0.0.1\nh-002,g,n,10.0.0.2\n", 1},         /* and three from 100 on */
        {"h-01,g,n,10.0.0.1\ni-02,g,n,10.0.0.2\n", 1},
        {"h01,g,n,10.0.0.1\nh02,g,n,10.0.0.2\n", 1},
    };
    char text[512], stem[NAME_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        struct tables *t = new_tables();

        snprintf(text, sizeof text, "id,type,cord,address\n%s", given[i].rows);
        assert_int_equal(fill(t, IMPORT_HOSTS, "h", strdup(text)), 0);
        assert_int_equal(import_alike(&t->table[IMPORT_HOSTS], 0, stem), given[i].count);
        if (given[i].count > 1)
            assert_string_equal(stem, "h");
        free_tables(t);
    }
}

static void a_hundred_alike_hosts_have_three_digits(void **state)
{
    struct tables *t = new_tables();
    char stem[NAME_BYTES], *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    (void)state;
    assert_non_null(out);
    fprintf(out, "id,type,cord,address\n");
    for (int i = 1; i <= 130; i++)
        fprintf(out, "rack.7-%03d,g,n,10.0.0.%d\n", i, i);
    fclose(out);
    assert_int_equal(fill(t, IMPORT_HOSTS, "h", text), 0);
    assert_int_equal(import_alike(&t->table[IMPORT_HOSTS], 0, stem), 130);
    assert_string_equal(stem, "rack.7");
    free_tables(t);
}

static void a_report_speaks_of_cells_and_options(void **state)
{
    struct import_place place[] = {
        {3, 1, "--site", 0, 0}, {5, 5, "n.csv", 2, 1}, {5, 20, "n.csv", 2, 9}, {6, 5, "n.csv", 3, 1}};
    const struct import_out out = {.place = place, .place_count = 4};
    char *said = NULL;
    size_t bytes;
    FILE *to = open_memstream(&said, &bytes);

    (void)state;
    assert_non_null(to);
    import_report(&out,
                  "/t/x:5:22: error: a\n/t/x:5:19: error: b, first at 6:7, c\n/t/x:6:9: error: d (line 5) e\n"
                  "/t/x:4:1: warning: f\n/t/x:1:1: error: g\n/t/x: error: 3 more\n",
                  "/t/x", to);
    fclose(to);
    assert_string_equal(said, "n.csv:2:9: error: a\nn.csv:2:1: error: b, first at n.csv:3:1, c\n"
                              "n.csv:3:1: error: d (n.csv:2) e\n--site: warning: f\nthe site file: error: g\n"
                              "the site file: error: 3 more\n");
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scalar_key_of_the_site_file_is_a_column),
        cmocka_unit_test(every_list_and_mapping_of_the_site_file_has_a_shape),
        cmocka_unit_test(a_unit_of_the_column_stands_for_bare_numbers_only),
        cmocka_unit_test(hosts_become_one_row_only_where_the_reader_would_make_the_same_hosts),
        cmocka_unit_test(a_hundred_alike_hosts_have_three_digits),
        cmocka_unit_test(a_report_speaks_of_cells_and_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
