/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/frame.h"

#define NAME(symbol, name, meaning) [symbol] = name,
#define MEANING(symbol, name, meaning) [symbol] = meaning,

static const char *const names[REFUSAL_COUNT] = { [ACCEPTED] = "accepted", REFUSALS(NAME) };
static const char *const meanings[REFUSAL_COUNT] = { [ACCEPTED] = "well formed and new", REFUSALS(MEANING) };

const char *refusal_name(int refusal)
{
    return refusal >= 0 && refusal < REFUSAL_COUNT ? names[refusal] : "unknown";
}

const char *refusal_meaning(int refusal)
{
    return refusal >= 0 && refusal < REFUSAL_COUNT ? meanings[refusal] : "not a reason this build knows";
}
