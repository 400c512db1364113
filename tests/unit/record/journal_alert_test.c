/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts in a journal: as they were written, or refused where a decision could be led astray by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#include "record/journal_format.h"
#include "sample.h"

struct bed {
    struct sample sample;
    struct model_alert alert[2];
    struct model_watch watch[2];
};

static char path[200];

static void fill(struct bed *bed)
{
    *bed = (struct bed){.watch = {{0, 0}, {1, 0}}};
    sample_init(&bed->sample);
    bed->alert[0] = (struct model_alert){
        .name = "load",
        .severity = ALERT_ALARM,
        .watches = 1,
        .when = {.count = 4,
                 .step = {{.op = WHEN_ABOVE, .quantity = WHEN_POWER, .place = 23, .bound = 7, .clear = 5},
                          {.op = WHEN_IS, .quantity = WHEN_SAG},
                          {.op = WHEN_OR},
                          {.op = WHEN_FOR, .place = 7, .bound = WHEN_TIME_MOST_NS}}}};
    bed->alert[1] = (struct model_alert){
        .name = "sag",
        .watches = 1,
        .when = {.count = 2, .step = {{.op = WHEN_IS, .quantity = WHEN_SAG}, {.op = WHEN_NOT}}}};
}

static struct journal_reader *written(struct bed *bed, int result, char error[200])
{
    struct journal_writer *writer = NULL;
    struct journal_reader *reader = NULL;
    struct model *model = &bed->sample.model;

    model->alert = bed->alert;
    model->watch = bed->watch;
    model->alert_count = model->watch_count = 2;
    unlink(path);
    assert_int_equal(journal_create(&writer, path, model, &bed->sample.start), 0);
    assert_int_equal(journal_finish(writer), 0);
    if (journal_open(&reader, path, error, 200) != result)
        fail_msg("not %d: %s", result, error);
    return reader;
}

static void alerts_come_back_as_they_were_written(void **state)
{
    struct bed bed;
    char error[200];

    (void)state;
    fill(&bed);
    struct journal_reader *reader = written(&bed, 0, error);
    const struct model *model = journal_model(reader);
    assert_int_equal(model->alert_count, 2);
    assert_int_equal(model->watch_count, 2);
    assert_memory_equal(model->alert, bed.alert, sizeof bed.alert);
    assert_memory_equal(model->watch, bed.watch, sizeof bed.watch);
    journal_close(reader);
}

static void what_could_lead_astray_is_refused(void **state)
{
    struct bed bed;
    struct when_step *step = bed.alert[0].when.step;
    char error[200];

    (void)state;
#define REFUSED(change, words) \
    do { \
        fill(&bed); \
        change; \
        assert_null(written(&bed, -EBADMSG, error)); \
        if (!strstr(error, words)) \
            fail_msg("'%s' expected in '%s'", words, error); \
    } while (0)
    REFUSED(memset(bed.alert[1].name, 'x', NAME_BYTES), "alert 1: name or severity");
    REFUSED(bed.alert[0].severity = ALERT_SEVERITY_COUNT, "alert 0: name or severity");
    REFUSED(bed.alert[0].when.count = 0, "alert 0: length of a condition");
    REFUSED(bed.alert[0].when.count = WHEN_STEPS_MAX + 1, "length of a condition");
    REFUSED(step[1].op = WHEN_OP_COUNT, "operation of a condition");
    REFUSED(step[1].op = WHEN_AND, "operand of a condition");
    REFUSED(step[0].op = WHEN_NOT, "operand of a condition");
    REFUSED(bed.alert[0].when.count = 2, "results of a condition");
    REFUSED(step[3].place = WHEN_TIMES_MAX, "time of a condition");
    REFUSED(step[3].bound = 0, "time of a condition");
    REFUSED(step[3].bound = WHEN_TIME_MOST_NS + 1, "time of a condition");
    REFUSED(step[0].quantity = WHEN_QUANTITY_COUNT, "quantity of a condition");
    REFUSED(step[0].quantity = WHEN_SAG, "quantity of a condition");
    REFUSED(step[1].quantity = WHEN_POWER, "quantity of a condition");
    REFUSED(step[0].place = WHEN_COMPARISONS_MAX, "place of a comparison");
    REFUSED(bed.watch[1].alert = 2, "watch 1: alert or meter");
    REFUSED(bed.watch[1].meter = 1, "watch 1: alert or meter");
    REFUSED(bed.watch[1].alert = 0, "watch 1: place");
#undef REFUSED
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alerts_come_back_as_they_were_written),
        cmocka_unit_test(what_could_lead_astray_is_refused),
    };

    sample_path(path, sizeof path, "alerts");
    int result = cmocka_run_group_tests(tests, NULL, NULL);

    unlink(path);
    return result;
}
