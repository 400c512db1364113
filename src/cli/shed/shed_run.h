/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the commands of shed actions. Each runs below a keeper, a process of its own (`flyball shed --keep`),
 * which sees to the timeout and writes into the state file how it ended: so that a watching process that is
 * killed meanwhile loses nothing, and the one after it need not run the command again.
 */
#ifndef FLYBALL_CLI_SHED_RUN_H
#define FLYBALL_CLI_SHED_RUN_H

#include "cli/shed/shed_book.h"

/* What a command is told of, beside its words. Amperes of the fullest phase; below 0 = not known. */
struct shed_told {
    const struct site *site;
    uint32_t node;
    const struct site_shed *action;
    bool restore, rehearsal;
    uint32_t tries;
    int64_t since_wall_s;           /* 0 = there is no emergency */
    double measured_a, limit_a;
};

/* cold: the environment of the process with FLYBALL_NODE and others set; to be freed by
 * shed_environment_free.
 * NULL: out of memory. */
char **shed_environment(const struct shed_told *told);
void shed_environment_free(char **environment);

/* cold: runs it to its end, or to its timeout. True where its exit code is 0; `end` says it in words. */
bool shed_run(const struct site_command *command, char *const environment[], int64_t timeout_ns,
              char end[SHED_END_BYTES]);

/* setup: from now on SIGTERM ends the command, with its group, and not this process. */
void shed_run_heed(void);

/* cold: starts the keeper of the entry's command, RUNNING or RESTORING. `written`: the entry is on the file,
 * so the keeper runs nothing where the file says otherwise by then. Its pid or -errno. */
int shed_start_keeper(const struct shed_book *book, const struct shed_entry *entry,
                      const struct shed_told *told, bool written);

/* cold: the keeper: the words after `--keep`. Its exit code: 0 the command ended well, 1 it did not, 2 the
 * words are wrong, 3 it is not its turn. */
int shed_keep(int argc, char **argv);

#endif
