/* SPDX-License-Identifier: Apache-2.0 */
/* One daemon's loop after the other: which epoch it takes, and how old what it takes over is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/ledger.h"
#include "loop/loop.h"
#include "record/epoch.h"

struct desk {
    struct site site;
    struct loop loop;
    char ledger[64], orders[80], epoch[80], folder[32];
    struct loop_options options;
};

/* The demo's site on ports in memory, asking the machine for nothing. */
static int sit(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    const char *path = getenv("FLYBALL_DEMO_SITE");
    assert_non_null(desk);
    assert_non_null(path);
    assert_int_equal(site_load(&desk->site, path, "default", stderr), 0);
    struct site_server *server = &desk->site.server;
    for (uint32_t i = 0; i < server->port_count; i++) {
        strcpy(server->port[i].driver, "synthetic");
        server->port[i].ring_frames = 1024;
        server->port[i].own.ipv4 = 0xC6120101 + i;
    }
    server->housekeeping_core = -1;
    server->priority = 0;
    server->lock_memory = false;
    server->journal[0] = 0;
    strcpy(desk->folder, "/dev/shm/flyball-XXXXXX");
    assert_non_null(mkdtemp(desk->folder));
    snprintf(desk->ledger, sizeof desk->ledger, "%s/ledger", desk->folder);
    snprintf(desk->orders, sizeof desk->orders, "%s/demo.orders", desk->folder);
    snprintf(desk->epoch, sizeof desk->epoch, "%s/demo.epoch", desk->folder);
    desk->options = (struct loop_options){
        .journal = "", .door = "", .ledger = desk->ledger, .orders = desk->orders};
    *state = desk;
    return 0;
}

static int leave(void **state)
{
    struct desk *desk = *state;
    unlink(desk->ledger);
    unlink(desk->orders);
    unlink(desk->epoch);
    assert_int_equal(rmdir(desk->folder), 0);
    site_unload(&desk->site);
    free(desk);
    return 0;
}

/* Up to where what the one before left would become the first slots. */
static void begin(struct desk *desk)
{
    assert_int_equal(loop_build(&desk->loop, &desk->site, &desk->options), 0);
    assert_int_equal(loop_ledger_open(&desk->loop, stderr), 0);
    assert_int_equal(loop_begin(&desk->loop), 0);
}

static void what_is_taken_over_is_as_old_as_it_is_then(void **state)
{
    struct desk *desk = *state;
    struct loop *loop = &desk->loop;
    const int64_t lease_ns = desk->site.model.policy.lease_ns;
    begin(desk);
    assert_int_equal(loop->account_state, ACCOUNT_NONE);
    loop_ledger_take_over(loop);
    loop_close(loop);

    begin(desk);
    assert_int_equal(loop->account_state, ACCOUNT_WHOLE);
    int64_t read_ns = loop->handed[0].age_ns;
    loop->t_start_ns -= lease_ns / 2;   /* as if it had taken so long until now */
    loop_ledger_take_over(loop);
    assert_int_equal(loop->account_state, ACCOUNT_WHOLE);
    assert_true(loop->ledger_age_ns >= read_ns + lease_ns / 2);
    loop_close(loop);

    begin(desk);
    assert_int_equal(loop->account_state, ACCOUNT_WHOLE);
    loop->t_start_ns -= lease_ns;
    loop_ledger_take_over(loop);
    assert_int_equal(loop->account_state, ACCOUNT_OLD);
    loop_close(loop);
}

static void start(struct desk *desk)
{
    assert_int_equal(loop_build(&desk->loop, &desk->site, &desk->options), 0);
    assert_int_equal(loop_start(&desk->loop, stderr), 0);
    loop_stop(&desk->loop);
    loop_close(&desk->loop);
}

/* The ledger in memory is gone, as after a boot, and the clock stands before the last start. */
static void an_epoch_follows_the_last_one_on_the_disk(void **state)
{
    struct desk *desk = *state;
    uint64_t kept = 0, ahead = 0;
    start(desk);
    assert_int_equal(epoch_read(desk->epoch, &kept), 0);
    assert_true(kept == desk->loop.epoch && kept > 0);
    ahead = kept + (uint64_t)(3600 * NS_PER_S);
    assert_int_equal(epoch_write(desk->epoch, ahead), 0);
    assert_int_equal(unlink(desk->ledger), 0);
    start(desk);
    assert_true(desk->loop.epoch == ahead + 1);
    assert_int_equal(epoch_read(desk->epoch, &kept), 0);
    assert_true(kept == ahead + 1);
}

/* The one before had a clock that was ahead: its epoch stands in the ledger alone, which counts for nothing
 * else. */
static void an_epoch_follows_the_last_one_in_the_ledger(void **state)
{
    struct desk *desk = *state;
    begin(desk);
    uint64_t ahead = desk->loop.epoch + (uint64_t)(3600 * NS_PER_S);
    assert_int_equal(account_begin(&desk->loop.account, &desk->site.model, ahead), 0);
    loop_close(&desk->loop);
    begin(desk);
    assert_int_equal(desk->loop.account_state, ACCOUNT_UNFINISHED);
    assert_true(desk->loop.epoch == ahead + 1);
    loop_close(&desk->loop);
}

static void a_file_that_holds_no_epoch_stops_the_start(void **state)
{
    struct desk *desk = *state;
    FILE *file = fopen(desk->epoch, "w");
    assert_non_null(file);
    fputs("yesterday\n", file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(loop_build(&desk->loop, &desk->site, &desk->options), 0);
    assert_true(loop_start(&desk->loop, stderr) < 0);
    assert_non_null(strstr(desk->loop.error, desk->epoch));
    assert_non_null(strstr(desk->loop.error, "no epoch"));
    loop_close(&desk->loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_taken_over_is_as_old_as_it_is_then, sit, leave),
        cmocka_unit_test_setup_teardown(an_epoch_follows_the_last_one_on_the_disk, sit, leave),
        cmocka_unit_test_setup_teardown(an_epoch_follows_the_last_one_in_the_ledger, sit, leave),
        cmocka_unit_test_setup_teardown(a_file_that_holds_no_epoch_stops_the_start, sit, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
