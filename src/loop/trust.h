/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose word counts: tags, and what was recorded under a controller before. A frame that was recorded has a
 * true tag, and a controller that has just started remembers no sequence numbers. So leases carry a number
 * that was drawn at the start, and hosts say the newest back: a report without it may be old. It is taken as
 * that of a host that has accepted nothing yet (docs/authentication.md).
 */
#ifndef FLYBALL_LOOP_TRUST_H
#define FLYBALL_LOOP_TRUST_H

#include "auth/auth.h"
#include "msg/lease.h"
#include "msg/token.h"
#include "wire/frame.h"

/* Of one lane; constant after build but for what `user` points to. */
struct trust {
    struct auth_user *user;     /* NULL: nobody's frames carry tags */
    bool hosts, meters;         /* these must */
    uint64_t session;           /* this controller's */
    uint64_t before;            /* of the one it took over from; 0 = none */
    int64_t before_until_ns;    /* hosts may still say that one until then */
    /* and only these agents: by host, incarnations that were handed over */
    const uint64_t *before_incarnation;
};

/* rt: is the tag what is asked for, and true? ACCEPTED or enum refusal. The body has not been looked at. */
int trust_frame(const struct trust *trust, uint32_t hosts, const uint8_t *data, const struct frame *frame);

/* rt: a meter's frame names it by its key, too. */
int trust_meter(const struct trust *trust, const struct frame *frame, uint32_t meter);

/* rt: what was accepted was new: that host is answered under the same key. */
void trust_heard(const struct trust *trust, const struct frame *frame);

/* rt, of a host that the site has: ACCEPTED, with *unproven where the report stands as that of a host that
 * has accepted nothing, or REFUSED_SESSION where hosts are still governed by what the controller before
 * left: nothing old may shake that, and whoever is new there says so again. */
int trust_report(const struct trust *trust, uint32_t host, struct report *report, int64_t t_ns,
                 bool *unproven);

/* rt: the report that was just noted in this window, its sender's, says the present session: so whatever
 * that host sends under higher numbers is of after this start. */
static inline void trust_note(const struct trust *trust, const struct report *report,
                              struct replay_window *window)
{
    window->proven |= report->session == trust->session;
}

/* rt: a detail says no session: it counts once its host has said the present one, and above that. */
static inline int trust_detail(const struct trust *trust, const struct replay_window *window)
{
    return !trust->hosts || window->proven ? ACCEPTED : REFUSED_SESSION;
}

/* rt: a request counts only from a host that has heard this controller. */
int trust_request(const struct trust *trust, const struct token_request *request);

#endif
