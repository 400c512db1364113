/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "site/draft.h"

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
