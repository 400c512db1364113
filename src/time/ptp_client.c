/* SPDX-License-Identifier: Apache-2.0 */
#include "time/ptp_client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "msg/limits.h"

/* Ports first: ptp4l answers in order, of the port's set once for each port and of the others once, so a
 * round that has the others has every port. */
static const enum ptp_set asked[] = {PTP_PORT, PTP_TIME_STATUS, PTP_PARENT, PTP_TIME_PROPERTIES};
enum { ASKED = sizeof asked / sizeof asked[0], DRAINED_MOST = 64 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS;
}

int ptp_client_init(struct ptp_client *client, const char *path, const char *own, uint8_t domain)
{
    *client = (struct ptp_client){.fd = -1, .domain = domain};
    if (strlen(path) >= sizeof client->path || strlen(own) >= sizeof client->own)
        return -ENAMETOOLONG;
    memcpy(client->path, path, strlen(path) + 1);
    memcpy(client->own, own, strlen(own) + 1);
    return 0;
}

void ptp_client_close(struct ptp_client *client)
{
    if (client->fd < 0)
        return;
    close(client->fd);
    client->fd = -1;
    unlink(client->own);
}

static void address_of(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, strlen(path) + 1);
}

/* ptp4l answers to the address that asked, so that one needs a name. */
static int open_socket(struct ptp_client *client)
{
    struct sockaddr_un own, other;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    address_of(&own, client->own);
    address_of(&other, client->path);
    unlink(client->own);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) ||
        connect(fd, (struct sockaddr *)&other, sizeof other)) {
        int error = -errno;
        close(fd);
        unlink(client->own);
        return error;
    }
    client->fd = fd;
    return 0;
}

static int send_asks(struct ptp_client *client)
{
    uint8_t message[PTP_ASK_BYTES];
    for (int i = 0; i < ASKED; i++) {
        ptp_message_ask(message, asked[i], client->domain, client->sequence);
        if (send(client->fd, message, sizeof message, MSG_NOSIGNAL) < 0)
            return -errno;
    }
    return 0;
}

static int nearness(uint8_t state)
{
    return state == PTP_SLAVE ? 2 : state == PTP_UNCALIBRATED;
}

static void take(struct ptp_report *report, const struct ptp_answer *answer)
{
    if (answer->set == PTP_TIME_STATUS) {
        report->status = answer->status;
        report->has_status = true;
    } else if (answer->set == PTP_PARENT) {
        report->parent = answer->parent;
        report->has_parent = true;
    } else if (answer->set == PTP_TIME_PROPERTIES) {
        report->properties = answer->properties;
        report->has_properties = true;
    } else if (!report->has_port || nearness(answer->port_state) > nearness(report->port_state)) {
        report->port_state = answer->port_state;
        report->has_port = true;
    }
}

static bool is_complete(const struct ptp_report *report)
{
    return report->has_status && report->has_parent && report->has_properties && report->has_port;
}

/* What waits in the socket, but of somebody who never ends not more than so much: a round ends in time.
 * Answers to rounds before are passed over. 0, or -errno: nobody will answer here any more. */
static int drain(struct ptp_client *client, struct ptp_report *report)
{
    uint8_t data[PTP_ANSWER_BYTES_MAX];
    struct ptp_answer answer;
    for (int i = 0; i < DRAINED_MOST; i++) {
        ssize_t bytes = recv(client->fd, data, sizeof data, 0);
        if (bytes < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        int error = ptp_message_read(data, (size_t)bytes, &answer);
        if (!error && answer.sequence == client->sequence)
            take(report, &answer);
        client->malformed += error == -EBADMSG;
    }
    return 0;
}

static int gather(struct ptp_client *client, struct ptp_report *report)
{
    int64_t until_ms = now_ms() + PTP_ROUND_MS, left_ms;
    int error = 0;
    struct pollfd waiting = {.fd = client->fd, .events = POLLIN};
    while (!error && !is_complete(report) && (left_ms = until_ms - now_ms()) > 0) {
        if (poll(&waiting, 1, (int)left_ms) < 0 && errno != EINTR)
            return -errno;
        error = drain(client, report);
    }
    if (error)
        return error;
    return report->has_status || report->has_parent || report->has_properties || report->has_port
               ? 0 : -ETIMEDOUT;
}

int ptp_client_ask(struct ptp_client *client, struct ptp_report *report)
{
    *report = (struct ptp_report){0};
    int error = client->fd < 0 ? open_socket(client) : 0;
    if (error)
        return error;
    client->sequence++;
    error = send_asks(client);
    if (!error)
        error = gather(client, report);
    /* The one that was there is gone, or deaf: its successor has the same path, but is another socket. */
    if (error)
        ptp_client_close(client);
    return error;
}
