/* SPDX-License-Identifier: Apache-2.0 */
/* The driver whose link is files. Captures are written here byte by byte, and read back the same way. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "port_bench.h"

enum { FILE_HEADER = 24, RECORD_HEADER = 16, FILE_ROOM = 1 << 20, MTU = 1500 };

static const uint8_t far_mac[6] = {0x02, 0, 0, 0, 0, 1}, near_mac[6] = {0x02, 0, 0, 0, 0, 2};

struct file {
    uint8_t *bytes;
    size_t used;
    bool swapped;
};

struct folder {
    char path[64], in[96], out[96], both[INTERFACE_BYTES];
    struct file file;
};

static void put(struct file *file, uint32_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        file->bytes[file->used++] = (uint8_t)(value >> 8 * (file->swapped ? bytes - 1 - i : i));
}

static void begin(struct file *file, uint32_t magic, uint32_t link)
{
    file->used = 0;
    put(file, magic, 4);
    put(file, 2, 2);
    put(file, 4, 2);
    put(file, 0, 4);
    put(file, 0, 4);
    put(file, 65535, 4);
    put(file, link, 4);
}

static void fill(uint8_t *frame, uint32_t length, uint32_t number)
{
    memcpy(frame, near_mac, 6);
    memcpy(frame + 6, far_mac, 6);
    for (uint32_t i = 12; i < length; i++)
        frame[i] = (uint8_t)(number * 131 + i * 7 + (i >> 8));
}

static void add(struct file *file, uint32_t bytes, uint32_t length, uint32_t number)
{
    put(file, 1000 + number, 4);
    put(file, 0, 4);
    put(file, bytes, 4);
    put(file, length, 4);
    fill(file->bytes + file->used, bytes, number);
    file->used += bytes;
}

static void save(const struct folder *folder)
{
    FILE *out = fopen(folder->in, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(folder->file.bytes, 1, folder->file.used, out), folder->file.used);
    assert_int_equal(fclose(out), 0);
}

static int open_files(struct port *port, const struct folder *folder, const char *interface)
{
    const struct port_config config = {.driver = "pcap", .interface = interface ? interface : folder->both,
                                       .ipv4 = 0xC6336401u, .mtu = MTU, .ring_frames = RING_FRAMES,
                                       .queues = 1, .housekeeping_core = -1};
    return port_open(port, &config);
}

static void assert_refused(const struct folder *folder, const char *words)
{
    struct port port;
    save(folder);
    assert_int_equal(open_files(&port, folder, NULL), -EINVAL);
    if (!strstr(port.error, words))
        fail_msg("\"%s\" is not in \"%s\"", words, port.error);
    assert_non_null(strstr(port.error, folder->in));
    assert_int_not_equal(access(folder->out, F_OK), 0);         /* and nothing was written */
}

static const uint32_t sizes[] = {14, 15, 60, 61, 127, 1000, MTU + 13, MTU + 14};

static void play_and_compare(struct port *port)
{
    struct port_frame frame[BURST_MAX];
    uint32_t count = sizeof sizes / sizeof sizes[0], got = port_receive(port, 0, frame, BURST_MAX);
    assert_int_equal(got, count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t wanted[FRAME_ROOM];
        fill(wanted, sizes[i], i);
        assert_int_equal(frame[i].length, sizes[i]);
        assert_int_equal(frame[i].flags, 0);
        assert_memory_equal(frame[i].data, wanted, sizes[i]);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(port_receive(port, 0, frame, BURST_MAX), 0);       /* the end is no error */
    assert_int_equal(port_link(port), 1);
}

static void frames_come_in_whole_in_either_byte_order_and_resolution(void **state)
{
    struct folder *folder = *state;
    const uint32_t magic[] = {0xA1B2C3D4u, 0xA1B23C4Du};
    for (uint32_t i = 0; i < 4; i++) {
        struct port port;
        folder->file.swapped = i & 1;
        begin(&folder->file, magic[i / 2], 1);
        for (uint32_t n = 0; n < sizeof sizes / sizeof sizes[0]; n++)
            add(&folder->file, sizes[n], sizes[n], n);
        save(folder);
        assert_int_equal(open_files(&port, folder, NULL), 0);
        assert_int_equal(port_attach(&port, 0), 0);
        play_and_compare(&port);
        struct port_statistics statistics;
        port_statistics(&port, &statistics);
        assert_int_equal(statistics.received, 8);
        assert_int_equal(statistics.received_bytes, 14 + 15 + 60 + 61 + 127 + 1000 + 1513 + 1514);
        assert_int_equal(statistics.lost + statistics.receive_errors, 0);
        port_close(&port);
    }
    folder->file.swapped = false;
}

/* What one port wrote another plays; one that is opened again writes anew. */
static void what_goes_out_can_be_played(void **state)
{
    struct folder *folder = *state;
    char out_only[INTERFACE_BYTES], in_only[INTERFACE_BYTES];
    uint8_t frame[8][FRAME_ROOM];
    struct port_frame burst[8];
    struct port port;
    snprintf(out_only, sizeof out_only, ":%s", folder->out);
    snprintf(in_only, sizeof in_only, "%s:", folder->out);
    for (uint32_t i = 0; i < 8; i++) {
        fill(frame[i], sizes[i], i);
        burst[i] = (struct port_frame){.data = frame[i], .length = sizes[i]};
    }
    for (int round = 0; round < 2; round++) {
        assert_int_equal(open_files(&port, folder, out_only), 0);
        assert_int_equal(port_receive(&port, 0, &(struct port_frame){0}, 1), 0);
        assert_int_equal(port_send(&port, 0, burst, 5), 5);
        assert_int_equal(port_send(&port, 0, burst + 5, 3), 3);
        struct port_statistics statistics;
        port_statistics(&port, &statistics);
        assert_int_equal(statistics.sent, 8);
        assert_int_equal(statistics.sent_bytes, 14 + 15 + 60 + 61 + 127 + 1000 + 1513 + 1514);
        port_close(&port);
    }
    assert_int_equal(open_files(&port, folder, in_only), 0);
    play_and_compare(&port);
    assert_int_equal(port_send(&port, 0, burst, 8), 8);         /* to nobody */
    port_close(&port);
}

static void hundreds_of_frames_keep_their_order(void **state)
{
    struct folder *folder = *state;
    struct port port;
    begin(&folder->file, 0xA1B2C3D4u, 1);
    for (uint32_t i = 0; i < 500; i++)
        add(&folder->file, 60 + i, 60 + i, i);
    save(folder);
    assert_int_equal(open_files(&port, folder, NULL), 0);
    uint32_t came = 0;
    struct port_frame burst[BURST_MAX];
    for (uint32_t got; (got = port_receive(&port, 0, burst, BURST_MAX)) != 0;) {
        for (uint32_t i = 0; i < got; i++)
            assert_int_equal(burst[i].length, 60 + came++);
        assert_int_equal(port_send(&port, 0, burst, got), got);
    }
    assert_int_equal(came, 500);
    port_close(&port);
    FILE *out = fopen(folder->out, "r");
    assert_non_null(out);
    fseek(out, 0, SEEK_END);
    assert_int_equal(ftell(out), folder->file.used);
    fclose(out);
}

static void what_does_not_fit_is_refused_and_counted(void **state)
{
    struct folder *folder = *state;
    struct port port;
    uint8_t frame[FRAME_ROOM] = {0};
    const struct port_frame burst[3] = {{.data = frame, .length = 100},
                                        {.data = frame, .length = MTU + 15},
                                        {.data = frame, .length = 13}};
    begin(&folder->file, 0xA1B2C3D4u, 1);
    save(folder);
    assert_int_equal(open_files(&port, folder, NULL), 0);
    assert_int_equal(port_send(&port, 0, burst, 3), 1);
    assert_int_equal(port_send(&port, 0, burst + 2, 1), 0);
    struct port_statistics statistics;
    port_statistics(&port, &statistics);
    assert_int_equal(statistics.sent, 1);
    assert_int_equal(statistics.refused, 3);
    port_close(&port);
}

static void tag(uint8_t *frame)
{
    frame[12] = 0x81;
    frame[13] = 0x00;
    frame[14] = 0;
    frame[15] = 30;
}

/* A tag is no part of what the MTU counts: a whole burst of the longest goes out and is played again. */
static void longest_frames_with_a_tag_go_out_and_come_in(void **state)
{
    struct folder *folder = *state;
    enum { LONGEST = MTU + 18 };
    static uint8_t frame[BURST_MAX][FRAME_ROOM];
    struct port_frame burst[BURST_MAX], got[BURST_MAX];
    char out_only[INTERFACE_BYTES], in_only[INTERFACE_BYTES];
    struct port port;
    snprintf(out_only, sizeof out_only, ":%s", folder->out);
    snprintf(in_only, sizeof in_only, "%s:", folder->out);
    for (uint32_t i = 0; i < BURST_MAX; i++) {
        fill(frame[i], LONGEST, i);
        tag(frame[i]);
        burst[i] = (struct port_frame){.data = frame[i], .length = LONGEST};
    }
    assert_int_equal(open_files(&port, folder, out_only), 0);
    assert_int_equal(port_send(&port, 0, burst, BURST_MAX), BURST_MAX);
    port_close(&port);
    assert_int_equal(open_files(&port, folder, in_only), 0);
    assert_int_equal(port_receive(&port, 0, got, BURST_MAX), BURST_MAX);
    for (uint32_t i = 0; i < BURST_MAX; i++) {
        assert_int_equal(got[i].length, LONGEST);
        assert_memory_equal(got[i].data, frame[i], LONGEST);
    }
    port_close(&port);
}

static void a_broken_capture_is_refused_with_its_place(void **state)
{
    struct folder *folder = *state;
    struct file *file = &folder->file;
    file->used = 0;
    assert_refused(folder, "0 bytes are no capture");
    begin(file, 0xA1B2C3D5u, 1);
    assert_refused(folder, "does not start like a capture");
    begin(file, 0x0A0D0D0Au, 1);
    assert_refused(folder, "pcapng");
    begin(file, 0xA1B2C3D4u, 113);
    assert_refused(folder, "link type 113");
    begin(file, 0xA1B2C3D4u, 1);
    add(file, 60, 60, 0);
    add(file, 70, 70, 1);
    size_t whole = file->used;
    file->used = whole - 1;
    assert_refused(folder, "frame 2 at byte 100 is cut off by the end of the file");
    file->used = 100 + 15;
    assert_refused(folder, "frame 2 at byte 100 is cut off by the end of the file");
    begin(file, 0xA1B2C3D4u, 1);
    add(file, 60, 60, 0);
    add(file, MTU + 15, MTU + 15, 1);
    assert_refused(folder, "frame 2 at byte 100 says 1515 of 1515 bytes");
    begin(file, 0xA1B2C3D4u, 1);
    add(file, 13, 13, 0);
    assert_refused(folder, "frame 1 at byte 24 says 13 of 13 bytes");
    begin(file, 0xA1B2C3D4u, 1);
    add(file, 60, 59, 0);
    assert_refused(folder, "frame 1 at byte 24 says 60 of 59 bytes");
}

static void what_cannot_be_opened_says_why(void **state)
{
    struct folder *folder = *state;
    struct port port, other;
    char name[INTERFACE_BYTES];
    begin(&folder->file, 0xA1B2C3D4u, 1);
    save(folder);
    assert_int_equal(open_files(&port, folder, folder->in), -EINVAL);
    assert_non_null(strstr(port.error, "IN:OUT"));
    snprintf(name, sizeof name, "%s:%s", folder->in, folder->in);
    assert_int_equal(open_files(&port, folder, name), -EINVAL);
    assert_non_null(strstr(port.error, "the same file"));
    snprintf(name, sizeof name, "%s.absent:", folder->in);
    assert_int_equal(open_files(&port, folder, name), -ENOENT);
    assert_non_null(strstr(port.error, ".absent"));
    assert_int_equal(open_files(&port, folder, NULL), 0);
    assert_int_equal(port_attach(&port, 1), -EINVAL);
    assert_int_equal(open_files(&other, folder, NULL), -EBUSY);
    assert_non_null(strstr(other.error, folder->out));
    port_close(&port);
    struct port_config config = {.driver = "pcap", .interface = folder->both, .mtu = MTU,
                                 .ring_frames = RING_FRAMES, .queues = 2};
    assert_int_equal(port_open(&port, &config), -EINVAL);
    assert_non_null(strstr(port.error, "one queue"));
}

static void frames_are_for_the_mac_that_is_given(void **state)
{
    struct folder *folder = *state;
    struct port port;
    struct port_config config = {.driver = "pcap", .interface = folder->both, .ipv4 = 0xC6336401u, .mtu = MTU,
                                 .ring_frames = RING_FRAMES, .queues = 1, .mac = near_mac};
    const uint8_t made[6] = {0x02, 0xF1, 198, 51, 100, 1};
    begin(&folder->file, 0xA1B2C3D4u, 1);
    save(folder);
    assert_int_equal(port_open(&port, &config), 0);
    assert_memory_equal(port.mac, near_mac, 6);
    port_close(&port);
    config.mac = NULL;
    assert_int_equal(port_open(&port, &config), 0);
    assert_memory_equal(port.mac, made, 6);
    port_close(&port);
}

static int make_folder(void **state)
{
    struct folder *folder = *state;
    strcpy(folder->path, "/tmp/flyball-captures-XXXXXX");
    if (!mkdtemp(folder->path))
        return -1;
    snprintf(folder->in, sizeof folder->in, "%s/in.pcap", folder->path);
    snprintf(folder->out, sizeof folder->out, "%s/out.pcap", folder->path);
    snprintf(folder->both, sizeof folder->both, "%s:%s", folder->in, folder->out);
    folder->file.bytes = malloc(FILE_ROOM);
    return folder->file.bytes ? 0 : -1;
}

static int take_folder_away(void **state)
{
    struct folder *folder = *state;
    unlink(folder->in);
    unlink(folder->out);
    rmdir(folder->path);
    free(folder->file.bytes);
    return 0;
}

#define CHECK(test) cmocka_unit_test_setup_teardown(test, make_folder, take_folder_away)

int check_captures(void)
{
    static struct folder folder;
    struct CMUnitTest tests[] = {
        CHECK(frames_come_in_whole_in_either_byte_order_and_resolution),
        CHECK(what_goes_out_can_be_played),
        CHECK(hundreds_of_frames_keep_their_order),
        CHECK(what_does_not_fit_is_refused_and_counted),
        CHECK(longest_frames_with_a_tag_go_out_and_come_in),
        CHECK(a_broken_capture_is_refused_with_its_place),
        CHECK(what_cannot_be_opened_says_why),
        CHECK(frames_are_for_the_mac_that_is_given),
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tests[i].initial_state = &folder;
    return cmocka_run_group_tests_name("captures", tests, NULL, NULL);
}
