/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that know when they will draw more ask for it ahead of time (safety.md section 7): one request before
 * every rise of their demand, and where that is denied one more for the most that would have been granted. */
#ifndef FLYBALL_SIM_ASKING_H
#define FLYBALL_SIM_ASKING_H

#include "msg/token.h"
#include "sim/plant.h"

struct asking {
    int64_t rise_ns;            /* the rise that was asked for */
    uint64_t number;            /* of the newest request */
    int64_t amount_mw;          /* in total, at the wall; what is asked for next */
    int64_t look_ns;            /* nothing to ask before */
    bool open, again;           /* no answer yet; denied, and the alternative not asked for yet */
};

/* any: true where the host's job asks now; fills the request. */
bool asking_due(struct asking *asking, const struct plant *plant, uint32_t host,
                struct token_request *request);

/* any: an answer came; it is counted in the outcome. */
void asking_answer(struct asking *asking, const struct token_response *response,
                   struct outcome_tokens *tokens);

#endif
