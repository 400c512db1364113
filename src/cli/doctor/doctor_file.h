/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's small files, below a root. */
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

#endif
