/* SPDX-License-Identifier: Apache-2.0 */
/* What who takes shed actions tells the daemon, and when nobody does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loop/shed_desk.h"

#define START_NS (50 * NS_PER_S)

struct bed {
    struct site site;
    struct model_node node[2];
    uint32_t shed_of[2];
    struct shed_desk desk;
};

static struct bed *begin(struct bed *bed, uint32_t action, uint32_t mode)
{
    *bed = (struct bed){.node = {{.name = "main"}, {.name = "rack"}}, .shed_of = {INDEX_NONE, action}};
    bed->site.model = (struct model){.mode = mode, .node = bed->node, .node_count = 2};
    bed->site.shed_of = bed->shed_of;
    assert_int_equal(shed_desk_open(&bed->desk, &bed->site, START_NS), 0);
    return bed;
}

static bool tell(struct bed *bed, const char *text, int64_t now_ns)
{
    char request[300], *answer = NULL;
    size_t bytes;
    snprintf(request, sizeof request, "%s", text);
    FILE *out = open_memstream(&answer, &bytes);
    shed_desk_answer(&bed->desk, request, 7, now_ns, out);
    fclose(out);
    bool taken = strstr(answer, "\"taken\": true") != NULL;
    assert_ptr_equal(strstr(answer, "{\"epoch\": 7, "), answer);
    assert_true(taken == (strstr(answer, "\"text\": \"\"}") != NULL));
    free(answer);
    return taken;
}

static void an_action_is_kept_as_it_was_told(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, 0, MODE_ENFORCE);
    assert_int_equal(shed_desk_read(&bed.desk, 1).state, SHED_NONE);
    assert_true(tell(&bed, "shed\tnode=rack\tstate=not_restored\ttries=3\twall_s=1795282939\tend=exit code 7",
                     START_NS));
    struct shed_row row = shed_desk_read(&bed.desk, 1);
    assert_true(row.state == SHED_NOT_RESTORED && row.tries == 3 && row.wall_s == 1795282939);
    assert_string_equal(row.end, "exit code 7");
    assert_int_equal(shed_desk_read(&bed.desk, 0).state, SHED_NONE);
    assert_true(tell(&bed, "shed\tnode=rack\tstate=none\ttries=0\twall_s=0\tend=", START_NS));
    assert_int_equal(shed_desk_read(&bed.desk, 1).state, SHED_NONE);
    shed_desk_close(&bed.desk);
}

static void what_is_not_understood_changes_nothing(void **state)
{
    (void)state;
    struct bed bed;
    static const char *const row[] = {
        "shed", "shed\t", "shed\tbeats", "shed\tnode=nobody\tstate=done", "shed\tstate=done",
        "shed\tnode=rack\tstate=gone", "shed\tnode=rack\ttries=-1", "shed\tnode=rack\ttries=x",
        "shed\tnode=rack\twall_s=", "shed\tnode=rack\tcolour=red", "shed\tnode",
        "shed\tnode=rack\tend=a text that is longer than any end of a command is told in words, by far"};
    begin(&bed, 0, MODE_ENFORCE);
    assert_true(tell(&bed, "shed\tnode=rack\tstate=done", START_NS));
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_false(tell(&bed, row[i], START_NS + 9 * NS_PER_S));
    assert_int_equal(shed_desk_read(&bed.desk, 1).state, SHED_DONE);
    assert_true(shed_desk_is_deaf(&bed.desk, START_NS + 9 * NS_PER_S));    /* nor is it a word */
    shed_desk_close(&bed.desk);
}

static void nobody_listens_five_seconds_after_the_last_word(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, 0, MODE_ENFORCE);
    assert_false(shed_desk_is_deaf(&bed.desk, START_NS + 5 * NS_PER_S));
    assert_true(shed_desk_is_deaf(&bed.desk, START_NS + 5 * NS_PER_S + 1));
    assert_true(tell(&bed, "shed\tbeat", START_NS + 6 * NS_PER_S));
    assert_false(shed_desk_is_deaf(&bed.desk, START_NS + 11 * NS_PER_S));
    assert_true(shed_desk_is_deaf(&bed.desk, START_NS + 11 * NS_PER_S + 1));
    shed_desk_close(&bed.desk);
}

/* Where no node names an action, and where nothing is sent, nobody is missed. */
static void nobody_is_missed_where_there_is_nothing_to_take(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, INDEX_NONE, MODE_ENFORCE);
    assert_false(shed_desk_is_deaf(&bed.desk, START_NS + 3600 * NS_PER_S));
    assert_false(tell(&bed, "shed\tnode=rack\tstate=done", START_NS));
    assert_int_equal(shed_desk_read(&bed.desk, 1).state, SHED_NONE);
    shed_desk_close(&bed.desk);
    begin(&bed, 0, MODE_SHADOW);
    assert_false(shed_desk_is_deaf(&bed.desk, START_NS + 3600 * NS_PER_S));
    shed_desk_close(&bed.desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_action_is_kept_as_it_was_told),
        cmocka_unit_test(what_is_not_understood_changes_nothing),
        cmocka_unit_test(nobody_listens_five_seconds_after_the_last_word),
        cmocka_unit_test(nobody_is_missed_where_there_is_nothing_to_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
