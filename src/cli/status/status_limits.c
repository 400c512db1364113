/* SPDX-License-Identifier: Apache-2.0 */
/* IEEE 519 in words. */
#include "cli/status/status.h"

static void print_sources(FILE *out, const json_t *limits)
{
    fprintf(out, "    by demand %.1f A (%s)", status_number(limits, "demand_a"),
            status_word(limits, "demand_from"));
    if (status_has_number(limits, "fault_a"))
        fprintf(out, " and fault %.0f A (%s), Isc/IL %.1f", status_number(limits, "fault_a"),
                status_word(limits, "fault_from"), status_number(limits, "short_circuit_ratio"));
    fputc('\n', out);
}

void status_print_limits(FILE *out, const json_t *limits)
{
    if (!json_is_object(limits))
        return;
    fprintf(out, "  IEEE 519: %s", status_word(limits, "verdict"));
    if (*status_word(limits, "why"))
        fprintf(out, ", %s", status_word(limits, "why"));
    if (status_has_number(limits, "tdd_percent"))
        fprintf(out, ", TDD %.2f %%", status_number(limits, "tdd_percent"));
    if (status_has_number(limits, "tdd_limit_percent"))
        fprintf(out, " of %.2f %%, order %.0f %.2f %% of %.2f %%", status_number(limits, "tdd_limit_percent"),
                status_number(limits, "worst_order"), status_number(limits, "worst_order_percent"),
                status_number(limits, "worst_order_limit_percent"));
    fputc('\n', out);
    print_sources(out, limits);
}
