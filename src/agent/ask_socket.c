/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ask_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/ask_peer.h"
#include "agent/ask_words.h"

enum { ACCEPT_BURST = 8, REQUEST_BURST = 4, STATUS_BYTES = (ASK_GRANTS_MAX + 1) * ASK_LINE_BYTES };

/* ---- setup ---- */

static int say(char why[ASK_SOCKET_WHY_BYTES], const char *what, const char *which, int error)
{
    snprintf(why, ASK_SOCKET_WHY_BYTES, "%s: %s: %s", which, what, strerror(-error));
    return error;
}

static bool is_answered(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answered = fd >= 0 && !connect(fd, (const struct sockaddr *)address, sizeof *address);
    if (fd >= 0)
        close(fd);
    return answered;
}

/* A socket that nobody listens on is what a crash left; anything else at that path is not ours to remove. */
static int remove_old(const char *path)
{
    struct stat what;
    if (lstat(path, &what))
        return errno == ENOENT ? 0 : -errno;
    return !S_ISSOCK(what.st_mode) ? -EEXIST : unlink(path) ? -errno : 0;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    if (is_answered(&address))
        return -EADDRINUSE;
    int error = remove_old(path);
    if (error)
        return error;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    /* Any local user may come; who it is is asked of the kernel. */
    if (!bind(fd, (struct sockaddr *)&address, sizeof address) && !chmod(path, 0666) && !listen(fd, 16))
        return fd;
    error = -errno;
    close(fd);
    return error;
}

int ask_socket_open(struct ask_socket *socket, const char *path, const char *group,
                    char why[ASK_SOCKET_WHY_BYTES])
{
    memset(socket, 0, sizeof *socket);
    socket->listener = -1;
    socket->listen_ns = INT64_MIN;
    for (uint32_t i = 0; i < ASK_CLIENTS_MAX; i++)
        socket->client[i].fd = -1;
    socket->group_known = group[0];
    if (group[0] && ask_peer_group(group, &socket->group))
        return say(why, "this machine has no such group", group, -ENOENT);
    int fd = listen_at(path);
    if (fd < 0)
        return say(why, "jobs cannot ask here", path, fd);
    socket->listener = fd;
    snprintf(socket->path, sizeof socket->path, "%s", path);
    return 0;
}

static void let_go(struct ask_client *client)
{
    close(client->fd);
    client->fd = -1;
    client->life++;
}

void ask_socket_close(struct ask_socket *socket)
{
    for (uint32_t i = 0; i < ASK_CLIENTS_MAX; i++)
        if (socket->client[i].fd >= 0)
            let_go(&socket->client[i]);
    if (socket->listener < 0)
        return;
    close(socket->listener);
    unlink(socket->path);
    socket->listener = -1;
}

/* ---- who comes and goes ---- */

static uint64_t number_of(const struct ask_socket *socket, const struct ask_client *client)
{
    return (uint64_t)client->life << 32 | (uint64_t)(client - socket->client);
}

static void dismiss(struct ask_socket *socket, struct ask_desk *desk, struct ask_client *client)
{
    ask_gone(desk, number_of(socket, client));
    let_go(client);
}

static uint32_t clients_of(const struct ask_socket *socket, uid_t uid)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ASK_CLIENTS_MAX; i++)
        count += socket->client[i].fd >= 0 && socket->client[i].uid == uid;
    return count;
}

/* A free place, or that of the one that was silent longest. NULL: all wait for answers. */
static struct ask_client *find_place(struct ask_socket *socket, struct ask_desk *desk)
{
    struct ask_client *silent = NULL;
    for (uint32_t i = 0; i < ASK_CLIENTS_MAX; i++) {
        struct ask_client *client = &socket->client[i];
        if (client->fd < 0)
            return client;
        if (!client->waits && (!silent || client->heard_ns < silent->heard_ns))
            silent = client;
    }
    if (silent)
        dismiss(socket, desk, silent);
    return silent;
}

static void let_in(struct ask_socket *socket, struct ask_desk *desk, int fd, int64_t now_ns)
{
    struct ask_peer peer;
    bool known = ask_peer_of(fd, socket->group_known ? &socket->group : NULL, &peer);
    bool crowd = known && peer.uid && clients_of(socket, peer.uid) >= ASK_CLIENTS_OF_USER;
    struct ask_client *client = known && !crowd ? find_place(socket, desk) : NULL;
    if (!client) {
        static const char busy[] = "busy job=- retry_after_ms=100\n";
        send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        close(fd);
        socket->turned_away++;
        return;
    }
    uint32_t life = client->life;
    *client = (struct ask_client){.fd = fd, .life = life, .uid = peer.uid, .privileged = peer.privileged,
                                  .heard_ns = now_ns};
    memcpy(client->job, peer.job, sizeof client->job);
}

static void accept_some(struct ask_socket *socket, struct ask_desk *desk, int64_t now_ns)
{
    for (uint32_t i = 0; i < ACCEPT_BURST && now_ns >= socket->listen_ns; i++) {
        int fd = accept4(socket->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            let_in(socket, desk, fd, now_ns);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            socket->listen_ns = now_ns + NS_PER_S;
        else
            return;
    }
}

/* ---- what is said ---- */

static bool tell(struct ask_client *client, const char *text, size_t bytes)
{
    return send(client->fd, text, bytes, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)bytes;
}

static bool tell_refusal(struct ask_socket *socket, struct ask_client *client, const char *why)
{
    char line[ASK_LINE_BYTES];
    snprintf(line, sizeof line, "refused %s\n", why);
    socket->refused++;
    return tell(client, line, strlen(line));
}

static bool tell_status(struct ask_client *client, const struct ask_desk *desk, int64_t now_ns)
{
    char text[STATUS_BYTES], line[ASK_LINE_BYTES];
    int used = snprintf(text, sizeof text, "status total_mw=%lld epoch=%llu\n",
                        (long long)ask_total_mw(desk), (unsigned long long)desk->epoch);
    for (uint32_t i = 0; i < desk->grants; i++)
        if (client->privileged || !strcmp(desk->grant[i].job, client->job))
            used += snprintf(text + used, sizeof text - (size_t)used, "%s",
                             ask_words_grant(&desk->grant[i], now_ns, line));
    return tell(client, text, (size_t)used);
}

/* Whose job it is about. False: refused, and why. */
static bool settle_job(const struct ask_client *client, struct ask_order *order, char why[ASK_WHY_BYTES])
{
    bool own = !order->job[0] || !strcmp(order->job, client->job);
    if (own)
        memcpy(order->job, client->job, sizeof order->job);
    if (!client->privileged && order->verb == ASK_ASK && !order->priority)
        order->priority = 1;
    if (own || client->privileged)
        return true;
    snprintf(why, ASK_WHY_BYTES, "job %s is not yours, you belong to %s", order->job, client->job);
    return false;
}

/* False: the client is to go. */
static bool answer(struct ask_socket *socket, struct ask_desk *desk, struct ask_client *client,
                   const char *text, size_t bytes, int64_t now_ns)
{
    struct ask_order order;
    struct ask_answer given;
    char why[ASK_WHY_BYTES], line[ASK_LINE_BYTES];
    socket->requests++;
    client->heard_ns = now_ns;
    if (ask_words_read(text, bytes, &order, why) || !settle_job(client, &order, why))
        return tell_refusal(socket, client, why);
    if (order.verb == ASK_STATUS)
        return tell_status(client, desk, now_ns);
    ask_order(desk, number_of(socket, client), &order, now_ns, &given);
    client->waits = given.outcome == ASK_WAITS;
    if (client->waits)
        return true;
    ask_words_answer(&given, line);
    return tell(client, line, strlen(line));
}

/* Nothing is taken from a client that waits: it has one order at a time. */
static void listen_to(struct ask_socket *socket, struct ask_desk *desk, struct ask_client *client,
                      int64_t now_ns)
{
    char text[ASK_REQUEST_BYTES + 1];
    for (uint32_t i = 0; i < REQUEST_BURST && !client->waits; i++) {
        ssize_t got = recv(client->fd, text, sizeof text, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0 || !answer(socket, desk, client, text, (size_t)got, now_ns)) {
            dismiss(socket, desk, client);
            return;
        }
    }
}

/* One that waits and has hung up. */
static bool has_hung_up(const struct ask_client *client)
{
    struct pollfd look = {.fd = client->fd};
    return poll(&look, 1, 0) > 0 && look.revents & (POLLHUP | POLLERR | POLLNVAL);
}

void ask_socket_turn(struct ask_socket *socket, struct ask_desk *desk, int64_t now_ns)
{
    if (socket->listener < 0)
        return;
    for (uint32_t i = 0; i < ASK_CLIENTS_MAX; i++) {
        struct ask_client *client = &socket->client[i];
        if (client->fd >= 0 && client->waits && has_hung_up(client))
            dismiss(socket, desk, client);
        else if (client->fd >= 0)
            listen_to(socket, desk, client, now_ns);
    }
    accept_some(socket, desk, now_ns);
}

void ask_socket_deliver(struct ask_socket *socket, struct ask_desk *desk)
{
    struct ask_reply reply;
    while (ask_reply(desk, &reply)) {
        char line[ASK_LINE_BYTES];
        struct ask_client *client = &socket->client[(uint32_t)reply.client % ASK_CLIENTS_MAX];
        if (client->fd < 0 || number_of(socket, client) != reply.client)
            continue;
        client->waits = false;
        ask_words_answer(&reply.answer, line);
        if (!tell(client, line, strlen(line)))
            let_go(client);
    }
}

uint32_t ask_socket_polls(const struct ask_socket *socket, struct pollfd from[ASK_POLLS], int64_t now_ns)
{
    uint32_t count = 0;
    if (socket->listener >= 0 && now_ns >= socket->listen_ns)
        from[count++] = (struct pollfd){.fd = socket->listener, .events = POLLIN};
    for (uint32_t i = 0; i < ASK_CLIENTS_MAX; i++) {
        const struct ask_client *client = &socket->client[i];
        if (client->fd >= 0)
            from[count++] = (struct pollfd){.fd = client->fd, .events = client->waits ? 0 : POLLIN};
    }
    return count;
}
