/* SPDX-License-Identifier: Apache-2.0 */
/* A token becomes one key, whatever of the two files was written last when its writer died. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/auth.h"
#include "auth/enlist.h"

enum { NOW_S = 1000000, VALID_S = 600, TEXT_BYTES = 8192 };
static const uint8_t token[ENROL_TOKEN_BYTES] = "a token of test";
static const char first_row[] = "host a1-02 1 00112233445566778899aabbccddeeff\n";

struct bed {
    char folder[64], keys[96], tokens[128];
    struct enlist enlist;
};

/* One end of an exchange: the host's, or somebody's who has the token, too. */
struct end {
    struct enrol_host host;
    struct enrol_key key;
    uint8_t reply[ENROL_REPLY_BYTES], confirm[ENROL_CONFIRM_BYTES], done[ENROL_DONE_BYTES];
};

static void write_text(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    chmod(path, 0600);
}

static void read_text(const char *path, char text[TEXT_BYTES])
{
    FILE *in = fopen(path, "re");
    assert_non_null(in);
    text[fread(text, 1, TEXT_BYTES - 1, in)] = 0;
    fclose(in);
}

static void restart(struct bed *bed)
{
    enlist_close(&bed->enlist);
    assert_int_equal(enlist_open(&bed->enlist, bed->keys, stderr), 0);
}

static void lay_out(struct bed *bed)
{
    struct tokens_row row = {.name = "a1-01", .not_after_s = NOW_S + VALID_S};
    snprintf(bed->folder, sizeof bed->folder, "/tmp/flyball-enlist-XXXXXX");
    assert_non_null(mkdtemp(bed->folder));
    snprintf(bed->keys, sizeof bed->keys, "%s/keys", bed->folder);
    snprintf(bed->tokens, sizeof bed->tokens, "%s.tokens", bed->keys);
    write_text(bed->keys, first_row);
    assert_int_equal(enlist_open(&bed->enlist, bed->keys, stderr), 0);
    assert_int_equal(enrol_store(token, &row.stored), 0);
    assert_int_equal(enlist_token(&bed->enlist, &row, NOW_S), 0);
}

static void clear(struct bed *bed)
{
    enlist_close(&bed->enlist);
    unlink(bed->keys);
    unlink(bed->tokens);
    assert_int_equal(rmdir(bed->folder), 0);    /* nothing else was left there */
}

static enum enlist_fate say_hello(struct bed *bed, struct end *end)
{
    bool changed;
    enum enlist_fate fate;
    assert_int_equal(enlist_look(&bed->enlist, &changed), 0);
    assert_int_equal(enlist_hello(&bed->enlist, NOW_S, end->host.hello, ENROL_HELLO_BYTES, &fate, end->reply),
                     0);
    if (fate == ENLIST_GOOD)
        assert_int_equal(enrol_take_reply(&end->host, end->reply, ENROL_REPLY_BYTES, &end->key, end->confirm),
                         0);
    return fate;
}

static int confirm_at(struct bed *bed, struct end *end, int64_t now_s, enum enlist_fate *fate)
{
    struct enlist_host host;
    return enlist_confirm(&bed->enlist, now_s, end->confirm, ENROL_CONFIRM_BYTES, fate, &host, end->done);
}

static enum enlist_fate confirm(struct bed *bed, struct end *end)
{
    enum enlist_fate fate;
    assert_int_equal(confirm_at(bed, end, NOW_S, &fate), 0);
    if (fate == ENLIST_GOOD || fate == ENLIST_REPEATED)
        assert_int_equal(
            enrol_take_done(&end->key, "a1-01", end->host.stored.id, end->done, ENROL_DONE_BYTES), 0);
    return fate;
}

static void begin(struct bed *bed, struct end *end)
{
    *end = (struct end){.key.id = 0};
    assert_int_equal(enrol_begin(&end->host, token, "a1-01"), 0);
    assert_int_equal(say_hello(bed, end), ENLIST_GOOD);
}

/* Keys of the host that count; in *is_own whether this one's does. */
static uint32_t living(const struct bed *bed, const struct end *end, bool *is_own)
{
    struct auth_keys keys;
    uint32_t count = 0;
    *is_own = false;
    assert_int_equal(auth_keys_read(&keys, bed->keys, stderr), 0);
    for (uint32_t i = 0; i < keys.count; i++) {
        if (strcmp(keys.row[i].name, "a1-01") != 0 || keys.row[i].revoked)
            continue;
        count++;
        *is_own |=
            keys.row[i].id == end->key.id && !memcmp(keys.row[i].secret, end->key.secret, AUTH_KEY_BYTES);
    }
    auth_keys_free(&keys);
    return count;
}

static void check_one_key(const struct bed *bed, const struct end *owner)
{
    bool is_own;
    assert_int_equal(living(bed, owner, &is_own), 1);
    assert_true(is_own);
}

static void a_token_makes_one_key_and_says_so_again_to_its_host_alone(void **state)
{
    (void)state;
    struct bed bed;
    struct end host, thief;
    lay_out(&bed);
    begin(&bed, &host);
    begin(&bed, &thief);
    assert_int_equal(confirm(&bed, &host), ENLIST_GOOD);
    assert_int_equal(confirm(&bed, &host), ENLIST_REPEATED);
    assert_int_equal(confirm(&bed, &thief), ENLIST_SPENT);
    assert_int_equal(say_hello(&bed, &thief), ENLIST_SPENT);
    restart(&bed);
    assert_int_equal(confirm(&bed, &host), ENLIST_REPEATED);
    assert_int_equal(confirm(&bed, &thief), ENLIST_SPENT);
    check_one_key(&bed, &host);
    clear(&bed);
}

/* The files as they stand after each write of one enrolment. */
struct steps {
    char tokens[3][TEXT_BYTES], keys[2][TEXT_BYTES];
};

static void take_steps(struct bed *bed, struct end *host, struct steps *steps)
{
    char *used;
    read_text(bed->tokens, steps->tokens[0]);
    read_text(bed->keys, steps->keys[0]);
    assert_int_equal(confirm(bed, host), ENLIST_GOOD);
    read_text(bed->tokens, steps->tokens[2]);
    read_text(bed->keys, steps->keys[1]);
    strcpy(steps->tokens[1], steps->tokens[2]);
    used = strstr(steps->tokens[1], " used=");
    assert_non_null(used);
    memmove(used + 7, used + 6, strlen(used + 6) + 1);
    memcpy(used, " taken=", 7);
}

/* Steps 1 and 2 of three: the token is taken, its key is not there; it is there. */
static void crash(struct bed *bed, const struct steps *steps, int step)
{
    write_text(bed->tokens, steps->tokens[1]);
    write_text(bed->keys, steps->keys[step - 1]);
    restart(bed);
}

static void after_a_crash_the_host_tries_again_with_the_same_token(void **state)
{
    (void)state;
    for (int step = 1; step <= 2; step++) {
        struct bed bed;
        struct end host, anew;
        struct steps steps;
        lay_out(&bed);
        begin(&bed, &host);
        take_steps(&bed, &host, &steps);
        crash(&bed, &steps, step);
        begin(&bed, &anew);
        assert_int_equal(confirm(&bed, &anew), ENLIST_GOOD);
        check_one_key(&bed, &anew);
        assert_int_not_equal(confirm(&bed, &host), ENLIST_GOOD);
        assert_int_equal(confirm(&bed, &anew), ENLIST_REPEATED);
        check_one_key(&bed, &anew);
        clear(&bed);
    }
}

static void after_a_crash_the_same_exchange_ends_where_its_key_is_there(void **state)
{
    (void)state;
    struct bed bed;
    struct end host, thief;
    struct steps steps;
    lay_out(&bed);
    begin(&bed, &host);
    take_steps(&bed, &host, &steps);
    crash(&bed, &steps, 2);
    begin(&bed, &thief);
    assert_int_equal(confirm(&bed, &host), ENLIST_GOOD);
    assert_int_equal(confirm(&bed, &thief), ENLIST_SPENT);
    check_one_key(&bed, &host);
    crash(&bed, &steps, 1);     /* and where it is not, what it says is of no exchange that is known */
    assert_int_equal(confirm(&bed, &host), ENLIST_FORGED);
    clear(&bed);
}

static void a_key_of_a_token_that_ended_half_way_is_revoked(void **state)
{
    (void)state;
    struct bed bed;
    struct end host;
    struct steps steps;
    struct tokens_row row = {.name = "a1-01", .not_after_s = NOW_S + VALID_S};
    enum enlist_fate fate;
    bool is_own;
    lay_out(&bed);
    begin(&bed, &host);
    take_steps(&bed, &host, &steps);
    crash(&bed, &steps, 2);
    assert_int_equal(confirm_at(&bed, &host, NOW_S + VALID_S, &fate), 0);
    assert_int_equal(fate, ENLIST_EXPIRED);
    assert_int_equal(living(&bed, &host, &is_own), 0);
    crash(&bed, &steps, 2);     /* by the next token of that host, too */
    assert_int_equal(living(&bed, &host, &is_own), 1);
    memset(&row.stored, 9, sizeof row.stored);
    assert_int_equal(enlist_token(&bed.enlist, &row, NOW_S), 0);
    assert_int_equal(living(&bed, &host, &is_own), 0);
    assert_int_equal(confirm(&bed, &host), ENLIST_UNKNOWN);
    clear(&bed);
}

static void a_key_file_that_is_away_costs_no_token(void **state)
{
    (void)state;
    struct bed bed;
    struct end host;
    enum enlist_fate fate;
    char away[128];
    lay_out(&bed);
    begin(&bed, &host);
    snprintf(away, sizeof away, "%s.away", bed.keys);
    assert_int_equal(rename(bed.keys, away), 0);
    assert_int_equal(confirm_at(&bed, &host, NOW_S, &fate), -ENOENT);
    assert_int_equal(rename(away, bed.keys), 0);
    assert_int_equal(confirm(&bed, &host), ENLIST_GOOD);
    check_one_key(&bed, &host);
    clear(&bed);
}

static void a_host_with_as_many_keys_as_it_may_have_spends_no_token(void **state)
{
    (void)state;
    struct bed bed;
    struct end host;
    enum enlist_fate fate;
    char text[TEXT_BYTES];
    size_t length = (size_t)snprintf(text, sizeof text, "%s", first_row);
    lay_out(&bed);
    for (int i = 1; i <= AUTH_KEYS_MAX; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "host a1-01 %d %032d\n", i, i);
    write_text(bed.keys, text);
    begin(&bed, &host);
    if (host.key.id > AUTH_KEYS_MAX) {      /* else once in 16,000 runs it has that id already */
        assert_int_equal(confirm_at(&bed, &host, NOW_S, &fate), -E2BIG);
        strcpy(text + length - 1, " revoked\n");
        write_text(bed.keys, text);
        assert_int_equal(confirm(&bed, &host), ENLIST_GOOD);
    }
    clear(&bed);
}

/* What was written before the key was kept with it. */
static void the_old_word_for_a_spent_token_is_read(void **state)
{
    (void)state;
    struct bed bed;
    struct end host;
    char text[TEXT_BYTES], other[TEXT_BYTES];
    struct tokens_row row = {.name = "a1-02", .not_after_s = NOW_S + VALID_S};
    lay_out(&bed);
    begin(&bed, &host);
    read_text(bed.tokens, text);
    strcpy(text + strlen(text) - 1, " used\n");
    write_text(bed.tokens, text);
    assert_int_equal(say_hello(&bed, &host), ENLIST_SPENT);
    assert_int_equal(confirm(&bed, &host), ENLIST_SPENT);
    assert_int_equal(enlist_token(&bed.enlist, &row, NOW_S), 0);
    read_text(bed.tokens, other);
    assert_memory_equal(other, text, strlen(text));
    static const char *const bad[] = {"use", "used=", "used=0-0011223344556677", "used=7", "taken",
                                      "used=7-00112233445566", "taken=65536-0011223344556677", "usedly"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bool changed;
        strcpy(strrchr(text, ' '), " ");
        snprintf(text + strlen(text), 64, "%s\n", bad[i]);
        write_text(bed.tokens, text);
        restart(&bed);
        assert_int_equal(enlist_look(&bed.enlist, &changed), -EBADMSG);
    }
    clear(&bed);
}

/* What has ended takes no room from a new one. */
static void a_token_that_has_ended_goes_when_the_next_is_made(void **state)
{
    (void)state;
    struct bed bed;
    struct tokens_row row = {.name = "a1-02", .not_after_s = NOW_S + 2 * VALID_S};
    lay_out(&bed);
    assert_int_equal(enlist_token(&bed.enlist, &row, NOW_S), 0);
    assert_int_equal(bed.enlist.tokens.count, 2);
    strcpy(row.name, "a1-03");
    assert_int_equal(enlist_token(&bed.enlist, &row, NOW_S + VALID_S), 0);
    assert_int_equal(bed.enlist.tokens.count, 2);
    assert_string_equal(bed.enlist.tokens.row[0].name, "a1-02");
    assert_string_equal(bed.enlist.tokens.row[1].name, "a1-03");
    clear(&bed);
}

/* As many as there may be, made one after the other, are read and found again. */
static void a_file_of_many_tokens_is_read_whole(void **state)
{
    (void)state;
    struct bed bed;
    struct tokens tokens = {.count = 0};
    struct tokens_row row = {.not_after_s = NOW_S + VALID_S};
    lay_out(&bed);
    for (uint32_t i = 0; i < TOKENS_MAX; i++) {
        snprintf(row.name, sizeof row.name, "h%u", i);
        memcpy(row.stored.id, &i, sizeof i);
        assert_int_equal(tokens_add(&tokens, &row), 0);
    }
    snprintf(row.name, sizeof row.name, "one more");
    assert_int_equal(tokens_add(&tokens, &row), -E2BIG);
    assert_int_equal(tokens_write(&tokens, bed.tokens, NOW_S), 0);
    tokens_free(&tokens);
    assert_int_equal(tokens_read(&tokens, bed.tokens), 0);
    assert_int_equal(tokens.count, TOKENS_MAX);
    assert_in_range(tokens.room, TOKENS_MAX, 2 * TOKENS_MAX);   /* it doubles: read in linear time */
    for (uint32_t i = 0; i < TOKENS_MAX; i++) {
        uint8_t id[ENROL_ID_BYTES] = {0};
        memcpy(id, &i, sizeof i);
        assert_non_null(tokens_find(&tokens, id));
    }
    tokens_free(&tokens);
    clear(&bed);
}

static void a_file_that_did_not_change_is_not_read_again(void **state)
{
    (void)state;
    struct bed bed;
    bool changed;
    lay_out(&bed);
    assert_int_equal(enlist_look(&bed.enlist, &changed), 0);
    assert_true(changed);
    const struct tokens_row *row = bed.enlist.tokens.row;
    bed.enlist.tokens.row[0].name[0] = 'x';     /* it would be an a again */
    assert_int_equal(enlist_look(&bed.enlist, &changed), 0);
    assert_false(changed);
    assert_ptr_equal(bed.enlist.tokens.row, row);
    assert_int_equal(row->name[0], 'x');
    unlink(bed.tokens);
    assert_int_equal(enlist_look(&bed.enlist, &changed), 0);
    assert_true(changed);
    assert_int_equal(bed.enlist.tokens.count, 0);
    clear(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_makes_one_key_and_says_so_again_to_its_host_alone),
        cmocka_unit_test(after_a_crash_the_host_tries_again_with_the_same_token),
        cmocka_unit_test(after_a_crash_the_same_exchange_ends_where_its_key_is_there),
        cmocka_unit_test(a_key_of_a_token_that_ended_half_way_is_revoked),
        cmocka_unit_test(a_key_file_that_is_away_costs_no_token),
        cmocka_unit_test(a_host_with_as_many_keys_as_it_may_have_spends_no_token),
        cmocka_unit_test(the_old_word_for_a_spent_token_is_read),
        cmocka_unit_test(a_token_that_has_ended_goes_when_the_next_is_made),
        cmocka_unit_test(a_file_of_many_tokens_is_read_whole),
        cmocka_unit_test(a_file_that_did_not_change_is_not_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
