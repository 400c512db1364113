/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host without a key gets its first one by a one-time token (auth/enrol.h), at the controller's `flyball
 * keys serve-enrol`. What it has of the exchange stands in FILE.enrolling before it says so: whoever is
 * killed, or hears no answer, tries again with the same token and goes on where it was. That file becomes
 * FILE once the controller has said that it keeps the key.
 */
#ifndef FLYBALL_AGENT_NEWCOMER_H
#define FLYBALL_AGENT_NEWCOMER_H

#include <netinet/in.h>
#include <stdio.h>

#include "auth/enrol.h"

enum { NEWCOMER_PORT = 7003, NEWCOMER_PATH_BYTES = 4096, NEWCOMER_WAIT_S = 20 };

struct newcomer {
    const char *program;            /* begins what is said */
    const char *name, *file;        /* of the host; its key file, which is not there yet */
    const char *controller;         /* as somebody wrote it */
    struct sockaddr_in address;     /* of the same */
    int64_t wait_s;                 /* for each of two answers */
};

/* any: "ADDRESS" or "ADDRESS:PORT". */
bool newcomer_address(const char *text, struct sockaddr_in *address);

/* cold: a line of digits; standard input's where `text` is NULL: every process of the machine may read words
 * of a command. */
bool newcomer_token(const char *text, uint8_t token[ENROL_TOKEN_BYTES]);

/* cold: to the end of it. What came of it goes to `out`, or to `report` where it is an error. 0; -EEXIST: the
 * file is there already; -ETIMEDOUT: no answer; or another -errno. */
int newcomer_enrol(const struct newcomer *newcomer, const uint8_t token[ENROL_TOKEN_BYTES], FILE *out,
                   FILE *report);

#endif
