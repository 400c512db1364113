/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/door_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"
#include "loop/door.h"
#include "site/site.h"

enum { ANSWER_SECONDS = 3, ANSWER_BYTES_MAX = 64 << 20 };

static int connect_door(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    const struct timeval timeout = {.tv_sec = ANSWER_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

/* Connected, and the request sent. The descriptor or -errno. */
static int begin(const char *path, const char *request)
{
    int fd = connect_door(path);
    if (fd < 0)
        return fd;
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request))
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

/* The answer comes in packets until the daemon closes. Returns its text, or NULL with errno. */
static char *read_answer(int fd)
{
    size_t used = 0, room = 0;
    char *text = NULL;
    for (;;) {
        if (room - used < DOOR_PACKET_BYTES + 1) {
            room = room ? room * 2 : 4 * DOOR_PACKET_BYTES;
            char *larger = room <= ANSWER_BYTES_MAX ? realloc(text, room) : NULL;
            if (!larger) {
                free(text);
                errno = ENOMEM;
                return NULL;
            }
            text = larger;
        }
        ssize_t got = recv(fd, text + used, DOOR_PACKET_BYTES, 0);
        if (got < 0) {
            int error = errno;
            free(text);
            errno = error;
            return NULL;
        }
        if (got == 0)
            break;
        used += (size_t)got;
    }
    text[used] = 0;
    return text;
}

char *door_client_text(const char *path, const char *request)
{
    int fd = begin(path, request);
    if (fd < 0) {
        errno = -fd;
        return NULL;
    }
    char *text = read_answer(fd);
    int error = errno;
    close(fd);
    errno = error;
    return text;
}

json_t *door_client_ask(const char *path, const char *request)
{
    char *text = door_client_text(path, request);
    if (!text)
        return NULL;
    json_t *answer = json_loads(text, 0, NULL);
    free(text);
    if (json_is_object(answer) && !json_object_get(answer, "error"))
        return answer;
    json_decref(answer);
    errno = EPROTO;
    return NULL;
}

/* One packet and one descriptor. */
static int receive_header(int socket, struct view_header *header, int *fd)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {.iov_base = header, .iov_len = sizeof *header};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (got < 0)
        return -errno;
    const struct cmsghdr *with = CMSG_FIRSTHDR(&message);
    if (!with || with->cmsg_type != SCM_RIGHTS || with->cmsg_len != CMSG_LEN(sizeof(int)))
        return -EPROTO;
    memcpy(fd, CMSG_DATA(with), sizeof *fd);
    if (got == (ssize_t)sizeof *header && !(message.msg_flags & MSG_TRUNC))
        return 0;
    close(*fd);
    return -EPROTO;
}

int door_client_view(const char *path, struct view_header *header, struct view_share *share,
                     struct view *view)
{
    int memory = -1, socket = begin(path, "view");
    if (socket < 0)
        return socket;
    int error = receive_header(socket, header, &memory);
    close(socket);
    if (error)
        return error;
    error = view_share_map(share, view, header, memory);
    close(memory);
    return error;
}

/* ---- for every verb ---- */

int door_client_find(const char *verb, const char *site_path, const char *given,
                     char door[DOOR_CLIENT_PATH_BYTES])
{
    struct site site;
    if (given) {
        snprintf(door, DOOR_CLIENT_PATH_BYTES, "%s", given);
        return CLI_OK;
    }
    int error = site_load_unmeasured(&site, site_path, NULL, stderr);
    if (error)
        return error == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    snprintf(door, DOOR_CLIENT_PATH_BYTES, "%s", site.server.door);
    site_unload(&site);
    if (door[0])
        return CLI_OK;
    fprintf(stderr, "flyball %s: %s names no door, so its daemon cannot be asked: add door: PATH to the row "
            "of servers:\n", verb, site_path);
    return CLI_CONNECT;
}

char *door_client_told(const char *verb, const char *door, const char *request, json_t **document)
{
    json_error_t error;
    char *text = door_client_text(door, request);
    if (!text) {
        fprintf(stderr, "flyball %s: %s: %s; is flyballd running?\n", verb, door, strerror(errno));
        return NULL;
    }
    *document = json_loads(text, 0, &error);
    if (json_is_object(*document))
        return text;
    fprintf(stderr, "flyball %s: %s: the answer is not JSON: %s\n", verb, door, error.text);
    json_decref(*document);
    *document = NULL;
    free(text);
    return NULL;
}
