/* SPDX-License-Identifier: Apache-2.0 */
/* A key of the file is never used itself: HKDF-SHA256 makes one for each direction of it, and the peer's name
 * goes in, so that a key written for two hosts by mistake still tells them apart. */
#ifndef FLYBALL_AUTH_DERIVE_H
#define FLYBALL_AUTH_DERIVE_H

#include "auth/keys.h"

/* cold: fills `up` and `down` of every row of its secret, kind and name. 0 or -EIO. */
int auth_derive(struct auth_row *row, uint32_t count);

#endif
