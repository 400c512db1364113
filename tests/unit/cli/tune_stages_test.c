/* SPDX-License-Identifier: Apache-2.0 */
/* Stage costs with the real loop in memory, for a fifth of a second each: every kind of input is measured,
 * and the site that was handed over is left as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/tune/tune.h"

/* Here without cores and priorities: those are tune_machine.c's, and this is about what is measured. */
int tune_on_core(struct tune *tune, int core, bool hot, int (*run)(void *argument), void *argument)
{
    (void)tune, (void)core, (void)hot;
    return run(argument);
}

void tune_note(struct tune *tune, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    vsnprintf(tune->note[tune->notes++], TUNE_NOTE_BYTES, format, words);
    va_end(words);
}

static struct tune *load(const char *name)
{
    char path[512];
    struct tune *tune = calloc(1, sizeof *tune);
    assert_non_null(tune);
    snprintf(path, sizeof path, "%s/config/%s", getenv("SOURCE_ROOT"), name);
    assert_int_equal(site_load(&tune->site, path, "", stderr), 0);
    tune->options.seconds = 0.2;
    return tune;
}

static void unload(struct tune *tune)
{
    site_unload(&tune->site);
    free(tune);
}

static void check_spread(const struct measured_spread *s, int64_t least)
{
    assert_true(s->n >= least);
    assert_true(s->p50_ns > 0 && s->p50_ns <= s->p99_ns);
    assert_true(s->p99_ns <= s->p999_ns && s->p999_ns <= s->max_ns);
}

static void every_kind_of_input_is_measured(void **state)
{
    struct tune *tune = load("demo/site.yaml");
    struct model before = tune->site.model;
    (void)state;
    assert_int_equal(tune_stages(tune), 0);
    for (uint32_t i = 0; i < tune->notes; i++)
        fail_msg("%s", tune->note[i]);
    check_spread(&tune->found.reading, 100);
    check_spread(&tune->found.report, 100);
    check_spread(&tune->found.tick_part, 10);
    check_spread(&tune->found.emergency, 3);
    /* a cut of ten hosts at least costs more than a reading that does nothing */
    assert_true(tune->found.emergency.p50_ns > tune->found.reading.p50_ns);
    assert_memory_equal(&before, &tune->site.model, sizeof before);
    assert_string_equal(tune->site.server.port[0].driver, "af_packet");
    unload(tune);
}

/* Hosts on two feeds, in a site that is in shadow: it is measured as if it enforced. */
static void a_site_in_shadow_with_two_feeds_is_measured_too(void **state)
{
    struct tune *tune = load("dual-feed.yaml");
    (void)state;
    assert_int_equal(tune->site.model.mode, MODE_SHADOW);
    assert_int_equal(tune_stages(tune), 0);
    check_spread(&tune->found.report, 100);
    assert_int_equal(tune->site.model.mode, MODE_SHADOW);
    unload(tune);
}

static void what_a_site_lacks_is_said(void **state)
{
    struct tune *tune = load("demo/site.yaml");
    (void)state;
    tune->site.model.meter_count = 0;
    for (uint32_t i = 0; i < tune->site.model.node_count; i++)
        tune->site.model.node[i].meter = INDEX_NONE;
    assert_int_equal(tune_stages(tune), 0);
    assert_int_equal(tune->notes, 2);
    assert_string_equal(tune->note[0], "cost of a reading: not measured, the site has no meter");
    assert_non_null(strstr(tune->note[1], "cost of an emergency: not measured"));
    assert_int_equal(tune->found.reading.n, 0);
    unload(tune);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_input_is_measured),
        cmocka_unit_test(a_site_in_shadow_with_two_feeds_is_measured_too),
        cmocka_unit_test(what_a_site_lacks_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
