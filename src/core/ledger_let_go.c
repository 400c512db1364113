/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host whose agent stops is let go: its own limits come back. From before the answer leaves, it counts at
 * phys_max in D, in S and in what fail-safe leaves; the answer is a lease, entered like any other. The host
 * may obey it now, late, or never, and then falls silent, so only what rules it out ends that: a report that
 * shows a newer lease applied (`first`: the answer can then no longer be obeyed), or a new incarnation, to
 * which it is foreign. Both must show fail-safe read back as after a reset. An account that is not bounded is
 * not handed over: to the next controller the host is one at phys_max that it has not heard.
 */
#include "core/compare.h"
#include "core/sums.h"

bool ledger_may_let_go(const struct ledger *ledger, uint32_t host)
{
    const struct ledger_host *h = &ledger->host[host];
    return ledger->enforcing && h->incarnation &&
           sums_fit(ledger, host, SUM_NEWEST, h->newest_draw_mw, h->phys_max_mw) &&
           sums_fit(ledger, host, SUM_EXPOSED, h->exposed_draw_mw, h->phys_max_mw) &&
           sums_fit_safe(ledger, host, h->safe_draw_mw, h->phys_max_mw);
}

bool ledger_let_go(struct ledger *ledger, uint32_t host)
{
    struct ledger_host *h = &ledger->host[host];
    h->bounded = false;
    h->handed = false;
    ledger_enter(ledger, host, ledger_always_mw(ledger, host));
    h->first = h->sequence + 1;
    return !sums_over(ledger, host, SUM_NEWEST) && !sums_over(ledger, host, SUM_EXPOSED);
}

bool ledger_is_let_go(const struct ledger_host *host)
{
    return host->incarnation && !host->bounded && host->flags & REPORT_LEAVING &&
           host->first == host->sequence + 1 && host->newest_mw >= 0;
}
