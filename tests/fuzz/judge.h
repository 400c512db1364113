/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An opinion on a body that shares no code with src/wire: it walks the bytes by protobuf-c's own descriptors,
 * says whether the hand-written decoders ought to refuse them and by which rule, and rewrites what it accepts
 * for protobuf-c: unknown groups are left out (protobuf-c knows none) and a singular message that comes more
 * than once becomes one with the bodies joined, which is how the protobuf encoding defines merging
 * (protobuf-c 1.4.1 forgets numbers there).
 */
#ifndef FLYBALL_FUZZ_JUDGE_H
#define FLYBALL_FUZZ_JUDGE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

enum { JUDGE_ROOM = 1 << 16 };

enum verdict {
    FORM_GOOD,
    FORM_BROKEN,        /* not protobuf: protobuf-c must refuse the original as well */
    FORM_STRICT,        /* protobuf-c may accept it; `rule` names the stricter rule of ours that it breaks */
};

struct judgement {
    enum verdict verdict;
    const char *rule;
    bool groups;        /* some were left out: protobuf-c must have refused the original */
    uint32_t bytes;     /* of the rewritten body */
    uint8_t body[JUDGE_ROOM];
};

void judge(const ProtobufCMessageDescriptor *descriptor, const uint8_t *body, uint32_t bytes,
    struct judgement *judgement);

#endif
