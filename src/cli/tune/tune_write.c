/* SPDX-License-Identifier: Apache-2.0 */
/* Into the site file and out of harm's way: a copy beside it is written, loaded and compared, and only then
 * takes its place. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/tune/tune.h"
#include "record/folder.h"
#include "site/read/place.h"
#include "site/read/tree.h"

struct edit {
    char *path;                 /* of the file itself, no link */
    char *copy;                 /* of the temporary one; NULL = there is none */
    char *text, *made;
    size_t bytes, made_bytes;
    struct stat was;
    char *why;
    size_t why_bytes;
};

__attribute__((format(printf, 3, 4))) static int fail(struct edit *edit, int error, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    vsnprintf(edit->why, edit->why_bytes, format, words);
    va_end(words);
    return error;
}

static int read_whole(struct edit *edit)
{
    int rc = -ENOMEM;
    int fd = open(edit->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &edit->was)) {
        rc = fail(edit, -errno, "%s: %s", edit->path, strerror(errno));
        goto cleanup;
    }
    edit->bytes = (size_t)edit->was.st_size;
    edit->text = malloc(edit->bytes + 1);
    if (!edit->text || edit->bytes > TREE_BYTES_MAX) {
        fail(edit, rc, "%s: too large", edit->path);
        goto cleanup;
    }
    rc = read(fd, edit->text, edit->bytes + 1) == (ssize_t)edit->bytes
             ? 0
             : fail(edit, -EIO, "%s: cannot be read whole", edit->path);
cleanup:
    if (fd >= 0)
        close(fd);
    return rc;
}

static int write_copy(struct edit *edit)
{
    if (asprintf(&edit->copy, "%s.tune-XXXXXX", edit->path) < 0) {
        edit->copy = NULL;
        return -ENOMEM;
    }
    int fd = mkostemp(edit->copy, O_CLOEXEC);
    if (fd < 0) {
        int rc = fail(edit, -errno, "%s: %s", edit->copy, strerror(errno));
        free(edit->copy);
        edit->copy = NULL;
        return rc;
    }
    bool good = (!fchown(fd, edit->was.st_uid, edit->was.st_gid) || geteuid()) &&
                !fchmod(fd, edit->was.st_mode & 07777) &&
                write(fd, edit->made, edit->made_bytes) == (ssize_t)edit->made_bytes && !fsync(fd);
    int rc = good ? 0 : fail(edit, -errno, "%s: %s", edit->copy, strerror(errno));
    close(fd);
    return rc;
}

static bool same_array(const void *a, const void *b, size_t count, size_t bytes)
{
    return !count || !memcmp(a, b, count * bytes);
}

/* What a loss takes away. */
static bool same_redundancy(const struct site *left, const struct site *right)
{
    const struct site_redundancy *a = &left->redundancy, *b = &right->redundancy;
    const struct model *m = &left->model;
    return a->scheme == b->scheme && !memcmp(a->lend, b->lend, sizeof a->lend) && a->sag_ppm == b->sag_ppm &&
           a->catcher == b->catcher &&
           a->gear_count == b->gear_count && a->link_count == b->link_count &&
           same_array(a->psus_needed, b->psus_needed, m->type_count, sizeof *a->psus_needed) &&
           same_array(a->single_corded, b->single_corded, m->host_count, sizeof *a->single_corded) &&
           same_array(a->meter_feed, b->meter_feed, m->meter_count, sizeof *a->meter_feed) &&
           same_array(a->gear, b->gear, a->gear_count, sizeof *a->gear) &&
           same_array(a->link, b->link, a->link_count, sizeof *a->link);
}

/* What follows from the block changes with it. */
static bool same_meters(const struct site *a, const struct site *b)
{
    if (a->model.meter_count != b->model.meter_count)
        return false;
    for (uint32_t i = 0; i < a->model.meter_count; i++) {
        struct model_meter left = a->model.meter[i];
        if (a->meter[i].fresh_measured)
            left.fresh_ns = b->model.meter[i].fresh_ns;
        if (memcmp(&left, &b->model.meter[i], sizeof left))
            return false;
    }
    return true;
}

/* Two loads of the same words fill zeroed memory in the same way, so their bytes can be compared. */
static bool same_site(const struct site *a, const struct site *b)
{
    struct model left = a->model, right = b->model;
    struct site_server server = b->server;
    server.measured = a->server.measured;
    left.node = right.node = NULL;
    left.host = right.host = NULL;
    left.type = right.type = NULL;
    left.meter = right.meter = NULL;
    left.curve = right.curve = NULL;
    left.alert = right.alert = NULL;
    left.watch = right.watch = NULL;
    return !memcmp(&left, &right, sizeof left) && !memcmp(&a->auth, &b->auth, sizeof a->auth) &&
           !memcmp(&a->clock, &b->clock, sizeof a->clock) &&
           !memcmp(&server, &a->server, sizeof server) &&
           same_array(a->model.node, b->model.node, left.node_count, sizeof *a->model.node) &&
           same_array(a->model.host, b->model.host, left.host_count, sizeof *a->model.host) &&
           same_array(a->model.type, b->model.type, left.type_count, sizeof *a->model.type) &&
           same_meters(a, b) &&
           same_array(a->model.curve, b->model.curve, left.curve_count, sizeof *a->model.curve) &&
           same_array(a->model.alert, b->model.alert, left.alert_count, sizeof *a->model.alert) &&
           same_array(a->model.watch, b->model.watch, left.watch_count, sizeof *a->model.watch) &&
           same_array(a->meter, b->meter, left.meter_count, sizeof *a->meter) &&
           same_array(a->note, b->note, left.node_count, sizeof *a->note) &&
           same_array(a->device, b->device, left.node_count, sizeof *a->device) &&
           same_array(a->equipment, b->equipment, left.node_count, sizeof *a->equipment) &&
           same_array(a->host_address, b->host_address, left.host_count, sizeof *a->host_address) &&
           same_array(a->asked, b->asked, left.node_count, sizeof *a->asked) &&
           same_array(a->computed, b->computed, left.host_count, sizeof *a->computed) &&
           same_array(a->job, b->job, left.gang_count, sizeof *a->job) &&
           a->shed_count == b->shed_count && same_array(a->shed, b->shed, a->shed_count, sizeof *a->shed) &&
           same_array(a->shed_of, b->shed_of, left.node_count, sizeof *a->shed_of) &&
           a->contract_count == b->contract_count &&
           same_array(a->contract, b->contract, a->contract_count, sizeof *a->contract) &&
           same_redundancy(a, b);
}

static int compare(struct edit *edit, const struct tune *tune, const struct site *before,
                   const struct site *after)
{
    if (!same_site(before, after))
        return fail(edit, -EINVAL, "the file with the block in it would be another site");
    if (!after->server.measured.present || after->server.measured.when_s != tune->found.when_s)
        return fail(edit, -EINVAL, "the block does not read back as it was written");
    return 0;
}

/* The copy must say what the file says, and what was measured besides. */
static int prove_copy(struct edit *edit, const struct tune *tune)
{
    struct site before = {0}, after = {0};
    char *report = NULL;
    size_t report_bytes;
    FILE *out = open_memstream(&report, &report_bytes);
    if (!out)
        return -ENOMEM;
    int rc = site_load_unmeasured(&before, edit->path, tune->site.server.name, out);
    if (!rc)
        rc = site_load(&after, edit->copy, tune->site.server.name, out);
    fclose(out);
    rc = rc ? fail(edit, rc, "the file with the block in it does not load: %.300s", report)
            : compare(edit, tune, &before, &after);
    site_unload(&after);
    site_unload(&before);
    free(report);
    return rc;
}

/* Somebody may have saved the file meanwhile; their words count. */
static int unchanged(struct edit *edit)
{
    struct stat now;
    if (stat(edit->path, &now))
        return fail(edit, -errno, "%s: %s", edit->path, strerror(errno));
    if (now.st_ino != edit->was.st_ino || now.st_size != edit->was.st_size ||
        now.st_mtim.tv_sec != edit->was.st_mtim.tv_sec || now.st_mtim.tv_nsec != edit->was.st_mtim.tv_nsec)
        return fail(edit, -EBUSY, "%s: changed meanwhile; run it again", edit->path);
    return 0;
}

static int take_place(struct edit *edit)
{
    int rc = unchanged(edit);
    if (rc)
        return rc;
    if (rename(edit->copy, edit->path))
        return fail(edit, -errno, "%s: %s", edit->path, strerror(errno));
    free(edit->copy);
    edit->copy = NULL;
    folder_sync(edit->path);
    return 0;
}

static int edit_file(struct edit *edit, const struct tune *tune)
{
    struct place place;
    edit->path = realpath(tune->options.site, NULL);
    if (!edit->path)
        return fail(edit, -errno, "%s: %s", tune->options.site, strerror(errno));
    int rc = read_whole(edit);
    if (!rc)
        rc = place_find(edit->text, edit->bytes, tune->site.server.name, &place, edit->why, edit->why_bytes);
    if (rc)
        return rc;
    edit->made = place_fill(edit->text, edit->bytes, &place, &tune->found, &edit->made_bytes);
    if (!edit->made)
        return fail(edit, -ENOMEM, "out of memory");
    rc = write_copy(edit);
    if (!rc)
        rc = prove_copy(edit, tune);
    return rc ? rc : take_place(edit);
}

int tune_write(const struct tune *tune, char *why, size_t why_bytes)
{
    struct edit edit = {.why = why, .why_bytes = why_bytes};
    snprintf(why, why_bytes, "out of memory");
    int rc = edit_file(&edit, tune);
    if (edit.copy)
        unlink(edit.copy);
    free(edit.copy);
    free(edit.path);
    free(edit.text);
    free(edit.made);
    return rc;
}

int tune_print_block(const struct tune *tune, FILE *out)
{
    static const struct measured_style style = {.column = 4, .eol = "\n"};
    fputs("    ", out);
    measured_write(&tune->found, &style, out);
    putc('\n', out);
    return 0;
}
