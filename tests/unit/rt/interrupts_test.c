/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts of a host that is a tree of files: which are moved, which are left, and that all come back. */
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

#include "rt/interrupts.h"

struct line {
    const char *path, *before, *moved;
};

static const struct line host[] = {
    {"/proc/irq/9/smp_affinity_list", "0-3", "0-1"},
    {"/proc/irq/9/acpi/x", "", ""},
    {"/proc/irq/24/smp_affinity_list", "2-3", "0-1"},
    {"/proc/irq/24/nvme0q3/x", "", ""},
    {"/proc/irq/25/smp_affinity_list", "0", "0"},
    {"/proc/irq/25/nvme0q0/x", "", ""},
    /* nobody handles it */
    {"/proc/irq/26/smp_affinity_list", "0-3", "0-3"},
    /* of the port's card: one put on a hot core, one that may come anywhere */
    {"/proc/irq/100/smp_affinity_list", "3", "3"},
    {"/proc/irq/100/ens1-rx-0/x", "", ""},
    {"/proc/irq/101/smp_affinity_list", "1-3", "1"},
    {"/proc/irq/101/ens1-rx-1/x", "", ""},
    /* of one whose cores are hot or gone */
    {"/proc/irq/102/smp_affinity_list", "3,8", "0-1"},
    {"/proc/irq/102/usb/x", "", ""},
    {"/proc/irq/default_smp_affinity", "00000000,0000000f", "00000000,00000003"},
    {"/sys/class/net/ens1/device/msi_irqs/100", "msi", "msi"},
    {"/sys/class/net/ens1/device/msi_irqs/101", "msi", "msi"},
    {"/sys/devices/system/cpu/online", "0-3", "0-3"},
};

struct room {
    char root[64];
    struct rt_interrupts_wish wish;
    struct rt_interrupts interrupts;
};

static void whole_of(const struct room *room, const char *path, char whole[256])
{
    assert_true(snprintf(whole, 256, "%s%s", room->root, path) < 256);
}

static void write_file(const struct room *room, const char *path, const char *text)
{
    char whole[256];
    whole_of(room, path, whole);
    for (char *slash = strchr(whole + strlen(room->root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        assert_true(!mkdir(whole, 0755) || errno == EEXIST);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", text);
    assert_int_equal(fclose(file), 0);
}

static void assert_reads(const struct room *room, const char *path, const char *wanted)
{
    char whole[256], text[128] = "";
    whole_of(room, path, whole);
    FILE *file = fopen(whole, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    text[strcspn(text, "\n")] = 0;
    if (strcmp(text, wanted))
        fail_msg("%s reads %s, not %s", path, text, wanted);
}

static int open_room(void **state)
{
    struct room *room = calloc(1, sizeof *room);
    assert_non_null(room);
    strcpy(room->root, "/tmp/flyball-interrupts-XXXXXX");
    assert_non_null(mkdtemp(room->root));
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        write_file(room, host[i].path, host[i].before);
    room->wish = (struct rt_interrupts_wish){.root = room->root, .card = {"ens1"}};
    assert_int_equal(rt_cores_parse("2-3", &room->wish.hot), 0);
    *state = room;
    return 0;
}

static int close_room(void **state)
{
    struct room *room = *state;
    char command[128];
    rt_interrupts_restore(&room->interrupts);
    snprintf(command, sizeof command, "rm -rf '%s'", room->root);
    assert_int_equal(system(command), 0);
    free(room);
    return 0;
}

static void they_keep_off_hot_cores_and_come_back(void **state)
{
    struct room *room = *state;
    struct rt_interrupts *interrupts = &room->interrupts;
    assert_int_equal(rt_interrupts_away(interrupts, &room->wish), 0);
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        assert_reads(room, host[i].path, host[i].moved);
    assert_int_equal(interrupts->moved, 4);
    assert_int_equal(interrupts->left_count, 1);
    assert_int_equal(interrupts->left->number, 100);
    assert_int_equal(interrupts->left->error, 0);
    assert_string_equal(interrupts->left->name, "ens1-rx-0");
    assert_int_equal(rt_interrupts_restore(interrupts), 0);
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        assert_reads(room, host[i].path, host[i].before);
}

static void one_that_somebody_moved_meanwhile_stays_there(void **state)
{
    struct room *room = *state;
    assert_int_equal(rt_interrupts_away(&room->interrupts, &room->wish), 0);
    write_file(room, "/proc/irq/9/smp_affinity_list", "1");
    assert_int_equal(rt_interrupts_restore(&room->interrupts), 0);
    assert_reads(room, "/proc/irq/9/smp_affinity_list", "1");
    assert_reads(room, "/proc/irq/24/smp_affinity_list", "2-3");
}

static void a_card_of_nobody_is_no_exception(void **state)
{
    struct room *room = *state;
    room->wish.card[0] = "ens2";
    assert_int_equal(rt_interrupts_away(&room->interrupts, &room->wish), 0);
    assert_int_equal(room->interrupts.left_count, 0);
    assert_reads(room, "/proc/irq/100/smp_affinity_list", "0-1");
}

static void nothing_is_moved_where_every_core_is_hot(void **state)
{
    struct room *room = *state;
    assert_int_equal(rt_cores_parse("0-3", &room->wish.hot), 0);
    assert_int_equal(rt_interrupts_away(&room->interrupts, &room->wish), -EINVAL);
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        assert_reads(room, host[i].path, host[i].before);
    room->wish.root = "/nowhere/at/all";
    assert_int_equal(rt_interrupts_away(&room->interrupts, &room->wish), -ENOENT);
}

static void they_are_listed_by_number_with_who_handles_them(void **state)
{
    struct room *room = *state;
    struct rt_interrupt *list;
    write_file(room, "/proc/irq/24/effective_affinity_list", "2");
    write_file(room, "/proc/irq/24/nvme0q1/x", "");
    assert_int_equal(rt_interrupts_list(room->root, &list), 7);
    assert_int_equal(list[0].number, 9);
    assert_int_equal(list[1].number, 24);
    assert_string_equal(list[1].name, "nvme0q1");
    assert_true(rt_cores_has(&list[1].allowed, 3));
    assert_true(rt_cores_has(&list[1].comes, 2));
    assert_false(rt_cores_has(&list[1].comes, 3));
    assert_string_equal(list[3].name, "");
    assert_true(rt_cores_has(&list[3].comes, 3));
    assert_int_equal(list[6].number, 102);
    free(list);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_room, close_room)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(they_keep_off_hot_cores_and_come_back),
        TEST(one_that_somebody_moved_meanwhile_stays_there),
        TEST(a_card_of_nobody_is_no_exception),
        TEST(nothing_is_moved_where_every_core_is_hot),
        TEST(they_are_listed_by_number_with_who_handles_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
