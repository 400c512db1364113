/* SPDX-License-Identifier: Apache-2.0 */
/* flyball import: tables of nodes, host types, hosts and meters become a site file that check accepts. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/import/import.h"
#include "site/site.h"

enum { PATH_BYTES = 4096, SAYS_BYTES = 128 };

struct options {
    const char *file[IMPORT_SOURCES];
    const char *site, *may_lose, *scheme, *output;
    int force, columns;
};

struct import {
    struct options o;
    struct shape shape;
    struct scratch scratch;
    struct import_table table[IMPORT_SOURCES];
    struct import_wish wish;
    struct import_out out;
    char name[NAME_BYTES];
    char *yaml;
    size_t yaml_bytes;
};

static const char *const source_option[IMPORT_SOURCES] = {"--nodes", "--types", "--hosts", "--meters",
                                                         "--devices"};

/* Reads the file and leaves room for the byte that csv_parse writes behind it. */
static int read_file(const char *path, char **text, size_t *bytes)
{
    FILE *file = fopen(path, "re");
    int rc = 0;

    if (!file)
        return -errno;
    *text = malloc(TREE_BYTES_MAX + 1);
    if (!*text) {
        fclose(file);
        return -ENOMEM;
    }
    *bytes = fread(*text, 1, TREE_BYTES_MAX, file);
    if (ferror(file))
        rc = -errno;
    else if (*bytes == TREE_BYTES_MAX)
        rc = -EFBIG;
    fclose(file);
    return rc;
}

/* One CSV file to checked rows. */
static int read_table(struct import *im, enum import_source source)
{
    struct import_table *t = &im->table[source];
    struct findings *errors = calloc(1, sizeof *errors);
    size_t bytes = 0;
    int rc = errors ? 0 : -ENOMEM;

    *t = (struct import_table){.source = source, .path = im->o.file[source]};
    if (!rc)
        rc = import_keys(t, &im->shape);
    if (!rc)
        rc = read_file(t->path, &t->text, &bytes);
    if (!rc)
        rc = csv_parse(t->text, bytes, &im->scratch, errors, &t->csv);
    if (!rc)
        rc = import_rows(t, &im->scratch, errors);
    if (errors && errors->count)
        findings_print(errors, t->path, "error", stderr);
    else if (rc)
        fprintf(stderr, "%s: error: cannot be read: %s\n", t->path, strerror(-rc));
    free(errors);
    im->wish.table[source] = t;
    return rc;
}

/* All files are looked at, so that one run names the faults of all. */
static int read_tables(struct import *im)
{
    int worst = shape_gather(&im->shape);

    for (enum import_source s = 0; s < IMPORT_SOURCES; s++) {
        int rc = im->o.file[s] && !worst ? read_table(im, s) : 0;

        if (rc && rc != -EINVAL)
            return rc;
        worst = rc ? rc : worst;
    }
    return worst;
}

static int write_yaml(struct import *im)
{
    im->out.out = open_memstream(&im->yaml, &im->yaml_bytes);
    if (!im->out.out)
        return -ENOMEM;
    int rc = import_write(&im->out, &im->wish);

    return fclose(im->out.out) ? -ENOMEM : rc;
}

/* A new file beside the place it is for, or where temporary files go. */
static int write_temporary(const struct import *im, char path[PATH_BYTES])
{
    const char *folder = getenv("TMPDIR");

    if (im->o.output)
        snprintf(path, PATH_BYTES, "%s.XXXXXX", im->o.output);
    else
        snprintf(path, PATH_BYTES, "%s/flyball-import.XXXXXX", folder && *folder ? folder : "/tmp");
    int fd = mkstemp(path), rc = 0;
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

    if (!file)
        return -errno;
    if (fwrite(im->yaml, 1, im->yaml_bytes, file) != im->yaml_bytes || fflush(file) || fsync(fd))
        rc = -errno;
    if (fclose(file) && !rc)
        rc = -errno;
    if (rc)
        unlink(path);
    return rc;
}

/* The checker reads what was written; what it says is said of the cells. */
static int check(const struct import *im, const char *path)
{
    char *report = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&report, &bytes);
    struct site site;

    if (!out)
        return -ENOMEM;
    int rc = site_load(&site, path, "", out);

    fclose(out);
    import_report(&im->out, rc ? report : site.warnings, path, stderr);
    if (!rc)
        site_unload(&site);
    free(report);
    return rc;
}

/* Whole or not at all, and never over a file that is there but with --force. */
static int put_in_place(const struct import *im, const char *path)
{
    mode_t mask = umask(0);

    umask(mask);
    if (chmod(path, 0666 & ~mask))
        return -errno;
    if (im->o.force)
        return rename(path, im->o.output) ? -errno : 0;
    if (!renameat2(AT_FDCWD, path, AT_FDCWD, im->o.output, RENAME_NOREPLACE))
        return 0;
    /* not every file system can do that at once */
    if (errno != EINVAL || link(path, im->o.output))
        return -errno;
    unlink(path);
    return 0;
}

static void say_done(const struct import *im)
{
    fprintf(stderr, "%s: written, mode shadow. Fill in servers: at its end, then: flyball check %s\n",
            im->o.output, im->o.output);
}

static int refuse_existing(const char *path)
{
    fprintf(stderr, "flyball import: %s is there already and stays as it is, write over it with --force\n",
            path);
    return CLI_REFUSED;
}

static int deliver(const struct import *im)
{
    char path[PATH_BYTES];
    int rc = write_temporary(im, path), failed = 0;

    if (rc) {
        fprintf(stderr, "flyball import: %s: cannot be written: %s\n", path, strerror(-rc));
        return CLI_CONNECT;
    }
    rc = check(im, path);
    if (rc) {
        unlink(path);
        return rc == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    }
    if (!im->o.output) {
        unlink(path);
        failed = fwrite(im->yaml, 1, im->yaml_bytes, stdout) != im->yaml_bytes || fflush(stdout);
        return failed ? CLI_CONNECT : CLI_OK;
    }
    rc = put_in_place(im, path);
    if (!rc) {
        say_done(im);
        return CLI_OK;
    }
    unlink(path);
    if (rc == -EEXIST)
        return refuse_existing(im->o.output);
    fprintf(stderr, "flyball import: %s: cannot be written: %s\n", im->o.output, strerror(-rc));
    return CLI_CONNECT;
}

static int is_id(const char *text, size_t bytes)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return bytes && bytes < NAME_BYTES && strspn(text, safe) >= bytes && !strchr("._-", *text);
}

/* The site's name where --site does not say it: that of the file. */
static void choose_name(struct import *im)
{
    const char *path = im->o.output ? im->o.output : "imported", *slash = strrchr(path, '/');
    const char *stem = slash ? slash + 1 : path;
    size_t bytes = strcspn(stem, ".");

    snprintf(im->name, sizeof im->name, "%.*s", is_id(stem, bytes) ? (int)bytes : 8,
             is_id(stem, bytes) ? stem : "imported");
    im->wish.site = im->o.site ? im->o.site : im->name;
}

/* What the options say goes into the file as it is, so it must be ids. */
static int check_options(const struct options *o)
{
    const char *wrong = NULL;

    for (int s = IMPORT_NODES; s <= IMPORT_HOSTS; s++)
        if (!o->file[s])
            wrong = source_option[s];
    if (wrong) {
        fprintf(stderr, "flyball import: %s is missing\n", wrong);
        return -EINVAL;
    }
    if (o->site && !is_id(o->site, strlen(o->site)))
        wrong = "--site";
    for (const char *at = o->may_lose; at; at = *(at += strcspn(at, ",")) ? at + 1 : NULL)
        if (!is_id(at, strcspn(at, ",")))
            wrong = "--may-lose";
    if (strcmp(o->scheme, "2N") && strcmp(o->scheme, "N+1"))
        wrong = "--scheme";
    if (wrong)
        fprintf(stderr,
                "flyball import: %s: ids are letters, digits, '.', '_', '-', at most 31; a scheme is 2N or "
                "N+1\n",
                wrong);
    return wrong ? -EINVAL : 0;
}

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {
        {"nodes", required_argument, 0, IMPORT_NODES},   {"types", required_argument, 0, IMPORT_TYPES},
        {"hosts", required_argument, 0, IMPORT_HOSTS},   {"meters", required_argument, 0, IMPORT_METERS},
        {"devices", required_argument, 0, IMPORT_DEVICES},
        {"site", required_argument, 0, 's'},             {"may-lose", required_argument, 0, 'l'},
        {"scheme", required_argument, 0, 'c'},           {"output", required_argument, 0, 'o'},
        {"force", no_argument, 0, 'f'},
        {"columns", no_argument, 0, 'C'},                  {0}};
    int option;

    *o = (struct options){.scheme = "2N"};
    optind = 1;
    while ((option = getopt_long(argc, argv, "o:", known, NULL)) != -1) {
        const char **text[] = {
            ['s'] = &o->site, ['l'] = &o->may_lose, ['c'] = &o->scheme, ['o'] = &o->output};

        if (option < IMPORT_SOURCES)
            o->file[option] = optarg;
        else if (option == 'f')
            o->force = 1;
        else if (option == 'C')
            o->columns = 1;
        else if (option == '?')
            return -EINVAL;
        else
            *text[option] = optarg;
    }
    return optind < argc ? -EINVAL : o->columns ? 0 : check_options(o);
}

/* The header rows that the tables may have, for people who start one. */
static int print_columns(struct import *im)
{
    if (shape_gather(&im->shape))
        return CLI_CONNECT;
    for (enum import_source s = 0; s < IMPORT_SOURCES; s++) {
        struct import_table *t = &im->table[s];
        char says[SAYS_BYTES];

        t->source = s;
        if (import_keys(t, &im->shape))
            return CLI_CONNECT;
        printf("%s\n", source_option[s]);
        for (uint32_t k = 0; k < t->key_count; k++)
            printf("  %-25s %s%s\n", t->key[k].name, import_says(&t->key[k], says, sizeof says),
                   t->key[k].field.required ? ", required" : "");
        printf("  %-25s %s\n", "comment", "any text");
    }
    return CLI_OK;
}

static int import(struct import *im)
{
    int rc = read_tables(im);

    if (!rc)
        rc = write_yaml(im);
    if (rc == -ENOMEM || rc == -E2BIG)
        fprintf(stderr, "flyball import: %s\n", strerror(-rc));
    return !rc ? deliver(im) : rc == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
}

static int run(int argc, char **argv)
{
    struct import *im = calloc(1, sizeof *im);
    int code = CLI_USAGE;

    if (!im)
        return CLI_CONNECT;
    if (parse(argc, argv, &im->o)) {
        fputs(
            "usage: flyball import --nodes CSV --types CSV --hosts CSV [--meters CSV] [--devices CSV]\n"
            "                      [-o SITE] [OPTIONS]\n",
            stderr);
    } else if (im->o.columns) {
        code = print_columns(im);
    } else if (im->o.output && !im->o.force && !access(im->o.output, F_OK)) {
        code = refuse_existing(im->o.output);
    } else {
        choose_name(im);
        im->wish.may_lose = im->o.may_lose;
        im->wish.scheme = im->o.scheme;
        code = import(im);
    }
    for (int s = 0; s < IMPORT_SOURCES; s++)
        free(im->table[s].text);
    scratch_free(&im->scratch);
    free(im->out.place);
    free(im->yaml);
    free(im);
    return code;
}

const struct cli_verb cli_import = {
    .name = "import",
    .arguments = "--nodes CSV --types CSV --hosts CSV [--meters CSV] [--devices CSV] [-o SITE] [OPTIONS]",
    .summary = "write a site file from tables of nodes, host types, hosts, meters and devices",
    .help =
        "Reads CSV files, checks every cell, writes a commented site file in mode shadow, and lets\n"
        "`flyball check` load it before it is put in place. Errors point at the cell, as\n"
        "  FILE:LINE:COLUMN: error: what is wrong, what would be right\n"
        "and nothing is written then.\n\n"
        "  --nodes, --types, --hosts, --meters, --devices CSV\n"
        "                   one file each; only meters and devices may be left out\n"
        "  --site NAME      name of the site; default: that of the file after -o, else imported\n"
        "  --may-lose IDS   nodes that may be lost one at a time, between commas\n"
        "  --scheme WORD    2N (default) or N+1, with --may-lose\n"
        "  -o, --output SITE\n"
        "                   the file to write; default: standard output\n"
        "  --force          write over SITE where it is there already\n"
        "  --columns        print the columns that each table may have, and stop\n\n"
        "The first row names the columns: the keys of flyball-site(5), those of a mapping with a point as "
        "in\n"
        "settings_from.study or cap.min, and comment, which is written above the row. Case and blanks do "
        "not\n"
        "matter. A unit may stand in the name, as in `rating [A]`, for cells that are bare numbers. parents "
        "are\n"
        "ids between semicolons, cords items NODE:PSUS:SHARE:PHASES between semicolons, of which the end "
        "may\n"
        "be left out. An empty cell is a key that is not written. Hosts that follow each other, ID-01, "
        "ID-02\n"
        "..., at consecutive addresses and else alike become one row with count.\n\n"
        "Separators may be commas, semicolons or tabs; decimals have a point.\n\n"
        "Exit: 0 ok, 2 usage, 3 a file cannot be read or written, 4 errors in the tables, 5 SITE is there.\n",
    .run = run,
};
