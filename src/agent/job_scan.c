/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/job_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "msg/limits.h"

enum { DEPTH_MAX = 6, PATH_BYTES = 1024, CLOCK_EVERY = 64, EVENTS_BYTES = 128 };

struct scan {
    struct job_set *set;
    uint32_t left;              /* folders that may still be looked at */
    uint32_t depth;
    int64_t until_ns;
    char path[PATH_BYTES];      /* of the folder at hand, from the root of its hierarchy on */
};

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* ---- the set ---- */

/* Numbered steps by number, above those that have a name, above none. */
static int64_t worth(const struct job *job)
{
    static const int64_t named[] = {[-JOB_STEP_NONE] = -4, [-JOB_STEP_BATCH] = -1, [-JOB_STEP_EXTERN] = -3,
                                    [-JOB_STEP_INTERACTIVE] = -2};
    return job->step >= 0 ? job->step : named[-job->step];
}

void job_set_add(struct job_set *set, const struct job *job)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (!job_is_same(&set->job[i], job))
            continue;
        if (worth(job) > worth(&set->job[i]))
            set->job[i] = *job;
        return;
    }
    if (set->count < JOBS_MAX)
        set->job[set->count++] = *job;
    else if (job->step == JOB_STEP_NONE)        /* its steps come, too: counted once */
        set->more++;
}

/* ---- folders ---- */

/* A job that has ended may leave its folder for a while. Of v1 nobody says so. */
static bool is_populated(int folder, const char *name)
{
    char path[NAME_MAX + sizeof "/cgroup.events"], text[EVENTS_BYTES];
    snprintf(path, sizeof path, "%s/cgroup.events", name);
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    text[got > 0 ? got : 0] = 0;
    return !strstr(text, "populated 0");
}

static bool may_go_on(struct scan *scan)
{
    if (scan->left && scan->left-- % CLOCK_EVERY == 0 && monotonic_ns() >= scan->until_ns)
        scan->left = 0;
    scan->set->cut = scan->set->cut || !scan->left;
    return scan->left > 0;
}

static void look_into(struct scan *scan, int folder, size_t used);

static bool is_folder(int folder, const struct dirent *entry)
{
    struct stat what;
    if (entry->d_name[0] == '.')
        return false;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return !fstatat(folder, entry->d_name, &what, AT_SYMLINK_NOFOLLOW) && S_ISDIR(what.st_mode);
}

static void look_at(struct scan *scan, int folder, const struct dirent *entry, size_t used)
{
    struct job job;
    size_t bytes = strlen(entry->d_name);
    if (used + 1 + bytes >= sizeof scan->path)
        return;
    scan->path[used] = '/';
    memcpy(&scan->path[used + 1], entry->d_name, bytes + 1);
    used += 1 + bytes;
    bool is_job = job_of_path(scan->path, used, &job), below = job_may_lie_below(scan->path, used);
    if (!is_job && !below)
        return;
    if (is_job && !is_populated(folder, entry->d_name))
        return;
    if (is_job)
        job_set_add(scan->set, &job);
    int fd = below ? openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd >= 0)
        look_into(scan, fd, used);
}

/* Closes the folder. Paths that may hold jobs are at most DEPTH_MAX deep. */
static void look_into(struct scan *scan, int folder, size_t used)
{
    struct dirent *entry;
    DIR *list = scan->depth < DEPTH_MAX ? fdopendir(folder) : NULL;
    if (!list) {
        close(folder);
        return;
    }
    scan->depth++;
    while ((entry = readdir(list)) != NULL)
        if (is_folder(folder, entry) && may_go_on(scan))
            look_at(scan, folder, entry, used);
    scan->depth--;
    closedir(list);
}

/* ---- roots ---- */

static bool is_unified(int root)
{
    return !faccessat(root, "cgroup.controllers", F_OK, 0);
}

int job_scan(struct job_set *set, const char *root, uint32_t entries, int64_t until_ns)
{
    static const char *const hierarchies[] = {"freezer", "memory", "cpuset", "cpu", "devices", "pids",
                                              "systemd", "unified"};
    struct scan scan = {.set = set, .left = entries + 1, .until_ns = until_ns};
    memset(set, 0, sizeof *set);
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (is_unified(fd)) {
        look_into(&scan, fd, 0);
        return 0;
    }
    uint32_t more = 0;          /* each hierarchy has them all */
    for (size_t i = 0; i < sizeof hierarchies / sizeof hierarchies[0]; i++) {
        int one = openat(fd, hierarchies[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        set->more = 0;
        if (one >= 0)
            look_into(&scan, one, 0);
        more = set->more > more ? set->more : more;
    }
    set->more = more;
    close(fd);
    return 0;
}
