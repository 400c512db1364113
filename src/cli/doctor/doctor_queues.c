/* SPDX-License-Identifier: Apache-2.0 */
/* Receive queues of the ports: those that the kernel has, and what a card that DPDK has may have. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/doctor/doctor_file.h"
#include "site/site.h"

/* The PCI configuration: where its list of capabilities begins, and how long that may be. */
enum {
    CONFIG_BYTES = 256, CONFIG_LIST = 0x34, LIST_MOST = 48, CAPABILITY_MSIX = 0x11,
    MSIX_SIZE = 0x7ff, STATUS = 6, STATUS_HAS_LIST = 0x10
};

static uint32_t count_queues(const struct doctor *doctor, const char *interface)
{
    char path[DOCTOR_PATH_BYTES];
    uint32_t count = 0;
    snprintf(path, sizeof path, "%s/sys/class/net/%s/queues", doctor->root, interface);
    DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        count += !strncmp(entry->d_name, "rx-", 3);
    if (folder)
        closedir(folder);
    return count;
}

/* How many the card could have: only the machine's own cards can be asked. 0: not known. */
static uint32_t ask_most(const struct doctor *doctor, const char *interface)
{
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
    struct ifreq request = {.ifr_data = (void *)&channels};
    int fd = *doctor->root ? -1 : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    snprintf(request.ifr_name, sizeof request.ifr_name, "%.15s", interface);
    int error = ioctl(fd, SIOCETHTOOL, &request);
    close(fd);
    if (error)
        return 0;
    return channels.max_combined > channels.max_rx ? channels.max_combined : channels.max_rx;
}

/* Length of the card's table of MSI-X interrupts, 0 without one; or -errno. */
static int count_vectors(const struct doctor *doctor, const char *address)
{
    char path[DOCTOR_PATH_BYTES];
    uint8_t config[CONFIG_BYTES];
    snprintf(path, sizeof path, "%s/sys/bus/pci/devices/%s/config", doctor->root, address);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t got = read(fd, config, sizeof config);
    close(fd);
    if (got != sizeof config)       /* the rest is shown to root only */
        return -EPERM;
    if (!(config[STATUS] & STATUS_HAS_LIST))
        return 0;
    uint8_t at = config[CONFIG_LIST] & 0xfc;
    for (int i = 0; i < LIST_MOST && at >= 0x40 && at <= CONFIG_BYTES - 4; i++) {
        if (config[at] == CAPABILITY_MSIX)
            return ((config[at + 2] | config[at + 3] << 8) & MSIX_SIZE) + 1;
        at = config[at + 1] & 0xfc;
    }
    return 0;
}

/* Nobody but its driver in DPDK knows its queues; but a card is made with an interrupt for each of them. */
static enum doctor_state look_at_card(const struct doctor *doctor, const struct site_port *port,
                                      char said[DOCTOR_SAID_BYTES])
{
    int vectors = count_vectors(doctor, port->interface);
    if (vectors < 0) {
        snprintf(said, DOCTOR_SAID_BYTES, "%s: its configuration: %s", port->interface, strerror(-vectors));
        return DOCTOR_UNKNOWN;
    }
    bool few = port->queues > 1 && (uint32_t)vectors < port->queues;
    snprintf(said, DOCTOR_SAID_BYTES, "%s has interrupts for %s%d queue%s, the site wants %u",
             port->interface, vectors ? "up to " : "", vectors ? vectors : 1, vectors > 1 ? "s" : "",
             port->queues);
    return few ? DOCTOR_LACKS : DOCTOR_OK;
}

static enum doctor_state look_at_interface(const struct doctor *doctor, const struct site_port *port,
                                           char said[DOCTOR_SAID_BYTES])
{
    uint32_t queues = count_queues(doctor, port->interface), most = ask_most(doctor, port->interface);
    if (!queues) {
        snprintf(said, DOCTOR_SAID_BYTES, "%s is not there", port->interface);
        return DOCTOR_APART;
    }
    int length = snprintf(said, DOCTOR_SAID_BYTES, "%s has %u receive queue%s, the site wants %u",
                          port->interface, queues, queues == 1 ? "" : "s", port->queues);
    if (most)
        snprintf(said + length, DOCTOR_SAID_BYTES - (size_t)length, "; it may have %u", most);
    /* only af_xdp takes the interface's own queues: the others spread senders by themselves */
    return queues < port->queues && !strcmp(port->driver, "af_xdp") ? DOCTOR_LACKS : DOCTOR_OK;
}

/* Which port is told: the one that lacks, or is not known, before one that is well. */
static int weight_of(enum doctor_state state)
{
    static const int weight[DOCTOR_STATES] = {
        [DOCTOR_LACKS] = 3, [DOCTOR_UNKNOWN] = 2, [DOCTOR_OK] = 1, [DOCTOR_APART] = 0};
    return weight[state];
}

enum doctor_state doctor_queues(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    enum doctor_state worst = DOCTOR_APART;
    snprintf(said, DOCTOR_SAID_BYTES, "no port's queues are the kernel's or a card's");
    for (uint32_t i = 0; doctor->server && i < doctor->server->port_count; i++) {
        char one[DOCTOR_SAID_BYTES];
        const struct site_port *port = &doctor->server->port[i];
        enum doctor_state state = doctor_is_pci(port) ? look_at_card(doctor, port, one)
                                                      : look_at_interface(doctor, port, one);
        if (weight_of(state) <= weight_of(worst))
            continue;
        worst = state;
        memcpy(said, one, DOCTOR_SAID_BYTES);
    }
    return worst;
}
