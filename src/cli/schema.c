/* SPDX-License-Identifier: Apache-2.0 */
/* flyball schema: what a site file may say, for editors. */
#include <stdio.h>

#include "cli/cli.h"
#include "site/schema.h"

static int run(int argc, char **argv)
{
    char missing[64];

    (void)argv;
    if (argc != 1) {
        fputs("usage: flyball schema\n", stderr);
        return CLI_USAGE;
    }
    int rc = schema_write(site_words, stdout, missing);

    if (rc)
        fprintf(stderr, "flyball: the schema is not whole: %s\n",
                *missing ? missing : "it cannot be written");
    return rc ? CLI_CONNECT : CLI_OK;
}

const struct cli_verb cli_schema = {
    .name = "schema",
    .arguments = "",
    .summary = "print the JSON schema of site files, for editors",
    .help =
        "Prints a JSON schema (draft 7) made from the tables that read a site file and the words of\n"
        "flyball-site(5). An editor with a YAML language server completes keys and checks values by it when\n"
        "the site file begins with\n\n"
        "  # yaml-language-server: $schema=site.schema.json\n\n"
        "and `flyball schema > site.schema.json` was run beside it. It sees spelling, units, words and what\n"
        "is missing; names, sums and limits are for `flyball check`.\n\n"
        "Exit: 0 ok, 2 usage, 3 it could not be written.\n",
    .run = run,
};
