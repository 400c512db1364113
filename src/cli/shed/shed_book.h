/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state file of `flyball shed`: one entry per node (shed_entry.h), JSON, replaced as a whole by rename.
 * Three kinds of process change it, each under the lock of PATH.lock: the one that watches, the keepers of
 * commands, and an operator's --restore. Each reads it anew first, so none undoes what another has written.
 */
#ifndef FLYBALL_CLI_SHED_BOOK_H
#define FLYBALL_CLI_SHED_BOOK_H

#include <sys/stat.h>

#include "cli/shed/shed_entry.h"
#include "site/site.h"

enum { SHED_PATH_BYTES = 320, SHED_BOOT_BYTES = 40 };

struct shed_book {
    char path[SHED_PATH_BYTES], boot[SHED_BOOT_BYTES];
    uint32_t count, room;
    struct shed_entry *entry;
    struct stat was;                /* the file that was read last; st_ino 0 = none */
};

/* any: where it lies: beside the door, in memory like what it is about. -ENOENT where the row has no door. */
int shed_book_path(const struct site_server *server, char path[SHED_PATH_BYTES]);

/* cold: reads it; a file that is not there has no entries. 0; -EBADMSG for one that cannot be understood:
 * then there are none either; or another -errno. shed_book_close frees in any case. */
int shed_book_open(struct shed_book *book, const char *path);
void shed_book_close(struct shed_book *book);

/* cold: reads it again where it is another file by now. As shed_book_open; on an error what was known
 * stands. */
int shed_book_refresh(struct shed_book *book);

/* any: of a node, NULL where nothing is known. */
struct shed_entry *shed_book_find(const struct shed_book *book, const char *node);

/* cold: sets an entry, here in any case and on the file, where the file says `before` of that node or
 * `before` is NULL. 0; -EAGAIN where it says something else, which then stands here, too; or another -errno:
 * it is not written, and stands here over every reading of the file until it is, or until the file says
 * something newer. `lasting`: on the disk when this returns. */
int shed_book_put(struct shed_book *book, const struct shed_entry *before, const struct shed_entry *entry,
                   bool lasting);

/* cold: writes what could not be written before, without waiting for who holds the lock. 0: there is nothing
 * of the kind any more. */
int shed_book_settle(struct shed_book *book);

/* cold: the one process that watches with this file. Holds until the descriptor is closed. -errno, -EBUSY
 * where there is one. */
int shed_book_claim(const char *path);

/* cold: is this process there; which start of that pid it is, 0 where it is not. */
uint64_t shed_process_start(int32_t pid);

#endif
