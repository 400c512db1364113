/* SPDX-License-Identifier: Apache-2.0 */
/* A history is played: what strikes network and controllers does what it says, nobody trips, and what is
 * counted for a host is never less than what it may draw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/core.h"
#include "sim/history.h"
#include "sim/virtual.h"
#include "tiny_site.h"

enum { SECONDS = 20, SAMPLES = SECONDS * 1000 };

struct bench {
    struct model model;
    struct workload workload;
    struct history history;
    struct virtual_config config;
    struct virtual_watch watch;
    struct outcome outcome;
    uint64_t reports[SAMPLES];          /* heard by the newest controller so far, by ms */
    uint64_t leases[SAMPLES];
    double load_w[SAMPLES];
    uint64_t ticks_missed, handed;
    /* then a host's cap is taken away behind everybody's back; 0 = never */
    int64_t uncap_ns;
    bool defective;             /* one check of the controller of the time fails, every second */
};

static void watch_step(void *user, struct plant *plant, const struct core *core)
{
    struct bench *bench = user;
    int64_t ms = plant->t_ns / NS_PER_MS;
    const double *power_w = plant->grid.node[0].power_w;
    if (bench->uncap_ns && plant->t_ns == bench->uncap_ns)
        gpuhost_preset(&plant->host[0], GPUHOST_UNCAPPED);
    if (bench->defective && ms % 1000 == 500)
        ((struct core *)(uintptr_t)core)->count.invariant_failures++;
    bench->reports[ms] = core_counters(core)->reports;
    bench->leases[ms] = core_counters(core)->leases;
    bench->load_w[ms] = power_w[0] + power_w[1] + power_w[2];
    bench->ticks_missed = core_counters(core)->ticks_missed;
    bench->handed = core_counters(core)->handed;
}

static int64_t watch_post(void *user, enum virtual_to to, uint32_t index, int64_t t_ns)
{
    (void)user, (void)to, (void)index, (void)t_ns;
    return 0;
}

static void init_bench(struct bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    tiny_site_init(&bench->model, &tiny_demo);
    tiny_site_policy(&bench->model);
    workload_defaults(&bench->workload);
    bench->workload.class_count = 2;
    bench->workload.class_of = calloc(bench->model.host_count, 1);
    bench->workload.resets = calloc(bench->model.host_count, sizeof(uint32_t));
    bench->workload.breakers.tr_ns = NS_PER_S / 4;
    bench->workload.warmup_ns = 3 * NS_PER_S;
    workload_class_defaults(&bench->workload.class[0], WORKLOAD_TRAIN);
    workload_class_defaults(&bench->workload.class[1], WORKLOAD_INFERENCE);
    for (uint32_t h = 0; h < bench->model.host_count; h++)
        bench->workload.class_of[h] = h >= 30;
    bench->watch = (struct virtual_watch){.user = bench, .step = watch_step, .post = watch_post};
    bench->config = (struct virtual_config){.duration_ns = SECONDS * NS_PER_S, .epoch = 1,
                                            .watch = &bench->watch, .history = &bench->history};
}

static void add(struct bench *bench, const char *text)
{
    struct fault fault;
    char why[160] = "";
    if (fault_parse(text, &bench->model, &fault, why, sizeof why))
        fail_msg("%s: %s", text, why);
    assert_int_equal(history_add(&bench->history, &fault), 0);
}

static void play(struct bench *bench)
{
    assert_int_equal(virtual_run(&bench->model, &bench->workload, &bench->config, &bench->outcome), 0);
    assert_int_equal(bench->outcome.figures.trips, 0);
    assert_int_equal(bench->outcome.figures.guard_hits, 0);
    assert_int_equal(bench->outcome.figures.exposure_short, 0);
}

static void finish_bench(struct bench *bench)
{
    outcome_finish(&bench->outcome);
    history_finish(&bench->history);
    workload_unload(&bench->workload);
    tiny_site_finish(&bench->model);
}

static struct bench *with(const char *text)
{
    struct bench *bench = malloc(sizeof *bench);
    assert_non_null(bench);
    init_bench(bench);
    if (text)
        add(bench, text);
    play(bench);
    return bench;
}

static void drop(struct bench *bench)
{
    finish_bench(bench);
    free(bench);
}

static void what_is_cut_off_is_not_heard_and_hosts_fall_to_fail_safe(void **state)
{
    struct bench *bench = with("cut-up main-0 at 8s for 4s");
    (void)state;
    assert_true(bench->reports[7990] > bench->reports[7000] + 300);
    assert_in_range(bench->reports[11990] - bench->reports[8100], 0, 0);
    assert_true(bench->reports[13500] > bench->reports[12100] + 300);
    assert_true(bench->outcome.caps.fail_safe_falls >= 50);
    drop(bench);
    bench = with("cut-down main-0 at 8s for 4s");
    assert_true(bench->reports[11990] > bench->reports[8100] + 1000);
    assert_true(bench->outcome.caps.fail_safe_falls >= 50);
    drop(bench);
}

/* Half of the site's network loses half; what comes twice is heard once. */
static void loss_delay_and_duplicates_take_their_share(void **state)
{
    struct bench *clean = with(NULL), *bench = with("loss branch-1 50% at 0s for 20s");
    (void)state;
    double sent = (double)clean->outcome.reports_sent;
    double lost = (double)bench->outcome.lost;
    assert_true(lost > 0.2 * sent && lost < 1.2 * sent);
    assert_true(clean->outcome.lost == 0);
    drop(bench);
    bench = with("duplicate main-0 100% at 5s for 15s");
    assert_true(bench->reports[SAMPLES - 1] * 20 < clean->reports[SAMPLES - 1] * 21);
    assert_true(bench->outcome.caps.refused[HOLDER_OLD_SEQUENCE] > 1000);
    drop(bench);
    bench = with("delay main-0 50ms at 5s for 15s");
    assert_true(bench->outcome.governor.reports_stale + bench->outcome.caps.refused[HOLDER_OLD_SEQUENCE] > 0);
    assert_true(bench->outcome.energy_j > 0.9 * clean->outcome.energy_j);
    drop(bench);
    drop(clean);
}

static void one_that_stands_still_works_off_what_came_and_misses_ticks(void **state)
{
    struct bench *bench = with("pause at 8s for 700ms");
    (void)state;
    assert_in_range(bench->reports[8690] - bench->reports[8010], 0, 0);
    assert_true(bench->reports[8705] > bench->reports[8690] + 100);
    assert_int_equal(bench->ticks_missed,
                     700 * NS_PER_MS / bench->model.policy.tick_ns - 1);
    drop(bench);
}

/* Sixteen thousand inputs are some 14 s of this site. */
static void what_finds_no_room_while_one_stands_still_is_counted(void **state)
{
    struct bench *brief = with("pause at 2s for 700ms"), *lasting = with("pause at 2s for 17s");
    (void)state;
    assert_int_equal(brief->outcome.missed, 0);
    assert_true(lasting->outcome.missed > 100);
    drop(brief);
    drop(lasting);
}

/* One that knows nothing hears all anew; one that takes over knows them all. */
static void a_crash_forgets_and_a_take_over_does_not(void **state)
{
    struct bench *crash = with("crash at 8s for 300ms"), *over = with("takeover at 8s for 300ms");
    (void)state;
    assert_int_equal(crash->handed, 0);
    assert_int_equal(over->handed, crash->model.host_count);
    assert_true(crash->reports[8290] == crash->reports[8010]);
    assert_true(crash->reports[8310] < 60 && crash->reports[19000] > 1000);
    assert_true(crash->outcome.governor.recoveries_start > 0);
    assert_true(over->outcome.energy_j > crash->outcome.energy_j);
    drop(crash);
    drop(over);
    over = with("takeover at 8s for 5s");           /* older than a lease: nothing is handed over */
    assert_int_equal(over->handed, 0);
    drop(over);
}

/* One dies, one hands over, one becomes a zombie and ends as such: what each found wrong stands in the
 * end. */
static void no_check_that_failed_is_lost_with_its_controller(void **state)
{
    struct bench *bench = malloc(sizeof *bench);
    (void)state;
    assert_non_null(bench);
    init_bench(bench);
    bench->defective = true;
    add(bench, "crash at 4s for 100ms");
    add(bench, "takeover at 8s for 100ms");
    add(bench, "zombie at 12s for 3s");
    assert_int_equal(virtual_run(&bench->model, &bench->workload, &bench->config, &bench->outcome), 0);
    assert_int_equal(bench->outcome.governor.invariant_failures, SECONDS);
    assert_int_equal(bench->outcome.figures.guard_hits, SECONDS);
    /* newest, which has heard for 8 s, and the three before */
    assert_true(bench->outcome.governor.reports > 2 * bench->reports[SAMPLES - 1]);
    drop(bench);
}

/* Two controllers live; some hosts hear one of them only. */
static void a_zombie_goes_on_and_hosts_obey_the_newest(void **state)
{
    struct bench *whole = with("zombie at 8s for 6s"), *parted = with("zombie 50% at 8s for 6s");
    (void)state;
    assert_true(whole->reports[8010] < 60 && whole->reports[13000] > 1000);
    assert_true(whole->outcome.caps.refused[HOLDER_OLD_EPOCH] > 100);
    assert_true(parted->reports[13000] * 10 < whole->reports[13000] * 9);
    uint64_t refused = whole->outcome.caps.refused[HOLDER_OLD_EPOCH];
    assert_true(parted->outcome.caps.refused[HOLDER_OLD_EPOCH] < refused);
    drop(whole);
    drop(parted);
}

static double mean_w(const struct bench *bench, int from_ms, int to_ms)
{
    double sum_w = 0;
    for (int ms = from_ms; ms < to_ms; ms++)
        sum_w += bench->load_w[ms];
    return sum_w / (to_ms - from_ms);
}

/* An order outlives the controller that it was given to: the next one finds it in the log. */
static void a_limit_holds_for_its_time_and_over_a_crash(void **state)
{
    struct bench *bench = malloc(sizeof *bench);
    (void)state;
    assert_non_null(bench);
    init_bench(bench);
    add(bench, "limit main-0 50% at 6s for 9s");
    add(bench, "takeover at 9s for 200ms");
    play(bench);
    double limit_w = 0;
    for (int phase = 0; phase < PHASES; phase++)
        limit_w += 0.5e-3 * (double)bench->model.node[0].limit_mva[0][phase];
    assert_true(mean_w(bench, 4000, 6000) > 1.05 * limit_w);
    assert_true(mean_w(bench, 7000, 9000) < 1.02 * limit_w);
    assert_true(mean_w(bench, 11000, 15000) < 1.02 * limit_w);
    assert_true(mean_w(bench, 17000, 20000) > 1.05 * limit_w);
    drop(bench);
}

/* Two orders of one millisecond at one place: the end of one does not lift the other. */
static void limits_of_one_moment_are_two_contracts(void **state)
{
    struct bench *bench = with("limit main-0 50% at 6s for 2s");
    (void)state;
    double alone_w = mean_w(bench, 10000, 15000);
    drop(bench);
    bench = malloc(sizeof *bench);
    assert_non_null(bench);
    init_bench(bench);
    add(bench, "limit main-0 50% at 6s for 9s");
    add(bench, "limit main-0 70% at 6.0004s for 2s");
    play(bench);
    assert_true(mean_w(bench, 10000, 15000) < 0.9 * alone_w);
    assert_int_equal(bench->outcome.governor.orders_refused, 0);
    drop(bench);
}

/* The judge is awake: what no controller counted is seen, be it of one host in one hundredth of a second. */
static void a_cap_that_nobody_allowed_is_seen(void **state)
{
    struct bench *bench = malloc(sizeof *bench);
    (void)state;
    assert_non_null(bench);
    init_bench(bench);
    bench->uncap_ns = 9 * NS_PER_S;
    assert_int_equal(virtual_run(&bench->model, &bench->workload, &bench->config, &bench->outcome), 0);
    assert_true(bench->outcome.figures.exposure_short > 0);
    drop(bench);
}

/* A controller that takes a cut for settled when it is read back: no cap stands above what it counts, but the
 * draw does, for as long as a cut takes to settle. */
static void a_cut_that_has_not_settled_is_seen_in_the_draw(void **state)
{
    struct bench *bench = malloc(sizeof *bench);
    struct model_host_type type;
    (void)state;
    assert_non_null(bench);
    init_bench(bench);
    struct model believed = bench->model;
    assert_int_equal(believed.type_count, 1);
    type = bench->model.type[0];
    type.actuation_ns = 1;
    believed.type = &type;
    bench->config.believed = &believed;
    assert_int_equal(virtual_run(&bench->model, &bench->workload, &bench->config, &bench->outcome), 0);
    assert_true(bench->outcome.figures.exposure_short > 0);
    drop(bench);
}

/* Somebody raises a cap: counted at phys_max as soon as a report can have shown it, and excused no longer. */
static void a_cap_that_somebody_raises_is_counted_once_it_is_shown(void **state)
{
    struct bench *bench = with("raise h-000 100% at 9s for 5s");
    (void)state;
    assert_true(bench->outcome.governor.foreign_caps >= 1);
    assert_int_equal(bench->outcome.governor.resets, 0);
    drop(bench);
}

/* Premises that a host breaks are not held against the controller: its caps are gone, and it says so late. */
static void a_reset_is_excused_until_it_can_be_known(void **state)
{
    struct bench *bench = with("reset h-000 at 9s");
    (void)state;
    assert_int_equal(bench->outcome.governor.resets, 1);
    drop(bench);
}

static struct bench *lie_unseen(int64_t uncap_ns)
{
    struct bench *bench = malloc(sizeof *bench);
    assert_non_null(bench);
    init_bench(bench);
    bench->uncap_ns = uncap_ns;
    add(bench, "lie h-000 at 6s for 4s");
    add(bench, "limit main-0 50% at 7s for 9s");    /* it is cut, and says so, and is not */
    add(bench, "watchdog h-000 at 9s for 6s");
    assert_int_equal(virtual_run(&bench->model, &bench->workload, &bench->config, &bench->outcome), 0);
    return bench;
}

/* A host without agent and watchdog cannot tell that its cap was another than it said, however long that
 * takes; what goes wrong there later counts. */
static void a_lie_is_excused_while_nobody_on_the_host_can_see_it(void **state)
{
    struct bench *bench = lie_unseen(0), *later = lie_unseen(18500 * NS_PER_MS);
    (void)state;
    assert_int_equal(bench->outcome.figures.exposure_short, 0);
    assert_true(later->outcome.figures.exposure_short > 0);
    drop(bench);
    drop(later);
}

static struct bench *reset_asleep(int64_t uncap_ns)
{
    struct bench *bench = malloc(sizeof *bench);
    assert_non_null(bench);
    init_bench(bench);
    bench->uncap_ns = uncap_ns;
    add(bench, "host-step h-000 6s at 6s");
    add(bench, "reset h-000 at 6.5s");
    assert_int_equal(virtual_run(&bench->model, &bench->workload, &bench->config, &bench->outcome), 0);
    return bench;
}

/* It wakes at its defaults, and goes to fail-safe from there. */
static void a_reset_is_excused_while_the_machine_sleeps(void **state)
{
    struct bench *bench = reset_asleep(0), *later = reset_asleep(18500 * NS_PER_MS);
    (void)state;
    assert_int_equal(bench->outcome.figures.exposure_short, 0);
    assert_true(later->outcome.figures.exposure_short > 0);
    drop(bench);
    drop(later);
}

/* Load that nobody governs takes what leases had: above the limit for as long as it takes to cut. */
static void load_above_a_limit_is_measured_in_watts_and_time(void **state)
{
    struct bench *bench = malloc(sizeof *bench);
    (void)state;
    assert_non_null(bench);
    init_bench(bench);
    add(bench, "other branch-1 60kW at 9s for 4s");
    assert_int_equal(virtual_run(&bench->model, &bench->workload, &bench->config, &bench->outcome), 0);
    const struct figures *figures = &bench->outcome.figures;
    assert_true(figures->overshoot_w > 10e3 && figures->overshoot_w < 70e3);
    assert_true(figures->over_ns > 20 * NS_PER_MS && figures->over_ns <= 4 * NS_PER_S);
    assert_true(figures->recovery_ns > 50 * NS_PER_MS);
    drop(bench);
}

static void draw(struct bench *bench, enum fault_level level, uint64_t seed)
{
    init_bench(bench);
    bench->workload.seed = seed;
    for (uint32_t n = 0; n < bench->model.node_count; n++)
        bench->model.node[n].k = 1;
    assert_int_equal(history_draw(&bench->history, &bench->model, level, seed, SECONDS * NS_PER_S), 0);
}

/* Neither bytes instead of structs nor a second try changes anything but the time it takes. */
static void a_history_is_the_same_run_again_and_through_the_wire(void **state)
{
    struct bench *bench[3];
    (void)state;
    for (int i = 0; i < 3; i++) {
        bench[i] = malloc(sizeof *bench[i]);
        assert_non_null(bench[i]);
        draw(bench[i], LEVEL_HOSTILE, 4);
        bench[i]->config.wire = i == 2;
        assert_true(bench[i]->history.count >= 5);
        play(bench[i]);
        bench[i]->outcome.figures.speed = 0;
    }
    for (int i = 1; i < 3; i++) {
        assert_true(bench[0]->outcome.energy_j == bench[i]->outcome.energy_j);
        assert_int_equal(bench[0]->outcome.lost, bench[i]->outcome.lost);
        assert_memory_equal(&bench[0]->outcome.caps, &bench[i]->outcome.caps, sizeof bench[0]->outcome.caps);
        assert_memory_equal(&bench[0]->outcome.governor, &bench[i]->outcome.governor,
                            sizeof bench[0]->outcome.governor);
        assert_memory_equal(&bench[0]->outcome.figures, &bench[i]->outcome.figures,
                            sizeof bench[0]->outcome.figures);
    }
    for (int i = 0; i < 3; i++)
        drop(bench[i]);
}

static void nothing_that_keeps_the_premises_trips_or_surprises(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct bench *bench = malloc(sizeof *bench);
        assert_non_null(bench);
        draw(bench, LEVEL_HOSTILE, seed);
        play(bench);
        drop(bench);
    }
}

static void figures_say_what_was_seen(void **state)
{
    struct bench *bench = with(NULL), *cut = with("cut-down main-0 at 8s for 4s");
    const struct figures *figures = &bench->outcome.figures;
    (void)state;
    assert_true(figures->samples == (SECONDS - 3) * 10 || figures->samples == (SECONDS - 3) * 10 + 1);
    assert_true(figures->tightness_p99 > 0.5 && figures->tightness_p99 <= 1);
    assert_true(figures->useful > 0.5 && figures->useful < 1);
    assert_true(figures->throttled > 0.02 && figures->throttled < 1);
    assert_true(figures->worst_heat > 0 && figures->worst_heat < 1);
    assert_true(figures->speed > 1);
    assert_true(cut->outcome.figures.throttled > figures->throttled);
    assert_true(cut->outcome.figures.useful < figures->useful);
    drop(bench);
    drop(cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_cut_off_is_not_heard_and_hosts_fall_to_fail_safe),
        cmocka_unit_test(loss_delay_and_duplicates_take_their_share),
        cmocka_unit_test(one_that_stands_still_works_off_what_came_and_misses_ticks),
        cmocka_unit_test(what_finds_no_room_while_one_stands_still_is_counted),
        cmocka_unit_test(no_check_that_failed_is_lost_with_its_controller),
        cmocka_unit_test(a_crash_forgets_and_a_take_over_does_not),
        cmocka_unit_test(a_zombie_goes_on_and_hosts_obey_the_newest),
        cmocka_unit_test(a_limit_holds_for_its_time_and_over_a_crash),
        cmocka_unit_test(limits_of_one_moment_are_two_contracts),
        cmocka_unit_test(a_cap_that_nobody_allowed_is_seen),
        cmocka_unit_test(a_cut_that_has_not_settled_is_seen_in_the_draw),
        cmocka_unit_test(a_cap_that_somebody_raises_is_counted_once_it_is_shown),
        cmocka_unit_test(a_reset_is_excused_until_it_can_be_known),
        cmocka_unit_test(a_lie_is_excused_while_nobody_on_the_host_can_see_it),
        cmocka_unit_test(a_reset_is_excused_while_the_machine_sleeps),
        cmocka_unit_test(load_above_a_limit_is_measured_in_watts_and_time),
        cmocka_unit_test(a_history_is_the_same_run_again_and_through_the_wire),
        cmocka_unit_test(nothing_that_keeps_the_premises_trips_or_surprises),
        cmocka_unit_test(figures_say_what_was_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
