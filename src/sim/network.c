/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/network.h"

#include <errno.h>
#include <stdlib.h>

int network_init(struct network *network, const struct model *model, uint64_t seed)
{
    *network = (struct network){.model = model};
    network->host = calloc(model->host_count + 1, sizeof *network->host);
    network->meter = calloc(model->meter_count + 1, sizeof *network->meter);
    /* a stream of its own: what a fault draws changes no draw of the usual delays */
    random_init(&network->random, seed, RANDOM_NETWORK, 1);
    return network->host && network->meter ? 0 : -ENOMEM;
}

void network_finish(struct network *network)
{
    free(network->host);
    free(network->meter);
    fault_set_finish(&network->faults);
    network->host = network->meter = NULL;
}

/* Shares multiply, seconds add. */
static void add(struct network_path *path, const struct fault *fault)
{
    path->cut_up |= fault->kind == FAULT_CUT_UP;
    path->cut_down |= fault->kind == FAULT_CUT_DOWN;
    if (fault->kind == FAULT_LOSS)
        path->loss = 1 - (1 - path->loss) * (1 - fault->amount);
    else if (fault->kind == FAULT_DUPLICATE)
        path->duplicate = 1 - (1 - path->duplicate) * (1 - fault->amount);
    else if (fault->kind == FAULT_DELAY)
        path->delay_ns += (int64_t)(fault->amount * 1e9);
}

int network_fault(struct network *network, const struct fault *fault, bool begins, int64_t t_ns)
{
    const struct model *model = network->model;
    int result = fault_set_change(&network->faults, fault, begins, t_ns);
    for (uint32_t h = 0; h < model->host_count; h++) {
        network->host[h] = (struct network_path){0};
        for (uint32_t i = 0; i < network->faults.count; i++) {
            const struct fault *standing = &network->faults.standing[i].fault;
            if (fault_strikes_host(standing, model, h))
                add(&network->host[h], standing);
        }
    }
    for (uint32_t m = 0; m < model->meter_count; m++) {
        network->meter[m] = (struct network_path){0};
        for (uint32_t i = 0; i < network->faults.count; i++) {
            const struct fault *standing = &network->faults.standing[i].fault;
            if (!standing->at_host && model_lies_below(model, model->meter[m].node, standing->place))
                add(&network->meter[m], standing);
        }
    }
    return result;
}

struct network_fate network_fate(struct network *network, bool meter, uint32_t index, bool up)
{
    struct network_fate fate = {0};
    if (!network->faults.count)
        return fate;
    const struct network_path *path = meter ? &network->meter[index] : &network->host[index];
    fate.lost = up ? path->cut_up : path->cut_down;
    if (path->loss > 0)
        fate.lost |= random_unit(&network->random) < path->loss;
    if (path->delay_ns)
        fate.later_ns = (int64_t)(random_unit(&network->random) * (double)path->delay_ns);
    fate.twice = path->duplicate > 0 && random_unit(&network->random) < path->duplicate;
    if (fate.twice)
        fate.again_ns = (int64_t)(random_unit(&network->random) * 1e9);
    return fate;
}
