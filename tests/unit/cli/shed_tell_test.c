/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon's door is asked by the teller of shed actions: a beat only while somebody watches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/shed/shed_tell.h"
#include "rt/clock.h"

struct bed {
    char folder[32], path[64];
    int listener;
};

static int open_bed(void **state)
{
    static struct bed bed;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(bed.folder, "/tmp/flyball-tell-XXXXXX");
    assert_non_null(mkdtemp(bed.folder));
    snprintf(bed.path, sizeof bed.path, "%s/door", bed.folder);
    strcpy(address.sun_path, bed.path);
    bed.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_true(bed.listener >= 0);
    assert_int_equal(bind(bed.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(bed.listener, 8), 0);
    *state = &bed;
    return 0;
}

static int close_bed(void **state)
{
    struct bed *bed = *state;
    close(bed->listener);
    unlink(bed->path);
    return rmdir(bed->folder);
}

/* The next request, answered by a daemon of epoch 7. */
static void answer_next(const struct bed *bed, char *request, size_t bytes)
{
    static const char answer[] = "{\"epoch\": 7, \"taken\": true, \"text\": \"\"}";
    int fd = accept(bed->listener, NULL, NULL);
    assert_true(fd >= 0);
    memset(request, 0, bytes);
    assert_true(recv(fd, request, bytes - 1, 0) > 0);
    assert_int_equal(send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL), sizeof answer - 1);
    close(fd);
}

/* What may still come before it, once a second, of a test that is slow: `before`. */
static void assert_asked(const struct bed *bed, const char *before, const char *wanted)
{
    char request[256];
    do {
        answer_next(bed, request, sizeof request);
    } while (!strcmp(request, before));
    assert_string_equal(request, wanted);
}

/* One that looks at nothing must not be taken for one that would take an action. */
static void beats_only_while_somebody_watches(void **state)
{
    struct bed *bed = *state;
    struct shed_entry entry = {.node = "rack", .state = SHED_DONE, .tries = 1, .wall_s = 5, .end = "x"};
    const struct shed_book book = {.count = 1, .room = 1, .entry = &entry};
    struct shed_teller teller;
    assert_int_equal(shed_tell_start(&teller, bed->path), 0);
    assert_asked(bed, "", "counters");
    shed_tell(&teller, &book);                  /* blind: what it knows is told later */
    assert_asked(bed, "", "counters");
    shed_tell_saw(&teller, clock_monotonic_ns() + 3600 * NS_PER_S);     /* however slow this test is */
    shed_tell(&teller, &book);
    assert_asked(bed, "counters", "shed\tbeat");
    assert_asked(bed, "", "shed\tnode=rack\tstate=done\ttries=1\twall_s=5\tend=x");
    shed_tell_saw(&teller, clock_monotonic_ns() - 2 * NS_PER_S);        /* it stands still */
    shed_tell(&teller, &book);
    assert_asked(bed, "shed\tbeat", "counters");
    shed_tell_stop(&teller);
}

static void a_turn_counts_for_a_second(void **state)
{
    struct bed *bed = *state;
    struct shed_teller teller;
    assert_int_equal(shed_tell_start(&teller, bed->path), 0);
    assert_asked(bed, "", "counters");
    assert_false(shed_tell_listens(&teller, NS_PER_S));
    shed_tell_saw(&teller, 5 * NS_PER_S);
    assert_true(shed_tell_listens(&teller, 6 * NS_PER_S));
    assert_false(shed_tell_listens(&teller, 6 * NS_PER_S + 1));
    shed_tell_stop(&teller);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(beats_only_while_somebody_watches, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_turn_counts_for_a_second, open_bed, close_bed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
