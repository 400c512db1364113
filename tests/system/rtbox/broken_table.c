/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port table of a flyballd whose driver `pci` is broken on purpose, as FLYBALL_BREAK says: "receive"
 * hands out nothing, "send" takes frames and sends none but the shortest (so that ARP goes on and the rest is
 * judged), "link" always claims to be up. Linked before the library's own table into a program of the tests
 * that nobody ships: the box must notice each.
 */
#include <stdlib.h>
#include <string.h>

#include "port/driver.h"

enum { SHORTEST = 60 };

static uint32_t receive_nothing(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count)
{
    (void)port_pci.receive(port, queue, frame, count);
    return 0;
}

static uint32_t send_the_shortest(struct port *port, uint32_t queue, const struct port_frame *frame,
                                  uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (frame[i].length <= SHORTEST)
            (void)port_pci.send(port, queue, &frame[i], 1);
    return count;
}

static int always_up(struct port *port)
{
    (void)port;
    return 1;
}

static struct port_driver broken;

/* Before main, so that the table is as constant as any other. */
__attribute__((constructor)) static void break_one_part(void)
{
    const char *part = getenv("FLYBALL_BREAK");
    broken = port_pci;
    broken.summary = "broken on purpose";
    if (part && !strcmp(part, "receive"))
        broken.receive = receive_nothing;
    else if (part && !strcmp(part, "send"))
        broken.send = send_the_shortest;
    else if (part && !strcmp(part, "link"))
        broken.link = always_up;
}

const struct port_driver *const port_table[] = {&broken, NULL};
