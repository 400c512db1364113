/* SPDX-License-Identifier: Apache-2.0 */
/* Two leaf functions, each with one place for a probe and all of the bytes below its stack pointer in use. */
#ifndef FLYBALL_CLI_LATENCY_LEAF_H
#define FLYBALL_CLI_LATENCY_LEAF_H

#include <stdint.h>

enum { LEAF_WORDS = 16 };

/* Writes `pattern` into LEAF_WORDS words below the stack pointer, passes the place, and counts the words that
 * are not as they were. On other machines than x86-64 there is nothing to spoil: 0. */
uint64_t latency_leaf_one(uint64_t pattern);    /* the 1-byte nop: provider "flyball", probe "leaf" */
uint64_t latency_leaf_five(uint64_t pattern);   /* the 5-byte nop: provider "flyball5", probe "leaf" */

#endif
