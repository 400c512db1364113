/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions as they were understood: every pair in parentheses, what clears each comparison written out. */
#include "cli/check/check.h"
#include "site/read/when.h"

static const char *const severities[] = {
#define WORD(symbol, name, meaning) name,
    ALERT_SEVERITIES(WORD)
#undef WORD
};

void check_alerts_text(const struct check *check)
{
    const struct model *m = &check->site.model;
    char when[WHEN_TEXT_BYTES];

    for (uint32_t i = 0; i < m->alert_count; i++) {
        const struct model_alert *a = &m->alert[i];

        printf("%salert %s, %s, at %u meter%s:\n  %s\n", i ? "" : "\n", a->name, severities[a->severity],
               a->watches, a->watches == 1 ? "" : "s", when_write(&a->when, when));
    }
}

json_t *check_alerts_json(const struct check *check)
{
    const struct model *m = &check->site.model;
    json_t *all = json_array();
    char when[WHEN_TEXT_BYTES];

    for (uint32_t i = 0; i < m->alert_count; i++) {
        const struct model_alert *a = &m->alert[i];

        json_array_append_new(all, json_pack("{s:s, s:s, s:i, s:s}", "id", a->name, "severity",
                                             severities[a->severity], "meters", (int)a->watches, "when",
                                             when_write(&a->when, when)));
    }
    return all;
}
