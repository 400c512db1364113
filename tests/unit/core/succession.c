/* SPDX-License-Identifier: Apache-2.0 */
#include "succession.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

void succession_of(const struct stand *stand, struct succession *succession)
{
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        core_account(stand->core, h, &succession->account[h]);
        succession->account[h].age_ns = 40 * NS_PER_MS;
    }
    for (uint32_t i = 0; i <= STAND_METERS; i++)
        succession->words[i] = core_handed(stand->core, i, succession->word[i]);
}

void succession_restart(struct stand *stand)
{
    stand->epoch++;
    stand_start(stand);
}

void succession_account(struct stand *stand, const struct slot_account *account)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_ACCOUNT;
    slot.account = *account;
    stand_step(stand, &slot);
    assert_int_equal(stand->outbox.count, 0);
}

void succession_accounts(struct stand *stand, const struct slot_account account[STAND_HOSTS])
{
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        succession_account(stand, &account[h]);
}

static void give_piece(struct stand *stand, uint32_t record, const int64_t *word, uint32_t words,
                       uint32_t first)
{
    struct slot slot;
    uint32_t left = words - first;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_HANDED;
    slot.handed.record = record;
    slot.handed.first = (uint8_t)first;
    slot.handed.count = (uint8_t)(left < HANDED_PIECE_WORDS ? left : HANDED_PIECE_WORDS);
    slot.handed.words = (uint8_t)words;
    memcpy(slot.handed.word, &word[first], slot.handed.count * sizeof *word);
    stand_step(stand, &slot);
    assert_int_equal(stand->outbox.count, 0);
}

void succession_records(struct stand *stand, const struct succession *succession)
{
    for (uint32_t i = 0; i <= STAND_METERS; i++)
        for (uint32_t first = 0; first < succession->words[i]; first += HANDED_PIECE_WORDS)
            give_piece(stand, i, succession->word[i], succession->words[i], first);
}

struct report succession_report(struct stand *stand, uint32_t h)
{
    struct report report = stand_report_of(stand, h, HOST_LEASED, A_NS);
    report.epoch = stand->epoch - 1;
    return report;
}
