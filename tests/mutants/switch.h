/* SPDX-License-Identifier: Apache-2.0 */
/* Which change of the switched core (tools/switches) is in force: none, or one. Only test programs have this.
 *
 * FLYBALL_SWITCH names it for a whole process: rule:ID, rule:TABLE.rules:LINE or mutant:N. A name that this
 * build does not have ends the process with SWITCH_UNKNOWN, for a run without the change would prove nothing.
 * FLYBALL_SWITCH_CPU_MS bounds the processor time, against loops without an end; FLYBALL_SWITCH_REACHED names
 * a file that gets the numbers of all switched functions that were called, at exit. */
#ifndef FLYBALL_MUTANTS_SWITCH_H
#define FLYBALL_MUTANTS_SWITCH_H

#include <stdbool.h>

enum { SWITCH_UNKNOWN = 125 };

struct flyball_switch_name {
    const char *name;           /* NULL ends the table */
    int number;
};

extern int flyball_switch;      /* 0: the core as it is */
extern unsigned char flyball_switch_reached[];
extern const unsigned flyball_switch_functions;
extern const struct flyball_switch_name flyball_switch_name[];

/* Puts the change of that name in force, NULL none; false where this build does not have it. */
bool flyball_switch_to(const char *name);

#endif
