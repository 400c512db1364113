/* SPDX-License-Identifier: Apache-2.0 */
/* Who comes to the door and what he may do there: nobody keeps it for himself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/loop.h"

/* Nobody waits for longer than this, whatever another does. */
#define MOST_NS (4 * NS_PER_S)
enum { SLOW_MS = 800 };

struct bed {
    char folder[64], path[96];
    struct site site;
    struct loop loop;
    struct door door;
    pthread_t slow;
    _Atomic bool enough;
    _Atomic uint32_t packets;       /* that the slow peer has read */
};

static struct model_host host[HOSTS_MAX];

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* The names of the largest hall: several times what a socket holds. */
static int open_bed(void **state)
{
    static struct bed bed;
    memset(&bed, 0, sizeof bed);
    strcpy(bed.folder, "/tmp/flyball-door-XXXXXX");
    if (!mkdtemp(bed.folder))
        return -1;
    snprintf(bed.path, sizeof bed.path, "%s/door.sock", bed.folder);
    for (uint32_t i = 0; i < HOSTS_MAX; i++)
        snprintf(host[i].name, NAME_BYTES, "a-host-with-a-long-name-%06u", i);
    bed.site.model.host = host;
    bed.site.model.host_count = HOSTS_MAX;
    bed.loop.site = &bed.site;
    bed.door = (struct door){.loop = &bed.loop, .path = bed.path, .listener = -1, .core = -1};
    *state = &bed;
    return door_open(&bed.door) || pthread_create(&bed.door.thread, NULL, door_run, &bed.door);
}

static void stop_door(struct bed *bed)
{
    atomic_store(&bed->door.stop, true);
    pthread_join(bed->door.thread, NULL);
    door_close(&bed->door);
}

static int close_bed(void **state)
{
    struct bed *bed = *state;
    return rmdir(bed->folder);
}

static int ask(const struct bed *bed, const char *request)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, bed->path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
    return fd;
}

/* Bytes of the answer, to its end. */
static size_t read_all(int fd)
{
    static char packet[DOOR_PACKET_BYTES];
    size_t bytes = 0;
    for (ssize_t got; (got = recv(fd, packet, sizeof packet, 0)) > 0;)
        bytes += (size_t)got;
    close(fd);
    return bytes;
}

/* Always quick enough not to seem gone, never quick enough to be done. */
static void *read_slowly(void *argument)
{
    static char packet[DOOR_PACKET_BYTES];
    struct bed *bed = argument;
    const struct timespec rest = {.tv_nsec = SLOW_MS * NS_PER_MS};
    int fd = ask(bed, "names");
    while (!atomic_load(&bed->enough) && recv(fd, packet, sizeof packet, 0) > 0) {
        atomic_fetch_add(&bed->packets, 1);
        nanosleep(&rest, NULL);
    }
    close(fd);
    return NULL;
}

static void begin_slowly(struct bed *bed)
{
    const struct timespec rest = {.tv_nsec = NS_PER_MS};
    assert_int_equal(pthread_create(&bed->slow, NULL, read_slowly, bed), 0);
    while (!atomic_load(&bed->packets))
        nanosleep(&rest, NULL);
}

static void end_slowly(struct bed *bed)
{
    atomic_store(&bed->enough, true);
    pthread_join(bed->slow, NULL);
}

static void the_largest_answer_comes_whole(void **state)
{
    struct bed *bed = *state;
    size_t bytes = read_all(ask(bed, "names"));
    assert_in_range(bytes, HOSTS_MAX * 34, HOSTS_MAX * 34 + 1000);
    stop_door(bed);
    assert_int_equal(count_read(&bed->door.answered), 1);
}

static void who_reads_slowly_keeps_nobody_waiting(void **state)
{
    struct bed *bed = *state;
    begin_slowly(bed);
    int64_t start_ns = now_ns();
    assert_in_range(read_all(ask(bed, "names")), HOSTS_MAX * 34, HOSTS_MAX * 34 + 1000);
    assert_in_range(now_ns() - start_ns, 0, MOST_NS);
    end_slowly(bed);
    stop_door(bed);
}

static void who_reads_slowly_does_not_hold_up_a_stop(void **state)
{
    struct bed *bed = *state;
    begin_slowly(bed);
    int64_t start_ns = now_ns();
    stop_door(bed);
    assert_in_range(now_ns() - start_ns, 0, 3 * NS_PER_S / 2);
    end_slowly(bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_largest_answer_comes_whole, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(who_reads_slowly_keeps_nobody_waiting, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(who_reads_slowly_does_not_hold_up_a_stop, open_bed, close_bed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
