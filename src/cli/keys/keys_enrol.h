/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment by one-time token (auth/enrol.h): the operator's token, who serves it, and the host's end. */
#ifndef FLYBALL_CLI_KEYS_ENROL_H
#define FLYBALL_CLI_KEYS_ENROL_H

#include <stdint.h>

#include "msg/model.h"

/* cold: a token for a host of the site goes to standard output, what is kept of it into KEYS.tokens. */
int keys_token(const struct model *model, const char *key_path, const char *name, int64_t valid_s);

/* cold: answers hosts until SIGINT, SIGTERM, or for_s seconds (0: for ever); prints what came of it. */
int keys_serve(const char *key_path, const char *listen, int64_t for_s);

/* cold: the verb `keys enrol` of a host. */
int keys_enrol(int argc, char **argv);

#endif
