/* SPDX-License-Identifier: Apache-2.0 */
/* Every port driver of this build: a new one is a file and a line here, and passes the conformance test. */
#include "port/driver.h"

const struct port_driver *const port_table[] = {
    &port_af_packet,
    &port_af_xdp,
    &port_pcap,
    &port_pci,
    &port_synthetic,
    &port_uring,
    NULL,
};
