/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that the site file does not say and figures stand on, with the nodes it stands under. */
#include <errno.h>
#include <stdlib.h>

#include "cli/check/markup.h"
#include "cli/check/report/report_groups.h"
#include "cli/check/report/report.h"

typedef bool applies(const struct study *study, uint32_t node);

static const struct site_device *device_of(const struct study *study, uint32_t node)
{
    return &study->site->device[node];
}

static bool is(const struct study *study, uint32_t node, enum device_kind kind, uint32_t assumed)
{
    return device_of(study, node)->kind == kind && (!assumed || device_of(study, node)->assumed & assumed);
}

static bool no_profile(const struct study *study, uint32_t node)
{
    return is(study, node, DEVICE_ELECTRONIC, ASSUMED_PROFILE);
}

static bool no_stage_tolerance(const struct study *study, uint32_t node)
{
    const struct site_device *d = device_of(study, node);
    const struct device_stage *stage[] = {&d->short_time, &d->instantaneous, &d->ground};

    for (int i = 0; i < 3; i++)
        if (d->kind != DEVICE_NONE && stage[i]->pickup_ma && stage[i]->tolerance_ppm < 0)
            return true;
    return false;
}

static bool no_long_time(const struct study *study, uint32_t node)
{
    return study->site->model.node[node].limited && device_of(study, node)->kind != DEVICE_RELAY &&
           !device_of(study, node)->min_count && device_of(study, node)->assumed & ASSUMED_LONG_TIME;
}

static bool no_at(const struct study *study, uint32_t node)
{
    return device_of(study, node)->long_time_ns && is(study, node, DEVICE_ELECTRONIC, ASSUMED_AT);
}

static bool no_memory(const struct study *study, uint32_t node)
{
    return is(study, node, DEVICE_ELECTRONIC, ASSUMED_MEMORY);
}

static bool no_ambient(const struct study *study, uint32_t node)
{
    return study->site->model.node[node].limited && device_of(study, node)->assumed & ASSUMED_AMBIENT;
}

static bool no_opening(const struct study *study, uint32_t node)
{
    return study_has_curve(study, node) && device_of(study, node)->assumed & ASSUMED_OPENING;
}

static bool no_clears(const struct study *study, uint32_t node)
{
    return study_has_curve(study, node) && device_of(study, node)->instantaneous.pickup_ma &&
           device_of(study, node)->assumed & ASSUMED_CLEARS;
}

static bool decays(const struct study *study, uint32_t node)
{
    const struct site_device *d = device_of(study, node);

    return study_has_curve(study, node) && ((d->short_time.pickup_ma && d->short_time.memory) ||
                                            (d->ground.pickup_ma && d->ground.memory));
}

static bool relay_reset(const struct study *study, uint32_t node)
{
    return is(study, node, DEVICE_RELAY, ASSUMED_RESET);
}

static bool relay_tolerance(const struct study *study, uint32_t node)
{
    return is(study, node, DEVICE_RELAY, ASSUMED_TOLERANCE);
}

static bool points_tolerance(const struct study *study, uint32_t node)
{
    return device_of(study, node)->min_count && !device_of(study, node)->max_count &&
           device_of(study, node)->assumed & ASSUMED_TOLERANCE;
}

static bool thermal(const struct study *study, uint32_t node)
{
    return is(study, node, DEVICE_THERMAL_MAGNETIC, 0);
}

static bool no_volts_low(const struct study *study, uint32_t node)
{
    return study->site->note[node].volts_low_assumed;
}

static bool no_fault(const struct study *study, uint32_t node)
{
    return study_has_curve(study, node) && !(study->coordination->node[node].fault_a > 0);
}

static bool no_curve(const struct study *study, uint32_t node)
{
    return study->site->model.node[node].limited && !study_has_curve(study, node);
}

static const struct {
    applies *to;
    const char *what;
} assumptions[] = {
    {no_profile,
     "Tolerances of profile abb: long-time runs from between 1.05 and 1.20 Ir, its time &#177;10&#160;% "
     "up to 6 In and &#177;20&#160;% above; delays of stages the better of &#177;10&#160;% and "
     "&#177;40&#160;ms, with I&#178;t &#177;15&#160;% and &#177;20&#160;% (profile: not given)"},
    {no_stage_tolerance,
     "Tolerance of a stage's pickup as its kind of device has it: short-time and ground "
     "&#177;7&#160;% up to 6 In and &#177;10&#160;% above, instantaneous &#177;10&#160;%, a "
     "magnetic release &#177;20&#160;% (tolerance: not given)"},
    {no_long_time, "Long-time pickup equal to the rating (long_time: not given)"},
    {no_at, "The long-time delay holds at 6 times Ir (at: not given)"},
    {no_memory, "The long-time element keeps its heat (memory: not given)"},
    {no_ambient, "No derating of the long-time pickup by ambient (ambient: not given)"},
    {no_opening, "Contacts open within 50&#160;ms (opening: not given)"},
    {no_clears, "Instantaneous has cleared within 80&#160;ms (clears: not given)"},
    {decays,
     "T<sub>dec</sub>: intermittent current in a stage with memory is forgotten with a time constant of "
     "0.5&#160;s; no maker states it"},
    {relay_reset, "Reset of the relay as its curve's default (reset: not given)"},
    {relay_tolerance, "Tolerances of the relay's pickup or time at their defaults (not both given)"},
    {points_tolerance, "Tolerance of a list of points at its default of 10&#160;% (tolerance: not given)"},
    {thermal, "Thermal element between 1.05 times its setting, the conventional non-trip current of IEC "
              "60947-2, and 1.35 times, that of UL 489; its time &#177;20&#160;%"},
    {no_volts_low, "Lowest credible voltage 95&#160;% of nominal (volts_low: not given)"},
    {no_fault, "Prospective fault current unknown: selectivity was looked at up to 1.25 times the largest "
               "instantaneous pickup of both devices, 20 times the lowest of one that has none (fault: not "
               "given)"},
    {no_curve, "Nothing is known of how the device trips; its steady limit alone counts (long_time delay, "
               "relay, fuse or points: not given)"},
};

static int put_nodes(FILE *out, const struct study *study, applies *to)
{
    const struct model *m = &study->site->model;
    uint32_t count = 0, *node = calloc(m->node_count + 1, sizeof *node);

    if (!node)
        return -ENOMEM;
    for (uint32_t n = 0; n < m->node_count; n++)
        if (to(study, n))
            node[count++] = n;
    fprintf(out, "<td class=\"n\">%u</td><td>", count);
    if (count == m->node_count && count > 1)
        fputs("all nodes", out);
    else
        report_names(out, report_node_name, study, node, count);
    fputs("</td>", out);
    free(node);
    return 0;
}

static bool any(const struct study *study, applies *to)
{
    for (uint32_t n = 0; n < study->site->model.node_count; n++)
        if (to(study, n))
            return true;
    return false;
}

int report_assumptions(FILE *out, const struct study *study)
{
    int rc = 0;

    fputs("<section class=\"on\"><h2>3. Assumptions that are not of the site file</h2>\n"
          "<p>Defaults of flyball, most of which a key of the site file replaces. Sections 2 and 4 mark the "
          "setpoints they touch <em>assumed</em>.</p>\n<table><thead><tr><th>assumption</th><th>nodes</th>"
          "<th>which</th></tr></thead><tbody>\n",
          out);
    for (uint32_t i = 0; i < sizeof assumptions / sizeof assumptions[0] && !rc; i++) {
        if (!any(study, assumptions[i].to))
            continue;
        fprintf(out, "<tr><td>%s</td>", assumptions[i].what);
        rc = put_nodes(out, study, assumptions[i].to);
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table>\n</section>\n", out);
    return rc;
}
