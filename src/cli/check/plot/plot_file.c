/* SPDX-License-Identifier: Apache-2.0 */
/* Sheets as files: all of them, or none. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/check/markup.h"
#include "cli/check/plot/plot.h"

static int draw(struct markup_file *file, const struct study *study, const struct plot_sheet *sheet,
                const char *directory)
{
    int n = snprintf(file->path, sizeof file->path, "%s/%s.svg", directory, sheet->name);
    FILE *out = open_memstream(&file->text, &file->bytes);

    if (!out)
        return -ENOMEM;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- " MARKUP_OURS " -->\n", out);
    int rc = plot_draw(out, study, sheet, 0);

    if (fclose(out) && !rc)
        rc = -ENOMEM;
    return !rc && n >= (int)sizeof file->path ? -ENAMETOOLONG : rc;
}

static bool drawn(const struct plot_book *book, const char *name)
{
    size_t stem = strlen(name) - strlen(".svg");

    for (uint32_t i = 0; i < book->count; i++)
        if (strlen(book->sheet[i].name) == stem && !strncmp(book->sheet[i].name, name, stem))
            return true;
    return false;
}

/* Sheets of another day would be taken for this site's. */
static void tell_old(const struct plot_book *book, const char *directory, FILE *told)
{
    DIR *dir = opendir(directory);
    uint32_t old = 0;

    if (!dir)
        return;
    for (const struct dirent *e; (e = readdir(dir));) {
        size_t n = strlen(e->d_name);

        old += n > 4 && !strcmp(e->d_name + n - 4, ".svg") && !drawn(book, e->d_name);
    }
    closedir(dir);
    if (old)
        fprintf(told, "  %u other .svg file%s in %s %s not of this run\n", old, old == 1 ? "" : "s",
                directory, old == 1 ? "is" : "are");
}

static void tell(const struct plot_book *book, const struct study *study, const char *directory, FILE *told)
{
    const struct model_node *node = study->site->model.node;

    fprintf(told, "\ntime-current curves: %u sheet%s in %s\n", book->count, book->count == 1 ? "" : "s",
            directory);
    for (uint32_t i = 0; i < book->count; i++) {
        const struct plot_sheet *s = &book->sheet[i];

        fprintf(told, "  %s.svg: %s", s->name, s->ground ? "ground stages of " : "");
        for (uint32_t k = 0; k < s->count; k++)
            fprintf(told, "%s%s", k ? " - " : "", node[s->node[k]].name);
        if (s->alike_count)
            fprintf(told, "; %u more alike", s->alike_count);
        fputc('\n', told);
    }
    if (book->bare)
        fprintf(told, "  %u chain%s from a leaf to a source without any known curve: nothing to draw\n",
                book->bare, book->bare == 1 ? "" : "s");
    tell_old(book, directory, told);
}

static int make_directory(const char *directory)
{
    struct stat is;

    if (!mkdir(directory, 0777))
        return 0;
    if (errno == EEXIST && !stat(directory, &is))
        return S_ISDIR(is.st_mode) ? 0 : -ENOTDIR;
    return -errno;
}

static int write_book(const struct plot_book *book, const struct study *study, const char *directory)
{
    struct markup_file *file = calloc(book->count + 1, sizeof *file);
    char fault[1400];
    int rc = file ? make_directory(directory) : -ENOMEM;

    snprintf(fault, sizeof fault, "%s: %s", directory, strerror(-rc));
    for (uint32_t i = 0; i < book->count && !rc; i++) {
        rc = draw(&file[i], study, &book->sheet[i], directory);
        if (rc)
            snprintf(fault, sizeof fault, "%s: %s", file[i].path, strerror(-rc));
    }
    if (!rc)
        rc = markup_write(file, book->count, fault, sizeof fault);
    if (rc)
        fprintf(stderr, "flyball check: --plot: %s\n", fault);
    for (uint32_t i = 0; file && i < book->count; i++)
        free(file[i].text);
    free(file);
    return rc;
}

int plot_write(const struct study *study, const char *directory, FILE *told)
{
    struct plot_book book;
    int rc = plot_open(&book, study);

    if (rc) {
        fprintf(stderr, "flyball check: --plot: %s\n", strerror(-rc));
        return rc;
    }
    rc = write_book(&book, study, directory);
    if (!rc && told)
        tell(&book, study, directory, told);
    plot_close(&book);
    return rc;
}
