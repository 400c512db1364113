/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of ptp4l: whatever comes is refused, with nothing left behind, or lies within what came. And the
 * keeper takes it: a sanitizer sees what its sums come to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"
#include "msg/limits.h"
#include "time/keeper.h"

static void require(int condition)
{
    if (!condition)
        abort();
}

static size_t needed(uint16_t set)
{
    return set == PTP_TIME_STATUS ? 104 : set == PTP_PARENT ? 86 : set == PTP_TIME_PROPERTIES ? 58 : 80;
}

static void take(const struct ptp_answer *answer, struct ptp_report *report)
{
    report->has_status = report->has_parent = report->has_properties = report->has_port = true;
    if (answer->set == PTP_TIME_STATUS)
        report->status = answer->status;
    if (answer->set == PTP_PARENT)
        report->parent = answer->parent;
    if (answer->set == PTP_TIME_PROPERTIES)
        report->properties = answer->properties;
    if (answer->set == PTP_PORT)
        report->port_state = answer->port_state;
}

/* Between looks at a master that is as it should be: a line, what came, and the line again. */
static void keep(const struct ptp_answer *answer, enum keeper_source source)
{
    static const struct keeper_options options = {
        .ptp = "/nowhere", .wander_ppt = 5000000,
        .rules = {.within_ns = NS_PER_S, .lost_ns = 5 * NS_PER_S, .budget_ns = NS_PER_S}};
    static struct keeper keeper;
    struct keeper_told told;
    struct keeper_options asked = options;
    asked.source = source;
    require(!keeper_init(&keeper, &asked));
    for (int64_t i = 1; i <= 8; i++) {
        int64_t mono_ns = 1000 * NS_PER_S + i * NS_PER_S, real_ns = INT64_C(1751538645) * NS_PER_S + mono_ns;
        struct keeper_look look = {.moment = {mono_ns, real_ns, 50}, .pair = {real_ns, real_ns + i, 50}};
        look.report.status = (struct ptp_time_status){
            .master_offset_ns = 5, .ingress_ns = real_ns - 10, .has_master = true};
        take(&(struct ptp_answer){0}, &look.report);
        if (i % 4 > 1)
            take(answer, &look.report);
        keeper_take(&keeper, &look);
    }
    require(keeper_read(&keeper, &told));
    require(told.state < SYNC_STATE_COUNT && told.fault < SYNC_FAULT_COUNT && told.samples <= 8);
    keeper_close(&keeper);
}

/* What asks for it is no answer, and all of it that an answer repeats stands where an answer has it. */
static void ask(const struct ptp_answer *answer, uint8_t domain)
{
    uint8_t asked[PTP_ASK_BYTES];
    struct ptp_answer nothing;
    ptp_message_ask(asked, (enum ptp_set)answer->set, domain, answer->sequence);
    require(asked[4] == domain && (asked[30] << 8 | asked[31]) == answer->sequence);
    require((asked[52] << 8 | asked[53]) == (int)answer->set);
    require(ptp_message_read(asked, sizeof asked, &nothing) == -EBADMSG);
    int64_t bound_ns = ptp_message_accuracy_ns(answer->parent.clock_accuracy);
    require(bound_ns == -1 || (bound_ns >= 25 && bound_ns <= 10 * NS_PER_S));
    require(!ptp_message_is_traceable(answer->parent.clock_class) || answer->parent.clock_class <= 140);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const struct ptp_answer none;
    struct ptp_answer answer, again;
    uint8_t *exact = malloc(bytes ? bytes : 1);    /* so that a sanitizer sees its end */

    require(exact != NULL);
    if (bytes)
        memcpy(exact, data, bytes);
    int error = ptp_message_read(exact, bytes, &answer);
    require(error == 0 || error == -EBADMSG || error == -EREMOTEIO);
    if (error) {
        answer.sequence = 0;
        require(!memcmp(&answer, &none, sizeof none));
    } else {
        require(answer.set == PTP_TIME_STATUS || answer.set == PTP_PARENT ||
                answer.set == PTP_TIME_PROPERTIES || answer.set == PTP_PORT);
        require(bytes >= needed(answer.set));
        require(answer.sequence == (exact[30] << 8 | exact[31]));
        require(answer.set != PTP_PORT || answer.port_state < PTP_PORT_STATES);
        ask(&answer, exact[4]);
        keep(&answer, KEEPER_PTP);
        keep(&answer, KEEPER_PHC);
        /* what stands behind the set changes nothing */
        require(!ptp_message_read(exact, (size_t)(exact[2] << 8 | exact[3]), &again));
        require(!memcmp(&answer, &again, sizeof answer));
    }
    free(exact);
    return 0;
}
