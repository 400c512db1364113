/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/asking.h"

#include <math.h>

bool asking_due(struct asking *asking, const struct plant *plant, uint32_t host,
                struct token_request *request)
{
    const struct workload_class *class = &plant->workload->class[plant->workload->class_of[host]];
    struct profile_rise rise;
    bool retries = asking->again && !asking->open;
    if (plant->t_ns < asking->look_ns && !retries)
        return false;
    asking->look_ns = INT64_MAX;
    if (!class->ask_ns || !profile_next_rise(&plant->profile, host, plant->t_ns, &rise))
        return false;
    asking->look_ns = rise.at_ns == asking->rise_ns ? rise.at_ns : rise.at_ns - class->ask_ns;
    if (rise.at_ns - plant->t_ns <= class->ask_ns && rise.at_ns != asking->rise_ns) {
        *asking = (struct asking){.rise_ns = rise.at_ns, .number = asking->number, .again = true,
                                  .look_ns = rise.at_ns,
                                  .amount_mw = llround(rise.watts * 1e3)};
    } else if (asking->open || !asking->again || asking->rise_ns != rise.at_ns) {
        return false;
    } else {
        asking->again = false;
    }
    asking->open = true;
    *request = (struct token_request){
        .host = host, .request = ++asking->number, .amount_mw = asking->amount_mw,
        .duration_ns = rise.at_ns - plant->t_ns + rise.for_ns};
    return asking->amount_mw > 0;
}

void asking_answer(struct asking *asking, const struct token_response *response,
                   struct outcome_tokens *tokens)
{
    if (!asking->open || response->request != asking->number)
        return;
    asking->open = false;
    asking->again = asking->again && response->reason != TOKEN_GRANTED;
    asking->amount_mw = response->alternative_mw;
    if (response->reason == TOKEN_GRANTED)
        tokens->granted++;
    else if (response->reason < TOKEN_REASONS)
        tokens->denied[response->reason]++;
}
