/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What --fix replaces, and how it is put back. The notes are a file of lines "PATH TAB VALUE", the oldest
 * value of each path: it is on the disk before the path is written.
 */
#ifndef FLYBALL_CLI_DOCTOR_DOCTOR_CHANGE_H
#define FLYBALL_CLI_DOCTOR_DOCTOR_CHANGE_H

#include "cli/doctor/doctor.h"

#define DOCTOR_NOTES "/run/flyball-doctor.undo"

/* setup: the notes below the doctor's root, to go on with. 0 or -errno. */
int doctor_open_notes(struct doctor *doctor);

/* setup: writes `value` into the file at a path (a format), whose first line is noted first. 0 or -errno, and
 * then neither the file nor the notes have changed. -EOVERFLOW: it holds more than can be noted. */
int doctor_replace(const struct doctor *doctor, const char *value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* setup: writes back what was noted, the newest first, and tells each on `out`. What cannot be written stays
 * in the notes; a path that is gone is told and forgotten. How many could not be put back, or -errno where
 * the notes cannot be read or kept. */
int doctor_undo(const char *root, FILE *out);

#endif
