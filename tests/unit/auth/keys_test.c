/* SPDX-License-Identifier: Apache-2.0 */
/* The key file: what it may say, and every error with its place. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/keys.h"

#define K1 "000102030405060708090a0b0c0d0e0f"
#define K2 "f00102030405060708090a0b0c0d0e0f"

struct desk {
    char folder[64], path[96];
    char *said;
    size_t said_bytes;
    struct auth_keys keys;
};

static int make_desk(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    assert_non_null(desk);
    snprintf(desk->folder, sizeof desk->folder, "/tmp/flyball-keys-XXXXXX");
    assert_non_null(mkdtemp(desk->folder));
    snprintf(desk->path, sizeof desk->path, "%s/keys", desk->folder);
    *state = desk;
    return 0;
}

static int drop_desk(void **state)
{
    struct desk *desk = *state;
    auth_keys_free(&desk->keys);
    unlink(desk->path);
    rmdir(desk->folder);
    free(desk->said);
    free(desk);
    return 0;
}

static void put(struct desk *desk, const char *text, mode_t mode)
{
    FILE *out = fopen(desk->path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(desk->path, mode), 0);
}

static int get(struct desk *desk)
{
    auth_keys_free(&desk->keys);
    free(desk->said);
    FILE *out = open_memstream(&desk->said, &desk->said_bytes);
    assert_non_null(out);
    int error = auth_keys_read(&desk->keys, desk->path, out);
    fclose(out);
    return error;
}

/* Where the file says `text`, this is said of it and nothing is kept. */
static void refuses(struct desk *desk, const char *text, const char *line, const char *said)
{
    char place[128];
    put(desk, text, 0600);
    assert_int_equal(get(desk), -EINVAL);
    snprintf(place, sizeof place, "%s:%s: error: ", desk->path, line);
    if (!strstr(desk->said, place) || !strstr(desk->said, said))
        fail_msg("of '%s' was said: %s", text, desk->said);
    assert_null(strstr(desk->said, K1));
    assert_null(strstr(desk->said, K2));
    assert_int_equal(desk->keys.count, 0);
}

static void a_whole_file_is_read(void **state)
{
    struct desk *desk = *state;
    put(desk,
        "# hosts\n\n  host h1 17 " K1 "\nmeter m-1\t18 F00102030405060708090A0B0C0D0E0F "
        "not-before=2026-11-22T10:00:00Z not-after=2026-12-22T10:00:00Z revoked # old\n",
        0600);
    assert_int_equal(get(desk), 0);
    assert_string_equal(desk->said, "");
    assert_int_equal(desk->keys.count, 2);
    const struct auth_row *meter = &desk->keys.row[0], *host = &desk->keys.row[1];  /* the newest first */
    assert_int_equal(host->who, AUTH_HOST);
    assert_string_equal(host->name, "h1");
    assert_int_equal(host->id, 17);
    assert_int_equal(host->line, 3);
    assert_int_equal(host->secret[15], 15);
    assert_false(host->revoked);
    assert_true(host->not_before_s == INT64_MIN && host->not_after_s == INT64_MAX);
    assert_int_equal(meter->who, AUTH_METER);
    assert_int_equal(meter->secret[0], 0xf0);
    assert_true(meter->revoked);
    assert_true(meter->not_before_s == 1795341600);
    assert_true(meter->not_after_s == 1795341600 + 30 * 86400);
}

static void two_keys_are_derived_by_direction_and_name(void **state)
{
    /* by Python's hmac: HKDF-SHA256, salt "flyball frame keys 1", info "up host h1" and "down host h1" */
    static const uint8_t up[] = {0x11, 0x74, 0xd8, 0x47, 0x96, 0xa5, 0xb0, 0x45,
                                 0x4a, 0x2a, 0xb3, 0xa9, 0x58, 0x3c, 0xfb, 0x43};
    static const uint8_t down[] = {0x0d, 0xb8, 0x3d, 0x2c, 0xcd, 0x4d, 0xd1, 0xe8,
                                   0x7d, 0x3b, 0xd5, 0xdc, 0xd1, 0x98, 0x4e, 0xa8};
    struct desk *desk = *state;
    put(desk, "host h1 17 " K1 "\nhost h2 17 " K2 "\n", 0600);
    assert_int_equal(get(desk), 0);
    const struct auth_row *h2 = &desk->keys.row[0], *h1 = &desk->keys.row[1];
    assert_memory_equal(h1->up, up, sizeof up);
    assert_memory_equal(h1->down, down, sizeof down);
    assert_memory_not_equal(h1->up, h1->down, AUTH_KEY_BYTES);
    assert_memory_not_equal(h1->up, h2->up, AUTH_KEY_BYTES);
    assert_memory_not_equal(h1->up, h1->secret, AUTH_KEY_BYTES);
}

static void every_error_has_its_place_and_no_key_is_shown(void **state)
{
    struct desk *desk = *state;
    refuses(desk, "host h1 17\n", "1", "host|meter NAME ID KEY");
    refuses(desk, "# a\nhots h1 17 " K1 "\n", "2", "begins with host or meter");
    refuses(desk, "host h1 0 " K1 "\n", "1", "key id is a whole number from 1 to 65535");
    refuses(desk, "host h1 65536 " K1 "\n", "1", "key id is");
    refuses(desk, "host h1 1x " K1 "\n", "1", "key id is");
    refuses(desk, "host h1 1 " K1 "0\n", "1", "32 hexadecimal digits");
    refuses(desk, "host h1 1 g00102030405060708090a0b0c0d0e0f\n", "1", "32 hexadecimal digits");
    refuses(desk, "host h1 1 " K1 " " K2 "\n", "1", "none of not-before=TIME");
    refuses(desk, "host h1 1 " K1 " not-before=2026-02-30T00:00:00Z\n", "1", "is no time");
    refuses(desk, "host h1 1 " K1 " not-after=tomorrow\n", "1", "'tomorrow' is no time");
    refuses(desk, "host h1 1 " K1 " not-before=2026-11-22T10:00:00Z not-after=2026-11-22T10:00:00Z\n", "1",
            "never be in force");
    refuses(desk, "host h1 1 " K1 "\nhost h1 1 " K2 "\n", "2", "key id 1 stands in line 1 already");
    refuses(desk, "meter a 1 " K1 "\nmeter b 1 " K2 "\n", "2", "ids of meters are one range");
    refuses(desk, "host h1 1 " K1 "\nhost h2 2 " K1 "\n", "2", "this key stands in line 1 already");
    refuses(desk, "host a-name-that-is-longer-than-31-bytes 1 " K1 "\n", "1", "at most 31 bytes");
    refuses(desk, "# nothing\n", "2", "no key stands in it");
    char longest[300];
    memset(longest, ' ', sizeof longest);
    memcpy(longest + 280, "\n", 2);
    refuses(desk, longest, "1", "at most 254 bytes");
    put(desk, "host h1 1 " K1 "\nhost h2 1 " K2 "\nmeter h1 1 a00102030405060708090a0b0c0d0e0f\n", 0600);
    assert_int_equal(get(desk), 0);     /* ids are each host's own, and meters' are beside them */
}

static void a_file_that_others_may_read_is_refused_in_words(void **state)
{
    static const mode_t wrong[] = {0640, 0604, 0660, 0601, 0610};
    struct desk *desk = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        put(desk, "host h1 1 " K1 "\n", wrong[i]);
        assert_int_equal(get(desk), -EINVAL);
        assert_non_null(strstr(desk->said, "chmod 0600"));
    }
    put(desk, "host h1 1 " K1 "\n", 0400);
    assert_int_equal(get(desk), 0);
    unlink(desk->path);
    assert_int_equal(get(desk), -ENOENT);
    assert_non_null(strstr(desk->said, "No such file"));
    assert_int_equal(mkdir(desk->path, 0700), 0);
    assert_int_equal(get(desk), -EINVAL);
    assert_non_null(strstr(desk->said, "regular file"));
    rmdir(desk->path);
}

static void what_is_written_reads_back_and_is_0600(void **state)
{
    struct desk *desk = *state;
    struct auth_keys again = desk->keys;
    struct stat facts;
    put(desk, "host h1 17 " K1 " not-after=2026-12-22T10:00:00Z\nmeter m 3 " K2 " revoked\n", 0600);
    assert_int_equal(get(desk), 0);
    again = desk->keys;
    desk->keys = (struct auth_keys){0};
    assert_int_equal(auth_keys_write(&again, desk->path), 0);
    assert_int_equal(stat(desk->path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
    assert_int_equal(get(desk), 0);
    assert_int_equal(desk->keys.count, again.count);
    for (uint32_t i = 0; i < again.count; i++) {
        const struct auth_row *row = NULL;
        for (uint32_t j = 0; j < again.count; j++)
            row = desk->keys.row[j].id == again.row[i].id ? &desk->keys.row[j] : row;
        assert_non_null(row);
        assert_memory_equal(row->secret, again.row[i].secret, AUTH_KEY_BYTES);
        assert_memory_equal(row->up, again.row[i].up, AUTH_KEY_BYTES);
        assert_true(row->not_after_s == again.row[i].not_after_s && row->revoked == again.row[i].revoked);
    }
    auth_keys_free(&again);
}

static void more_keys_than_one_block_are_read(void **state)
{
    struct desk *desk = *state;
    FILE *out = fopen(desk->path, "w");
    assert_non_null(out);
    for (int i = 0; i < 1000; i++)
        fprintf(out, "host h%d %d %032x\n", i, i + 1, i + 1);
    fclose(out);
    chmod(desk->path, 0600);
    assert_int_equal(get(desk), 0);
    assert_int_equal(desk->keys.count, 1000);
    assert_string_equal(desk->keys.row[0].name, "h999");
    assert_string_equal(desk->keys.row[999].name, "h0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_whole_file_is_read, make_desk, drop_desk),
        cmocka_unit_test_setup_teardown(two_keys_are_derived_by_direction_and_name, make_desk, drop_desk),
        cmocka_unit_test_setup_teardown(every_error_has_its_place_and_no_key_is_shown, make_desk, drop_desk),
        cmocka_unit_test_setup_teardown(a_file_that_others_may_read_is_refused_in_words, make_desk,
                                        drop_desk),
        cmocka_unit_test_setup_teardown(what_is_written_reads_back_and_is_0600, make_desk, drop_desk),
        cmocka_unit_test_setup_teardown(more_keys_than_one_block_are_read, make_desk, drop_desk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
