/* SPDX-License-Identifier: Apache-2.0 */
/* flyball: finds the verb, prints help, hands over. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static void print_usage(FILE *out)
{
    fputs("usage: flyball VERB [ARGUMENTS]\n\n"
          "Site files, orders and journals of the power governor flyballd, and what it decides and why.\n\n",
          out);
    for (const struct cli_verb *const *verb = cli_table; *verb; verb++)
        fprintf(out, "  %-12s %s\n", (*verb)->name, (*verb)->summary);
    fputs("\n`flyball VERB --help` tells more. Exit codes: 0 ok, 1 alarm, 2 usage, 3 cannot connect, "
          "4 configuration invalid, 5 refused.\n", out);
}

static void print_verb(const struct cli_verb *verb)
{
    printf("usage: flyball %s %s\n\n%s\n", verb->name, verb->arguments, verb->summary);
    if (verb->help)
        printf("\n%s", verb->help);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return CLI_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_usage(stdout);
        return CLI_OK;
    }
    for (const struct cli_verb *const *verb = cli_table; *verb; verb++) {
        if (strcmp(argv[1], (*verb)->name))
            continue;
        /* what stands behind -- is no option of ours */
        for (int i = 2; i < argc && strcmp(argv[i], "--"); i++) {
            if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
                print_verb(*verb);
                return CLI_OK;
            }
        }
        /* what getopt says of an argument begins with argv[0] */
        char name[32];
        snprintf(name, sizeof name, "flyball %s", (*verb)->name);
        argv[1] = name;
        return (*verb)->run(argc - 1, argv + 1);
    }
    fprintf(stderr, "flyball: no verb '%s'; `flyball --help` lists them\n", argv[1]);
    return CLI_USAGE;
}
