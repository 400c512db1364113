/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/series.h"

#include <errno.h>
#include <stdlib.h>

int series_init(struct series *series, const struct model *model)
{
    *series = (struct series){.node_count = model->node_count};
    series->load_w = calloc((size_t)model->node_count * SERIES_SAMPLES_MAX, sizeof(*series->load_w));
    return series->load_w ? 0 : -ENOMEM;
}

void series_finish(struct series *series)
{
    free(series->load_w);
    series->load_w = NULL;
}

bool series_due(const struct series *series, int64_t t_ns)
{
    return series->samples < SERIES_SAMPLES_MAX && t_ns >= (int64_t)series->samples * SERIES_EVERY_NS;
}

void series_next(struct series *series)
{
    series->samples++;
}

void series_put(struct series *series, uint32_t node, double load_w)
{
    series->load_w[(size_t)(series->samples - 1) * series->node_count + node] = (float)load_w;
}

static void one_node(const struct series *series, uint32_t node, FILE *out)
{
    fputc('[', out);
    for (uint32_t i = 0; i < series->samples; i++)
        fprintf(out, "%s%.0f", i ? "," : "", (double)series->load_w[(size_t)i * series->node_count + node]);
    fputc(']', out);
}

void series_json(const struct series *series, const struct model *model, FILE *out)
{
    const char *comma = "";
    fprintf(out, "{\"every_s\": %.3f, \"load_w\": {", (double)SERIES_EVERY_NS / 1e9);
    for (uint32_t n = 0; n < series->node_count; n++) {
        if (!model->node[n].limited || model->node[n].kind == NODE_RACK)
            continue;
        fprintf(out, "%s\"%s\": ", comma, model->node[n].name);
        one_node(series, n, out);
        comma = ", ";
    }
    fputs("}}", out);
}
