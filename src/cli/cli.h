/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's shell: one file per verb, one line in cli/table.c each. */
#ifndef FLYBALL_CLI_CLI_H
#define FLYBALL_CLI_CLI_H

/* Exit codes of every flyball program. */
enum cli_exit {
    CLI_OK = 0,
    CLI_ALARM = 1,          /* alarm, or the answer is no */
    CLI_USAGE = 2,
    CLI_CONNECT = 3,        /* cannot reach the daemon, a file or a device */
    CLI_CONFIG = 4,         /* configuration invalid */
    CLI_REFUSED = 5,        /* not leader, fenced, not ready */
};

struct cli_verb {
    const char *name;
    const char *arguments;  /* "SITE [--json]" */
    const char *summary;    /* one line for `flyball --help` */
    const char *help;       /* the rest of `flyball VERB --help` */
    int (*run)(int argc, char **argv);  /* argv[0] is "flyball VERB"; --help is already handled */
};

/* Ends with NULL. */
extern const struct cli_verb *const cli_table[];

#endif
