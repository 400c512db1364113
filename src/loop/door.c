/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/door.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "loop/document.h"
#include "loop/door_orders.h"
#include "loop/door_peer.h"
#include "loop/loop.h"
#include "loop/why.h"
#include "rt/thread.h"
#include "time/tsc.h"

/* A peer that stands still is let go after the first, one that merely crawls after the second. */
enum { POLL_MS = 50, PEER_TIMEOUT_MS = 1000, ANSWER_MS = 2000 };

static int address_of(const char *path, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path)
        return -ENAMETOOLONG;
    strcpy(address->sun_path, path);
    return 0;
}

/* The folder of the socket, one level: /run/flyball is made by whoever comes first. */
static void make_folder(const char *path)
{
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
    strcpy(folder, path);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return;
    *slash = 0;
    mkdir(folder, 0755);
}

static bool answered_by_another(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool answered = !connect(fd, (const struct sockaddr *)address, sizeof *address);
    close(fd);
    return answered;
}

/* A socket that nobody listens on is what a crash left; anything else at that path is not ours to remove. */
static int remove_old(const char *path)
{
    struct stat what;
    if (lstat(path, &what))
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(what.st_mode))
        return -EEXIST;
    return unlink(path) ? -errno : 0;
}

int door_open(struct door *door)
{
    struct sockaddr_un address;
    int error = address_of(door->path, &address);
    if (error)
        return error;
    if (answered_by_another(&address))
        return -EADDRINUSE;
    make_folder(door->path);
    error = remove_old(door->path);
    if (error)
        return error;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* Any local user may read; who it was is asked of the kernel at each request. */
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || chmod(door->path, 0666) || listen(fd, 8)) {
        error = -errno;
        close(fd);
        return error;
    }
    door->listener = fd;
    return 0;
}

void door_close(struct door *door)
{
    if (door->listener < 0)
        return;
    close(door->listener);
    unlink(door->path);
    door->listener = -1;
}

static bool told_to_stop(const struct door *door)
{
    return atomic_load_explicit(&door->stop, memory_order_acquire);
}

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Peers come one after the other, and a stop waits for this thread: whoever reads slowly gets no more than
 * what he has by then. */
static void send_all(const struct door *door, int fd, const char *text, size_t bytes)
{
    int64_t until_ns = monotonic_ns() + ANSWER_MS * NS_PER_MS;
    while (bytes > 0 && !told_to_stop(door) && monotonic_ns() < until_ns) {
        size_t packet = bytes < DOOR_PACKET_BYTES ? bytes : DOOR_PACKET_BYTES;
        if (send(fd, text, packet, MSG_NOSIGNAL) < 0)
            return;
        text += packet;
        bytes -= packet;
    }
}

/* Reading is open to every local user. */
static bool may_read(int fd, struct ucred *peer)
{
    socklen_t bytes = sizeof *peer;
    return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &bytes) && bytes == sizeof *peer && peer->pid > 0;
}

/* The header in one packet, the descriptor with it. */
static void send_view(const struct loop *loop, int fd)
{
    struct view_header header;
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {.iov_base = &header, .iov_len = sizeof header};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    view_share_header(&loop->view, &header);
    header.epoch = loop->epoch;
    header.t_start_ns = loop->t_start_ns;
    struct tsc_pair now;
    tsc_pair(&now, tsc_is_invariant());
    header.t_now_ns = now.mono_ns;
    header.t_now_tsc = now.tsc;
    struct cmsghdr *with = CMSG_FIRSTHDR(&message);
    with->cmsg_level = SOL_SOCKET;
    with->cmsg_type = SCM_RIGHTS;
    with->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(with), &loop->share.fd, sizeof(int));
    sendmsg(fd, &message, MSG_NOSIGNAL);
}

static void say_unknown(FILE *out)
{
    fputs("{\"error\": \"unknown request; known: clock, counters, names, order, orders, shed, "
          "status, view\"}\n",
          out);
}

static bool is(const char *request, ssize_t bytes, const char *word)
{
    return bytes == (ssize_t)strlen(word) && !memcmp(request, word, (size_t)bytes);
}

/* "why NAME": the request is not ended by a NUL, and what it names may be anything. */
static bool asks_why(const char *request, ssize_t bytes, char name[DOOR_REQUEST_BYTES])
{
    static const char word[] = "why ";
    const ssize_t before = sizeof word - 1;
    if (bytes <= before || bytes >= DOOR_REQUEST_BYTES || memcmp(request, word, sizeof word - 1))
        return false;
    memcpy(name, request + before, (size_t)(bytes - before));
    name[bytes - before] = 0;
    return true;
}

static void answer_why(struct loop *loop, const char *name, FILE *out)
{
    const struct why why = {.site = loop->site,
                            .view = &loop->view,
                            .orders = &loop->orders,
                            .shed = &loop->shed,
                            .untrue = loop->path.lane[0].host_untrue,
                            .out = out,
                            .now_ns = timebase_now_ns(&loop->base)};
    why_write(&why, name);
}

/* False for a request that is not known. */
static bool write_answer(struct loop *loop, const char *request, ssize_t bytes, FILE *out)
{
    char name[DOOR_REQUEST_BYTES];
    if (asks_why(request, bytes, name))
        answer_why(loop, name, out);
    else if (is(request, bytes, "status"))
        loop_document(loop, out);
    else if (is(request, bytes, "counters"))
        loop_document_counters(loop, out);
    else if (is(request, bytes, "clock"))
        loop_document_clock(loop, out);
    else if (is(request, bytes, "names"))
        loop_document_names(loop, out);
    else if (is(request, bytes, "orders"))
        orders_document(&loop->orders, out);
    else
        return false;
    return true;
}

static bool is_order(const char *request)
{
    return !strncmp(request, "order\t", 6);
}

/* It silences an alarm: whom an order is not allowed is not allowed that. */
static void write_shed(struct loop *loop, char *request, int fd, const struct ucred *peer, FILE *out)
{
    char text[ORDERS_ERROR_BYTES];
    if (door_peer_may_order(fd, peer, loop->site->server.order_group, text, sizeof text)) {
        shed_desk_answer(&loop->shed, request, loop->epoch, timebase_now_ns(&loop->base), out);
        return;
    }
    fprintf(out, "{\"epoch\": %llu, \"taken\": false, \"text\": ", (unsigned long long)loop->epoch);
    document_text(out, text);
    fputs("}\n", out);
}

static void write_order(struct loop *loop, char *request, int fd, const struct ucred *peer, FILE *out)
{
    char text[ORDERS_ERROR_BYTES];
    if (door_peer_may_order(fd, peer, loop->site->server.order_group, text, sizeof text)) {
        door_orders_answer(&loop->orders, request, peer->uid, out);
        return;
    }
    count_add(&loop->orders.refused, 1);
    fputs("{\"number\": 0, \"verdict\": \"forbidden\", \"text\": ", out);
    document_text(out, text);
    fputs("}\n", out);
}

static void answer(struct door *door, int fd)
{
    char request[DOOR_REQUEST_BYTES], *text = NULL;
    size_t bytes = 0;
    struct ucred peer;
    ssize_t got = recv(fd, request, sizeof request - 1, 0);
    if (got <= 0)       /* only looked whether somebody is here */
        return;
    request[got] = 0;
    bool may = may_read(fd, &peer);
    if (may && is(request, got, "view")) {
        send_view(door->loop, fd);
        count_add(&door->answered, 1);
        return;
    }
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        return;
    bool order = may && is_order(request), shed = may && !strncmp(request, "shed\t", 5);
    bool known = order || shed || (may && write_answer(door->loop, request, got, out));
    if (order)
        write_order(door->loop, request, fd, &peer, out);
    else if (shed)
        write_shed(door->loop, request, fd, &peer, out);
    else if (!known)
        say_unknown(out);
    if (!fclose(out))
        send_all(door, fd, text, bytes);
    free(text);
    count_add(known ? &door->answered : &door->refused, 1);
}

void *door_run(void *argument)
{
    struct door *door = argument;
    rt_pin(door->core);
    struct timeval timeout = {.tv_sec = PEER_TIMEOUT_MS / 1000};
    struct pollfd waiting = {.fd = door->listener, .events = POLLIN};
    while (!told_to_stop(door)) {
        if (poll(&waiting, 1, POLL_MS) <= 0)
            continue;
        int fd = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
        answer(door, fd);
        close(fd);
    }
    return NULL;
}
