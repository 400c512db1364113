/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes that are armed in leaf functions. One is built as this project is, and must come out right however
 * its probe is armed. The other uses the bytes below its stack pointer: where the kernel spoils those at an
 * armed 5-byte place, the loader must have noticed, and take the 1-byte one, which spoils nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <cmocka.h>

#include "cli/latency/latency_place.h"
#include "place.skel.h"

enum { CALLS = 20000, SUM_OF_WORDS = 66 };      /* 0 + 1 + ... + 11 */

uint64_t leaf_apart(uint64_t seed);
uint64_t leaf_below(uint64_t seed);

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
    (void)level;
    (void)format;
    (void)arguments;
    return 0;
}

static uint32_t wrong_calls(uint64_t (*leaf)(uint64_t))
{
    uint32_t wrong = 0;
    for (uint64_t seed = 1; seed <= CALLS; seed++)
        wrong += leaf(seed) != seed * SUM_OF_WORDS;
    return wrong;
}

/* Calls that came out wrong while the probe of that name is armed; *hits = how many it saw. */
static uint32_t wrong_while_armed(const char *provider, const char *probe, uint64_t (*leaf)(uint64_t),
                                  uint64_t *hits)
{
    struct place_bpf *object = place_bpf__open_and_load();
    assert_non_null(object);
    struct bpf_link *link =
        bpf_program__attach_usdt(object->progs.leaf, getpid(), "/proc/self/exe", provider, probe, NULL);
    assert_non_null(link);
    uint32_t wrong = wrong_calls(leaf);
    *hits = object->bss->hits;
    bpf_link__destroy(link);
    place_bpf__destroy(object);
    printf("%s:%s: %llu of %d calls seen, %u came out wrong\n", provider, probe, (unsigned long long)*hits,
           CALLS, wrong);
    return wrong;
}

static void code_of_this_project_comes_out_right(void **state)
{
    (void)state;
    uint64_t hits;
    assert_int_equal(wrong_while_armed("flyball", "leaf_apart", leaf_apart, &hits), 0);
    assert_int_equal(hits, CALLS);
    assert_int_equal(wrong_while_armed("flyball5", "leaf_apart", leaf_apart, &hits), 0);
    assert_int_equal(hits, CALLS);
    assert_int_equal(wrong_calls(leaf_apart), 0);
}

static void the_loader_takes_no_place_that_spoils(void **state)
{
    (void)state;
    struct place place;
    uint64_t hits;
    assert_int_equal(place_try(&place), 0);
    printf("one: %.0f ns, spoilt %u; five: %.0f ns, spoilt %u; %s: %s\n", place.one.call_ns, place.one.spoilt,
           place.five.call_ns, place.five.spoilt, place.provider, place.why);
    assert_true(place.one.there);
    assert_int_equal(place.one.spoilt, 0);
    assert_int_equal(wrong_while_armed("flyball", "leaf_below", leaf_below, &hits), 0);
    assert_int_equal(hits, CALLS);
    uint32_t wrong = wrong_while_armed("flyball5", "leaf_below", leaf_below, &hits);
    if (wrong)
        assert_true(place.five.spoilt > 0);
    assert_int_equal(wrong_while_armed(place.provider, "leaf_below", leaf_below, &hits), 0);
}

static void a_choice_needs_both_speed_and_spared_bytes(void **state)
{
    (void)state;
    static const struct { struct place_trial one, five; const char *provider; } row[] = {
        {{true, 100, 0, 500}, {true, 100, 0, 250}, "flyball5"},
        {{true, 100, 0, 500}, {true, 100, 1, 250}, "flyball"},
        {{true, 100, 0, 500}, {true, 100, 0, 480}, "flyball"},
        {{true, 100, 0, 500}, {true, 100, 0, 17000}, "flyball"},
        {{true, 100, 0, 500}, {false, 100, 0, 250}, "flyball"},
        {{false, 100, 0, 500}, {true, 100, 0, 600}, "flyball5"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct place place = {.one = row[i].one, .five = row[i].five};
        place_choose(&place);
        assert_string_equal(place.provider, row[i].provider);
        assert_non_null(place.why);
    }
}

static int needs_programs(void **state)
{
    (void)state;
    struct place place;
    int error = place_try(&place);
    if (!error)
        return 0;
    printf("skipped: this kernel takes no program at a probe here: %s\n", strerror(-error));
    _exit(77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_choice_needs_both_speed_and_spared_bytes),
        cmocka_unit_test_setup(code_of_this_project_comes_out_right, needs_programs),
        cmocka_unit_test_setup(the_loader_takes_no_place_that_spoils, needs_programs),
    };
    libbpf_set_print(silent);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
