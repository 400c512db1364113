/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/rtt_stand.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint8_t peer_mac[6] = {0x02, 0xf1, 0xba, 0x11, 0x01, 0x02};   /* tools/net */

static int fail(struct rtt_stand *stand, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(struct rtt_stand *stand, int code, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    vsnprintf(stand->error, sizeof stand->error, format, words);
    va_end(words);
    return code;
}

/* A driver for datagrams needs the kernel to own its address. */
static bool kernel_owns(const struct rtt_stand *stand)
{
    const struct port_driver *driver = port_find_driver(stand->site.server.port[0].driver);
    return driver && driver->kind == PORT_DATAGRAMS;
}

/* A veth pair and a namespace of this stand's own, made and taken away by tools/net. */
static int network(const struct rtt_stand *stand, const char *verb, const char *option)
{
    char command[512];
    snprintf(command, sizeof command, "'%s/tools/net' %s %s %s >/dev/null", BENCH_SOURCE, verb, stand->suffix,
             option);
    return system(command);
}

static int home_space(void)
{
    return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* The loop's end has a namespace of its own: every stand has the same addresses, and where the kernel owns
 * one it answers for it everywhere. Leaves the caller inside. */
static int network_up(struct rtt_stand *stand)
{
    bool kernel = kernel_owns(stand);
    snprintf(stand->netns, sizeof stand->netns, "flyball-hosts-%s", stand->suffix);
    snprintf(stand->site.server.port[0].interface, sizeof stand->site.server.port[0].interface,
             "fb-hosts-%s", stand->suffix);
    if (unshare(CLONE_NEWNET))
        return -errno;
    stand->space = home_space();
    stand->up = true;
    return network(stand, "up", kernel ? "--kernel" : "--neighbours") ? -EIO : 0;
}

static int read_site(struct rtt_stand *stand)
{
    struct site_port *port = &stand->site.server.port[0];
    if (site_load(&stand->site, stand->site_path, NULL, stderr))
        return fail(stand, 4, "%s: not a site", stand->site_path);
    if (stand->driver)
        snprintf(port->driver, sizeof port->driver, "%s", stand->driver);
    if (stand->ring_frames)
        port->ring_frames = stand->ring_frames;
    if (stand->memory_mib)
        stand->site.server.memory_mib = stand->memory_mib;
    if (stand->auth && rtt_keys_open(&stand->keys, &stand->site, stand->suffix))
        return fail(stand, 3, "no keys in %s", stand->keys.path);
    return 0;
}

static int open_inside(struct rtt_stand *stand)
{
    const struct loop_options options = {.journal = "", .door = ""};
    const struct site_port *port = &stand->site.server.port[0];
    if (network_up(stand))
        return fail(stand, 3, "no network: tools/net up %s failed", stand->suffix);
    if (!stand->no_loop && loop_build(&stand->loop, &stand->site, &options))
        return fail(stand, 3, "%s", stand->loop.error);
    int error = stand->replace ? stand->replace(&stand->loop.port[0], port) : 0;
    if (error)
        return fail(stand, 3, "no socket at %s: %s", port->interface, strerror(-error));
    if (!stand->no_loop) {
        stand->real = stand->loop.port[0];
        rtt_echo_open(&stand->echo, &stand->real, &stand->loop.base);
        stand->loop.port[0] = stand->echo.port;
    }
    if (rtt_client_open(&stand->client, stand->netns, &stand->site, &stand->keys))
        return fail(stand, 3, "no socket in network namespace %s", stand->netns);
    return 0;
}

int rtt_stand_open(struct rtt_stand *stand)
{
    int home = home_space();
    stand->space = stand->client.socket = -1;
    int result = read_site(stand);
    if (!result)
        result = open_inside(stand);
    int error = rtt_stand_leave(home);
    if (error && !result)
        result = fail(stand, 3, "cannot leave the network namespace: %s", strerror(-error));
    return result;
}

int rtt_stand_enter(const struct rtt_stand *stand)
{
    int home = home_space();
    if (home < 0 || !setns(stand->space, CLONE_NEWNET))
        return home < 0 ? -errno : home;
    int error = -errno;
    close(home);
    return error;
}

int rtt_stand_leave(int home)
{
    int error = setns(home, CLONE_NEWNET) ? -errno : 0;
    close(home);
    return error;
}

int rtt_stand_start(struct rtt_stand *stand)
{
    int home = rtt_stand_enter(stand);
    if (home < 0)
        return fail(stand, 3, "no way into the network namespace: %s", strerror(-home));
    int result = loop_start(&stand->loop, stderr);
    stand->running = stand->loop.hots > 0;
    if (rtt_stand_leave(home) && !result)
        result = -EIO;
    if (result)
        return fail(stand, 3, "%s", stand->loop.error);
    stand->echo.hot = &stand->loop.hot[0];
    rtt_all_report(&stand->client);
    /* the answers of both sides carry the same bytes, now that a lease has been seen */
    rtt_echo_answers(&stand->echo, &stand->site, peer_mac, stand->client.lease_bytes);
    return 0;
}

void rtt_stand_stop(struct rtt_stand *stand)
{
    if (stand->running)
        loop_stop(&stand->loop);
    stand->running = false;
}

void rtt_stand_close(struct rtt_stand *stand)
{
    if (stand->real.driver)
        stand->loop.port[0] = stand->real;
    if (!stand->no_loop)
        loop_close(&stand->loop);
    if (stand->client.socket >= 0)
        rtt_client_close(&stand->client);
    rtt_keys_close(&stand->keys);
    if (stand->up)
        network(stand, "down", "");
    if (stand->space >= 0)
        close(stand->space);
}
