/* SPDX-License-Identifier: Apache-2.0 */
/* Text inside XML and HTML, and files that are there whole or not at all. */
#ifndef FLYBALL_CLI_CHECK_MARKUP_H
#define FLYBALL_CLI_CHECK_MARKUP_H

#include <stddef.h>
#include <stdio.h>

/* any: `text` with & < > " ' escaped; what is no UTF-8, or no character of XML 1.0, becomes U+FFFD. */
void markup_escape(FILE *out, const char *text);

enum { MARKUP_FORMAT_MAX = 1024 };

/* any: printf whose result is escaped as a whole; the rest of what is longer is left out. */
void markup_format(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct markup_file {
    char path[1024];
    char temporary[1056];       /* beside it; "" = none yet */
    char *text;                 /* malloc */
    size_t bytes;
};

/* Stands in the first 400 bytes of what we write: only such files are written over. */
#define MARKUP_OURS "written by flyball check"

/* setup: all of `count` files or none: they are written beside their places first, then renamed. A file that
 * is there already and not ours is refused. Returns 0 or -errno, `fault` says in words what and where. */
int markup_write(struct markup_file *file, size_t count, char *fault, size_t fault_bytes);

#endif
