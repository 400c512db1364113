/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's one file: `key = value` lines with units, # begins a comment. A file with an error is not
 * taken. */
#ifndef FLYBALL_AGENT_CONFIG_H
#define FLYBALL_AGENT_CONFIG_H

#include <stdio.h>

#include "agent/agent.h"
#include "agent/ballast.h"
#include "agent/supply.h"

enum { CONFIG_PATH_BYTES = 256, CONFIG_LINE_BYTES = 512 };

struct config_address {
    uint32_t ipv4;              /* host byte order */
    uint16_t port;
};

struct config {
    char host[NAME_BYTES];
    struct agent_config agent;  /* devices: those listed; 0 = all that the actuator finds */
    struct config_address controller, listen;
    int64_t lease_ns;           /* D; a report is due within D/6 */
    char actuator[NAME_BYTES];
    struct act_place place;
    uint32_t device_count;      /* listed, by identity; 0 = all */
    char device[HOST_DEVICES_MAX][ACT_IDENTITY_BYTES];
    struct supply_set supplies;     /* whose inputs are looked at */
    uint32_t ballast_threads;       /* of the filler, where agent.ballast_mw asks for one */
    char state[CONFIG_PATH_BYTES];  /* folder: what outlives the machine's sleep and crash */
    char run[CONFIG_PATH_BYTES];    /* folder in memory: what the watchdog reads */
    char keys[CONFIG_PATH_BYTES];   /* file of keys; "" = frames are bare */
    int64_t history_ns;             /* kept of the host's samples; 0 = none */
    char ask_group[NAME_BYTES];     /* whose members ask for any job; "" = root alone */
    char cgroups[CONFIG_PATH_BYTES];    /* where jobs are looked for */
};

/* setup: reads and checks. One line per finding in `report`: `FILE:LINE:COLUMN: error: what is wrong, what
 * would be right`. 0, -EINVAL where there were findings, or another -errno (reported too). */
int config_load(struct config *config, const char *path, FILE *report);

/* setup: the words of each key, for the manual and for whoever writes such a file; NULL past the last. */
const char *config_key(uint32_t i);

#endif
