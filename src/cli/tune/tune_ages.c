/* SPDX-License-Identifier: Apache-2.0 */
/* How old readings were when they came, by what a running daemon has counted. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/door_client.h"
#include "cli/status/status.h"
#include "cli/tune/tune.h"
#include "site/fresh.h"

static int64_t ns_of(const json_t *row, const char *key)
{
    return (int64_t)(status_number(row, key) * 1e3 + 0.5);
}

/* Of several lanes the one whose readings may come latest, among those that can tell. */
static void find_worst(json_t *stages, struct measured_spread *age)
{
    const char *name;
    json_t *row;
    json_object_foreach(stages, name, row) {
        struct measured_spread one = {(int64_t)status_number(row, "n"), ns_of(row, "p50"), ns_of(row, "p99"),
                                      ns_of(row, "p999"), ns_of(row, "max")};
        if (!strncmp(name, "age", 3) && fresh_age_ns(&one) > fresh_age_ns(age))
            *age = one;
    }
}

int tune_ages(struct tune *tune)
{
    const struct site_server *server = &tune->site.server;
    json_t *told;
    if (!server->measured.present) {
        fprintf(stderr, "flyball tune: the row %s has no measured: yet, to which ages could be added; run it "
                "without --ages first\n", server->name);
        return CLI_CONFIG;
    }
    char *text = door_client_told("tune", server->door, "counters", &told);
    if (!text)
        return CLI_CONNECT;
    tune->found = server->measured;
    tune->found.age = (struct measured_spread){0};
    find_worst(json_object_get(told, "latency_us"), &tune->found.age);
    json_decref(told);
    free(text);
    if (tune->found.age.n)
        return CLI_OK;
    fprintf(stderr, "flyball tune: the flyballd behind %s has seen fewer than %d readings: ask again later\n",
            server->door, FRESH_SAMPLES_P99);
    return CLI_REFUSED;
}
