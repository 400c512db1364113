/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/trust.h"

int trust_frame(const struct trust *trust, uint32_t hosts, const uint8_t *data, const struct frame *frame)
{
    bool meter = frame->kind == FRAME_MEASUREMENT;
    if (!(meter ? trust->meters : trust->hosts))
        return frame->key_id ? REFUSED_KEY : ACCEPTED;
    if (!frame->key_id)
        return REFUSED_BARE;
    if (!meter)
        return frame->sender < hosts ? auth_check(trust->user, auth_host(frame->sender), data, frame)
                                     : REFUSED_UNKNOWN_HOST;
    uint32_t index = auth_meter_of(trust->user, frame->key_id);
    return index == UINT32_MAX ? REFUSED_KEY
                               : auth_check(trust->user, auth_meter(trust->user->auth, index), data, frame);
}

int trust_meter(const struct trust *trust, const struct frame *frame, uint32_t meter)
{
    return trust->meters && auth_meter_of(trust->user, frame->key_id) != meter ? REFUSED_KEY : ACCEPTED;
}

void trust_heard(const struct trust *trust, const struct frame *frame)
{
    if (trust->hosts)
        auth_heard(trust->user, auth_host(frame->sender), frame->key_id);
}

static bool is_proven(const struct trust *trust, uint64_t session)
{
    return !trust->hosts || session == trust->session;
}

/* Of the agent that the controller before left: what was recorded of that one has a number that the ledger
 * knows, what was recorded of an older one would pass for a reset. */
static bool is_of_before(const struct trust *trust, uint32_t host, const struct report *report, int64_t t_ns)
{
    return trust->before && report->session == trust->before && t_ns < trust->before_until_ns &&
           report->incarnation == trust->before_incarnation[host];
}

int trust_report(const struct trust *trust, uint32_t host, struct report *report, int64_t t_ns,
                 bool *unproven)
{
    *unproven = !is_proven(trust, report->session) && !is_of_before(trust, host, report, t_ns);
    if (!*unproven)
        return ACCEPTED;
    if (t_ns < trust->before_until_ns)
        return REFUSED_SESSION;
    report->state = HOST_BOOT;
    report->epoch = report->applied = 0;
    report->held_ns = 0;
    report->flags &= REPORT_DEVICE_LOST;
    report->psu_inputs = 0;
    return ACCEPTED;
}

int trust_request(const struct trust *trust, const struct token_request *request)
{
    return is_proven(trust, request->session) ? ACCEPTED : REFUSED_SESSION;
}
