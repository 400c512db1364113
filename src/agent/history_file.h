/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a history (history.h), of a running agent, of one that crashed, or copied from another machine. */
#ifndef FLYBALL_AGENT_HISTORY_FILE_H
#define FLYBALL_AGENT_HISTORY_FILE_H

#include "agent/history.h"

/* Where an agent keeps it unless it is told otherwise. */
#define HISTORY_PATH "/var/lib/flyball-agent/history"

struct history_file {
    int fd;
    struct history_header header;
    struct crc32c crc;
    uint64_t newest;            /* number of the newest whole record; 0 = there is none */
};

/* any: `host` is whose history it must be; NULL: anybody's. 0; -errno of the file, -EBADMSG (damaged, or no
 * history), -EPROTO (of another version), -EXDEV (of another host), with why in words. */
int history_file_open(struct history_file *file, const char *path, const char *host,
                      char why[HISTORY_WHY_BYTES]);
void history_file_close(struct history_file *file);

/* any: the records of the last `last_ns` before the newest, oldest first, to be freed; records that are not
 * whole are left out. 0 or -errno. */
int history_file_last(const struct history_file *file, int64_t last_ns, struct history_record **record,
                      uint64_t *count);

#endif
