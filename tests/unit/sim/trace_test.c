/* SPDX-License-Identifier: Apache-2.0 */
/* Measured power as a workload: which rows are taken, which gaps bridged, what steps carry, who follows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "sim/plant.h"
#include "tiny_site.h"

struct loaded {
    int result;
    struct traces traces;
    char said[2048];            /* findings, then a line a file; FOLDER/ taken out */
};

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void take_out(char *text, const char *part)
{
    for (char *at; (at = strstr(text, part));)
        memmove(at, at + strlen(part), strlen(at + strlen(part)) + 1);
}

/* Up to two files a folder; the caller unloads. */
static void load_by(struct loaded *loaded, int64_t step_ns, const char *first, const char *second)
{
    char folder[] = "/tmp/flyball-traces-XXXXXX", prefix[40], *said = NULL, path[128];
    size_t bytes;
    assert_non_null(mkdtemp(folder));
    write_file(folder, "one.csv", first);
    if (second)
        write_file(folder, "two.csv", second);
    FILE *out = open_memstream(&said, &bytes);
    loaded->result = traces_load(&loaded->traces, folder, step_ns, out);
    if (!loaded->result)
        traces_print(&loaded->traces, out);
    fclose(out);
    snprintf(prefix, sizeof(prefix), "%s/", folder);
    take_out(said, prefix);
    snprintf(loaded->said, sizeof(loaded->said), "%s", said);
    free(said);
    snprintf(path, sizeof(path), "%s/one.csv", folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/two.csv", folder);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static void load(struct loaded *loaded, const char *first, const char *second)
{
    load_by(loaded, PLANT_STEP_NS, first, second);
}

/* Rows 1 ms apart from `line` on, so that a few bad ones are less than a tenth. */
static void add_good(char *text, size_t bytes, int from, int rows)
{
    for (int i = from; i < from + rows; i++) {
        size_t used = strlen(text);
        snprintf(text + used, bytes - used, "%d.%03d,100\n", i / 1000, i % 1000);
    }
}

static void rows_that_are_junk_are_not_taken_and_told(void **state)
{
    static const struct { const char *row, *said; } bad[] = {
        {"0.0200,-2.000000", "not taken: 1 negative (line 22)"},
        {"0.0200,-1", "not taken: 1 negative (line 22)"},
        {"0.0190,100", "not taken: 1 not later than the row before (line 22)"},
        {"0.0010,100", "not taken: 1 not later than the row before (line 22)"},
        {"0.0200", "not taken: 1 without two columns (line 22)"},
        {"0.0200,100,3", "not taken: 1 without two columns (line 22)"},
        {"0.0200,", "not taken: 1 not a number (line 22)"},
        {",100", "not taken: 1 not a number (line 22)"},
        {"0.0200,error", "not taken: 1 not a number (line 22)"},
        {"0.0200,nan", "not taken: 1 not a number (line 22)"},
        {"0.0200,inf", "not taken: 1 not a number (line 22)"},
        {"0.0200,0x64", "not taken: 1 not a number (line 22)"},
        {"0.0200,100W", "not taken: 1 not a number (line 22)"},
        {"0.0200,1e400", "not taken: 1 not a number (line 22)"},
        {"0.0200,2e9", "not taken: 1 not a number (line 22)"},
        {"1e11,100", "not taken: 1 not a number (line 22)"},
        {"2021-03-18 21:29:10,100", "not taken: 1 not a number (line 22)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct loaded loaded;
        char text[2048] = "t_s,power_w\n", said[256];
        add_good(text, sizeof(text), 0, 20);
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n", bad[i].row);
        add_good(text, sizeof(text), 20, 20);
        load(&loaded, text, NULL);
        snprintf(said, sizeof(said),
                 "one: 40 rows, 0.040 s, usually 0.001000 s apart; mean 100.0 W, peak 100.0 W; %s\n",
                 bad[i].said);
        assert_string_equal(loaded.said, said);
        traces_unload(&loaded.traces);
    }
}

static void files_that_cannot_be_used_are_refused_by_name_and_line(void **state)
{
    static const struct { const char *text, *said; } bad[] = {
        {"time,watts\n0,1\n1,2\n", "one.csv:1: the first line is not the header t_s,power_w\n"},
        {"", "one.csv:1: the first line is not the header t_s,power_w\n"},
        {"t_s,power_w\n", "one.csv:1: two rows at least are needed\n"},
        {"t_s,power_w\n0,1\n", "one.csv:1: two rows at least are needed\n"},
        {"t_s,power_w\n0,0\n1,0\n", "one.csv:2: no row has any power\n"},
        {"t_s,power_w\n0,1\n1,1\nx,1\n2,1\n",
         "one.csv:4: the first of 1 rows of 4 that cannot be taken: more than one in 10\n"},
        {"t_s,power_w\n0,1\n1,1\n2,1\n12.1,1\n13,1\n14,1\n",
         "one.csv:5: a gap of 10.100 s, more than the 10.000 s that are bridged\n"},
        {"t_s,power_w\n0,1\n.001,1\n.002,1\n.103,1\n.104,1\n.105,1\n",
         "one.csv:5: a gap of 0.101 s, more than the 0.100 s that are bridged\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct loaded loaded;
        load(&loaded, bad[i].text, "t_s,power_w\n0,1\n1,1\n");
        assert_int_equal(loaded.result, -EINVAL);
        assert_string_equal(loaded.said, bad[i].said);
        assert_int_equal(loaded.traces.count, 0);
    }
}

static double play_at(const struct trace_play *play, uint32_t host, int64_t t_ms)
{
    uint32_t cursor = 0;
    return trace_play(play, host, 10000, t_ms * NS_PER_MS, &cursor).power_w;
}

static void a_gap_is_bridged_by_the_row_before_it(void **state)
{
    struct loaded loaded;
    (void)state;
    load(&loaded, "t_s,power_w\n0,10\n1,20\n2,30\n12,40\n13,50\n14.4,10\n", NULL);
    assert_string_equal(loaded.said,
                        "one: 6 rows, 15.400 s, usually 1.000000 s apart; mean 29.2 W, peak 50.0 W; "
                        "gaps bridged: 1, the longest 10.000000 s (before line 5)\n");
    struct trace_play play = {.traces = &loaded.traces, .scale = 1};
    assert_true(play_at(&play, 0, 1999) == 20 && play_at(&play, 0, 2000) == 30);
    assert_true(play_at(&play, 0, 11999) == 30 && play_at(&play, 0, 12000) == 40);
    assert_true(play_at(&play, 0, 14399) == 50 && play_at(&play, 0, 14400) == 10);
    traces_unload(&loaded.traces);
}

/* Four rows a step: means; the highest row outlives its step. */
static void steps_carry_means_and_one_the_peak(void **state)
{
    struct loaded loaded;
    char text[2048] = "t_s,power_w\n";
    double sum_w = 0;
    (void)state;
    for (int i = 0; i < 40; i++) {
        int power_w = i == 18 ? 500 : 100 + i % 4;
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%.5f,%d\r\n", i * 0.00025, power_w);
        sum_w += power_w;
    }
    load(&loaded, text, NULL);
    struct trace_play play = {.traces = &loaded.traces, .scale = 1};
    assert_int_equal(loaded.traces.trace[0].length_ns, 10 * NS_PER_MS);
    assert_true(play_at(&play, 0, 0) == 101.5 && play_at(&play, 0, 3) == 101.5);
    assert_true(play_at(&play, 0, 4) == 500 && play_at(&play, 0, 5) == 101.5);
    assert_true(loaded.traces.trace[0].peak_w == 500);
    assert_true(loaded.traces.trace[0].mean_w > sum_w / 40 - 1e-6);
    assert_true(loaded.traces.trace[0].mean_w < sum_w / 40 + 1e-6);
    traces_unload(&loaded.traces);
}

/* A row that ends within a step shares it with the next, by time. */
static void rows_that_fit_no_steps_are_weighted_by_time(void **state)
{
    struct loaded loaded;
    (void)state;
    load(&loaded, "t_s,power_w\n0,100\n0.00125,200\n0.00375,400\n0.005,0\n0.00625,0\n", NULL);
    struct trace_play play = {.traces = &loaded.traces, .scale = 1};
    assert_true(play_at(&play, 0, 0) == 100 && play_at(&play, 0, 1) == 175);
    assert_true(play_at(&play, 0, 2) == 200);
    assert_true(play_at(&play, 0, 3) == 400 && play_at(&play, 0, 4) == 400);     /* 250 by time: the peak */
    assert_true(play_at(&play, 0, 5) == 0);
    traces_unload(&loaded.traces);
}

static void hosts_follow_by_turns_later_and_over_and_over(void **state)
{
    struct loaded loaded;
    struct trace_play play = {0};
    (void)state;
    load(&loaded, "t_s,power_w\n0,1\n1,2\n2,4\n3,8\n", "t_s,power_w\n0,3\n1,9\n");
    play.traces = &loaded.traces;
    play.stagger_ns = NS_PER_S;
    play.scale = 2;
    assert_true(play_at(&play, 0, 0) == 2 && play_at(&play, 0, 3999) == 16 && play_at(&play, 0, 4000) == 2);
    assert_true(play_at(&play, 1, 0) == 18 && play_at(&play, 1, 1000) == 6);     /* the second, 1 s later */
    assert_true(play_at(&play, 2, 0) == 8 && play_at(&play, 2, 2000) == 2);      /* the first, 2 s later */
    assert_true(play_at(&play, 2, 400000) == 8);
    play.stagger_ns = 0;
    assert_true(play_at(&play, 2, 0) == 2);
    traces_unload(&loaded.traces);
}

static void scale_is_a_share_of_the_host_or_a_factor(void **state)
{
    struct loaded loaded;
    struct trace_play play = {0};
    (void)state;
    load(&loaded, "t_s,power_w\n0,100\n1,400\n", NULL);
    play.traces = &loaded.traces;
    assert_true(trace_scale_parse(&play, "80%") && play.of_peak);
    assert_true(play_at(&play, 0, 1000) == 8000 && play_at(&play, 0, 0) == 2000);
    assert_true(trace_scale_parse(&play, "30") && !play.of_peak);
    assert_true(play_at(&play, 0, 0) == 3000 && play_at(&play, 0, 1000) == 10000);   /* phys_max */
    static const char *const bad[] = {"0%", "101%", "-3", "0", "x", "3W", "", "nan"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(trace_scale_parse(&play, bad[i]));
    traces_unload(&loaded.traces);
}

/* Whatever the cursor says, the run is found; what is said to stay does stay. */
static void a_cursor_anywhere_finds_the_same(void **state)
{
    struct loaded loaded;
    char text[16384] = "t_s,power_w\n";
    struct trace_play play = {.scale = 1, .stagger_ns = 7 * NS_PER_MS};
    (void)state;
    for (int i = 0; i < 600; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%.4f,%d\n", i * 0.0013, 1 + i * 37 % 101);
    }
    load(&loaded, text, NULL);
    play.traces = &loaded.traces;
    uint32_t follows = 0;
    struct trace_now stays = {0};
    for (int64_t t_ns = 0; t_ns < 2 * NS_PER_S; t_ns += NS_PER_MS) {
        uint32_t anywhere = (uint32_t)(t_ns / NS_PER_MS * 7919) % loaded.traces.trace[0].run_count;
        struct trace_now now = trace_play(&play, 3, 1e4, t_ns, &follows);
        assert_true(now.power_w == trace_play(&play, 3, 1e4, t_ns, &anywhere).power_w);
        assert_int_equal(follows, anywhere);
        assert_true(t_ns >= stays.until_ns || now.power_w == stays.power_w);
        stays = now;
    }
    traces_unload(&loaded.traces);
}

static void a_plant_draws_what_the_trace_says(void **state)
{
    struct loaded loaded;
    struct model model;
    struct workload workload;
    struct plant plant;
    (void)state;
    load(&loaded, "t_s,power_w\n0,100\n1,300\n2,200\n", NULL);
    tiny_site_init(&model, &tiny_demo);
    workload_defaults(&workload);
    workload.class_of = calloc(model.host_count, 1);
    struct trace_play play = {.traces = &loaded.traces, .of_peak = true, .scale = 0.6};
    workload_follow_traces(&workload, &play, &model);
    assert_int_equal(plant_init(&plant, &model, &workload, PLANT_UNGOVERNED), 0);
    double phys_max_w = (double)model.type[0].phys_max_mw / 1e3;
    while (plant.t_ns < 3 * NS_PER_S) {
        double share = plant.t_ns < NS_PER_S ? 0.2 : plant.t_ns < 2 * NS_PER_S ? 0.6 : 0.4;
        plant_step(&plant, NULL, NULL);
        for (uint32_t h = 0; h < model.host_count; h++)
            assert_true(plant.power_w[h] > share * phys_max_w - 1e-6 &&
                        plant.power_w[h] < share * phys_max_w + 1e-6);
    }
    plant_finish(&plant);
    workload_unload(&workload);
    tiny_site_finish(&model);
    traces_unload(&loaded.traces);
}

static void a_folder_without_traces_is_refused(void **state)
{
    struct traces traces;
    char folder[] = "/tmp/flyball-traces-XXXXXX", *said = NULL;
    size_t bytes;
    (void)state;
    assert_non_null(mkdtemp(folder));
    FILE *out = open_memstream(&said, &bytes);
    assert_int_equal(traces_load(&traces, folder, PLANT_STEP_NS, out), -EINVAL);
    rmdir(folder);
    assert_int_equal(traces_load(&traces, folder, PLANT_STEP_NS, out), -ENOENT);
    fclose(out);
    assert_non_null(strstr(said, "0 files *.csv; 1 to 256 are needed\n"));
    free(said);
}

/* The plant looks once a step: what it sees is the mean of all of it, however long a step is. */
static void steps_of_two_milliseconds_carry_the_mean_of_two(void **state)
{
    struct loaded loaded;
    (void)state;
    load_by(&loaded, 2 * NS_PER_MS, "t_s,power_w\n0,100\n0.001,300\n0.002,200\n0.003,600\n", NULL);
    assert_int_equal(loaded.result, 0);
    const struct trace *trace = &loaded.traces.trace[0];
    assert_int_equal(trace->run_count, 2);
    assert_true(trace->run[0].power_w > 199.99 && trace->run[0].power_w < 200.01);
    assert_true(trace->run[1].power_w > 599.99);        /* the highest row outlives its step */
    assert_int_equal(trace->run[1].from_ns, 2 * NS_PER_MS);
    assert_int_equal(trace->length_ns, 4 * NS_PER_MS);
    traces_unload(&loaded.traces);
}

static void a_time_that_nobody_could_count_on_from_refuses_the_file(void **state)
{
    struct loaded loaded;
    (void)state;
    load(&loaded, "t_s,power_w\n-4e9,100\n4e9,300\n", NULL);
    assert_int_equal(loaded.result, -EINVAL);
    assert_non_null(strstr(loaded.said, "one.csv:3: a time of 4e+09 s is more than 4e+08 s from the first"));
    load(&loaded, "t_s,power_w\n0,100\n1,100\n5e9,300\n", NULL);
    assert_int_equal(loaded.result, -EINVAL);
    assert_non_null(strstr(loaded.said, "one.csv:4: the first of 1 rows of 3"));
    load(&loaded, "t_s,power_w\n1.76e9,100\n1760000001,300\n", NULL);     /* seconds since 1970 */
    assert_int_equal(loaded.result, 0);
    traces_unload(&loaded.traces);
}

/* Years of stagger on years of rows, on a host far down the list. */
static void a_long_stagger_of_many_hosts_stays_within_the_trace(void **state)
{
    struct loaded loaded;
    uint32_t cursor = 0;
    (void)state;
    load(&loaded, "t_s,power_w\n0,100\n3e8,300\n", NULL);
    assert_int_equal(loaded.result, 0);
    struct trace_play play = {.traces = &loaded.traces, .scale = 1, .stagger_ns = 299999999 * NS_PER_S};
    int64_t length_ns = loaded.traces.trace[0].length_ns;
    for (uint32_t host = 0; host < 20000; host += 997) {
        struct trace_now now = trace_play(&play, host, 1e3, 5 * NS_PER_S, &cursor);
        assert_true(now.until_ns > 5 * NS_PER_S && now.until_ns <= length_ns + 5 * NS_PER_S);
    }
    traces_unload(&loaded.traces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_of_two_milliseconds_carry_the_mean_of_two),
        cmocka_unit_test(a_time_that_nobody_could_count_on_from_refuses_the_file),
        cmocka_unit_test(a_long_stagger_of_many_hosts_stays_within_the_trace),
        cmocka_unit_test(rows_that_are_junk_are_not_taken_and_told),
        cmocka_unit_test(files_that_cannot_be_used_are_refused_by_name_and_line),
        cmocka_unit_test(a_gap_is_bridged_by_the_row_before_it),
        cmocka_unit_test(steps_carry_means_and_one_the_peak),
        cmocka_unit_test(rows_that_fit_no_steps_are_weighted_by_time),
        cmocka_unit_test(hosts_follow_by_turns_later_and_over_and_over),
        cmocka_unit_test(scale_is_a_share_of_the_host_or_a_factor),
        cmocka_unit_test(a_cursor_anywhere_finds_the_same),
        cmocka_unit_test(a_plant_draws_what_the_trace_says),
        cmocka_unit_test(a_folder_without_traces_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
