/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the agent's file as a table; config.c reads by it. */
#ifndef FLYBALL_AGENT_CONFIG_KEYS_H
#define FLYBALL_AGENT_CONFIG_KEYS_H

#include <stddef.h>

#include "agent/config.h"
#include "site/read/quantity.h"

enum config_kind {
    CONFIG_TEXT,                /* up to `bytes` */
    CONFIG_PATH,                /* absolute */
    CONFIG_ADDRESS,             /* IPv4:port */
    CONFIG_COUNT,               /* a whole number, uint32_t */
    CONFIG_QUANTITY,            /* with a unit, int64_t */
    CONFIG_ACTUATOR,            /* name of a driver */
    CONFIG_REQUIRED,            /* "required" or "none" */
    CONFIG_SWITCH,              /* "on" or "off" */
    CONFIG_SUPPLY,              /* name of a power supply; likewise */
    CONFIG_DEVICE,              /* identity; as often as there are devices */
};

struct config_row {
    const char *name;
    enum config_kind kind;
    enum quantity quantity;
    size_t at, bytes;           /* in struct config */
    int64_t least, most;        /* of a count or quantity, in base units */
    const char *fallback;       /* as it would stand in the file; NULL: the key must be there; "" = nothing */
};

/* Ends with a row without a name. */
enum { CONFIG_KEYS_MAX = 64 };
extern const struct config_row config_rows[];

#endif
