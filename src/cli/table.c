/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "cli/cli.h"

extern const struct cli_verb cli_agent_config;
extern const struct cli_verb cli_ask;
extern const struct cli_verb cli_check;
extern const struct cli_verb cli_clock;
extern const struct cli_verb cli_doctor;
extern const struct cli_verb cli_host;
extern const struct cli_verb cli_import;
extern const struct cli_verb cli_keys;
extern const struct cli_verb cli_latency;
extern const struct cli_verb cli_maintenance;
extern const struct cli_verb cli_measure;
extern const struct cli_verb cli_meter;
extern const struct cli_verb cli_order;
extern const struct cli_verb cli_plant;
extern const struct cli_verb cli_replay;
extern const struct cli_verb cli_schema;
extern const struct cli_verb cli_shed;
extern const struct cli_verb cli_sim;
extern const struct cli_verb cli_status;
extern const struct cli_verb cli_top;
extern const struct cli_verb cli_tune;
extern const struct cli_verb cli_why;

const struct cli_verb *const cli_table[] = {
    &cli_agent_config,
    &cli_ask,
    &cli_check,
    &cli_clock,
    &cli_doctor,
    &cli_host,
    &cli_import,
    &cli_keys,
    &cli_latency,
    &cli_maintenance,
    &cli_measure,
    &cli_meter,
    &cli_order,
    &cli_plant,
    &cli_replay,
    &cli_schema,
    &cli_shed,
    &cli_sim,
    &cli_status,
    &cli_top,
    &cli_tune,
    &cli_why,
    NULL,
};
