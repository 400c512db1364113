/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document that an electrical engineer signs: one HTML file without scripts, black on white, every
 * setpoint with its source, every assumption called one. Nodes of which the same is said, to the last digit
 * printed, stand in one row with a list of their names.
 */
#ifndef FLYBALL_CLI_CHECK_REPORT_H
#define FLYBALL_CLI_CHECK_REPORT_H

#include "cli/check/study.h"

/* Sheets of curves that the document holds; of more it says where to get them. */
enum { REPORT_SHEETS_MAX = 48 };

/* cold: writes the document to `path`. Says on `told`, where not NULL, what it wrote. 0 or -errno with the
 * fault on stderr. */
int report_write(const struct study *study, const char *path, FILE *told);

/* cold: the sections; all return 0 or -ENOMEM. */
int report_scope(FILE *out, const struct study *study);
int report_assumptions(FILE *out, const struct study *study);
int report_nodes(FILE *out, const struct study *study);
int report_pairs(FILE *out, const struct study *study);
int report_response(FILE *out, const struct study *study);
int report_lending(FILE *out, const struct study *study);
int report_dark_start(FILE *out, const struct study *study);
int report_losses(FILE *out, const struct study *study);
int report_warnings(FILE *out, const struct study *study);

/* cold: roles (bits) as "short-time, instantaneous"; "none". */
void report_roles(FILE *out, uint32_t roles);
const char *report_role(uint32_t role);

#endif
