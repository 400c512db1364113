/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/loop.h"
#include "loop/port_row.h"

/* Opening one may take longer than a lease (packet rings of 256 MiB): who waits to take over has those open
 * already that two processes may have. */
static bool must_wait(const struct loop *loop, uint32_t port)
{
    const struct port_driver *driver = port_find_driver(loop->site->server.port[port].driver);
    return loop->options.take_over && driver && !driver->shares;
}

/* Nothing that its lanes will find came before. */
static void note_opening(struct loop *loop, uint32_t port)
{
    int64_t now_ns = timebase_now_ns(&loop->base);
    for (uint32_t i = 0; i < loop->path.lanes; i++)
        if (loop->crew.lane[i].port == port)
            loop->path.lane[i].t_poll_ns = loop->path.lane[i].t_empty_ns = now_ns;
}

int loop_open_ports(struct loop *loop, bool waited)
{
    const struct site_server *server = &loop->site->server;
    for (uint32_t i = loop->ports; i < server->port_count && (waited || !must_wait(loop, i)); i++) {
        note_opening(loop, i);
        int error = port_row_open(&loop->port[i], server, i, server->port[i].queues, loop->error,
                                  sizeof loop->error);
        if (error)
            return error;
        loop->ports++;
    }
    return 0;
}
