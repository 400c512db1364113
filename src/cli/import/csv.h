/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values (RFC 4180) with the habits of spreadsheets: a byte order mark, a `sep=` line,
 * semicolons or tabs between cells, blank rows, empty cells after the last. Every cell knows its place. */
#ifndef FLYBALL_CLI_CSV_H
#define FLYBALL_CLI_CSV_H

#include <stddef.h>

#include "site/check/findings.h"
#include "site/read/scratch.h"

enum {
    CSV_COLUMNS_MAX = 256,
    CSV_CELLS_MAX = 1 << 20,
};

struct csv_cell {
    const char *text;           /* without quotes; outside quotes without blanks around it; "" = empty */
    uint32_t line, column;      /* from 1; columns in characters of the line, not in cells */
};

struct csv {
    char separator;
    uint32_t columns, rows;     /* rows: the header is row 0; blank rows do not count */
    struct csv_cell *cell;      /* row * columns + column */
};

/* setup: `text` is changed and must outlive the cells; text[bytes] must be writable. Returns 0; -EINVAL and
 * at least one finding; -ENOMEM. */
int csv_parse(char *text, size_t bytes, struct scratch *scratch, struct findings *errors, struct csv *csv);

#endif
