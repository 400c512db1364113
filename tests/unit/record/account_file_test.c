/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's file: what a writer leaves however it ends, and when that counts. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/account.h"
#include "ring/seqlock.h"
#include "sample.h"

enum { EPOCH = 77 };
#define BEGUN_NS (100 * NS_PER_S)

struct desk {
    struct sample sample;
    char path[64];
    struct account_file file;
    struct slot_account got[SAMPLE_HOSTS];
    uint64_t epoch;
    pid_t holder;
};

static void sit(struct desk *desk)
{
    memset(desk, 0, sizeof *desk);
    sample_init(&desk->sample);
    desk->sample.model.policy.lease_ns = NS_PER_S;
    snprintf(desk->path, sizeof desk->path, "/dev/shm/flyball-account-%d", (int)getpid());
    unlink(desk->path);
}

static void leave(struct desk *desk)
{
    account_close(&desk->file);
    unlink(desk->path);
}

static void open_file(struct desk *desk)
{
    assert_int_equal(account_open(&desk->file, desk->path, &desk->holder), 0);
}

static struct slot_account account_of(uint32_t host)
{
    return (struct slot_account){.host = host,
                                 .incarnation = UINT64_MAX - host,
                                 .report = 1000 + host,
                                 .sequence = UINT64_C(1) << 60 | host,
                                 .newest_mw = host ? 5000000 : -1,
                                 .exposed_mw = 6000000 + host,
                                 .fail_safe_mw = 2000000,
                                 .phys_max_mw = 12000000,
                                 .bounded = host != 0,
                                 .accepted = 1};
}

static void write_all(struct desk *desk)
{
    for (uint32_t host = 0; host < SAMPLE_HOSTS; host++) {
        const struct slot_account account = account_of(host);
        account_write(&desk->file, &account);
    }
}

static void write_file(struct desk *desk)
{
    open_file(desk);
    assert_int_equal(account_begin(&desk->file, &desk->sample.model, EPOCH), 0);
    write_all(desk);
    account_whole(&desk->file, BEGUN_NS);
}

static enum account_state read_at(struct desk *desk, int64_t now_ns)
{
    return account_read(&desk->file, &desk->sample.model, now_ns, desk->got, &desk->epoch);
}

/* What the next one finds. */
static enum account_state reopened_at(struct desk *desk, int64_t now_ns)
{
    account_close(&desk->file);
    open_file(desk);
    return read_at(desk, now_ns);
}

static void all_comes_back_as_it_was_written(void **state)
{
    (void)state;
    struct desk desk;
    sit(&desk);
    write_file(&desk);
    assert_int_equal(reopened_at(&desk, BEGUN_NS + 40), ACCOUNT_WHOLE);
    assert_int_equal(desk.epoch, EPOCH);
    for (uint32_t host = 0; host < SAMPLE_HOSTS; host++) {
        struct slot_account wanted = account_of(host);
        wanted.epoch = EPOCH;
        wanted.age_ns = 40;
        wanted.last = host + 1 == SAMPLE_HOSTS;
        assert_memory_equal(&desk.got[host], &wanted, sizeof wanted);
    }
    leave(&desk);
}

static void it_counts_for_a_lease_time_from_the_newest_beat(void **state)
{
    (void)state;
    struct desk desk;
    sit(&desk);
    write_file(&desk);
    assert_int_equal(reopened_at(&desk, BEGUN_NS + NS_PER_S), ACCOUNT_WHOLE);
    assert_int_equal(reopened_at(&desk, BEGUN_NS + NS_PER_S + 1), ACCOUNT_OLD);
    assert_int_equal(reopened_at(&desk, BEGUN_NS - 1), ACCOUNT_OLD);
    account_beat(&desk.file, BEGUN_NS + 5, false);
    assert_int_equal(reopened_at(&desk, BEGUN_NS + NS_PER_S + 5), ACCOUNT_WHOLE);
    assert_int_equal(reopened_at(&desk, BEGUN_NS + NS_PER_S + 6), ACCOUNT_OLD);
    leave(&desk);
}

static void what_is_new_foreign_or_unfinished_does_not_count(void **state)
{
    (void)state;
    struct desk desk;
    sit(&desk);
    open_file(&desk);
    assert_int_equal(read_at(&desk, BEGUN_NS), ACCOUNT_NONE);
    assert_int_equal(desk.epoch, 0);
    assert_int_equal(account_begin(&desk.file, &desk.sample.model, EPOCH), 0);
    write_all(&desk);
    assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_UNFINISHED);
    assert_int_equal(desk.epoch, EPOCH);
    account_whole(&desk.file, BEGUN_NS);
    assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_WHOLE);
    desk.sample.host[1].fail_safe_mw++;     /* of the same host: the larger one counts */
    assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_WHOLE);
    desk.sample.host[1].name[0] ^= 1;
    assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_HOSTS);
    desk.sample.host[1].name[0] ^= 1;
    desk.sample.model.host_count--;
    assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_HOSTS);
    desk.sample.model.host_count++;
    account_beat(&desk.file, BEGUN_NS, true);
    assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_NEWER_EPOCH);
    account_beat(&desk.file, BEGUN_NS, false);
    char *boot = (char *)desk.file.memory + 32;
    boot[0] ^= 1;
    assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_BOOT);
    boot = (char *)desk.file.memory + 32;
    boot[0] ^= 1;
    assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_WHOLE);
    *(uint32_t *)((uint8_t *)desk.file.memory + 8) += 1;       /* version */
    assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_FORMAT);
    assert_int_equal(desk.epoch, 0);
    leave(&desk);
}

static void the_next_writer_begins_with_nothing(void **state)
{
    (void)state;
    struct desk desk;
    sit(&desk);
    write_file(&desk);
    assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_WHOLE);
    assert_int_equal(account_begin(&desk.file, &desk.sample.model, EPOCH + 1), 0);
    assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_UNFINISHED);
    assert_int_equal(desk.epoch, EPOCH + 1);
    leave(&desk);
}

static void a_torn_record_spoils_the_whole(void **state)
{
    (void)state;
    for (uint32_t at = 0; at <= SAMPLE_HOSTS; at++) {
        struct desk desk;
        sit(&desk);
        write_file(&desk);
        struct seqlock *record = at < SAMPLE_HOSTS ? &desk.file.host[at]
                                                   : (struct seqlock *)((uint8_t *)desk.file.memory + 128);
        atomic_fetch_add(&record->version, 1);      /* odd: begun and never ended */
        assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_TORN);
        leave(&desk);
    }
}

static void nobody_gets_it_while_its_writer_lives_stopped_or_not(void **state)
{
    (void)state;
    struct desk desk;
    int ready[2];
    char byte;
    sit(&desk);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        assert_int_equal(prctl(PR_SET_PDEATHSIG, SIGKILL), 0);
        write_file(&desk);
        if (write(ready[1], "", 1) != 1)
            _exit(1);
        for (int64_t t = 1;; t++)
            account_beat(&desk.file, BEGUN_NS + t, false);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(account_open(&desk.file, desk.path, &desk.holder), -EWOULDBLOCK);
    assert_int_equal(desk.holder, child);
    kill(child, SIGSTOP);
    assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
    assert_int_equal(account_open(&desk.file, desk.path, &desk.holder), -EWOULDBLOCK);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    open_file(&desk);
    enum account_state found = read_at(&desk, BEGUN_NS + 1);
    assert_true(found == ACCOUNT_WHOLE || found == ACCOUNT_OLD || found == ACCOUNT_TORN);
    close(ready[0]);
    close(ready[1]);
    leave(&desk);
}

/* A store that was made before a kill is in the file, each time. */
/* Torn is what it may leave where it was killed amid a record, for which hardly a round of twenty is unlucky
 * enough. */
static void a_killed_writer_leaves_what_it_wrote(void **state)
{
    (void)state;
    int whole = 0;
    for (int round = 0; round < 20; round++) {
        struct desk desk;
        int told[2];
        uint64_t word = 0, newest = 0;
        sit(&desk);
        assert_int_equal(pipe(told), 0);
        pid_t child = fork();
        if (child == 0) {
            assert_int_equal(prctl(PR_SET_PDEATHSIG, SIGKILL), 0);
            write_file(&desk);
            struct slot_account account = account_of(1);
            for (account.sequence = 1;; account.sequence++) {
                account_write(&desk.file, &account);
                if (write(told[1], &account.sequence, sizeof account.sequence) < 0)
                    _exit(1);
            }
        }
        close(told[1]);
        for (int i = 0; i < 50 + 37 * round; i++)
            assert_int_equal(read(told[0], &newest, sizeof newest), sizeof newest);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(told[0], &word, sizeof word) == sizeof word)
            newest = word;
        open_file(&desk);
        enum account_state found = read_at(&desk, BEGUN_NS);
        assert_true(found == ACCOUNT_WHOLE || found == ACCOUNT_TORN);
        if (found == ACCOUNT_WHOLE)
            assert_true(desk.got[1].sequence >= newest);
        whole += found == ACCOUNT_WHOLE;
        close(told[0]);
        leave(&desk);
    }
    assert_true(whole > 0);
}

static void a_file_that_others_may_write_or_on_a_disk_is_refused(void **state)
{
    (void)state;
    struct desk desk;
    sit(&desk);
    open_file(&desk);
    account_close(&desk.file);
    assert_int_equal(chmod(desk.path, 0620), 0);
    assert_int_equal(account_open(&desk.file, desk.path, &desk.holder), -EPERM);
    assert_int_equal(chmod(desk.path, 0600), 0);
    assert_int_equal(account_open(&desk.file, "/proc/self/status", &desk.holder) < 0, 1);
    assert_int_equal(account_open(&desk.file, "/dev/shm", &desk.holder), -EISDIR);
    char other[96];
    snprintf(other, sizeof other, "%s-link", desk.path);
    unlink(other);
    assert_int_equal(symlink(desk.path, other), 0);
    assert_int_equal(account_open(&desk.file, other, &desk.holder), -ELOOP);
    unlink(other);
    leave(&desk);
}

/* ---- records ---- */

enum { RECORD_WORDS = HANDED_WORDS_MAX };

static void write_record(struct desk *desk, uint32_t number, int64_t first, uint32_t words)
{
    int64_t word[HANDED_WORDS_MAX];
    for (uint32_t i = 0; i < words; i++)
        word[i] = first + i;
    account_write_record(&desk->file, number, word, words);
}

/* The first word of what is found, each of the others as it was written; -1 = nothing. */
static int64_t found_record(struct desk *desk, uint32_t number, uint32_t words)
{
    int64_t word[HANDED_WORDS_MAX];
    uint32_t got = account_read_record(&desk->file, number, word);
    if (!got)
        return -1;
    assert_int_equal(got, words);
    for (uint32_t i = 1; i < words; i++)
        assert_int_equal(word[i], word[0] + i);
    return word[0];
}

static void records_come_back_the_newest_of_each(void **state)
{
    (void)state;
    static const uint32_t words[] = {1, 6, 7, 13, 14, RECORD_WORDS};
    for (uint32_t w = 0; w < 6; w++) {
        struct desk desk;
        sit(&desk);
        write_file(&desk);
        assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_WHOLE);
        assert_true(account_has_records(&desk.file, &desk.sample.model));
        assert_int_equal(found_record(&desk, 0, words[w]), -1);
        assert_int_equal(account_begin(&desk.file, &desk.sample.model, EPOCH), 0);
        write_all(&desk);
        account_whole(&desk.file, BEGUN_NS);
        for (int64_t round = 1; round < 6; round++) {
            write_record(&desk, 0, 1000 * round, words[w]);
            assert_int_equal(found_record(&desk, 0, words[w]), 1000 * round);
        }
        write_record(&desk, 1, 77, words[w]);
        assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_WHOLE);
        assert_int_equal(found_record(&desk, 0, words[w]), 5000);
        assert_int_equal(found_record(&desk, 1, words[w]), 77);
        leave(&desk);
    }
}

/* Whichever of its lines a kill tore: the one before it stands. */
static void a_torn_record_leaves_the_one_before_it(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < (RECORD_WORDS + 7) / 7; at++) {
        struct desk desk;
        sit(&desk);
        write_file(&desk);
        struct seqlock *place = (struct seqlock *)desk.file.record;
        write_record(&desk, 0, 1000, RECORD_WORDS);
        write_record(&desk, 0, 2000, RECORD_WORDS);
        atomic_fetch_add(&place[(RECORD_WORDS + 7) / 7 + at].version, 1);
        assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_WHOLE);
        assert_int_equal(found_record(&desk, 0, RECORD_WORDS), 1000);
        /* lines of two writings are none */
        place = (struct seqlock *)((uint8_t *)desk.file.memory + 192 + SAMPLE_HOSTS * 64);
        atomic_fetch_add(&place[at].version, 2);
        assert_int_equal(found_record(&desk, 0, RECORD_WORDS), -1);
        leave(&desk);
    }
}

static void records_of_another_site_or_writer_do_not_count(void **state)
{
    (void)state;
    struct desk desk;
    struct model *model = &desk.sample.model;
    sit(&desk);
    write_file(&desk);
    assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_WHOLE);
    assert_true(account_has_records(&desk.file, model));
    model->node[1].breaker.element[0].pickup_ma++;
    assert_false(account_has_records(&desk.file, model));
    model->node[1].breaker.element[0].pickup_ma--;
    model->meter[0].error_ppm++;
    assert_false(account_has_records(&desk.file, model));
    model->meter[0].error_ppm--;
    model->host[0].cord[0].share_ppm[0]++;
    assert_false(account_has_records(&desk.file, model));
    model->host[0].cord[0].share_ppm[0]--;
    model->type[0].base_max_mw++;
    assert_false(account_has_records(&desk.file, model));
    model->type[0].base_max_mw--;
    model->curve[1].rate[7]++;
    assert_false(account_has_records(&desk.file, model));
    model->curve[1].rate[7]--;
    model->contingency[0].kind++;
    assert_false(account_has_records(&desk.file, model));
    model->contingency[0].kind--;
    assert_true(account_has_records(&desk.file, model));
    /* as a version left it that knew of none: accounts alone */
    memset((uint8_t *)desk.file.memory + 72, 0, 12);
    assert_int_equal(reopened_at(&desk, BEGUN_NS), ACCOUNT_WHOLE);
    assert_false(account_has_records(&desk.file, model));
    leave(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_comes_back_as_it_was_written),
        cmocka_unit_test(it_counts_for_a_lease_time_from_the_newest_beat),
        cmocka_unit_test(what_is_new_foreign_or_unfinished_does_not_count),
        cmocka_unit_test(the_next_writer_begins_with_nothing),
        cmocka_unit_test(a_torn_record_spoils_the_whole),
        cmocka_unit_test(nobody_gets_it_while_its_writer_lives_stopped_or_not),
        cmocka_unit_test(a_killed_writer_leaves_what_it_wrote),
        cmocka_unit_test(records_come_back_the_newest_of_each),
        cmocka_unit_test(a_torn_record_leaves_the_one_before_it),
        cmocka_unit_test(records_of_another_site_or_writer_do_not_count),
        cmocka_unit_test(a_file_that_others_may_write_or_on_a_disk_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
