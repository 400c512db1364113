/* SPDX-License-Identifier: Apache-2.0 */
/* Against a thread that answers as ptp4l does, or does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "time/ptp_client.h"

enum manner { ANSWERS, DEAF, RUBBISH, OF_ROUNDS_BEFORE, ENDLESS };
enum { ROUNDS_MOST = 20, PORT_LATER_US = 5000, PORTS = 3 };

struct server {
    char path[64], own[64], folder[32];
    int fd;
    enum manner manner;
    _Atomic bool stop;
    uint8_t port[PORTS];        /* their states, in the order of their answers */
    pthread_t thread;
};

static const uint16_t sets[] = {PTP_TIME_STATUS, PTP_PARENT, PTP_TIME_PROPERTIES, PTP_PORT};
static const size_t bodies[] = {50, 32, 4, 26};

static size_t answer(const uint8_t *ask, uint8_t *out, uint8_t port_state)
{
    size_t body = 0;
    uint16_t set = (uint16_t)(ask[52] << 8 | ask[53]);
    for (size_t i = 0; i < 4; i++)
        body = sets[i] == set ? bodies[i] : body;
    memset(out, 0, 256);
    memcpy(out, ask, PTP_ASK_BYTES);
    out[3] = (uint8_t)(54 + body);
    out[46] = 2;
    out[51] = (uint8_t)(2 + body);
    if (set == PTP_TIME_STATUS)
        out[54 + 41] = 1;
    if (set == PTP_PARENT)
        out[54 + 19] = 6;
    if (set == PTP_PORT)
        out[54 + 10] = port_state;
    return 54 + body;
}

/* Of the set of ports ptp4l answers once for each port, which may take it a while. */
static void reply_ports(const struct server *server, const uint8_t *ask, const struct sockaddr *address,
                        socklen_t bytes)
{
    uint8_t out[256];
    for (int i = 0; i < PORTS; i++) {
        usleep(i ? PORT_LATER_US : 0);
        sendto(server->fd, out, answer(ask, out, server->port[i]), 0, address, bytes);
    }
}

static void reply(const struct server *server, const uint8_t *ask, const struct sockaddr_un *to,
                  socklen_t bytes)
{
    uint8_t out[256];
    const struct sockaddr *address = (const struct sockaddr *)to;
    if (server->manner == ANSWERS && ask[53] == 0x04) {
        reply_ports(server, ask, address, bytes);
        return;
    }
    size_t count = answer(ask, out, PTP_UNCALIBRATED);
    if (server->manner == OF_ROUNDS_BEFORE)
        out[31]--;
    if (server->manner == RUBBISH || server->manner == ENDLESS)
        count = 40;
    do
        sendto(server->fd, out, count, 0, address, bytes);
    while (server->manner == ENDLESS && !atomic_load(&server->stop));
}

static void *serve(void *argument)
{
    struct server *server = argument;
    struct pollfd waiting = {.fd = server->fd, .events = POLLIN};
    while (!atomic_load(&server->stop)) {
        uint8_t ask[256];
        struct sockaddr_un from;
        socklen_t bytes = sizeof from;
        if (poll(&waiting, 1, 10) <= 0)
            continue;
        ssize_t got = recvfrom(server->fd, ask, sizeof ask, 0, (struct sockaddr *)&from, &bytes);
        if (got == PTP_ASK_BYTES && server->manner != DEAF)
            reply(server, ask, &from, bytes);
    }
    return NULL;
}

static void server_begin(struct server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    unlink(server->path);
    server->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", server->path);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof address), 0);
    atomic_store(&server->stop, false);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_end(struct server *server)
{
    atomic_store(&server->stop, true);
    pthread_join(server->thread, NULL);
    close(server->fd);
}

static void prepare(struct server *server, struct ptp_client *client, enum manner manner)
{
    *server = (struct server){.folder = "/tmp/ptp-test-XXXXXX", .manner = manner, .fd = -1,
                              .port = {PTP_MASTER, PTP_UNCALIBRATED, PTP_LISTENING}};
    assert_non_null(mkdtemp(server->folder));
    snprintf(server->path, sizeof server->path, "%s/ptp4l", server->folder);
    snprintf(server->own, sizeof server->own, "%s/own", server->folder);
    assert_int_equal(ptp_client_init(client, server->path, server->own, 0), 0);
}

static void clear(struct server *server, struct ptp_client *client)
{
    ptp_client_close(client);
    assert_int_equal(access(server->own, F_OK), -1);
    unlink(server->path);
    assert_int_equal(rmdir(server->folder), 0);
}

/* On a machine that stands still for a while a round may end without all answers. */
static void ask_until_whole(struct ptp_client *client, struct ptp_report *report)
{
    for (int i = 0; i < ROUNDS_MOST; i++) {
        int error = ptp_client_ask(client, report);
        assert_true(error == 0 || error == -ETIMEDOUT || error == -EAGAIN);
        if (!error && report->has_status && report->has_parent && report->has_properties && report->has_port)
            return;
    }
    fail_msg("no whole round in twenty");
}

static void a_round_brings_all_four_sets(void **state)
{
    (void)state;
    struct server server;
    struct ptp_client client;
    struct ptp_report report;
    prepare(&server, &client, ANSWERS);
    server_begin(&server);
    for (int i = 0; i < 3; i++) {
        ask_until_whole(&client, &report);
        assert_true(report.status.has_master);
        assert_int_equal(report.parent.clock_class, 6);
        assert_int_equal(report.port_state, PTP_UNCALIBRATED);
    }
    assert_int_equal(client.malformed, 0);
    server_end(&server);
    clear(&server, &client);
}

/* A ptp4l with several ports: the one that follows counts, wherever its answer stands among the others'. */
static void of_several_ports_the_one_that_follows_is_told(void **state)
{
    (void)state;
    for (int slave = 0; slave < PORTS; slave++) {
        struct server server;
        struct ptp_client client;
        struct ptp_report report;
        prepare(&server, &client, ANSWERS);
        for (int i = 0; i < PORTS; i++)
            server.port[i] = i == slave ? PTP_SLAVE : PTP_LISTENING;
        server_begin(&server);
        for (int i = 0; i < 5; i++) {
            ask_until_whole(&client, &report);
            assert_int_equal(report.port_state, PTP_SLAVE);
        }
        server_end(&server);
        clear(&server, &client);
    }
}

static void one_that_is_not_there_is_told_and_found_once_it_is(void **state)
{
    (void)state;
    struct server server;
    struct ptp_client client;
    struct ptp_report report;
    prepare(&server, &client, ANSWERS);
    assert_int_equal(ptp_client_ask(&client, &report), -ENOENT);
    server_begin(&server);
    ask_until_whole(&client, &report);
    /* killed: its socket stays, and nobody is behind it */
    server_end(&server);
    assert_int_equal(ptp_client_ask(&client, &report), -ECONNREFUSED);
    assert_false(report.has_status);
    assert_int_equal(ptp_client_ask(&client, &report), -ECONNREFUSED);
    server_begin(&server);
    ask_until_whole(&client, &report);
    server_end(&server);
    clear(&server, &client);
}

static void one_that_says_nothing_useful_times_out(void **state)
{
    (void)state;
    static const enum manner manners[] = {DEAF, RUBBISH, OF_ROUNDS_BEFORE};
    for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++) {
        struct server server;
        struct ptp_client client;
        struct ptp_report report;
        prepare(&server, &client, manners[i]);
        server_begin(&server);
        int rounds = 0;
        do {
            int error = ptp_client_ask(&client, &report);
            assert_true(error == -ETIMEDOUT || (rounds && error == -EAGAIN));
            assert_false(report.has_status || report.has_parent || report.has_properties || report.has_port);
        } while (manners[i] == RUBBISH && !client.malformed && ++rounds < ROUNDS_MOST);
        assert_int_equal(client.malformed > 0, manners[i] == RUBBISH);
        server_end(&server);
        clear(&server, &client);
    }
}

/* It sends for as long as it is heard: the round ends all the same. */
static void one_that_never_ends_ends_no_sooner_than_the_round(void **state)
{
    (void)state;
    struct server server;
    struct ptp_client client;
    struct ptp_report report;
    prepare(&server, &client, ENDLESS);
    server_begin(&server);
    for (int i = 0; i < ROUNDS_MOST && !client.malformed; i++)
        assert_int_not_equal(ptp_client_ask(&client, &report), 0);
    assert_true(client.malformed > 0);
    server_end(&server);
    clear(&server, &client);
}

static void paths_that_are_too_long_are_refused(void **state)
{
    (void)state;
    struct ptp_client client;
    char path[200];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = 0;
    assert_int_equal(ptp_client_init(&client, path, "own", 0), -ENAMETOOLONG);
    assert_int_equal(ptp_client_init(&client, "path", path, 0), -ENAMETOOLONG);
    ptp_client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_brings_all_four_sets),
        cmocka_unit_test(of_several_ports_the_one_that_follows_is_told),
        cmocka_unit_test(one_that_is_not_there_is_told_and_found_once_it_is),
        cmocka_unit_test(one_that_says_nothing_useful_times_out),
        cmocka_unit_test(one_that_never_ends_ends_no_sooner_than_the_round),
        cmocka_unit_test(paths_that_are_too_long_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
