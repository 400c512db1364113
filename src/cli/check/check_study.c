/* SPDX-License-Identifier: Apache-2.0 */
/* What goes into files: drawings and the document. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/check.h"
#include "cli/check/plot/plot.h"
#include "cli/check/report/report.h"
#include "commit.h"
#include "record/crc32c.h"

static int digest(const char *path, uint32_t *crc)
{
    struct crc32c table;
    char part[4096];
    size_t n;
    FILE *in = fopen(path, "re");

    if (!in)
        return -errno;
    crc32c_init(&table);
    for (*crc = 0; (n = fread(part, 1, sizeof part, in));)
        *crc = crc32c(&table, *crc, part, n);
    int rc = ferror(in) ? -EIO : 0;

    fclose(in);
    return rc;
}

static int write_files(const struct check *check, const struct study *study)
{
    FILE *told = check->options.json ? NULL : stdout;
    int rc = 0;

    if (check->options.plot)
        rc = plot_write(study, check->options.plot, told);
    if (check->options.report && !rc)
        rc = report_write(study, check->options.report, told);
    return rc;
}

int check_study(const struct check *check)
{
    struct study study = {.site = &check->site,
                          .figures = &check->figures,
                          .coordination = &check->coordination,
                          .path = check->options.site,
                          .warnings = check->warnings,
                          .kind_names = check_kind_names,
                          .term_names = check_term_names,
                          .version = FLYBALL_VERSION " (" FLYBALL_COMMIT ")"};
    int rc = study_date(&study.when_s);

    if (rc) {
        fprintf(stderr, "flyball check: SOURCE_DATE_EPOCH '%s' is no number of seconds since 1970\n",
                getenv("SOURCE_DATE_EPOCH"));
        return rc;
    }
    rc = digest(check->options.site, &study.digest);
    if (rc) {
        fprintf(stderr, "flyball check: %s: %s\n", check->options.site, strerror(-rc));
        return rc;
    }
    return write_files(check, &study);
}
