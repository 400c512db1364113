/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ask_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/job.h"

enum { GROUPS_MAX = 1024, ROOM_BYTES = 16384, LINES_BYTES = 8192 };

int ask_peer_group(const char *name, gid_t *group)
{
    struct group entry, *found = NULL;
    char room[ROOM_BYTES];
    if (getgrnam_r(name, &entry, room, sizeof room, &found) || !found)
        return -ENOENT;
    *group = entry.gr_gid;
    return 0;
}

/* By the groups that it had when it connected. */
static bool is_member(int fd, gid_t own, gid_t group)
{
    gid_t more[GROUPS_MAX];
    socklen_t bytes = sizeof more;
    bool member = own == group;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, more, &bytes))
        bytes = 0;
    for (size_t i = 0; i < bytes / sizeof more[0]; i++)
        member = member || more[i] == group;
    return member;
}

/* A process of another namespace has no number here, and so no job. */
static void find_job(pid_t pid, struct ask_peer *peer)
{
    char path[64], text[LINES_BYTES];
    struct job job = {.kind = JOB_NONE};
    snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
    int fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (fd >= 0)
        close(fd);
    if (got > 0)
        job_of_lines(text, (size_t)got, &job);
    if (job.kind == JOB_SLURM)
        snprintf(peer->job, sizeof peer->job, "%u", job.number);
    else if (job.kind == JOB_POD)
        snprintf(peer->job, sizeof peer->job, "%s", job.pod);
    else
        snprintf(peer->job, sizeof peer->job, "uid-%u", (unsigned)peer->uid);
}

bool ask_peer_of(int fd, const gid_t *group, struct ask_peer *peer)
{
    struct ucred who;
    socklen_t bytes = sizeof who;
    memset(peer, 0, sizeof *peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &bytes) || bytes != sizeof who)
        return false;
    peer->uid = who.uid;
    peer->privileged = !who.uid || who.uid == geteuid() || (group && is_member(fd, who.gid, *group));
    find_job(who.pid, peer);
    return true;
}
