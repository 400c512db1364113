/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says of a PCI device before anybody opens it: is it there, and who drives it. */
#ifndef FLYBALL_PORT_PCI_DEVICE_H
#define FLYBALL_PORT_PCI_DEVICE_H

#include <stdbool.h>

#include "port/port.h"

#define PCI_SYSFS "/sys/bus/pci"

enum {
    PCI_ADDRESS_BYTES = 13,         /* "0000:00:03.0" and its end */
    DRIVER_BYTES = 32,
};

/* Addresses that a device may be given in DMA: without an IOMMU only physical ones. */
struct pci_device {
    char address[PCI_ADDRESS_BYTES];
    char driver[DRIVER_BYTES];      /* of the kernel, which has it bound */
    bool physical;
};

/* setup: fills `device` from the folder `sysfs` (PCI_SYSFS). 0, or -errno with port->error: -EINVAL not an
 * address, -ENODEV no such device, -EBUSY no userspace driver has it. */
int pci_device_look(struct port *port, const char *sysfs, const char *address, struct pci_device *device);

#endif
