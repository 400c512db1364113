/* SPDX-License-Identifier: Apache-2.0 */
#include "port/pci_device.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "port/driver.h"

/* Kernel drivers that hand a device to userspace. DPDK's driver for mlx5 works beside the kernel's own. */
static const struct {
    const char *name;
    bool physical;
} userspace[] = {
    {"vfio-pci", false}, {"uio_pci_generic", true}, {"igb_uio", true}, {"mlx5_core", false},
};

/* DPDK takes shorter forms too, but then one device would have two names. */
static bool is_address(const char *text)
{
    static const char form[] = "hhhh:hh:hh.o";
    size_t i = 0;
    for (; form[i] && text[i]; i++) {
        bool good = form[i] == 'h'   ? isdigit((unsigned char)text[i]) || (text[i] >= 'a' && text[i] <= 'f')
                    : form[i] == 'o' ? text[i] >= '0' && text[i] <= '7'
                                     : text[i] == form[i];
        if (!good)
            return false;
    }
    return !form[i] && !text[i];
}

/* The last part of a link's target; "" where there is no link. */
static void read_last_part(const char *path, char name[DRIVER_BYTES])
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof target - 1);
    target[length > 0 ? length : 0] = '\0';
    const char *slash = strrchr(target, '/');
    snprintf(name, DRIVER_BYTES, "%.*s", DRIVER_BYTES - 1, slash ? slash + 1 : target);
}

static int not_ours(struct port *port, const struct pci_device *device)
{
    const char *address = device->address;
    if (!device->driver[0])
        return port_fail(port, -EBUSY, "%s: no driver has this device; `driverctl set-override %s vfio-pci` "
                         "gives it to userspace", address, address);
    return port_fail(port, -EBUSY, "%s: the kernel's driver %s has this device; "
                     "`driverctl set-override %s vfio-pci` gives it to userspace", address, device->driver,
                     address);
}

int pci_device_look(struct port *port, const char *sysfs, const char *address, struct pci_device *device)
{
    char path[PATH_MAX];
    if (!is_address(address))
        return port_fail(port, -EINVAL, "%s: not a PCI address, write one like 0000:00:03.0", address);
    *device = (struct pci_device){0};
    memcpy(device->address, address, sizeof device->address);
    snprintf(path, sizeof path, "%s/devices/%s", sysfs, address);
    if (access(path, F_OK))
        return port_fail(port, -ENODEV, "%s: this machine has no such PCI device", address);
    snprintf(path, sizeof path, "%s/devices/%s/driver", sysfs, address);
    read_last_part(path, device->driver);
    for (size_t i = 0; i < sizeof userspace / sizeof userspace[0]; i++) {
        if (strcmp(userspace[i].name, device->driver))
            continue;
        device->physical = userspace[i].physical;
        return 0;
    }
    return not_ours(port, device);
}
