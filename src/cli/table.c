/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "cli/cli.h"

extern const struct cli_verb cli_check;

const struct cli_verb *const cli_table[] = {
    &cli_check,
    NULL,
};
