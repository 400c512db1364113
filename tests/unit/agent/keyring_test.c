/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's file of keys: what is wrong with it is told with its place, and it is read again while the
 * agent runs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/keyring.h"
#include "wire/frame.h"

#define KEY_A "00112233445566778899aabbccddeeff"
#define KEY_B "ffeeddccbbaa99887766554433221100"

enum { PATIENCE_S = 60, BODY_BYTES = 20 };

struct place {
    struct config config;
    struct keyring keyring;
    FILE *out;
    char said[2048];
};

static int begin(void **state)
{
    static struct place place;
    place = (struct place){.config = {.host = "a1-03", .keys = "/dev/shm/flyball-keyring-XXXXXX"}};
    int fd = mkstemp(place.config.keys);
    assert_true(fd >= 0);
    close(fd);
    place.out = fmemopen(place.said, sizeof place.said, "w");
    *state = &place;
    return 0;
}

static int end(void **state)
{
    struct place *place = *state;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    assert_true(keyring_close(&place->keyring, (now.tv_sec + PATIENCE_S) * NS_PER_S));
    unlink(place->config.keys);
    fclose(place->out);
    return 0;
}

static void put(const struct place *place, const char *text)
{
    FILE *file = fopen(place->config.keys, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static int open_said(struct place *place)
{
    int error = keyring_open(&place->keyring, &place->config, place->out);
    fflush(place->out);
    return error;
}

static const struct { const char *text, *behind_path; } mistakes[] = {
    {"", ":1: error: no key stands in it\n"},
    {"host a1-03 7\n", ":1: error: a line is: host|meter NAME ID KEY"},
    {"# mine\nhost a1-03 0 " KEY_A "\n", ":2: error: the key id is a whole number from 1 to 65535\n"},
    {"# mine\nhost a1-04 7 " KEY_A "\n",
     ":2: error: no key of host a1-03 stands in it, but of host a1-04\n"},
    {"meter a1-03 7 " KEY_A "\n",
     ":1: error: no key of host a1-03 stands in it, but of meter a1-03\n"},
};

static void each_mistake_is_told_with_its_place(void **state)
{
    struct place *place = *state;
    char expected[512];
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        put(place, mistakes[i].text);
        rewind(place->out);
        memset(place->said, 0, sizeof place->said);
        int error = open_said(place);
        snprintf(expected, sizeof expected, "%s%s", place->config.keys, mistakes[i].behind_path);
        if (error != -EINVAL || strncmp(place->said, expected, strlen(expected)))
            fail_msg("'%s': %d, %s", mistakes[i].text, error, place->said);
        assert_true(keyring_close(&place->keyring, 0));
    }
}

static void a_file_that_others_may_read_is_refused(void **state)
{
    struct place *place = *state;
    put(place, "host a1-03 7 " KEY_A "\n");
    assert_int_equal(chmod(place->config.keys, 0640), 0);
    assert_int_equal(open_said(place), -EINVAL);
    assert_non_null(strstr(place->said, "error: mode 0640: others than its owner may open it; chmod 0600"));
}

static void a_file_that_is_not_there_is_told(void **state)
{
    struct place *place = *state;
    unlink(place->config.keys);
    assert_int_equal(open_said(place), -ENOENT);
    assert_non_null(strstr(place->said, "error: No such file or directory"));
}

static void without_a_file_frames_are_bare(void **state)
{
    struct place *place = *state;
    struct config config = place->config;
    config.keys[0] = 0;
    assert_int_equal(keyring_open(&place->keyring, &config, place->out), 0);
    assert_int_equal(keyring_start(&place->keyring), 0);
    assert_null(keyring_user(&place->keyring));
}

static void a_key_that_is_not_in_force_yet_is_told_and_no_mistake(void **state)
{
    struct place *place = *state;
    put(place, "host a1-03 7 " KEY_A " not-before=2200-01-01T00:00:00Z\n");
    assert_int_equal(open_said(place), 0);
    assert_non_null(strstr(place->said, "no key of host a1-03 is in force now"));
    assert_non_null(keyring_user(&place->keyring));
}

/* The id under which the host would speak now; 0: it cannot. */
static uint16_t id_now(struct place *place)
{
    uint8_t data[FRAME_HEADER_BYTES + BODY_BYTES] = {0};
    struct frame frame = {.kind = FRAME_REPORT, .sequence = 1, .body_bytes = BODY_BYTES};
    uint32_t bytes = frame_encode(data, &frame);
    keyring_look(&place->keyring);
    if (auth_seal(keyring_user(&place->keyring), 0, data, bytes))
        return 0;
    assert_int_equal(frame_decode(data, bytes, &frame), ACCEPTED);
    return frame.key_id;
}

static void rest(void)
{
    const struct timespec a_while = {.tv_nsec = 10 * NS_PER_MS};
    nanosleep(&a_while, NULL);
}

static void wait_for_id(struct place *place, uint16_t id)
{
    for (int i = 0; i < PATIENCE_S * 100 && id_now(place) != id; i++)
        rest();
    assert_int_equal(id_now(place), id);
}

static void a_file_that_changes_is_read_while_it_runs(void **state)
{
    struct place *place = *state;
    put(place, "host a1-03 7 " KEY_A "\n");
    assert_int_equal(open_said(place), 0);
    assert_int_equal(keyring_start(&place->keyring), 0);
    assert_int_equal(id_now(place), 7);
    put(place, "host a1-03 7 " KEY_A " revoked\nhost a1-03 8 " KEY_B "\n");
    wait_for_id(place, 8);
    put(place, "nonsense\n");
    struct auth_watch *watch = &place->keyring.watch;
    for (int i = 0; i < PATIENCE_S * 100 && !atomic_load(&watch->failures); i++)
        rest();
    assert_true(atomic_load(&watch->failures) >= 1);
    assert_int_equal(id_now(place), 8);     /* the keys that were there stay */
    put(place, "host a1-03 8 " KEY_B " revoked\n");
    wait_for_id(place, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_mistake_is_told_with_its_place, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_others_may_read_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_there_is_told, begin, end),
        cmocka_unit_test_setup_teardown(without_a_file_frames_are_bare, begin, end),
        cmocka_unit_test_setup_teardown(a_key_that_is_not_in_force_yet_is_told_and_no_mistake, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_changes_is_read_while_it_runs, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
