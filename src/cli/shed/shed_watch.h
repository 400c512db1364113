/* SPDX-License-Identifier: Apache-2.0 */
/* `flyball shed SITE`: watches the daemon's sealed view and takes shed actions, until a signal. */
#ifndef FLYBALL_CLI_SHED_WATCH_H
#define FLYBALL_CLI_SHED_WATCH_H

#include "cli/shed/shed_run.h"

/* cold: an exit code. */
int shed_watch(const struct site *site, const char *door, const char *state_path);

#endif
