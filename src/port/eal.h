/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DPDK's environment layer, which exists once per process whether one likes it or not: started by the first
 * DPDK port, kept until the process ends. Its own threads live on the housekeeping core; the thread that
 * opens a port never becomes one of DPDK's and keeps its affinity.
 */
#ifndef FLYBALL_PORT_EAL_H
#define FLYBALL_PORT_EAL_H

#include "port/port.h"

/* What devices are given for the address of a buffer. */
enum eal_addresses { EAL_VIRTUAL, EAL_PHYSICAL };

/* setup: 0 or -errno with port->error filled. Later calls find it running and return 0: the first port's
 * memory, hugepages, addresses, core and extra arguments hold for all. */
int eal_start(struct port *port, const struct port_config *config, enum eal_addresses addresses);

/* setup: a port has started it. */
bool eal_is_running(void);

/* setup, once it runs: devices without an IOMMU can be opened. */
bool eal_is_physical(void);

/* setup, on a hot thread: makes it known to DPDK so that buffer caches work; undone by itself when the thread
 * ends. */
int eal_adopt_thread(void);

/* setup: the first error DPDK logged since this was called last, "" when none; it never reaches a terminal.
 * */
void eal_first_error(char *words, size_t bytes);

#endif
