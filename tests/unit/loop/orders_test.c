/* SPDX-License-Identifier: Apache-2.0 */
/* Orders between whoever gives them and the lane: on the disk first, each number once, in force again after a
 * restart with what is left of their times. A thread stands in for decide. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/orders.h"
#include "rig.h"

enum { RECORD_BYTES = 432, TAKEN_MAX = 64 };
#define START_NS (1000 * NS_PER_S)

struct bed {
    char folder[64], path[96], error[200];
    struct rig_site rig;
    struct site site;
    struct timebase base;
    struct spsc *queue;
    struct board board;
    struct orders orders;
    _Atomic bool stopped, enough, refuses, deaf, rests;
    pthread_t decide;
    struct slot_order taken[TAKEN_MAX];
    off_t logged[TAKEN_MAX];    /* bytes of the log when the order came */
    _Atomic uint32_t count;
};

static void *decide(void *argument)
{
    struct bed *bed = argument;
    const struct timespec rest = {.tv_nsec = 100000};
    while (!atomic_load(&bed->enough)) {
        bool deaf = atomic_load(&bed->deaf);
        atomic_store(&bed->rests, deaf);
        const struct slot *slot = deaf ? NULL : spsc_peek(bed->queue);
        if (!slot) {
            nanosleep(&rest, NULL);
            continue;
        }
        struct stat log = {0};
        stat(bed->path, &log);
        uint32_t i = atomic_load(&bed->count);
        bed->taken[i] = slot->order;
        bed->logged[i] = log.st_size;
        atomic_store(&bed->count, i + 1);
        uint64_t verdict = atomic_load(&bed->refuses) ? ORDER_REFUSED_VALUE : ORDER_TAKEN;
        const uint64_t word[SEQLOCK_WORDS] = {slot->order.number, slot->order.number, verdict};
        spsc_release(bed->queue);
        seqlock_write(&bed->board.order, word);
    }
    return NULL;
}

/* From when it is deaf on, and until it no longer is, the queue is the test's to read. */
static void make_deaf(struct bed *bed, bool deaf)
{
    const struct timespec rest = {.tv_nsec = 100000};
    atomic_store(&bed->deaf, deaf);
    while (atomic_load(&bed->rests) != deaf)
        nanosleep(&rest, NULL);
}

static void begin(struct bed *bed, const char *path)
{
    bed->orders = (struct orders){.site = &bed->site, .base = &bed->base, .out = bed->queue,
                                  .board = &bed->board, .stopped = &bed->stopped};
    FILE *notes = fmemopen(bed->error, sizeof bed->error, "w");
    assert_int_equal(orders_start(&bed->orders, path, notes, bed->error, sizeof bed->error), 0);
    fclose(notes);
}

/* As after kill -9: nothing is told to the log. The lane's content dies with the process. */
static void restart(struct bed *bed, int64_t later_ns)
{
    close(bed->orders.log.fd);
    rig_clock_set(&bed->base, bed->base.shift_ns + later_ns);
    make_deaf(bed, true);
    while (spsc_peek(bed->queue))
        spsc_release(bed->queue);
    atomic_store(&bed->count, 0);
    begin(bed, bed->path);
}

static uint32_t fed(struct bed *bed, struct slot_order order[TAKEN_MAX])
{
    uint32_t count = 0;
    for (const struct slot *slot; (slot = spsc_peek(bed->queue)) != NULL; spsc_release(bed->queue)) {
        assert_int_equal(slot->kind, SLOT_ORDER);
        order[count++] = slot->order;
    }
    make_deaf(bed, false);
    return count;
}

static int open_bed(void **state)
{
    struct bed *bed = aligned_alloc(64, (sizeof *bed + 63) / 64 * 64);
    memset(bed, 0, sizeof *bed);
    strcpy(bed->folder, "/tmp/flyball-give-XXXXXX");
    if (!mkdtemp(bed->folder))
        return -1;
    snprintf(bed->path, sizeof bed->path, "%s/log", bed->folder);
    rig_site_init(&bed->rig);
    bed->site.model = bed->rig.model;
    rig_clock_init(&bed->base, START_NS);
    bed->queue = rig_queue(SLOT_BYTES, ORDERS_PLACES);
    begin(bed, bed->path);
    *state = bed;
    return pthread_create(&bed->decide, NULL, decide, bed);
}

static int close_bed(void **state)
{
    struct bed *bed = *state;
    atomic_store(&bed->enough, true);
    pthread_join(bed->decide, NULL);
    orders_stop(&bed->orders);
    rig_queue_drop(bed->queue);
    char beside[128];
    for (int i = 0; i < 3; i++) {
        snprintf(beside, sizeof beside, "%s%s", bed->path, (const char *[]){"", ".old", ".new"}[i]);
        unlink(beside);
    }
    int error = rmdir(bed->folder);
    free(bed);
    return error;
}

static struct order_entry cap(const char *node, const char *name, int64_t within_ns, int64_t for_ns)
{
    struct order_entry entry = {.order = {.kind = ORDER_CAP, .value_mw = 1000, .within_ns = within_ns,
                                          .for_ns = for_ns}};
    snprintf(entry.subject, NAME_BYTES, "%s", node);
    snprintf(entry.contract, NAME_BYTES, "%s", name);
    return entry;
}

static struct orders_answer give(struct bed *bed, struct order_entry entry)
{
    return orders_give(&bed->orders, &entry);
}

static void take(struct bed *bed, struct order_entry entry, uint64_t number)
{
    struct orders_answer answer = give(bed, entry);
    assert_true(answer.decided);
    assert_int_equal(answer.verdict, ORDER_TAKEN);
    assert_int_equal(answer.number, number);
}

static void an_order_is_in_the_log_before_it_is_in_the_lane(void **state)
{
    struct bed *bed = *state;
    for (uint32_t i = 0; i < 20; i++) {
        take(bed, cap("node-1", "a", 0, 0), i + 1);
        assert_int_equal(bed->logged[i], (i + 1) * RECORD_BYTES);
        assert_int_equal(bed->taken[i].number, i + 1);
        assert_int_equal(bed->taken[i].node, 1);
        assert_int_equal(bed->taken[i].contract, 1);    /* the same name is the same contract */
    }
}

static void what_is_in_force_is_fed_again_with_what_is_left(void **state)
{
    struct bed *bed = *state;
    struct slot_order order[TAKEN_MAX];
    take(bed, cap("node-1", "a", 10 * NS_PER_S, 100 * NS_PER_S), 1);
    take(bed, cap("node-2", "b", 0, 0), 2);
    take(bed, cap("node-2", "c", 0, 40 * NS_PER_S), 3);
    restart(bed, 4 * NS_PER_S);
    assert_int_equal(fed(bed, order), 3);
    assert_in_range(order[0].within_ns, 6 * NS_PER_S - NS_PER_S, 6 * NS_PER_S);
    assert_int_equal(order[0].for_ns, 100 * NS_PER_S);
    assert_int_equal(order[0].number, 1);
    restart(bed, 46 * NS_PER_S);
    assert_int_equal(fed(bed, order), 2);       /* c is over */
    assert_int_equal(order[0].within_ns, 0);
    assert_in_range(order[0].for_ns, 59 * NS_PER_S, 60 * NS_PER_S);
    assert_int_equal(order[1].number, 2);
    assert_int_equal(order[1].for_ns, 0);
    take(bed, cap("node-1", "d", 0, 0), 4);     /* numbers go on */
    restart(bed, 100 * NS_PER_S);
    assert_int_equal(fed(bed, order), 2);
    assert_int_equal(order[0].number, 2);
    assert_int_equal(order[1].number, 4);
}

static void what_was_lifted_replaced_or_refused_does_not_come_back(void **state)
{
    struct bed *bed = *state;
    struct slot_order order[TAKEN_MAX];
    struct order_entry lift = {.order = {.kind = ORDER_LIFT}, .contract = "a"};
    struct order_entry mode = {.order = {.kind = ORDER_MODE, .mode = MODE_SHADOW}};
    struct order_entry out = {.order = {.kind = ORDER_TAKE_OUT}, .subject = "node-1"};
    struct order_entry back = {.order = {.kind = ORDER_PUT_BACK}, .subject = "node-1"};
    take(bed, cap("node-1", "a", 0, 0), 1);
    take(bed, lift, 2);
    take(bed, cap("node-1", "b", 0, 0), 3);
    take(bed, cap("node-2", "b", 0, 0), 4);
    take(bed, mode, 5);
    mode.order.mode = MODE_ADVISE;
    take(bed, mode, 6);
    take(bed, out, 7);
    take(bed, back, 8);
    atomic_store(&bed->refuses, true);
    assert_int_equal(give(bed, cap("node-0", "b", 0, 0)).verdict, ORDER_REFUSED_VALUE);
    assert_int_equal(give(bed, cap("node-0", "x", 0, 0)).verdict, ORDER_REFUSED_VALUE);
    restart(bed, NS_PER_S);
    assert_int_equal(fed(bed, order), 2);
    assert_int_equal(order[0].number, 4);
    assert_int_equal(order[0].contract, 3);
    assert_int_equal(order[1].number, 6);
    assert_int_equal(order[1].mode, MODE_ADVISE);
    assert_int_equal(bed->orders.newest, 10);
}

/* Killed between the log and the lane, over and over: it is fed by every start, under its own number. */
static void an_order_that_was_logged_and_never_fed_is_fed_by_the_next_start(void **state)
{
    struct bed *bed = *state;
    struct slot_order order[TAKEN_MAX];
    make_deaf(bed, true);
    struct orders_answer answer = give(bed, cap("node-1", "a", 0, 0));
    assert_false(answer.decided);
    assert_int_equal(answer.error, -ETIMEDOUT);
    assert_int_equal(answer.number, 1);
    for (int i = 0; i < 3; i++) {
        restart(bed, NS_PER_S);
        assert_int_equal(fed(bed, order), 1);
        assert_int_equal(order[0].number, 1);
    }
}

static void what_the_site_does_not_have_any_more_is_told_and_left_out(void **state)
{
    struct bed *bed = *state;
    struct slot_order order[TAKEN_MAX];
    take(bed, cap("node-1", "a", 0, 0), 1);
    take(bed, cap("node-2", "b", 0, 0), 2);
    strcpy(bed->rig.node[1].name, "renamed");
    strcpy(bed->rig.node[0].name, "node-2");    /* and another place */
    restart(bed, NS_PER_S);
    assert_int_equal(fed(bed, order), 1);
    assert_int_equal(order[0].number, 2);
    assert_int_equal(order[0].node, 0);
    assert_non_null(strstr(bed->error, "node-1"));
}

static void contracts_of_the_site_file_are_left_to_the_schedule(void **state)
{
    struct bed *bed = *state;
    struct slot_order order[TAKEN_MAX];
    struct order_entry entry = cap("node-1", "grid", 0, 0), lift = {.order = {.kind = ORDER_LIFT},
                                                                     .contract = "grid"};
    bed->site.contract_count = 1;
    strcpy(bed->site.contract[0].name, "grid");
    entry.order.contract = ORDERS_SITE_CONTRACT;
    take(bed, entry, 1);
    assert_int_equal(give(bed, lift).error, -EPERM);
    assert_int_equal(give(bed, cap("node-1", "grid", 0, 0)).error, -EPERM);
    restart(bed, NS_PER_S);
    assert_int_equal(fed(bed, order), 0);
    assert_int_equal(bed->orders.newest, 1);
}

static void what_is_refused_here_changes_nothing_and_takes_no_number(void **state)
{
    struct bed *bed = *state;
    struct order_entry lift = {.order = {.kind = ORDER_LIFT}, .contract = "a"};
    struct order_entry forecast = {.order = {.kind = ORDER_FORECAST}, .subject = "h-99"};
    struct order_entry nothing = {.order = {.kind = ORDER_KIND_COUNT}};
    assert_int_equal(give(bed, cap("node-9", "a", 0, 0)).error, -ENOENT);
    assert_int_equal(give(bed, cap("", "a", 0, 0)).error, -EINVAL);
    assert_int_equal(give(bed, lift).error, -ENOENT);
    assert_int_equal(give(bed, forecast).error, -ENOENT);
    assert_int_equal(give(bed, nothing).error, -EINVAL);
    atomic_store(&bed->stopped, true);
    assert_int_equal(give(bed, cap("node-1", "a", 0, 0)).error, -ESHUTDOWN);
    atomic_store(&bed->stopped, false);
    assert_int_equal(access(bed->path, F_OK), -1);
    take(bed, cap("node-1", "a", 0, 0), 1);
}

/* As decide would write it. */
static void stands(struct bed *bed, uint32_t place, uint32_t id, uint32_t kind, uint32_t node,
                   int64_t value_mw)
{
    const uint64_t word[SEQLOCK_WORDS] = {id, id | (uint64_t)node << 32, kind | 1 << 16, (uint64_t)value_mw};
    seqlock_write(&bed->board.contract[place], word);
}

static void of_several_caps_over_a_node_the_least_is_told(void **state)
{
    struct bed *bed = *state;
    struct orders_contract contract;
    take(bed, cap("node-1", "a", 0, 0), 1);
    take(bed, cap("node-1", "b", 0, 0), 2);
    assert_false(orders_cap_over(&bed->orders, 1, &contract));
    stands(bed, 0, 1, ORDER_CAP, 1, 7000);
    stands(bed, 3, 2, ORDER_CAP, 1, 6000);
    stands(bed, 4, 3, ORDER_CAP, 0, 5000);      /* of another node */
    stands(bed, 5, 4, ORDER_RAMP, 1, 4000);     /* no cap */
    assert_true(orders_cap_over(&bed->orders, 1, &contract));
    assert_string_equal(contract.name, "b");
    assert_int_equal(contract.view.value_mw, 6000);
}

static void no_more_is_kept_than_there_is_room_for_at_a_start(void **state)
{
    struct bed *bed = *state;
    char name[NAME_BYTES];
    make_deaf(bed, false);
    bed->orders.kept = ORDERS_KEPT_MAX - 1;
    for (uint32_t i = 0; i < ORDERS_KEPT_MAX - 1; i++) {
        snprintf(name, sizeof name, "n%u", i);
        bed->orders.entry[i] = cap("node-1", name, 0, 0);
        bed->orders.entry[i].order.contract = 1000 + i;
    }
    take(bed, cap("node-1", "last", 0, 0), 1);
    assert_int_equal(give(bed, cap("node-1", "more", 0, 0)).error, -ENOSPC);
}

static void without_a_place_for_the_log_no_order_is_taken(void **state)
{
    struct bed *bed = *state;
    orders_stop(&bed->orders);
    begin(bed, "");
    struct orders_answer answer = give(bed, cap("node-1", "a", 0, 0));
    assert_int_equal(answer.error, -ENOENT);
    assert_int_equal(atomic_load(&bed->count), 0);
}

static void several_nodes_and_the_whole_site_are_named_by_an_order(void **state)
{
    struct bed *bed = *state;
    struct slot_order order[TAKEN_MAX];
    uint32_t roots = 0, nodes = bed->site.model.node_count;
    for (uint32_t n = 0; n < nodes; n++)
        roots += !bed->rig.node[n].parent_count;
    take(bed, cap("node-2,node-1", "pair", 0, 0), 1);
    assert_int_equal(bed->taken[0].node, 2);
    assert_int_equal(bed->taken[0].also_count, 1);
    assert_int_equal(bed->taken[0].also[0], 1);
    take(bed, cap("site", "all", 0, 0), 2);
    assert_int_equal(bed->taken[1].also_count, roots - 1);
    for (uint32_t i = 0; i < roots; i++)
        assert_int_equal(bed->rig.node[i ? bed->taken[1].also[i - 1] : bed->taken[1].node].parent_count, 0);
    assert_int_equal(give(bed, cap("node-1,node-9", "a", 0, 0)).error, -ENOENT);
    assert_int_equal(give(bed, cap("node-1,,node-2", "a", 0, 0)).error, -ENOENT);
    struct order_entry ramp = cap("node-1,node-2", "r", 0, 0);
    ramp.order.kind = ORDER_RAMP;
    assert_int_equal(give(bed, ramp).error, -ENOENT);
    restart(bed, NS_PER_S);
    assert_int_equal(fed(bed, order), 2);
    assert_int_equal(order[0].also[0], 1);
    assert_int_equal(order[1].also_count, roots - 1);
    strcpy(bed->rig.node[1].name, "site");      /* then it is that node */
    take(bed, cap("site", "one", 0, 0), 3);
    assert_int_equal(bed->taken[0].node, 1);
    assert_int_equal(bed->taken[0].also_count, 0);
}

static off_t bytes_of(const char *path)
{
    struct stat log = {0};
    stat(path, &log);
    return log.st_size;
}

/* Of 40 orders two are in force: that many records and the newest number are left, and its size is bounded
 * while it runs, too. */
static void the_log_holds_what_is_in_force_and_little_more(void **state)
{
    struct bed *bed = *state;
    struct slot_order order[TAKEN_MAX];
    struct order_entry lift = {.order = {.kind = ORDER_LIFT}, .contract = "b"};
    for (uint32_t i = 0; i < 37; i++)
        take(bed, cap("node-1", "a", 0, 0), i + 1);
    take(bed, cap("node-2", "c", 0, 0), 38);
    take(bed, cap("node-2", "b", 0, 0), 39);
    take(bed, lift, 40);
    assert_int_equal(bytes_of(bed->path), 40 * RECORD_BYTES);
    restart(bed, NS_PER_S);
    assert_int_equal(bytes_of(bed->path), 3 * RECORD_BYTES);
    assert_int_equal(fed(bed, order), 2);
    assert_int_equal(order[0].number, 37);
    assert_int_equal(order[1].number, 38);
    take(bed, cap("node-2", "b", 0, 0), 41);
    bed->orders.log.records = ORDERS_RECORDS_MAX;
    take(bed, cap("node-2", "d", 0, 0), 42);
    assert_int_equal(bytes_of(bed->path), (1 + 3 + 1) * RECORD_BYTES);
    /* refused when the log is full: its mark comes without it, and takes nothing else along */
    atomic_store(&bed->refuses, true);
    bed->orders.log.records = ORDERS_RECORDS_MAX - 1;
    assert_int_equal(give(bed, cap("node-0", "b", 0, 0)).verdict, ORDER_REFUSED_VALUE);
    atomic_store(&bed->refuses, false);
    restart(bed, NS_PER_S);
    assert_int_equal(fed(bed, order), 4);
    assert_int_equal(order[2].number, 41);
    assert_int_equal(order[3].number, 42);
    assert_int_equal(bed->orders.newest, 43);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_bed, close_bed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_order_is_in_the_log_before_it_is_in_the_lane),
        CASE(what_is_in_force_is_fed_again_with_what_is_left),
        CASE(what_was_lifted_replaced_or_refused_does_not_come_back),
        CASE(an_order_that_was_logged_and_never_fed_is_fed_by_the_next_start),
        CASE(what_the_site_does_not_have_any_more_is_told_and_left_out),
        CASE(contracts_of_the_site_file_are_left_to_the_schedule),
        CASE(what_is_refused_here_changes_nothing_and_takes_no_number),
        CASE(of_several_caps_over_a_node_the_least_is_told),
        CASE(no_more_is_kept_than_there_is_room_for_at_a_start),
        CASE(without_a_place_for_the_log_no_order_is_taken),
        CASE(several_nodes_and_the_whole_site_are_named_by_an_order),
        CASE(the_log_holds_what_is_in_force_and_little_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
