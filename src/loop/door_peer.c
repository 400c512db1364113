/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/door_peer.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

enum { GROUPS_MAX = 1024, ROOM_BYTES = 16384, USER_BYTES = 33 };

static bool find_group(const char *name, gid_t *gid)
{
    struct group group, *found = NULL;
    char room[ROOM_BYTES];
    if (getgrnam_r(name, &group, room, sizeof room, &found) || !found)
        return false;
    *gid = group.gr_gid;
    return true;
}

static void name_user(uid_t uid, char name[USER_BYTES])
{
    struct passwd user, *found = NULL;
    char room[ROOM_BYTES];
    getpwuid_r(uid, &user, room, sizeof room, &found);
    if (found)
        snprintf(name, USER_BYTES, "%s", user.pw_name);
    else
        snprintf(name, USER_BYTES, "%u", (unsigned)uid);
}

bool door_peer_is_member(gid_t group, gid_t own, const gid_t *more, size_t count)
{
    bool member = group == own;
    for (size_t i = 0; !member && i < count; i++)
        member = more[i] == group;
    return member;
}

/* A kernel that does not tell them leaves the peer with its own group. */
static size_t groups_of(int fd, gid_t more[GROUPS_MAX])
{
    socklen_t bytes = GROUPS_MAX * sizeof more[0];
    return getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, more, &bytes) ? 0 : bytes / sizeof more[0];
}

bool door_peer_may_order(int fd, const struct ucred *peer, const char *group, char *text, size_t bytes)
{
    gid_t gid = 0, more[GROUPS_MAX];
    char user[USER_BYTES], own[USER_BYTES];
    if (peer->uid == 0 || peer->uid == geteuid())
        return true;
    bool known = group[0] && find_group(group, &gid);
    if (known && door_peer_is_member(gid, peer->gid, more, groups_of(fd, more)))
        return true;
    name_user(peer->uid, user);
    name_user(geteuid(), own);
    const char *root = geteuid() ? "root and " : "";
    if (!group[0])
        snprintf(text, bytes,
                 "orders are for %s%s, who runs flyballd, not for %s: the site file names no order_group",
                 root, own, user);
    else
        snprintf(text, bytes, "orders are for %s%s and members of group %s, not for %s%s", root, own, group,
                 user, known ? "" : ": this machine has no such group");
    return false;
}
