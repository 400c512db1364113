/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/secret_file.h"

void auth_row_print(const struct auth_row *row, FILE *out)
{
    char time[AUTH_TIME_BYTES];
    fprintf(out, "%-5s %s %u ", row->who == AUTH_HOST ? "host" : "meter", row->name, row->id);
    for (int i = 0; i < AUTH_KEY_BYTES; i++)
        fprintf(out, "%02x", row->secret[i]);
    if (row->not_before_s != INT64_MIN) {
        auth_time_text(row->not_before_s, time);
        fprintf(out, " not-before=%s", time);
    }
    if (row->not_after_s != INT64_MAX) {
        auth_time_text(row->not_after_s, time);
        fprintf(out, " not-after=%s", time);
    }
    fputs(row->revoked ? " revoked\n" : "\n", out);
}

/* As they stood in the file, then the new ones. */
static int by_place(const void *left, const void *right)
{
    const struct auth_row *a = *(const struct auth_row *const *)left;
    const struct auth_row *b = *(const struct auth_row *const *)right;
    if (a->line && b->line)
        return a->line < b->line ? -1 : a->line > b->line;
    if (a->line || b->line)
        return a->line ? -1 : 1;
    return a < b ? -1 : a > b;
}

static int write_in_order(const struct auth_keys *keys, FILE *out)
{
    const struct auth_row **row = calloc(keys->count + 1, sizeof *row);
    if (!row)
        return -ENOMEM;
    for (uint32_t i = 0; i < keys->count; i++)
        row[i] = &keys->row[i];
    qsort(row, keys->count, sizeof *row, by_place);
    for (uint32_t i = 0; i < keys->count; i++)
        auth_row_print(row[i], out);
    free(row);
    return 0;
}

static int fill(const void *what, FILE *out)
{
    fputs("# Keys of frames: docs/authentication.md. Whoever reads this can speak as any of these.\n", out);
    return write_in_order(what, out);
}

int auth_keys_write(const struct auth_keys *keys, const char *path)
{
    return secret_file_write(path, fill, keys);
}
