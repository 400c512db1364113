/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's small files, below a root; sets of cores; what --fix replaces. */
#ifndef FLYBALL_CLI_DOCTOR_DOCTOR_FILE_H
#define FLYBALL_CLI_DOCTOR_DOCTOR_FILE_H

#include <stddef.h>

#include "cli/doctor/doctor.h"

enum { DOCTOR_PATH_BYTES = 512, DOCTOR_TEXT_BYTES = 4096 };

/* setup: the first line of a file, without what ends it; `path` is a format. Its length, or -errno. */
int doctor_read(const struct doctor *doctor, char *text, size_t bytes, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* setup: a whole file, at most bytes - 1 of it. Its length, or -errno. */
int doctor_read_all(const struct doctor *doctor, char *text, size_t bytes, const char *path);

/* setup: an integer in a file. 0 or -errno; -EINVAL where it holds none. */
int doctor_read_number(const struct doctor *doctor, int64_t *value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* setup: true where there is something of that name. */
bool doctor_is_there(const struct doctor *doctor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* setup: the last part of what a link points to. 0 or -errno. */
int doctor_read_link(const struct doctor *doctor, char *name, size_t bytes, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* setup: writes `value` into the file at `path` after noting its first line for --undo. 0 or -errno;
 * nothing is changed where the note cannot be kept. */
int doctor_replace(const struct doctor *doctor, const char *value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* any: "0-2,7" to a set. Words that are no number ("managed_irq", "N") are left out. 0, or -EINVAL. */
int doctor_cores_parse(const char *text, struct doctor_cores *cores);

/* any: a set to "0-2,7"; "none". */
const char *doctor_cores_text(const struct doctor_cores *cores, char text[DOCTOR_SAID_BYTES]);

bool doctor_cores_has(const struct doctor_cores *cores, int core);
void doctor_cores_add(struct doctor_cores *cores, int core);
bool doctor_cores_empty(const struct doctor_cores *cores);
/* What is in `a` and not in `b`. */
struct doctor_cores doctor_cores_less(const struct doctor_cores *a, const struct doctor_cores *b);
/* The smallest core at or above `core`, or -1. */
int doctor_cores_next(const struct doctor_cores *cores, int core);

/* setup: writes back what a --fix replaced, newest first; tells each on `out`. How many could not be put
 * back, or -errno where the notes cannot be read. */
int doctor_undo(const char *root, const char *notes, FILE *out);

#endif
