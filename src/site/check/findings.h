/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong or worth saying about a site file, collected, then printed in the order of the file. */
#ifndef FLYBALL_SITE_FINDINGS_H
#define FLYBALL_SITE_FINDINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { FINDINGS_MAX = 100, FINDING_BYTES = 640 };

struct finding {
    uint32_t line, column;      /* from 1; 0 = the file as a whole */
    uint32_t order;             /* of arrival, breaks ties */
    char text[FINDING_BYTES];
};

struct findings {
    uint32_t count;             /* may pass FINDINGS_MAX: what did not fit is counted only */
    struct finding item[FINDINGS_MAX];
};

/* setup: notes one finding; the text is cut at FINDING_BYTES. The same at the same place counts once. */
void findings_add(struct findings *all, uint32_t line, uint32_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* setup: prints `path:line:column: severity: text` per finding, sorted by place. */
void findings_print(struct findings *all, const char *path, const char *severity, FILE *out);

#endif
