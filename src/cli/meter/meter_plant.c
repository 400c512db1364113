/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/meter/meter_plant.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846;

int meter_plant_open(struct meter_plant *of, const char *site, const char *workload, uint64_t seed,
                     uint32_t meters, FILE *report)
{
    const struct model *model = &of->site.model;
    int rc = site_load(&of->site, site, "", report);

    if (rc)
        return rc;
    of->loaded = true;
    rc = workload_load(&of->workload, workload, model, report);
    if (rc)
        return rc;
    of->loaded_workload = true;
    if (seed)
        of->workload.seed = seed;
    of->workload.breakers.device = of->site.device;
    of->workload.breakers.equipment = of->site.equipment;
    of->meters = meters && meters < model->meter_count ? meters : model->meter_count;
    if (!of->meters) {
        fprintf(report, "%s: error: the site has no meters\n", site);
        return -EINVAL;
    }
    rc = plant_init(&of->plant, model, &of->workload, PLANT_UNGOVERNED);
    of->begun = !rc;
    if (!rc)
        of->flow = calloc((size_t)of->meters * METER_PLANT_STEPS, sizeof *of->flow);
    for (uint32_t m = 0; !rc && m < of->meters; m++) {
        const struct grid_node *node = &of->plant.grid.node[model->meter[m].node];

        of->volts_most = fmax(of->volts_most, node->nominal_v);
        of->amperes_most = fmax(of->amperes_most, node->rating_a);
    }
    return rc ? rc : of->flow ? 0 : -ENOMEM;
}

static void step(struct meter_plant *of)
{
    const struct model *model = &of->site.model;

    plant_step(&of->plant, NULL, NULL);
    for (uint32_t m = 0; m < of->meters; m++) {
        const struct grid_node *node = &of->plant.grid.node[model->meter[m].node];
        struct meter_plant_flow *flow = &of->flow[m * METER_PLANT_STEPS + of->steps % METER_PLANT_STEPS];

        for (uint32_t p = 0; p < PHASES; p++) {
            flow->volts[p] = (float)node->volts[p];
            flow->amperes[p] = (float)node->amperes[p];
            flow->lag[p] = (float)atan2(node->reactive_var[p], node->power_w[p]);
        }
    }
    of->steps++;
}

static int row_of(void *user, uint32_t meter, uint64_t n, double t_s, double row[SAMPLES_CHANNELS_MAX])
{
    struct meter_plant *of = user;
    int64_t now = (int64_t)(t_s * 1e9 / (double)of->plant.step_ns);

    (void)n;
    while (of->steps <= now)
        step(of);
    if (of->steps - now > METER_PLANT_STEPS)
        return -ERANGE;
    const struct meter_plant_flow *flow = &of->flow[meter * METER_PLANT_STEPS + now % METER_PLANT_STEPS];
    double turn = 2 * pi * fmod(t_s * of->frequency_hz, 1);

    for (uint32_t p = 0; p < PHASES; p++) {
        double angle = turn - 2 * pi * p / PHASES;

        row[SAMPLES_VA + p] = sqrt(2) * (double)flow->volts[p] * cos(angle);
        row[SAMPLES_IA + p] = sqrt(2) * (double)flow->amperes[p] * cos(angle - (double)flow->lag[p]);
    }
    row[SAMPLES_VN] = 0;
    row[SAMPLES_IN] = row[SAMPLES_IA] + row[SAMPLES_IB] + row[SAMPLES_IC];
    return 0;
}

void meter_plant_begin(struct meter_plant *of, struct meter_source *source)
{
    *source = (struct meter_source){.of = of, .row = row_of};
}

void meter_plant_finish(struct meter_plant *of)
{
    free(of->flow);
    if (of->begun)
        plant_finish(&of->plant);
    if (of->loaded_workload)
        workload_unload(&of->workload);
    if (of->loaded)
        site_unload(&of->site);
}
