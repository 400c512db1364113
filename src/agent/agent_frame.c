/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in and out, and what the host itself allows of an order. */
#include "agent/agent.h"

#include <errno.h>

#include "agent/agent_inside.h"
#include "core/compare.h"
#include "probe/points.h"
#include "wire/cap.h"
#include "wire/frame.h"

void agent_frame_send(struct agent *agent, uint8_t kind, uint32_t body_bytes)
{
    if (agent->silent)
        return;
    struct frame frame = {.kind = kind, .sender = agent->config.holder.host,
                          .sequence = ++agent->frame_sequence,
                          .body = agent->out + FRAME_HEADER_BYTES, .body_bytes = body_bytes};
    uint32_t bytes = frame_encode(agent->out, &frame);
    if (!bytes)
        return;
    if (agent->auth && auth_seal(agent->auth, agent->peer, agent->out, bytes))
        agent->counter[AGENT_UNSEALED]++;
    else
        agent->hooks.send(agent->hooks.user, agent->out, bytes);
}

void agent_auth(struct agent *agent, struct auth_user *user, uint32_t peer)
{
    agent->auth = user;
    agent->peer = peer;
}

static int refuse(struct agent *agent, enum agent_counter counter, int refusal)
{
    agent->counter[counter]++;
    return refusal;
}

/* A tag where there are keys, none where there are not: as flyballd has it. */
static int check_tag(struct agent *agent, const uint8_t *data, const struct frame *frame)
{
    int refusal = frame->key_id ? REFUSED_KEY : ACCEPTED;
    if (agent->auth)
        refusal = auth_check(agent->auth, agent->peer, data, frame);
    switch (refusal) {
    case ACCEPTED: return ACCEPTED;
    case REFUSED_BARE: return refuse(agent, AGENT_BARE, refusal);
    case REFUSED_KEY: return refuse(agent, AGENT_KEY, refusal);
    case REFUSED_KEY_ENDED: return refuse(agent, AGENT_KEY_ENDED, refusal);
    default: return refuse(agent, AGENT_TAG, refusal);
    }
}

int agent_frame_admit(struct agent *agent, const uint8_t *data, uint32_t bytes, struct frame *frame)
{
    int refusal = frame_decode(data, bytes, frame);
    agent->counter[AGENT_RECEIVED]++;
    if (refusal != ACCEPTED)
        return refuse(agent, AGENT_UNREADABLE, refusal);
    if (frame->sender != agent->config.holder.host)
        return refuse(agent, AGENT_NOT_MINE, REFUSED_UNKNOWN_HOST);
    return check_tag(agent, data, frame);
}

/* The cap that the host has leave for: of a lease also what the filler may draw beside the devices. */
static int64_t in_force_mw(const struct agent *agent)
{
    bool leased = agent->holder.state_wanted == HOST_LEASED;
    return agent->holder.wanted_mw + (leased ? agent->reserve_mw : 0);
}

/* The most that an order may raise to now. A second's worth of the rate is the most that rest saves up. */
static int64_t raise_to_mw(const struct agent *agent, int64_t now_ns)
{
    const struct agent_config *config = &agent->config;
    int64_t rested_ns = now_ns - agent->raised_ns;
    if (rested_ns < config->raise_every_ns)
        return in_force_mw(agent);
    if (!config->raise_mw_per_s)
        return INT64_MAX;
    int64_t room_mw = config->raise_mw_per_s * (smaller(rested_ns, NS_PER_S) / NS_PER_US) / PPM;
    return in_force_mw(agent) + room_mw;
}

/* What this host makes of an order: its own floor and maximum, its rate of raise, and nothing above fail-safe
 * while nobody would write that in its place. A cut is never delayed. */
static int64_t bounded_mw(struct agent *agent, int64_t cap_mw, int64_t now_ns)
{
    const struct agent_config *config = &agent->config;
    int64_t most_mw = config->holder.cap_max_mw;
    if (config->watchdog_required && !agent->watchdog)
        most_mw = smaller(most_mw, config->holder.fail_safe_mw);
    if (cap_mw > in_force_mw(agent))
        most_mw = smaller(most_mw, raise_to_mw(agent, now_ns));
    agent->counter[AGENT_LOWERED] += cap_mw > most_mw;
    agent->counter[AGENT_FLOORED] += cap_mw < config->cap_min_mw;
    return larger(smaller(cap_mw, most_mw), config->cap_min_mw);
}

static void ask_to_save(struct agent *agent)
{
    uint64_t epoch = agent->holder.epoch_asked;
    if (epoch <= agent->holder.epoch_saved || epoch <= agent->epoch_asked)
        return;
    agent->epoch_asked = epoch;
    agent->hooks.save_epoch(agent->hooks.user, epoch);
}

static enum agent_counter counter_of(int verdict)
{
    static const enum agent_counter of[HOLDER_REFUSAL_COUNT] = {
        [HOLDER_ACCEPTED] = AGENT_ACCEPTED,
        [HOLDER_FOREIGN_INCARNATION] = AGENT_OLD_INCARNATION,
        [HOLDER_OLD_EPOCH] = AGENT_OLD_EPOCH,
        [HOLDER_OLD_SEQUENCE] = AGENT_OLD_SEQUENCE,
        [HOLDER_UNKNOWN_ECHO] = AGENT_UNKNOWN_ECHO,
        [HOLDER_EXPIRED_RAISE] = AGENT_EXPIRED,
        [HOLDER_UNSAVED_EPOCH] = AGENT_UNSAVED_EPOCH,
        [HOLDER_UNASKED] = AGENT_UNASKED,
    };
    return of[verdict];
}

static int obey(struct agent *agent, struct lease *lease, int64_t now_ns)
{
    agent_pass_time(agent, now_ns);
    int64_t before_mw = agent->holder.wanted_mw;
    int64_t allowed_mw = bounded_mw(agent, lease->cap_mw, now_ns);
    lease->cap_mw = larger(allowed_mw - agent->config.ballast_mw, agent->config.cap_min_mw);
    int verdict = holder_lease(&agent->holder, lease, now_ns);
    if (verdict == HOLDER_UNSAVED_EPOCH)
        ask_to_save(agent);
    if (agent->holder.wanted_mw != before_mw)
        agent->raised_ns = now_ns;
    if (verdict == HOLDER_ACCEPTED) {
        agent->smooth = (struct act_smooth){.floor_mw = larger(lease->floor_mw, 0),
                                            .ramp_up_mw_per_s = larger(lease->ramp_up_mw_per_s, 0),
                                            .ramp_down_mw_per_s = larger(lease->ramp_down_mw_per_s, 0),
                                            .hysteresis_ns = larger(lease->hysteresis_ns, 0)};
        agent->reserve_mw = larger(allowed_mw - agent->holder.wanted_mw, 0);
        agent->counter[AGENT_LET_GO] += agent->holder.let_go;
    }
    probe_leased(lease->sequence, lease->echo, lease->cap_mw, verdict);
    agent->counter[counter_of(verdict)]++;
    agent_settle(agent, now_ns);
    return verdict == HOLDER_ACCEPTED ? ACCEPTED : -1;
}

/* A lease that was obeyed was new: the controller holds the key that it came under. */
static int take_lease(struct agent *agent, const struct frame *frame, int64_t now_ns)
{
    struct lease lease;
    int refusal = lease_decode(frame->body, frame->body_bytes, &lease);
    if (refusal != ACCEPTED)
        return refuse(agent, AGENT_UNREADABLE, refusal);
    lease.host = frame->sender;
    int result = obey(agent, &lease, now_ns);
    if (result == ACCEPTED && agent->auth)
        auth_heard(agent->auth, agent->peer, frame->key_id);
    return result;
}

static int take_answer(struct agent *agent, const struct frame *frame)
{
    struct token_response response;
    int refusal = token_response_decode(frame->body, frame->body_bytes, &response);
    if (refusal != ACCEPTED)
        return refuse(agent, AGENT_UNREADABLE, refusal);
    response.host = frame->sender;
    if (agent->hooks.answered)
        agent->hooks.answered(agent->hooks.user, &response);
    return ACCEPTED;
}

int agent_receive(struct agent *agent, const uint8_t *data, uint32_t bytes, int64_t now_ns)
{
    struct frame frame;
    int refusal = agent_frame_admit(agent, data, bytes, &frame);
    if (refusal != ACCEPTED)
        return refusal;
    switch (frame.kind) {
    case FRAME_LEASE:
    case FRAME_CLAIM: return take_lease(agent, &frame, now_ns);
    case FRAME_TOKEN_RESPONSE: return take_answer(agent, &frame);
    default: return refuse(agent, AGENT_NOT_MINE, REFUSED_KIND);
    }
}

int agent_ask(struct agent *agent, const struct token_request *request, int64_t now_ns)
{
    if (agent->silent)
        return -EAGAIN;
    (void)now_ns;
    struct token_request said = *request;
    said.session = agent->holder.session;       /* what was recorded under a controller before is refused */
    uint32_t bytes = token_request_encode(&said, agent->out + FRAME_HEADER_BYTES,
                                          sizeof agent->out - FRAME_HEADER_BYTES);
    if (!bytes)
        return -EINVAL;
    agent->counter[AGENT_ASKED]++;
    agent_frame_send(agent, FRAME_TOKEN_REQUEST, bytes);
    return 0;
}
