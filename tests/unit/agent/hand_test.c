/* SPDX-License-Identifier: Apache-2.0 */
/* Handles on the GPUs of one process, over the stand-in for NVIDIA's library: it is shared by all of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "../act/loader.h"
#include "act/standin/gpu.h"
#include "agent/hand.h"
#include "msg/model.h"

enum { GPUS = 3 };

struct bench {
    struct standin *standin;
    struct hands hands;
    struct hand hand[GPUS];
    int64_t now_ns;
    char path[64];
};

static void gpu_name(char name[ACT_IDENTITY_BYTES], int gpu)
{
    snprintf(name, ACT_IDENTITY_BYTES, "GPU-f17ba11e-0000-4000-8000-%012x", (unsigned)gpu);
}

static void open_hand(struct bench *bench, int i, const char *name)
{
    char why[ACT_WHY_BYTES];
    const struct act_place place = {.root = ""};
    assert_int_equal(hand_open(&bench->hand[i], &bench->hands, act_find("nvml"), &place, name, why), 0);
}

static struct bench *make(void)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    assert_true(loader_finds_the_stand_in());
    snprintf(bench->path, sizeof bench->path, "/tmp/flyball-hand-%d", (int)getpid());
    bench->standin = standin_map(bench->path, GPUS);
    assert_non_null(bench->standin);
    assert_int_equal(setenv("FLYBALL_STANDIN_STATE", bench->path, 1), 0);
    bench->now_ns = NS_PER_S;
    hands_init(&bench->hands);
    return bench;
}

static struct bench *make_with_hands(void)
{
    char name[ACT_IDENTITY_BYTES];
    struct bench *bench = make();
    for (int i = 0; i < GPUS; i++) {
        gpu_name(name, i);
        open_hand(bench, i, name);
    }
    return bench;
}

static void clear(struct bench *bench)
{
    for (int i = 0; i < GPUS; i++)
        hand_close(&bench->hand[i]);
    munmap(bench->standin, sizeof *bench->standin);
    unlink(bench->path);
    free(bench);
}

static int look(struct bench *bench, int i)
{
    struct hand_seen seen;
    hand_find(&bench->hand[i], bench->now_ns);
    return hand_read_back(&bench->hand[i], &seen, bench->now_ns);
}

/* As threads do: each looks every 100 ms but those in `but`, for that long. */
static void look_for(struct bench *bench, int64_t ns, unsigned but)
{
    for (int64_t end_ns = bench->now_ns + ns; bench->now_ns < end_ns; bench->now_ns += 100 * NS_PER_MS)
        for (int i = 0; i < GPUS; i++)
            if (!(but & 1u << i))
                look(bench, i);
}

static void a_driver_loaded_anew_is_found_by_all_of_a_process(void **state)
{
    (void)state;
    struct bench *bench = make_with_hands();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < GPUS; i++)
            assert_int_equal(look(bench, i), 0);
        standin_load(bench->standin);
        for (int i = 0; i < GPUS; i++)
            assert_int_equal(look(bench, i), -ENODEV);
        look_for(bench, HAND_REOPEN_NS + 200 * NS_PER_MS, 0);
        for (int i = 0; i < GPUS; i++)
            assert_int_equal(look(bench, i), 0);
    }
    assert_int_equal(hand_apply(&bench->hand[1], 300000, bench->now_ns), 0);
    assert_int_equal(atomic_load(&bench->standin->gpu[1].limit_mw), 300000);
    clear(bench);
}

static void one_that_comes_back_needs_no_other_to_close(void **state)
{
    (void)state;
    struct bench *bench = make_with_hands();
    atomic_store(&bench->standin->gpu[2].told.lost, 1);
    assert_int_equal(look(bench, 2), -ENODEV);
    look_for(bench, 2 * NS_PER_S, 0);
    assert_int_equal(look(bench, 2), -ENODEV);
    assert_int_equal(look(bench, 0), 0);
    atomic_store(&bench->standin->gpu[2].told.lost, 0);
    look_for(bench, HAND_REOPEN_NS + 200 * NS_PER_MS, 0);
    assert_int_equal(look(bench, 2), 0);
    assert_int_equal(atomic_load(&bench->hands.renewals), 0);
    clear(bench);
}

/* Hand 1 hangs in a call from before the driver was loaded anew, and keeps the old library open. */
static void all_close_for_one_that_is_not_found(void **state)
{
    (void)state;
    struct bench *bench = make_with_hands();
    standin_load(bench->standin);
    look_for(bench, HAND_RENEW_AFTER_NS - NS_PER_S, 2);
    assert_int_equal(look(bench, 0), -ENODEV);
    bench->hand[2].reopen_ns = INT64_MAX;       /* it is not the one that asks */
    look_for(bench, 2 * NS_PER_S, 2);
    assert_int_equal(atomic_load(&bench->hands.renewals), 1);
    assert_int_equal(atomic_load(&bench->hands.open), 1);
    assert_int_equal(look(bench, 1), 0);        /* it closed, nobody else was open, and it has a new one */
    look_for(bench, HAND_REOPEN_NS + 200 * NS_PER_MS, 0);
    assert_int_equal(look(bench, 0), 0);
    clear(bench);
}

/* Hand 0 lost its GPU and asks all to close. */
static struct bench *make_with_one_that_asks(void)
{
    struct bench *bench = make_with_hands();
    atomic_store(&bench->standin->gpu[0].told.lost, 1);
    look_for(bench, HAND_RENEW_AFTER_NS + NS_PER_S, 6);         /* it alone looks */
    assert_int_equal(atomic_load(&bench->hands.renewals), 1);
    return bench;
}

static void whoever_is_there_waits_for_the_last_to_close_and_not_for_ever(void **state)
{
    (void)state;
    struct bench *bench = make_with_one_that_asks();
    assert_int_equal(look(bench, 1), -EAGAIN);  /* hand 2 has it open yet */
    bench->now_ns += HAND_RENEW_WAIT_NS - 1;
    assert_int_equal(look(bench, 1), -EAGAIN);
    bench->now_ns += 1;
    assert_int_equal(look(bench, 1), 0);
    assert_int_equal(look(bench, 2), 0);        /* it is over: nobody closes for it any more */
    look_for(bench, HAND_RENEW_EVERY_NS / 2, 0);        /* seldom: it holds up the others */
    assert_int_equal(atomic_load(&bench->hands.renewals), 1);
    clear(bench);
}

/* No time passes between the last that closes and the others that open. */
static void when_the_last_has_closed_nobody_waits_for_another(void **state)
{
    (void)state;
    struct bench *bench = make_with_one_that_asks();
    assert_int_equal(look(bench, 1), -EAGAIN);
    assert_int_equal(look(bench, 2), 0);        /* the last: it opens at once */
    assert_int_equal(look(bench, 1), 0);
    assert_int_equal(atomic_load(&bench->hands.open), 2);
    look_for(bench, HAND_RENEW_EVERY_NS - 2 * NS_PER_S, 0);
    assert_int_equal(atomic_load(&bench->hands.renewals), 1);
    look_for(bench, 3 * NS_PER_S, 0);           /* and again, the GPU being away yet */
    assert_int_equal(atomic_load(&bench->hands.renewals), 2);
    look_for(bench, 200 * NS_PER_MS, 0);
    assert_int_equal(look(bench, 1), 0);
    assert_int_equal(look(bench, 2), 0);
    clear(bench);
}

static void a_write_waits_for_nobody(void **state)
{
    (void)state;
    struct bench *bench = make_with_one_that_asks();
    assert_int_equal(look(bench, 1), -EAGAIN);
    assert_int_equal(hand_apply(&bench->hand[1], 250000, bench->now_ns), 0);
    assert_int_equal(atomic_load(&bench->standin->gpu[1].limit_mw), 250000);
    assert_int_equal(look(bench, 2), 0);        /* it is over for the others, too */
    assert_int_equal(atomic_load(&bench->hands.open), 2);
    assert_int_equal(hand_apply(&bench->hand[0], 250000, bench->now_ns), -ENODEV);
    clear(bench);
}

static void what_a_device_keeps_is_read_beside_what_is_in_force(void **state)
{
    (void)state;
    struct bench *bench = make_with_hands();
    struct standin_told *told = &bench->standin->gpu[1].told;
    struct hand_seen seen;
    assert_int_equal(hand_apply(&bench->hand[1], 300000, bench->now_ns), 0);
    assert_int_equal(hand_read_back(&bench->hand[1], &seen, bench->now_ns), 0);
    assert_int_equal(seen.enforced_mw, 300000);
    assert_int_equal(seen.kept_mw, 300000);
    atomic_store(&told->foreign_mw, 210000);
    atomic_store(&told->sticky, 1);
    assert_int_equal(hand_apply(&bench->hand[1], 200000, bench->now_ns), 0);
    assert_int_equal(hand_read_back(&bench->hand[1], &seen, bench->now_ns), 0);
    assert_int_equal(seen.enforced_mw, 210000);
    assert_int_equal(seen.kept_mw, 300000);
    atomic_store(&told->fail_get, 999);         /* of neither anything is known */
    assert_int_equal(hand_read_back(&bench->hand[1], &seen, bench->now_ns), -EIO);
    assert_int_equal(seen.enforced_mw, -1);
    assert_int_equal(seen.kept_mw, -1);
    clear(bench);
}

static void a_missing_one_is_whichever_comes(void **state)
{
    (void)state;
    char name[ACT_IDENTITY_BYTES];
    struct bench *bench = make();
    atomic_store(&bench->standin->gpu[1].told.lost, 1);
    gpu_name(name, 0);
    open_hand(bench, 0, name);
    gpu_name(name, 2);
    open_hand(bench, 1, name);
    open_hand(bench, 2, "");
    assert_int_equal(look(bench, 2), -ENODEV);
    atomic_store(&bench->standin->gpu[1].told.lost, 0);
    look_for(bench, HAND_REOPEN_NS + 200 * NS_PER_MS, 0);
    assert_int_equal(look(bench, 2), 0);
    gpu_name(name, 1);
    assert_string_equal(bench->hand[2].identity, name);
    clear(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_driver_loaded_anew_is_found_by_all_of_a_process),
        cmocka_unit_test(one_that_comes_back_needs_no_other_to_close),
        cmocka_unit_test(all_close_for_one_that_is_not_found),
        cmocka_unit_test(whoever_is_there_waits_for_the_last_to_close_and_not_for_ever),
        cmocka_unit_test(when_the_last_has_closed_nobody_waits_for_another),
        cmocka_unit_test(a_write_waits_for_nobody),
        cmocka_unit_test(what_a_device_keeps_is_read_beside_what_is_in_force),
        cmocka_unit_test(a_missing_one_is_whichever_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
