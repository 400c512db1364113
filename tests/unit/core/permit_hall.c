/* SPDX-License-Identifier: Apache-2.0 */
#include "permit_hall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

void permit_hall_open(struct permit_hall *b)
{
    b->holds.node = b->hold;
    hold_init(&b->holds, &b->hall.model);
    b->permits = (struct permits){.meter = b->meter, .expiry = b->expiry, .stand_in = b->stand_in,
                                  .lender = b->lender, .sum = b->sum, .draw_mw = b->draw_mw,
                                  .least_first = b->least_first, .least_ppm = b->least_ppm,
                                  .dark = b->dark, .lit = b->lit};
    assert_true(permit_least_room(&b->hall.model) <= sizeof b->least_ppm / sizeof *b->least_ppm);
    permit_init(&b->permits, &b->hall.model, &b->hall.heat, &b->hall.ledger, &b->holds);
}
