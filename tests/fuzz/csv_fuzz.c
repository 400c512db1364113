/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of comma-separated values: any bytes are refused with a finding or become a table whose cells
 * lie in the text, and a table that is written out again, every cell in quotes, reads back the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/import/csv.h"
#include "target.h"

static void require(int condition)
{
    if (!condition)
        abort();
}

/* RFC 4180 by the letter; the `sep=` line says what the separator is. */
static char *write_again(const struct csv *csv, size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);

    require(out != NULL);
    fprintf(out, "sep=%c\r\n", csv->separator);
    for (size_t i = 0; i < (size_t)csv->rows * csv->columns; i++) {
        putc('"', out);
        for (const char *c = csv->cell[i].text; *c; c++) {
            if (*c == '"')
                putc('"', out);
            putc(*c, out);
        }
        fputs((i + 1) % csv->columns ? "\"" : "\"\r\n", out);
        if ((i + 1) % csv->columns)
            putc(csv->separator, out);
    }
    require(!fclose(out));
    /* csv_parse writes one byte behind the text */
    text = realloc(text, *bytes + 1);
    require(text != NULL);
    return text;
}

static void check_cells(const struct csv *csv, const char *text, size_t bytes)
{
    require(csv->rows > 0 && csv->columns > 0 && csv->columns <= CSV_COLUMNS_MAX);
    for (size_t i = 0; i < (size_t)csv->rows * csv->columns; i++) {
        const struct csv_cell *cell = &csv->cell[i];

        require(cell->text >= text && cell->text + strlen(cell->text) <= text + bytes);
        require(cell->line >= 1 && cell->column >= 1);
        require(!i || cell->line > cell[-1].line ||
                (cell->line == cell[-1].line && cell->column > cell[-1].column));
    }
}

static void check_same(const struct csv *a, const struct csv *b)
{
    require(a->rows == b->rows && a->columns == b->columns && a->separator == b->separator);
    for (size_t i = 0; i < (size_t)a->rows * a->columns; i++)
        require(!strcmp(a->cell[i].text, b->cell[i].text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct scratch scratch = {0};
    struct findings *errors = calloc(2, sizeof *errors);
    char *text = malloc(bytes + 1), *again = NULL;
    struct csv csv, second;
    size_t again_bytes;

    require(errors && text);
    memcpy(text, data, bytes);
    int rc = csv_parse(text, bytes, &scratch, &errors[0], &csv);

    require(rc == 0 || rc == -EINVAL);
    require((rc == 0) == (errors[0].count == 0));
    if (!rc) {
        check_cells(&csv, text, bytes);
        again = write_again(&csv, &again_bytes);
        require(!csv_parse(again, again_bytes, &scratch, &errors[1], &second));
        check_same(&csv, &second);
    }
    scratch_free(&scratch);
    free(errors);
    free(again);
    free(text);
    return 0;
}
