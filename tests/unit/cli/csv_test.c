/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of comma-separated values: cells, their places, the habits of spreadsheets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/import/csv.h"

struct read {
    struct csv csv;
    struct scratch scratch;
    struct findings *errors;
    char text[4096];
    int rc;
};

static void read_bytes(struct read *r, const char *text, size_t bytes)
{
    *r = (struct read){.errors = calloc(1, sizeof *r->errors)};
    assert_non_null(r->errors);
    assert_true(bytes < sizeof r->text);
    memcpy(r->text, text, bytes);
    r->rc = csv_parse(r->text, bytes, &r->scratch, r->errors, &r->csv);
}

static void done(struct read *r)
{
    scratch_free(&r->scratch);
    free(r->errors);
}

static const struct csv_cell *cell(const struct read *r, uint32_t row, uint32_t column)
{
    assert_true(row < r->csv.rows && column < r->csv.columns);
    return &r->csv.cell[row * r->csv.columns + column];
}

static void assert_cell(const struct read *r, uint32_t row, uint32_t column, const char *text, uint32_t line,
                        uint32_t at)
{
    const struct csv_cell *c = cell(r, row, column);

    assert_string_equal(c->text, text);
    assert_int_equal(c->line, line);
    assert_int_equal(c->column, at);
}

static void cells_know_their_text_and_place(void **state)
{
    struct read r;
    const char text[] = "id,kind\r\nmain, source \n\"a \"\"b\"\", c\",\"two\nlines\"\nlast,x";

    (void)state;
    read_bytes(&r, text, sizeof text - 1);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.csv.rows, 4);
    assert_int_equal(r.csv.columns, 2);
    assert_int_equal(r.csv.separator, ',');
    assert_cell(&r, 0, 1, "kind", 1, 4);
    assert_cell(&r, 1, 1, "source", 2, 7);
    assert_cell(&r, 2, 0, "a \"b\", c", 3, 1);
    assert_cell(&r, 2, 1, "two\nlines", 3, 14);
    assert_cell(&r, 3, 0, "last", 5, 1);
    done(&r);
}

static void columns_count_characters_and_not_bytes(void **state)
{
    struct read r;
    const char text[] = "a,b\n\xc3\xa9t\xc3\xa9,x\n\"\xe2\x82\xac\",y\n";

    (void)state;
    read_bytes(&r, text, sizeof text - 1);
    assert_int_equal(r.rc, 0);
    assert_cell(&r, 1, 1, "x", 2, 5);
    assert_cell(&r, 2, 0, "\xe2\x82\xac", 3, 1);
    assert_cell(&r, 2, 1, "y", 3, 5);
    done(&r);
}

static void spreadsheets_may_add_a_mark_a_sep_line_blank_rows_and_empty_cells(void **state)
{
    struct read r;
    const char text[] = "\xef\xbb\xbfsep=;\r\nid;a, b;;\r\n;;;\r\nx;1,5;;\r\n\r\n";

    (void)state;
    read_bytes(&r, text, sizeof text - 1);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.csv.separator, ';');
    assert_int_equal(r.csv.columns, 2);
    assert_int_equal(r.csv.rows, 2);
    assert_cell(&r, 0, 0, "id", 2, 1);
    assert_cell(&r, 1, 1, "1,5", 4, 3);
    done(&r);
}

static void the_separator_is_what_the_header_holds_most_of_outside_quotes(void **state)
{
    static const struct {
        const char *text;
        char separator;
    } given[] = {{"a;b;c\n", ';'}, {"a\tb,c\td\n", '\t'}, {"\"a;b;c\",d\n", ','}, {"alone\n", ','}};
    struct read r;

    (void)state;
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        read_bytes(&r, given[i].text, strlen(given[i].text));
        assert_int_equal(r.rc, 0);
        assert_int_equal(r.csv.separator, given[i].separator);
        done(&r);
    }
}

static void a_fault_is_refused_at_its_place(void **state)
{
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *word;
    } given[] = {
        {"", 1, 1, "is empty"},
        {"\n\n , \n", 1, 1, "is empty"},
        {"a,b\n\"x,y\n", 2, 1, "never closed"},
        {"a,b\nx,\"y", 2, 3, "never closed"},
        {"a,b\n1,x\"y\n", 2, 4, "inside a cell"},
        {"a,b\n\"x\" y,2\n", 2, 5, "after the closing quote"},
        {"a,b\r1,2\r", 1, 4, "carriage return"},
        {"a,b\n1\n", 2, 1, "1 cell and the header 2"},
        {"a,b\n1,2,3\n", 2, 5, "3 cells and the header 2"},
        {"a,b\n1,\xff\n", 2, 3, "0xff"},
        {"a,b\n1,\x01\n", 2, 3, "0x01"},
        {"\xff\xfe" "a", 1, 1, "UTF-16"},
    };
    struct read r;

    (void)state;
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        read_bytes(&r, given[i].text, strlen(given[i].text));
        assert_int_equal(r.rc, -EINVAL);
        assert_int_equal(r.errors->count, 1);
        assert_int_equal(r.errors->item[0].line, given[i].line);
        assert_int_equal(r.errors->item[0].column, given[i].column);
        assert_non_null(strstr(r.errors->item[0].text, given[i].word));
        done(&r);
    }
}

static void every_ragged_row_is_named(void **state)
{
    struct read r;
    const char text[] = "a,b\n1\n1,2\n1,2,3\n";

    (void)state;
    read_bytes(&r, text, sizeof text - 1);
    assert_int_equal(r.rc, -EINVAL);
    assert_int_equal(r.errors->count, 2);
    done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_know_their_text_and_place),
        cmocka_unit_test(columns_count_characters_and_not_bytes),
        cmocka_unit_test(spreadsheets_may_add_a_mark_a_sep_line_blank_rows_and_empty_cells),
        cmocka_unit_test(the_separator_is_what_the_header_holds_most_of_outside_quotes),
        cmocka_unit_test(a_fault_is_refused_at_its_place),
        cmocka_unit_test(every_ragged_row_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
