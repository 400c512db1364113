/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "cli/cli.h"

const struct cli_verb *const cli_table[] = {
    NULL,
};
