/* SPDX-License-Identifier: Apache-2.0 */
/* Who stands at the door and may give orders: by what the kernel says of the other end of the socket. */
#ifndef FLYBALL_LOOP_DOOR_PEER_H
#define FLYBALL_LOOP_DOOR_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* cold: root, the user this process runs as, and members of `group` ("" = none) by the group they had, or
 * had besides, when they connected. False with the reason in words. */
bool door_peer_may_order(int fd, const struct ucred *peer, const char *group, char *text, size_t bytes);

/* any: is the group among the peer's? `more` are those it has besides. */
bool door_peer_is_member(gid_t group, gid_t own, const gid_t *more, size_t count);

#endif
