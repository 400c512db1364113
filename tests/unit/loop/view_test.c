/* SPDX-License-Identifier: Apache-2.0 */
/* The view's memory as it is handed out: where records lie, who may write, what a reader refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/view_share.h"
#include "loop/view_words.h"

enum { NODES = 2, HOSTS = 3, METERS = 4 };

struct bed {
    struct view_share share;
    struct view view;
};

static int open_bed(void **state)
{
    static struct bed bed;
    assert_int_equal(view_share_open(&bed.share, &bed.view, NODES, HOSTS, METERS), 0);
    *state = &bed;
    return 0;
}

static int close_bed(void **state)
{
    struct bed *bed = *state;
    view_share_close(&bed->share);
    assert_int_equal(bed->share.fd, -1);
    return 0;
}

static void write_word(struct seqlock *record, uint64_t value)
{
    const uint64_t word[SEQLOCK_WORDS] = {value,     value + 1, value + 2, value + 3,
                                          value + 4, value + 5, value + 6};
    seqlock_write(record, word);
}

static void records_lie_one_after_the_other_a_cache_line_each(void **state)
{
    struct bed *bed = *state;
    const struct view_layout at = view_layout(NODES, HOSTS, METERS);
    const uint8_t *memory = bed->share.memory;

    assert_int_equal(at.counter, 0);
    assert_int_equal(at.degraded, 64 * VIEW_COUNTER_RECORDS);
    assert_int_equal(at.node, at.degraded + 64 * 11);
    assert_int_equal(at.host, at.node + 64 * 6 * NODES);
    assert_int_equal(at.meter, at.host + 64 * 3 * HOSTS);
    assert_int_equal(at.stale, at.meter + 64 * METERS);
    assert_int_equal(at.detail, at.stale + 64 * METERS);
    assert_int_equal(at.alert, at.detail + 64 * 20 * HOSTS);
    assert_int_equal(at.end, at.alert + 64 * 2 * 64);
    assert_ptr_equal(bed->view.host, memory + at.host);
    assert_ptr_equal(bed->view.stale, memory + at.stale);
    assert_int_equal((uintptr_t)bed->view.node % 64, 0);
    assert_ptr_equal(bed->view.detail, memory + at.detail);
    /* ten thousand hosts, 4,096 nodes, 2,048 meters: under 3.8 MB, and 12.8 MB of details */
    assert_int_equal(view_layout(4096, 10000, 2048).end,
                     64 * (VIEW_COUNTER_RECORDS + 11 + 24576 + 30000 + 4096 + 200000 + 128));
}

static void check_no_writable_mapping(int fd, uint64_t bytes)
{
    errno = 0;
    assert_ptr_equal(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    assert_int_equal(errno, EPERM);
    assert_ptr_equal(mmap(NULL, bytes, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    assert_int_equal(errno, EPERM);
}

static void nobody_but_the_daemons_own_mapping_can_write(void **state)
{
    struct bed *bed = *state;
    char path[64];
    uint64_t bytes = bed->share.bytes, word = 1;

    check_no_writable_mapping(bed->share.fd, bytes);
    assert_int_equal(pwrite(bed->share.fd, &word, sizeof word, 0), -1);
    assert_int_equal(errno, EPERM);
    snprintf(path, sizeof path, "/proc/self/fd/%d", bed->share.fd);
    int again = open(path, O_RDWR | O_CLOEXEC);
    if (again < 0) {
        assert_int_equal(errno, EACCES);    /* its mode allows reading only; root comes further: */
    } else {
        check_no_writable_mapping(again, bytes);
        assert_int_equal(pwrite(again, &word, sizeof word, 0), -1);
        assert_int_equal(close(again), 0);
    }
    void *seen = mmap(NULL, bytes, PROT_READ, MAP_SHARED, bed->share.fd, 0);
    assert_ptr_not_equal(seen, MAP_FAILED);
    assert_int_equal(mprotect(seen, bytes, PROT_READ | PROT_WRITE), -1);
    write_word(bed->view.host, 5);
    assert_memory_equal(seen, bed->share.memory, bytes);
    munmap(seen, bytes);
}

static void its_size_and_its_seals_stand(void **state)
{
    struct bed *bed = *state;
    int fd = bed->share.fd;

    assert_int_equal(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(ftruncate(fd, (off_t)bed->share.bytes * 2), -1);
    assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    assert_int_equal(errno, EPERM);
}

/* The race detector keeps notes of its own beside every word, in pages that it meets for the first time. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PAGES_ARE_NOT_OURS_ALONE
#endif
#elif defined(__SANITIZE_THREAD__)
#define PAGES_ARE_NOT_OURS_ALONE
#endif

static void writers_meet_no_page_for_the_first_time(void **state)
{
    (void)state;
#ifdef PAGES_ARE_NOT_OURS_ALONE
    skip();
#endif
    struct view_share share;
    struct view view;
    struct rusage before, after;

    assert_int_equal(view_share_open(&share, &view, NODES_MAX, HOSTS_MAX, METERS_MAX), 0);
    struct seqlock *record = share.memory;
    getrusage(RUSAGE_THREAD, &before);
    for (uint64_t i = 0; i < view_layout(NODES_MAX, HOSTS_MAX, METERS_MAX).end / sizeof *record; i++)
        write_word(&record[i], i);
    getrusage(RUSAGE_THREAD, &after);
    assert_int_equal(after.ru_minflt - before.ru_minflt, 0);
    assert_int_equal(after.ru_majflt - before.ru_majflt, 0);
    view_share_close(&share);
}

static void a_reader_sees_what_the_writer_writes(void **state)
{
    struct bed *bed = *state;
    struct view_header header;
    struct view_share reader;
    struct view view;
    struct view_meter meter;
    struct core_host_view host;
    const struct view_meter shown = {.t_receive_ns = 1000, .age_ns = 7, .power_mw = INT64_C(9000000000),
                                     .current_ma = {1, UINT32_MAX, 3}, .voltage_mv = {277000, 276000, 0}};

    view_share_header(&bed->view, &header);
    assert_string_equal(header.magic, "flyview");
    assert_int_equal(header.header_bytes, 168);
    assert_true(header.nodes == NODES && header.hosts == HOSTS && header.meters == METERS);
    assert_int_equal(view_share_map(&reader, &view, &header, bed->share.fd), 0);
    view_write_meter(&bed->view, METERS - 1, &shown);
    assert_true(view_read_meter(&view, METERS - 1, &meter));
    assert_memory_equal(&meter, &shown, sizeof meter);
    for (int64_t within_ns = 1; within_ns < 100 * NS_PER_S; within_ns = within_ns * 9 / 4 + 1) {
        struct view_meter narrow = shown;
        narrow.age_ns = 60 * NS_PER_S - within_ns % 7;
        narrow.lag_within_ns = within_ns;
        view_write_meter(&bed->view, METERS - 1, &narrow);
        assert_true(view_read_meter(&view, METERS - 1, &meter));
        assert_true(meter.age_ns == narrow.age_ns && meter.power_mw == shown.power_mw);
        if (within_ns < 4 * NS_PER_S)
            assert_in_range(meter.lag_within_ns - within_ns, 0, VIEW_WITHIN_NS - 1);
        else
            assert_true(meter.lag_within_ns > 4 * NS_PER_S);
    }
    write_word(&bed->view.host[2 * VIEW_HOST_RECORDS], 40);
    assert_true(view_read_host(&view, 2, &host));
    assert_true(host.lease_mw == 40 && host.exposure_mw == 41 && host.draw_mw == 42 &&
                host.report_t_ns == 43);
    assert_int_equal(host.incarnation, 44);
    view_share_close(&reader);
}

static void a_node_is_read_from_its_records(void **state)
{
    struct bed *bed = *state;
    struct core_node_view node;

    for (uint64_t i = 0; i < VIEW_NODE_RECORDS; i++)
        write_word(&bed->view.node[VIEW_NODE_RECORDS + i], 0x0102030401020300 + 0x10 * i);
    assert_true(view_read_node(&bed->view, 1, &node));
    const int64_t base = 0x0102030401020300;
    assert_true(node.exposure_mva[2] == base + 2 && node.newest_mva[0] == base + 3);
    assert_true(node.limit_mva[2] == base + 0x12 && node.measured_mw == base + 0x13);
    assert_true(node.reading_t_ns == base + 0x14 && node.permit_since_ns == base + 0x15);
    assert_true(node.hold_until_ns == base + 0x16);
    /* bits of ...0306: emergency no, recovery yes, damped yes, breach no; then bytes */
    assert_true(!node.emergency && node.recovery && node.damped && !node.breach);
    assert_true(node.recovery_by == 3 && node.permit == 2 && node.maintenance == 1);
    assert_int_equal(node.awaited, 0x01020304);
    assert_true(node.heat.heat_ppm == base + 0x20 && node.heat.travel_ppm == base + 0x21);
    assert_true(node.heat.trip_in_ns == base + 0x22 && node.heat.admissible_ma == base + 0x23);
    assert_true(node.heat.trips == 0x24 && node.heat.binds == 3);
    assert_true(node.contract_mw == base + 0x25 && node.contract_load_mw == base + 0x26);
    assert_true(node.steady_mva[2] == base + 0x32 && node.ramp_up_mw_per_s == base + 0x33);
    assert_true(node.ramp_down_mw_per_s == base + 0x34);
    assert_true(node.stage_since_ns == base + 0x35 && node.stage == 0x36 && node.enforced);
    assert_true(node.exposed.sum_mva == base + 0x40 && node.exposed.limit_mva == base + 0x41);
    assert_true(node.newest.sum_mva == base + 0x42 && node.newest.limit_mva == base + 0x43);
    assert_true(node.exposed.contingency == 0x44 && node.exposed.phase == 3);
    assert_true(node.newest.contingency == 2 && node.newest.phase == 1);
    assert_true(node.pool_level_mva == base + 0x50 && node.pool_load_mva == base + 0x51);
    assert_int_equal(node.pool_credit_ppm, base + 0x52);
    assert_true(!node.recovery_overdue && node.recovery_since_ns == base + 0x53);
    assert_true(node.recovery_silent == 0x01020354 && node.recovery_bad == 0x01020304);
}

static void a_host_is_read_from_its_records(void **state)
{
    struct bed *bed = *state;
    struct core_host_view host;
    const uint64_t word[VIEW_HOST_RECORDS][SEQLOCK_WORDS] = {
        {1, 2, 3, 4, 5, 0x0063060504010302, 7},
        {0x0000000904030201, 11, 12, 13, 14, 15, 16},
        {0x0000000801020703, 21, 22, 23 | (uint64_t)24 << 32, 25, 26, 27}};

    for (uint64_t i = 0; i < VIEW_HOST_RECORDS; i++)
        seqlock_write(&bed->view.host[VIEW_HOST_RECORDS + i], word[i]);
    assert_true(view_read_host(&bed->view, 1, &host));
    assert_true(host.lease_mw == 1 && host.exposure_mw == 2 && host.draw_mw == 3 && host.report_t_ns == 4);
    assert_true(host.incarnation == 5 && host.state == 2 && host.why == 3 && host.accepted);
    assert_true(host.basis == 4 && host.unretired == 5 && host.flags == 6 && host.exposed_cap_mw == 7);
    assert_int_equal(host.reserved_mw, 99 * VIEW_RESERVED_MW);
    assert_true(host.tier == 3 && host.gang == 0x0102 && host.fail_safe_mw == 26);
    const struct bound *bound = &host.bound;
    assert_true(bound->term == 1 && bound->contingency == 2 && bound->phase == 3 && bound->slot_kind == 4);
    assert_true(bound->node == 9 && bound->why == 3 && bound->wanted_mw == 11 && bound->sum_mva == 12);
    assert_true(bound->limit_mva == 13 && bound->t_ns == 14 && bound->slot_sequence == 15);
    assert_true(bound->echo_t_ns == 16 && bound->seen_of == 8 && bound->seen_number == 21);
    assert_true(bound->seen_mw == 22 && bound->seen_ma[0] == 23 && bound->seen_ma[1] == 24);
    assert_true(bound->seen_ma[2] == 25 && bound->since_ns == 27 && bound->rule == 7 && bound->cap_mw == 1);
}

static void a_row_of_the_degradation_table_is_read_as_it_was_written(void **state)
{
    struct bed *bed = *state;
    const struct degrade_row row = {.now = 3, .newest = INDEX_NONE, .entered = 9, .left = 6, .since_ns = 77};
    struct degrade_row seen;

    view_write_degraded(&bed->view, DEGRADED_JOURNAL, &row);
    assert_true(view_read_degraded(&bed->view, DEGRADED_JOURNAL, &seen));
    assert_memory_equal(&seen, &row, sizeof row);
    assert_true(view_read_degraded(&bed->view, DEGRADED_RING, &seen));
    assert_int_equal(seen.now, 0);
}

static void a_meters_stale_readings_and_steps_are_counted_apart(void **state)
{
    struct bed *bed = *state;
    struct view_stale stale;

    view_add_stale(&bed->view, 2, 100);
    view_add_step(&bed->view, 2, 200);
    view_add_stale(&bed->view, 2, 300);
    assert_true(view_read_stale(&bed->view, 2, &stale));
    assert_true(stale.t_ns == 300 && stale.count == 2 && stale.step_t_ns == 200 && stale.steps == 1);
}

static void how_long_ago_is_said_in_one_figure(void **state)
{
    (void)state;
    static const struct { int64_t ns; const char *words; } cases[] = {
        {-1, "0.0 s"}, {349 * NS_PER_MS, "0.3 s"}, {119 * NS_PER_S, "119 s"}, {120 * NS_PER_S, "2 min"},
        {7199 * NS_PER_S, "119 min"}, {7200 * NS_PER_S, "2 h"}, {172800 * NS_PER_S, "2 d"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[VIEW_WORDS_TIME_BYTES];
        view_words_since(text, cases[i].ns);
        assert_string_equal(text, cases[i].words);
    }
}

static void times_to_trip_are_words_that_never_say_more_than_they_know(void **state)
{
    (void)state;
    static const struct { int64_t ns; const char *words; } cases[] = {
        {0, "0.00 s"}, {19 * NS_PER_MS, "0.01 s"}, {9999 * NS_PER_MS, "9.99 s"}, {10 * NS_PER_S, "10 s"},
        {INT64_C(999999999999), "999 s"}, {1000 * NS_PER_S, "16 min"}, {59999 * NS_PER_S, "999 min"},
        {60000 * NS_PER_S, "16 h"}, {INT64_MAX - 1, "never"}, {INT64_MAX, "never"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[VIEW_WORDS_TIME_BYTES];
        view_words_trip_in(text, cases[i].ns);
        assert_string_equal(text, cases[i].words);
    }
    assert_string_equal(view_words_element(ELEMENT_LONG_TIME), "long-time");
    assert_string_equal(view_words_element(ELEMENT_UPS), "UPS overload");
    assert_string_equal(view_words_element(ELEMENT_ROLE_COUNT), "-");
    assert_string_equal(view_words_element(ELEMENT_ROLE_COUNT + 1), "?");
}

static void a_detail_is_read_as_it_was_written(void **state)
{
    struct bed *bed = *state;
    struct detail back, written = {
        .host = HOSTS - 1, .incarnation = UINT64_MAX, .watchdog_us = 7, .write_errors = UINT32_MAX,
        .marks = 3, .jobs = UINT16_MAX, .device_count = HOST_DEVICES_MAX, .job_count = DETAIL_JOBS_MAX};
    int64_t t_ns;

    memset(written.version, 'v', sizeof written.version - 1);
    for (uint8_t i = 0; i < DETAIL_JOBS_MAX; i++)
        memset(written.job[i], 'a' + i, sizeof written.job[i] - 1);
    for (uint8_t i = 0; i < HOST_DEVICES_MAX; i++)
        written.device[i] = (struct detail_device){
            .index = i, .energy_mj = UINT64_MAX - i, .asked_mw = 1u + i, .enforced_mw = UINT32_MAX - i,
            .draw_mw = 2u + i, .average_mw = UINT32_MAX, .window_us = 3, .temperature_mc = i ? i : INT32_MIN,
            .write_us = 4, .write_worst_us = UINT32_MAX, .known = UINT16_MAX, .clock_mhz = 1755,
            .throttle = (uint8_t)(16 + i)};
    view_write_detail(&bed->view, &written, 12345);
    assert_true(view_read_detail(&bed->view, HOSTS - 1, &back, &t_ns));
    assert_int_equal(t_ns, 12345);
    assert_memory_equal(&written, &back, sizeof back);
    written.device_count = written.job_count = 0;       /* those of before are not shown again */
    memset(written.job, 0, sizeof written.job);
    memset(written.device, 0, sizeof written.device);
    view_write_detail(&bed->view, &written, 12346);
    assert_true(view_read_detail(&bed->view, HOSTS - 1, &back, &t_ns));
    assert_memory_equal(&written, &back, sizeof back);
    assert_true(view_read_detail(&bed->view, 0, &back, &t_ns));
    assert_int_equal(t_ns, 0);
}

static void a_reader_takes_no_other_version_and_no_memory_that_is_too_short(void **state)
{
    struct bed *bed = *state;
    struct view_header header, good;
    struct view_share reader;
    struct view view;

    view_share_header(&bed->view, &good);
    uint32_t *field[] = {&header.version,  &header.header_bytes, &header.record_bytes, &header.counters,
                         &header.nodes,    &header.hosts,        &header.meters,       &header.node_records,
                         &header.degradations, &header.host_records, &header.detail_records,
                         &header.devices};
    for (size_t i = 0; i < sizeof field / sizeof field[0]; i++) {
        header = good;
        ++*field[i];
        assert_int_equal(view_share_map(&reader, &view, &header, bed->share.fd), -EPROTO);
    }
    header = good;
    header.magic[0] = 'F';
    assert_int_equal(view_share_map(&reader, &view, &header, bed->share.fd), -EPROTO);
    header = good;
    header.hosts = UINT32_MAX;
    assert_int_equal(view_share_map(&reader, &view, &header, bed->share.fd), -EPROTO);
    /* a header that fits itself, but tells of more than there is */
    const struct view larger = {.nodes = NODES_MAX, .hosts = HOSTS_MAX, .meters = METERS_MAX};
    view_share_header(&larger, &header);
    assert_int_equal(view_share_map(&reader, &view, &header, bed->share.fd), -EPROTO);
    assert_int_equal(view_share_map(&reader, &view, &good, -1), -EBADF);
}

static void the_worst_phase_is_the_most_exposed_and_among_equals_the_most_loaded(void **state)
{
    (void)state;
    struct core_node_view node = {.exposure_mva = {500, 700, 600}, .newest_mva = {1, 2, 3},
                             .limit_mva = {1000, 1000, 1000}};
    const struct view_meter meter = {.current_ma = {10, 20, 30}};

    assert_int_equal(view_worst_phase(&node, &meter), 1);
    node.newest_mva[2] = 800;
    assert_int_equal(view_worst_phase(&node, &meter), 2);
    node.limit_mva[0] = 400;
    assert_int_equal(view_worst_phase(&node, &meter), 0);
    /* 90.0, 89.9 and 89.8 % of the limit: the last is too far off to be alike */
    node = (struct core_node_view){.exposure_mva = {9000, 8990, 8980}, .limit_mva = {10000, 10000, 10000}};
    assert_int_equal(view_worst_phase(&node, &meter), 1);
    assert_int_equal(view_worst_phase(&node, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_lie_one_after_the_other_a_cache_line_each, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(nobody_but_the_daemons_own_mapping_can_write, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(its_size_and_its_seals_stand, open_bed, close_bed),
        cmocka_unit_test(writers_meet_no_page_for_the_first_time),
        cmocka_unit_test_setup_teardown(a_reader_sees_what_the_writer_writes, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_node_is_read_from_its_records, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_host_is_read_from_its_records, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_row_of_the_degradation_table_is_read_as_it_was_written, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(a_meters_stale_readings_and_steps_are_counted_apart, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(a_detail_is_read_as_it_was_written, open_bed, close_bed),
        cmocka_unit_test(how_long_ago_is_said_in_one_figure),
        cmocka_unit_test(times_to_trip_are_words_that_never_say_more_than_they_know),
        cmocka_unit_test_setup_teardown(a_reader_takes_no_other_version_and_no_memory_that_is_too_short,
                                        open_bed, close_bed),
        cmocka_unit_test(the_worst_phase_is_the_most_exposed_and_among_equals_the_most_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
