/* SPDX-License-Identifier: Apache-2.0 */
/* What a user would have without flyball's ports: the same loop on ordinary blocking sockets. */
#ifndef FLYBALL_BENCH_LOOPS_USER_H
#define FLYBALL_BENCH_LOOPS_USER_H

#include "port/port.h"
#include "site/site.h"

/* setup: the port's place is taken by one blocking socket: recv waits, each lease is a sendto. 0 or
 * -errno. */
int user_port(struct port *port, const struct site_port *row);

#endif
