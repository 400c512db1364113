/* SPDX-License-Identifier: Apache-2.0 */
#include "port/ip/neighbour.h"

#include <string.h>

enum { PLACES_PER_ENTRY = 2, PLACES_LEAST = 16 };

static uint32_t places(uint32_t capacity)
{
    uint32_t count = PLACES_LEAST;
    while (count < PLACES_PER_ENTRY * capacity)
        count *= 2;
    return count;
}

size_t neighbours_bytes(uint32_t capacity)
{
    return capacity * sizeof(struct neighbour) + places(capacity) * sizeof(uint32_t);
}

void neighbours_init(struct neighbours *neighbours, void *memory, uint32_t capacity)
{
    memset(memory, 0, neighbours_bytes(capacity));
    *neighbours = (struct neighbours){.entry = memory, .capacity = capacity, .mask = places(capacity) - 1};
    neighbours->place = (uint32_t *)(neighbours->entry + capacity);
}

/* The place of an address, or the empty one that would be its own. */
static uint32_t *find_place(const struct neighbours *neighbours, uint32_t ipv4)
{
    uint32_t at = (ipv4 * UINT32_C(2654435769)) >> 8;     /* Knuth's multiplier: hosts count upward */
    for (;; at++) {
        uint32_t *place = &neighbours->place[at & neighbours->mask];
        if (!*place || neighbours->entry[*place - 1].ipv4 == ipv4)
            return place;
    }
}

struct neighbour *neighbours_find(const struct neighbours *neighbours, uint32_t ipv4)
{
    uint32_t place = *find_place(neighbours, ipv4);
    return place ? &neighbours->entry[place - 1] : NULL;
}

static void ask_soon(struct neighbour *neighbour, int64_t now_ns)
{
    neighbour->t_next_ns = now_ns;
    neighbour->wait_ns = 0;
    neighbour->unanswered = 0;
}

static bool idle(const struct neighbour *neighbour, int64_t now_ns)
{
    return !neighbour->kept && now_ns - neighbour->t_used_ns > IP_NEIGHBOUR_IDLE_NS;
}

struct neighbour *neighbours_want(struct neighbours *neighbours, uint32_t ipv4, int64_t now_ns)
{
    uint32_t *place = find_place(neighbours, ipv4);
    if (!*place) {
        if (neighbours->count == neighbours->capacity)
            return NULL;
        neighbours->entry[neighbours->count] =
            (struct neighbour){.ipv4 = ipv4, .t_used_ns = now_ns, .restart = neighbours->restart};
        ask_soon(&neighbours->entry[neighbours->count], now_ns);
        *place = ++neighbours->count;
    }
    struct neighbour *neighbour = &neighbours->entry[*place - 1];
    if (idle(neighbour, now_ns))
        ask_soon(neighbour, now_ns);
    neighbour->t_used_ns = now_ns;
    return neighbour;
}

enum neighbour_news neighbours_hear(struct neighbours *neighbours, uint32_t ipv4, const uint8_t mac[6],
                                    bool reply, int64_t now_ns)
{
    struct neighbour *neighbour = neighbours_find(neighbours, ipv4);
    if (!neighbour || (reply && !neighbour->asked))
        return NEIGHBOUR_UNHEARD;
    bool moved = neighbour->known && memcmp(neighbour->mac, mac, sizeof neighbour->mac) != 0;
    memcpy(neighbour->mac, mac, sizeof neighbour->mac);
    neighbour->known = true;
    neighbour->asked = false;
    neighbour->unanswered = 0;
    neighbour->wait_ns = 0;
    neighbour->t_next_ns = now_ns + IP_REFRESH_NS;
    return moved ? NEIGHBOUR_MOVED : NEIGHBOUR_LEARNED;
}

struct neighbour *neighbours_due(struct neighbours *neighbours, int64_t now_ns)
{
    uint32_t most = neighbours->count < IP_TURN_LOOKS ? neighbours->count : IP_TURN_LOOKS;
    for (uint32_t i = 0; i < most; i++) {
        neighbours->next = neighbours->next + 1 < neighbours->count ? neighbours->next + 1 : 0;
        struct neighbour *neighbour = &neighbours->entry[neighbours->next];
        if (neighbour->restart != neighbours->restart && (!neighbour->known || neighbour->kept))
            ask_soon(neighbour, now_ns);
        neighbour->restart = neighbours->restart;
        if (now_ns >= neighbour->t_next_ns && !idle(neighbour, now_ns))
            return neighbour;
    }
    return NULL;
}

void neighbour_asked(struct neighbour *neighbour, int64_t now_ns)
{
    neighbour->wait_ns = neighbour->wait_ns ? 2 * neighbour->wait_ns : IP_ASK_FIRST_NS;
    if (neighbour->wait_ns > IP_ASK_LAST_NS)
        neighbour->wait_ns = IP_ASK_LAST_NS;
    neighbour->t_next_ns = now_ns + neighbour->wait_ns;
    neighbour->asked = true;
    if (!neighbour->known)
        return;
    /* the request that left now may still be answered: the one after the last unanswered one forgets */
    if (neighbour->unanswered++ == IP_REFRESHES)
        neighbour->known = false;
}

void neighbours_restart(struct neighbours *neighbours)
{
    neighbours->restart++;      /* the round brings it to every entry: no turn walks them all */
}
