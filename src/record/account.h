/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger beside the loop: a file in memory (tmpfs) into which decide writes each host's account before
 * the lease that changed it goes to egress. It outlives the process, kill -9 included, and not the machine:
 * a start of the machine takes longer than D, so then everything is claimed anew.
 *
 * Why what is in it never understates exposure:
 * - An account is written before its lease can leave, so a lease that left is in it; one that is in it and
 *   never left only makes it larger.
 * - A process that is killed leaves every store that it made, in order, up to some point: at worst one record
 *   is torn, and shows it. Its lease has not left; the whole file then counts for nothing.
 * - The file is locked while its writer may still send: the lock goes with the process. A writer that is
 *   only stopped (SIGSTOP) keeps it, so nobody takes over from one that may come back.
 * - It counts only in the same boot, for the same hosts in the same order, and within D of the last beat.
 *   Caps mean the same in every model; what they draw and may add up to is worked out anew by the one that
 *   takes over, so neither an upgrade nor another limit in the site file is in the way. What happened to
 *   hosts meanwhile is told by their reports: a reset has a new incarnation, another controller a new epoch.
 * - A writer that saw a newer epoch in any report says so, and is not taken over.
 * Behind the accounts stand records of meters and feeds (core/handed.h), which each count by themselves: two
 * places in turn, so that one which a kill tore leaves the one before it. They count only for a model that is
 * the same in everything that they are about, by its checksum: another breaker, meter, cord or contingency,
 * and every meter starts as after any start. A reader that does not know them passes them by.
 *
 * It does not help against a controller on another machine that claimed hosts which the old writer could
 * not hear, within D: only an election that hands out epochs can tell of it.
 */
#ifndef FLYBALL_RECORD_ACCOUNT_H
#define FLYBALL_RECORD_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "msg/model.h"
#include "msg/slot.h"

struct account_header;
struct account_record;
struct seqlock;

struct account_file {
    int fd;                     /* -1 = none */
    void *memory;
    size_t bytes;
    struct account_header *header;
    struct seqlock *host;       /* by model index */
    struct account_record *record;  /* by meter, then feeds */
    uint32_t hosts, records;
};

/* Whether what a file holds counts. X(symbol, words) */
#define ACCOUNT_STATES(X) \
    X(ACCOUNT_WHOLE, "taken over") \
    X(ACCOUNT_NONE, "nothing in it") \
    X(ACCOUNT_FORMAT, "written by another version") \
    X(ACCOUNT_BOOT, "written before the machine started") \
    X(ACCOUNT_HOSTS, "written for other hosts") \
    X(ACCOUNT_UNFINISHED, "its writer had not begun to send") \
    X(ACCOUNT_OLD, "older than a lease") \
    X(ACCOUNT_TORN, "its writer was killed in the middle of a record") \
    X(ACCOUNT_NEWER_EPOCH, "its writer had seen a newer controller")

#define ACCOUNT_STATE_SYMBOL(symbol, words) symbol,
enum account_state { ACCOUNT_STATES(ACCOUNT_STATE_SYMBOL) ACCOUNT_STATE_COUNT };
#undef ACCOUNT_STATE_SYMBOL

/* setup: opens or makes PATH and locks it. -EWOULDBLOCK: another process holds it, *holder is its id (0 =
 * unknown); -ENOTSUP: not on tmpfs; -EPERM: somebody else's, or others may write it. */
int account_open(struct account_file *file, const char *path, pid_t *holder);

/* setup, after account_open: what the writer before left. `account` has room for the model's hosts, filled
 * only when the state is ACCOUNT_WHOLE. *epoch is that writer's, 0 where unknown, whatever the state. */
enum account_state account_read(const struct account_file *file, const struct model *model, int64_t now_ns,
                                struct slot_account *account, uint64_t *epoch);

/* setup, after an account_read that found it whole: may records be read? */
bool account_has_records(const struct account_file *file, const struct model *model);

/* setup, then: the newest whole record of this number; how many words, 0 = none. */
uint32_t account_read_record(const struct account_file *file, uint32_t number,
                             int64_t word[HANDED_WORDS_MAX]);

/* setup, after account_open and account_read: the file is this process's from now on, and holds nothing until
 * account_whole. 0 or -errno. */
int account_begin(struct account_file *file, const struct model *model, uint64_t epoch);

/* setup, after account_read: the session number that the writer before drew, 0 = unknown. After
 * account_begin: this writer's, for the next. */
uint64_t account_session(const struct account_file *file);
void account_set_session(struct account_file *file, uint64_t session);

/* setup, once every host has been written: it counts from now on. */
void account_whole(struct account_file *file, int64_t now_ns);

/* rt, decide: before a lease that it covers goes to egress. */
void account_write(struct account_file *file, const struct slot_account *account);

/* rt, decide: a record, after the slot that changed it and before a lease of that slot leaves. */
void account_write_record(struct account_file *file, uint32_t number, const int64_t *word, uint32_t words);

/* rt, decide: the writer lives. `newer_epoch`: some report showed one. */
void account_beat(struct account_file *file, int64_t now_ns, bool newer_epoch);

/* setup: in words. */
const char *account_state_words(enum account_state state);

/* setup: the lock goes, the file stays. */
void account_close(struct account_file *file);

#endif
