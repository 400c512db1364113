/* SPDX-License-Identifier: Apache-2.0 */
/* Round trips over a way that answers as it is told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/tune/tune_path.h"
#include "rt/clock.h"

enum { WAITING_MAX = 256 };

struct answer {
    uint32_t ipv4;
    uint16_t round;
    int64_t t_ns;
};

/* Host 3 answers after 500 ms (so says the stamp), 7 never, 9 cannot be sent to, every second request to 11
 * is lost; the rest answers after 1 ms. Whoever answers does so twice. */
struct fake {
    const struct site *site;
    struct answer answer[WAITING_MAX];
    uint32_t count, next, turns, twice;
};

static int send_one(void *argument, uint32_t host, uint16_t round)
{
    struct fake *fake = argument;
    if (host == 9)
        return -EHOSTUNREACH;
    if (host == 7 || (host == 11 && round % 2))
        return 0;
    assert_true(fake->count < WAITING_MAX);
    fake->answer[fake->count++] =
        (struct answer){.ipv4 = fake->site->host_address[host].ipv4,
                        .round = round,
                        .t_ns = clock_monotonic_ns() + (host == 3 ? 500 : 1) * NS_PER_MS};
    return 0;
}

static bool receive_one(void *argument, uint32_t *ipv4, uint16_t *round, int64_t *t_ns)
{
    struct fake *fake = argument;
    if (fake->next == fake->count)
        return false;
    const struct answer *answer = &fake->answer[fake->next];
    *ipv4 = answer->ipv4;
    *round = answer->round;
    *t_ns = answer->t_ns;
    fake->twice++;
    fake->next += fake->twice % 2 == 0;
    return true;
}

static void turn(void *argument)
{
    struct fake *fake = argument;
    fake->turns++;
}

static void load(struct site *site)
{
    char path[512];
    snprintf(path, sizeof path, "%s/config/demo/site.yaml", getenv("SOURCE_ROOT"));
    assert_int_equal(site_load(site, path, "default", stderr), 0);
    assert_int_equal(site->model.host_count, 60);
}

static void losses_silence_and_the_slowest_are_named(void **state)
{
    struct site site;
    struct measured_path path;
    struct fake *fake = calloc(1, sizeof *fake);
    (void)state;
    load(&site);
    fake->site = &site;
    const struct path_way way = {.way = fake, .send = send_one, .receive = receive_one, .turn = turn};
    /* 100 us a request: four rounds of 60 hosts in 24 ms */
    assert_int_equal(path_measure(&site, &way, 24 * NS_PER_MS, &path), 0);
    assert_int_equal(path.hosts, 60);
    assert_int_equal(path.answered, 58);
    assert_int_equal(path.sent, 4 * 59);
    assert_int_equal(path.lost, 4 + 2);
    assert_true(path.min_ns >= NS_PER_MS && path.min_ns <= path.p50_ns);
    assert_true(path.p50_ns <= path.p99_ns && path.p99_ns <= path.max_ns);
    assert_true(path.max_ns >= 500 * NS_PER_MS);
    assert_int_equal(path.worst_count, 10);
    assert_int_equal(strncmp(path.worst[0], site.model.host[3].name, strlen(site.model.host[3].name)), 0);
    assert_non_null(strstr(path.worst[0], " at "));
    assert_int_equal(path.silent_count, 2);
    assert_string_equal(path.silent[0], site.model.host[7].name);
    assert_string_equal(path.silent[1], site.model.host[9].name);
    assert_true(fake->turns > 100);
    site_unload(&site);
    free(fake);
}

static int send_nothing(void *argument, uint32_t host, uint16_t round)
{
    (void)argument, (void)host, (void)round;
    return -EHOSTUNREACH;
}

static void a_site_that_cannot_be_reached_is_all_silence(void **state)
{
    struct site site;
    struct measured_path path;
    struct fake *fake = calloc(1, sizeof *fake);
    (void)state;
    load(&site);
    const struct path_way way = {.way = fake, .send = send_nothing, .receive = receive_one};
    assert_int_equal(path_measure(&site, &way, NS_PER_MS, &path), 0);
    assert_int_equal(path.hosts, 60);
    assert_int_equal(path.answered, 0);
    assert_int_equal(path.sent, 0);
    assert_int_equal(path.lost, 0);
    assert_int_equal(path.max_ns, 0);
    assert_int_equal(path.worst_count, 0);
    assert_int_equal(path.silent_count, 10);
    site_unload(&site);
    free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_silence_and_the_slowest_are_named),
        cmocka_unit_test(a_site_that_cannot_be_reached_is_all_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
