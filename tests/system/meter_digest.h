/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLYBALL_TESTS_METER_DIGEST_H
#define FLYBALL_TESTS_METER_DIGEST_H

/* Prints one line for each of some meters: everything that came out of it, to the bit. */
void meter_digest_print(void);

#endif
