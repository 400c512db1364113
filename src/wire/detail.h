/* SPDX-License-Identifier: Apache-2.0 */
/* cap.proto: HostDetail. Same rules as cap.h; texts are printable ASCII without blanks. */
#ifndef FLYBALL_WIRE_DETAIL_H
#define FLYBALL_WIRE_DETAIL_H

#include "msg/detail.h"

/* rt: ACCEPTED or REFUSED_MALFORMED: more devices or jobs than there is room for, devices that do not ascend,
 * a text that is too long or not printable, a number that its member cannot hold. `host` comes back as 0. */
int detail_decode(const uint8_t *body, uint32_t bytes, struct detail *detail);

/* rt: bytes written, never more than DETAIL_BODY_MAX; 0 when they do not fit or when the decoder would
 * refuse them. */
uint32_t detail_encode(const struct detail *detail, uint8_t *body, uint32_t room);

#endif
