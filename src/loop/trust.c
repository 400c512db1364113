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

static bool is_proven(const struct trust *trust, uint64_t session, int64_t t_ns)
{
    if (!trust->hosts || session == trust->session)
        return true;
    return trust->before && session == trust->before && t_ns < trust->before_until_ns;
}

int trust_report(const struct trust *trust, struct report *report, int64_t t_ns, bool *unproven)
{
    *unproven = !is_proven(trust, report->session, t_ns);
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

int trust_request(const struct trust *trust, const struct token_request *request, int64_t t_ns)
{
    return is_proven(trust, request->session, t_ns) ? ACCEPTED : REFUSED_SESSION;
}
