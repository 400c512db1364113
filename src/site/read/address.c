/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "site/read/draft.h"

int address_parse_ipv4(const char *text, uint32_t *ipv4)
{
    uint32_t part[4] = {0}, digits = 0, dots = 0;

    for (; *text; text++) {
        if (*text == '.') {
            if (!digits || ++dots > 3)
                return -EINVAL;
            digits = 0;
            continue;
        }
        if (*text < '0' || *text > '9' || ++digits > 3)
            return -EINVAL;
        part[dots] = part[dots] * 10 + (uint32_t)(*text - '0');
        if (part[dots] > 255)
            return -EINVAL;
    }
    if (dots != 3 || !digits)
        return -EINVAL;
    *ipv4 = part[0] << 24 | part[1] << 16 | part[2] << 8 | part[3];
    /* 0.0.0.0/8, multicast and above are nobody's address */
    return part[0] == 0 || part[0] >= 224 ? -EINVAL : 0;
}

/* A network of one or two addresses has no room for a peer; one above /8 is a slip. */
int address_parse_ipv4_prefix(const char *text, uint32_t *ipv4, uint32_t *prefix)
{
    char address[16];
    const char *slash = strchrnul(text, '/');
    size_t bytes = (size_t)(slash - text);

    *prefix = 0;
    if (bytes >= sizeof address)
        return -EINVAL;
    memcpy(address, text, bytes);
    address[bytes] = '\0';
    if (*slash) {
        uint32_t digits = 0;

        for (const char *digit = slash + 1; *digit >= '0' && *digit <= '9' && digits < 3; digit++, digits++)
            *prefix = *prefix * 10 + (uint32_t)(*digit - '0');
        if (!digits || slash[1 + digits] || slash[1] == '0' || *prefix < 8 || *prefix > 30)
            return -EINVAL;
    }
    return address_parse_ipv4(address, ipv4);
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int address_parse_mac(const char *text, uint8_t mac[6])
{
    for (uint32_t i = 0; i < 6; i++, text += 3) {
        int high = hex(text[0]), low = high < 0 ? -1 : hex(text[1]);

        if (low < 0 || text[2] != (i < 5 ? ':' : '\0'))
            return -EINVAL;
        mac[i] = (uint8_t)(high << 4 | low);
    }
    /* the lowest bit of the first byte marks a group */
    return mac[0] & 1 ? -EINVAL : 0;
}
