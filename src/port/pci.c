/* SPDX-License-Identifier: Apache-2.0 */
/* A network card of its own, taken from the kernel and given to DPDK's driver for it. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "port/dpdk.h"
#include "port/eal.h"
#include "port/hugepages.h"
#include "port/pci_device.h"

enum {
    RING_MOST = 4096,               /* cards' own rings are no deeper, most less */
    LINK_BYTES = ETHERNET_HEADER_BYTES + 2 * DPDK_VLAN_BYTES + 4,   /* two tags, check sequence */
    /* Cards take buffers of powers of two, rounded down: a frame must not spill into a second one. */
    BUFFER_LEAST = 2048,
};

/* Without an IOMMU the card reaches memory by physical address: it must be huge pages, which stay in place,
 * and root may know where that is. */
static int check_memory(struct port *port, const struct port_config *config, const struct pci_device *device)
{
    if (!device->physical)
        return 0;
    uint64_t free_mib = hugepages_free_mib(HUGEPAGES_SYSFS);
    if (!config->hugepages || (!eal_is_running() && free_mib < config->memory_mib))
        return port_fail(port, -ENOMEM,
                         "%s: %s works with huge pages only: `hugepages: yes` in the site file, and %u MiB "
                         "free; there are %llu", device->address, device->driver, config->memory_mib,
                         (unsigned long long)free_mib);
    if (geteuid())
        return port_fail(port, -EPERM, "%s: %s needs root; vfio-pci with an IOMMU does not", device->address,
                         device->driver);
    return 0;
}

static void compose(const struct port_config *config, const struct pci_device *device, struct recipe *recipe)
{
    recipe->buffer_bytes = BUFFER_LEAST;
    while (recipe->buffer_bytes < config->mtu + LINK_BYTES)
        recipe->buffer_bytes *= 2;
    recipe->bus = "pci";
    recipe->sets_mtu = true;
    snprintf(recipe->device, sizeof recipe->device, "%s", device->address);
    /* Both rings full, and what the driver copies. */
    recipe->buffers = 2 * config->ring_frames + DPDK_COPY_BUFFERS;
}

static int pci_open(struct port *port, const struct port_config *config)
{
    struct port_config card = *config;
    struct pci_device device;
    struct recipe recipe = {0};
    int rc = pci_device_look(port, PCI_SYSFS, config->interface, &device);
    if (!rc)
        rc = check_memory(port, config, &device);
    if (!rc)
        rc = eal_start(port, config, device.physical ? EAL_PHYSICAL : EAL_VIRTUAL);
    if (rc)
        return rc;
    if (device.physical && !eal_is_physical())
        return port_fail(port, -EINVAL, "%s: DPDK runs with virtual addresses already, %s needs physical "
                         "ones: `eal: --iova-mode=pa` in the site file", device.address, device.driver);
    if (card.ring_frames > RING_MOST)
        card.ring_frames = RING_MOST;
    compose(&card, &device, &recipe);
    return dpdk_open(port, &card, &recipe);
}

const struct port_driver port_pci = {
    .name = "pci",
    .summary = "a network card of its own through DPDK, by PCI address: fastest; the kernel does without it",
    DPDK_DRIVER,
    .open = pci_open,
};
