/* SPDX-License-Identifier: Apache-2.0 */
#include "port/kernel_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

enum { LOOPBACK_NET = 127 };

int kernel_owns_address(uint32_t ipv4, char interface[IF_NAMESIZE])
{
    struct ifaddrs *all;
    int found = 0;
    if (ipv4 >> 24 == LOOPBACK_NET) {   /* all of it, whatever the interface lists */
        snprintf(interface, IF_NAMESIZE, "lo");
        return 1;
    }
    if (getifaddrs(&all))
        return -errno;
    for (const struct ifaddrs *one = all; one && !found; one = one->ifa_next) {
        struct sockaddr_in address;
        if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET)
            continue;
        memcpy(&address, one->ifa_addr, sizeof address);
        found = ntohl(address.sin_addr.s_addr) == ipv4;
        if (found)
            snprintf(interface, IF_NAMESIZE, "%s", one->ifa_name);
    }
    freeifaddrs(all);
    return found;
}

int kernel_address_check(const char *driver, const char *interface, uint32_t ipv4, char *words, size_t bytes)
{
    const struct port_driver *known = port_find_driver(driver);
    char owner[IF_NAMESIZE] = "", text[INET_ADDRSTRLEN] = "";
    const struct in_addr address = {.s_addr = htonl(ipv4)};
    int owned = known ? kernel_owns_address(ipv4, owner) : 0;
    if (!known || owned < 0 || (owned == 1) == (known->kind == PORT_DATAGRAMS))
        return 0;
    inet_ntop(AF_INET, &address, text, sizeof text);
    if (owned)
        snprintf(
            words, bytes,
            "port %s %s: %s is also the kernel's, on %s: take it away there (ip address del %s dev %s) or "
            "give flyball another",
            driver, interface, text, owner, text, owner);
    else
        snprintf(
            words, bytes,
            "port %s %s: no interface of this machine has the address %s, and this driver needs the kernel "
            "to own it: give it one (ip address add %s dev ...) or take a driver that carries frames",
            driver, interface, text, text);
    return owned ? -EADDRINUSE : -EADDRNOTAVAIL;
}
