/* SPDX-License-Identifier: Apache-2.0 */
/* A port as a row of the site file describes it: whoever opens one, the daemon or tune, opens the same. */
#ifndef FLYBALL_LOOP_PORT_ROW_H
#define FLYBALL_LOOP_PORT_ROW_H

#include "port/ip/endpoint.h"
#include "port/port.h"
#include "site/site.h"

/* setup: opens port number `index` of the server with that many queues, after a look at who owns its address.
 * 0, or -errno with `words` filled: which port, and why. -EINVAL: what stands in the file cannot be here. */
int port_row_open(struct port *port, const struct site_server *server, uint32_t index, uint32_t queues,
                  char *words, size_t bytes);

/* setup: who the open port is on its network. */
struct endpoint port_row_end(const struct port *port, const struct site_port *row);

#endif
