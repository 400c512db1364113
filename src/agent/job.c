/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A piece of text that is not ended by a NUL. */
struct piece {
    const char *text;
    size_t bytes;
};

enum { HEX_BYTES = 32, UID_BYTES = 36 };

/* ---- pieces ---- */

/* The next component; empty past the last. */
static struct piece next_folder(struct piece *path)
{
    while (path->bytes && path->text[0] == '/') {
        path->text++;
        path->bytes--;
    }
    const char *end = path->bytes ? memchr(path->text, '/', path->bytes) : NULL;
    struct piece folder = {path->text, end ? (size_t)(end - path->text) : path->bytes};
    path->text += folder.bytes;
    path->bytes -= folder.bytes;
    return folder;
}

static bool is(struct piece piece, const char *word)
{
    return piece.bytes == strlen(word) && !memcmp(piece.text, word, piece.bytes);
}

static bool begins(struct piece piece, const char *word, struct piece *rest)
{
    size_t bytes = strlen(word);
    if (piece.bytes < bytes || memcmp(piece.text, word, bytes) != 0)
        return false;
    *rest = (struct piece){piece.text + bytes, piece.bytes - bytes};
    return true;
}

static bool ends(struct piece piece, const char *word, struct piece *rest)
{
    size_t bytes = strlen(word);
    if (piece.bytes < bytes || memcmp(piece.text + piece.bytes - bytes, word, bytes) != 0)
        return false;
    *rest = (struct piece){piece.text, piece.bytes - bytes};
    return true;
}

/* Digits alone, up to `most`. */
static bool number_of(struct piece piece, uint32_t most, uint32_t *number)
{
    uint64_t value = 0;
    for (size_t i = 0; i < piece.bytes; i++) {
        if (piece.text[i] < '0' || piece.text[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(piece.text[i] - '0');
        if (value > most)
            return false;
    }
    *number = (uint32_t)value;
    return piece.bytes > 0;
}

/* ---- Slurm ---- */

static bool take_step(struct piece folder, int64_t *step)
{
    struct piece name;
    uint32_t number;
    if (!begins(folder, "step_", &name))
        return false;
    const char *component = memchr(name.text, '+', name.bytes);     /* of a heterogeneous job */
    struct piece digits = {name.text, component ? (size_t)(component - name.text) : name.bytes};
    if (is(name, "batch"))
        *step = JOB_STEP_BATCH;
    else if (is(name, "extern"))
        *step = JOB_STEP_EXTERN;
    else if (is(name, "interactive"))
        *step = JOB_STEP_INTERACTIVE;
    else if (number_of(digits, UINT32_MAX, &number))
        *step = number;
    else
        return false;
    return true;
}

/* job_N and what may follow it. */
static bool take_job(struct piece folder, struct piece path, struct job *job)
{
    struct piece digits;
    if (!begins(folder, "job_", &digits) || !number_of(digits, UINT32_MAX, &job->number) || !job->number)
        return false;
    job->kind = JOB_SLURM;
    if (!take_step(next_folder(&path), &job->step))
        job->step = JOB_STEP_NONE;
    return true;
}

/* "slurm", or "slurm_NODE" where several daemons share a machine. */
static bool is_slurm(struct piece folder)
{
    struct piece rest;
    return begins(folder, "slurm", &rest) && (!rest.bytes || rest.text[0] == '_');
}

static bool is_stepd(struct piece folder)
{
    struct piece rest;
    return ends(folder, "slurmstepd.scope", &rest) && (!rest.bytes || rest.text[rest.bytes - 1] == '_');
}

static bool slurm_of(struct piece path, struct job *job)
{
    struct piece digits, first = next_folder(&path), second = next_folder(&path);
    uint32_t user;
    bool old = is_slurm(first) && begins(second, "uid_", &digits) && number_of(digits, UINT32_MAX, &user);
    bool unified = is(first, "system.slice") && is_stepd(second);
    return (old || unified) && take_job(next_folder(&path), path, job);
}

/* ---- Kubernetes ---- */

static bool is_hex(char letter)
{
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
}

/* Eight, four, four, four and twelve digits with `between`, or 32 digits of a static pod. */
static bool take_uid(struct piece uid, char between, struct job *job)
{
    if (uid.bytes != UID_BYTES && uid.bytes != HEX_BYTES)
        return false;
    for (size_t i = 0; i < uid.bytes; i++) {
        bool joint = uid.bytes == UID_BYTES && (i == 8 || i == 13 || i == 18 || i == 23);
        if (joint ? uid.text[i] != between : !is_hex(uid.text[i]))
            return false;
        job->pod[i] = joint ? '-' : uid.text[i];
    }
    job->pod[uid.bytes] = 0;
    job->kind = JOB_POD;
    return true;
}

static bool is_quality(struct piece name)
{
    return is(name, "burstable") || is(name, "besteffort");
}

/* /kubepods[/QUALITY]/podUID */
static bool plain_pod_of(struct piece path, struct job *job)
{
    struct piece uid, folder = next_folder(&path);
    if (is_quality(folder))
        folder = next_folder(&path);
    return begins(folder, "pod", &uid) && take_uid(uid, '-', job);
}

/* Slices are named after all that lie above them:
 * kubepods.slice/kubepods-QUALITY.slice/kubepods-QUALITY-podUID.slice */
static bool sliced_pod_of(struct piece path, struct job *job)
{
    struct piece name, rest, folder = next_folder(&path);
    if (!ends(folder, ".slice", &name) || !begins(name, "kubepods-", &name))
        return false;
    if (is_quality(name)) {
        folder = next_folder(&path);
        if (!ends(folder, ".slice", &rest) || !begins(rest, "kubepods-", &rest) ||
            rest.bytes <= name.bytes || memcmp(rest.text, name.text, name.bytes) != 0 ||
            rest.text[name.bytes] != '-')
            return false;
        name = (struct piece){rest.text + name.bytes + 1, rest.bytes - name.bytes - 1};
    }
    return begins(name, "pod", &rest) && take_uid(rest, '_', job);
}

static bool pod_of(struct piece path, struct job *job)
{
    struct piece first = next_folder(&path);
    if (is(first, "kubepods"))
        return plain_pod_of(path, job);
    return is(first, "kubepods.slice") && sliced_pod_of(path, job);
}

/* ---- paths and lines ---- */

bool job_of_path(const char *path, size_t bytes, struct job *job)
{
    struct piece whole = {path, bytes};
    struct job found = {.step = JOB_STEP_NONE};
    bool any = bytes > 0 && bytes <= JOB_PATH_MAX && path[0] == '/' &&
               (slurm_of(whole, &found) || pod_of(whole, &found));
    *job = any ? found : (struct job){.step = JOB_STEP_NONE};
    return any;
}

bool job_may_lie_below(const char *path, size_t bytes)
{
    struct piece rest, whole = {path, bytes};
    struct piece first = next_folder(&whole), second = next_folder(&whole), third = next_folder(&whole);
    struct job job;
    bool deep = next_folder(&whole).bytes > 0;
    if (!first.bytes)
        return true;
    if (job_of_path(path, bytes, &job))
        return job.kind == JOB_SLURM && job.step == JOB_STEP_NONE && !deep;
    if (third.bytes)
        return false;
    if (is(first, "system.slice"))
        return !second.bytes || is_stepd(second);
    if (is_slurm(first))
        return !second.bytes || begins(second, "uid_", &rest);
    if (is(first, "kubepods"))
        return !second.bytes || is_quality(second);
    return is(first, "kubepods.slice") && (!second.bytes || begins(second, "kubepods-", &rest));
}

/* The path of "7:memory:/a/b" or "0::/a/b"; what follows it where the cgroup is gone is no part of it. */
static bool path_of_line(struct piece line, struct piece *path)
{
    const char *end = line.text + line.bytes, *colon = memchr(line.text, ':', line.bytes);
    colon = colon ? memchr(colon + 1, ':', (size_t)(end - colon - 1)) : NULL;
    if (!colon)
        return false;
    *path = (struct piece){colon + 1, (size_t)(end - colon - 1)};
    ends(*path, " (deleted)", path);
    return true;
}

bool job_of_lines(const char *text, size_t bytes, struct job *job)
{
    *job = (struct job){.step = JOB_STEP_NONE};
    while (bytes > 0) {
        const char *end = memchr(text, '\n', bytes);
        struct piece path, line = {text, end ? (size_t)(end - text) : bytes};
        struct job found;
        size_t used = line.bytes + (end ? 1 : 0);
        text += used;
        bytes -= used;
        if (!path_of_line(line, &path) || !job_of_path(path.text, path.bytes, &found))
            continue;
        if (job->kind == JOB_NONE || (job_is_same(job, &found) && job->step == JOB_STEP_NONE))
            *job = found;
    }
    return job->kind != JOB_NONE;
}

/* ---- words ---- */

const char *job_text(const struct job *job, char text[JOB_TEXT_BYTES])
{
    static const char *const named[] = {[-JOB_STEP_BATCH] = ".batch", [-JOB_STEP_EXTERN] = ".extern",
                                        [-JOB_STEP_INTERACTIVE] = ".interactive", [-JOB_STEP_NONE] = ""};
    if (job->kind == JOB_POD)
        snprintf(text, JOB_TEXT_BYTES, "%s", job->pod);
    else if (job->kind == JOB_NONE)
        text[0] = 0;
    else if (job->step >= 0)
        snprintf(text, JOB_TEXT_BYTES, "%" PRIu32 ".%" PRId64, job->number, job->step);
    else
        snprintf(text, JOB_TEXT_BYTES, "%" PRIu32 "%s", job->number, named[-job->step]);
    return text;
}

bool job_is_same(const struct job *a, const struct job *b)
{
    return a->kind == b->kind && a->number == b->number && !strcmp(a->pod, b->pod);
}
