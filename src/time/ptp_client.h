/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a ptp4l of this machine how it stands, over its local socket. Each round asks for four data sets and
 * waits for the answers, but never long. A ptp4l that is away, or comes back, is no error: the next
 * round tries again.
 */
#ifndef FLYBALL_TIME_PTP_CLIENT_H
#define FLYBALL_TIME_PTP_CLIENT_H

#include "time/ptp_message.h"

enum { PTP_PATH_BYTES = 108, PTP_ROUND_MS = 300 };

/* What one round brought. */
struct ptp_report {
    bool has_status, has_parent, has_properties, has_port;
    struct ptp_time_status status;
    struct ptp_parent parent;
    struct ptp_time_properties properties;
    uint8_t port_state;         /* of all ports the one nearest to SLAVE; of some only where !has_status */
};

struct ptp_client {
    char path[PTP_PATH_BYTES];  /* of ptp4l */
    char own[PTP_PATH_BYTES];   /* where answers come to */
    uint8_t domain;
    int fd;
    uint16_t sequence;
    uint64_t malformed;         /* datagrams that were no answer */
};

/* setup: opens nothing yet. `own`: a path that this process may make. 0 or -ENAMETOOLONG. */
int ptp_client_init(struct ptp_client *client, const char *path, const char *own, uint8_t domain);

/* cold: one round, at most PTP_ROUND_MS. 0, also where only some sets were answered; -ETIMEDOUT: none was;
 * another -errno: nobody could be asked (ENOENT, ECONNREFUSED: no ptp4l is there). */
int ptp_client_ask(struct ptp_client *client, struct ptp_report *report);

/* cold: any number of times */
void ptp_client_close(struct ptp_client *client);

#endif
