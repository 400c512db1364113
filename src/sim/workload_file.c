/* SPDX-License-Identifier: Apache-2.0 */
/* workload.yaml by a table of fields: a key, its unit, its bounds, where it goes. */
#include <errno.h>
#include <fnmatch.h>
#include <libfyaml.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "sim/amount.h"
#include "sim/workload_parts.h"

enum { CLASS_NONE = 255, TRAIN = 1 << WORKLOAD_TRAIN, INFERENCE = 1 << WORKLOAD_INFERENCE,
       STARTER = 1 << WORKLOAD_STARTER, FINETUNE = 1 << WORKLOAD_FINETUNE, QUERIES = 1 << WORKLOAD_QUERIES,
       ANY = (1 << WORKLOAD_KIND_COUNT) - 1 };

#define CLASS(key, unit, member, low, high, kinds) \
    {key, unit, offsetof(struct workload_class, member), low, high, kinds}
static const struct workload_field class_field[] = {
    CLASS("noise", UNIT_SHARE, noise, 0, 0.2, ANY),
    CLASS("compute", UNIT_TIME, compute_ns, 1e-3, 3600, TRAIN),
    CLASS("compute_draw", UNIT_SHARE, compute_draw, 0, 1, TRAIN),
    CLASS("communicate", UNIT_TIME, communicate_ns, 0, 3600, TRAIN),
    CLASS("communicate_draw", UNIT_SHARE, communicate_draw, 0, 1, TRAIN),
    CLASS("checkpoint_every", UNIT_TIME, checkpoint_every_ns, 0, 86400, TRAIN),
    CLASS("checkpoint", UNIT_TIME, checkpoint_ns, 0, 3600, TRAIN),
    CLASS("checkpoint_draw", UNIT_SHARE, checkpoint_draw, 0, 1, TRAIN),
    CLASS("quiet", UNIT_TIME, quiet_ns, 1e-3, 3600, INFERENCE),
    CLASS("quiet_draw", UNIT_SHARE, quiet_draw, 0, 1, INFERENCE),
    CLASS("burst", UNIT_TIME, burst_ns, 1e-3, 3600, INFERENCE),
    CLASS("burst_draw", UNIT_SHARE, burst_draw, 0, 1, INFERENCE),
    CLASS("ask_ahead", UNIT_TIME, ask_ns, 0, 60, TRAIN | STARTER),
    CLASS("groups", UNIT_COUNT, groups, 1, 1000, STARTER),
    CLASS("idle", UNIT_TIME, idle_ns, 0, 3600, STARTER),
    CLASS("idle_draw", UNIT_SHARE, idle_draw, 0, 1, STARTER),
    CLASS("ramp", UNIT_TIME, ramp_ns, 1e-3, 3600, STARTER),
    CLASS("full", UNIT_TIME, full_ns, 0, 3600, STARTER),
    CLASS("full_draw", UNIT_SHARE, full_draw, 0, 1, STARTER),
    CLASS("start", UNIT_TIME, start_ns, 0, 86400, TRAIN),
    CLASS("stop", UNIT_TIME, stop_ns, 0, 86400, TRAIN),
    CLASS("stopped_draw", UNIT_SHARE, stopped_draw, 0, 1, TRAIN),
    CLASS("stagger", UNIT_TIME, stagger_ns, 0, 3600, TRAIN),
    CLASS("high", UNIT_TIME, high_ns, 1e-3, 3600, FINETUNE),
    CLASS("high_draw", UNIT_SHARE, high_draw, 0, 1, FINETUNE),
    CLASS("low", UNIT_TIME, low_ns, 1e-3, 3600, FINETUNE),
    CLASS("beta", UNIT_SHARE, beta, 0, 1, FINETUNE),
    CLASS("rate", UNIT_NUMBER, rate_per_s, 0, 1000, QUERIES),
    CLASS("swing", UNIT_SHARE, swing, 0, 1, QUERIES),
    CLASS("day", UNIT_TIME, day_ns, 0, 86400, QUERIES),
    CLASS("query", UNIT_TIME, query_ns, 1e-3, 3600, QUERIES),
    CLASS("query_draw", UNIT_SHARE, query_draw, 0, 1, QUERIES),
    CLASS("base_draw", UNIT_SHARE, base_draw, 0, 1, QUERIES),
    {0},
};
#undef CLASS

#define WORKLOAD(key, unit, member, low, high) {key, unit, offsetof(struct workload, member), low, high, ANY}
static const struct workload_field top_field[] = {
    WORKLOAD("duration", UNIT_TIME, duration_ns, 0.1, 86400),
    WORKLOAD("warmup", UNIT_TIME, warmup_ns, 0, 3600),
    {0},
};
static const struct workload_field plant_field[] = {
    WORKLOAD("step", UNIT_TIME, plant.step_ns, 1e-3, 4e-3),
    WORKLOAD("overshoot", UNIT_NUMBER, plant.overshoot, 1, 1.5),
    WORKLOAD("overshoot_for", UNIT_TIME, plant.overshoot_ns, 0, 1),
    WORKLOAD("write", UNIT_TIME, plant.write_mean_ns, 0, 1),
    WORKLOAD("write_sigma", UNIT_TIME, plant.write_sigma_ns, 0, 1),
    WORKLOAD("write_min", UNIT_TIME, plant.write_min_ns, 0, 1),
    WORKLOAD("write_max", UNIT_TIME, plant.write_max_ns, 0, 1),
    WORKLOAD("down", UNIT_TIME, plant.down_ns, 1e-4, 10),
    WORKLOAD("up", UNIT_TIME, plant.up_ns, 1e-4, 10),
    WORKLOAD("crest", UNIT_NUMBER, plant.crest, 1, 5),
    WORKLOAD("regulation", UNIT_SHARE, plant.regulation, 0, 0.05),
    WORKLOAD("meter_noise", UNIT_SHARE, plant.meter_noise, 0, 0.05),
    WORKLOAD("notice", UNIT_TIME, plant.notice_ns, 1e-3, 60),
    WORKLOAD("hold_up", UNIT_TIME, plant.hold_up_ns, 0, 1),
    WORKLOAD("work_exponent", UNIT_NUMBER, plant.work_exponent, 0.1, 1),
    {0},
};
static const struct workload_field breaker_field[] = {
    WORKLOAD("tr", UNIT_TIME, breakers.tr_ns, 0.1, 60),
    WORKLOAD("short_time", UNIT_NUMBER, breakers.short_time, 0, 15),
    WORKLOAD("short_time_delay", UNIT_TIME, breakers.short_time_ns, 0.01, 1),
    WORKLOAD("instantaneous", UNIT_NUMBER, breakers.instantaneous, 0, 20),
    WORKLOAD("initial_heat", UNIT_SHARE, breakers.initial_heat, 0, 1),
    {0},
};
static const struct workload_field network_field[] = {
    WORKLOAD("delay", UNIT_TIME, network.delay_ns, 0, 1),
    WORKLOAD("jitter", UNIT_TIME, network.jitter_ns, 0, 1),
    {0},
};
#undef WORKLOAD

/* A block has no place of its own in libfyaml 0.7: its first scalar stands for it. */
static struct fy_token *token_of(struct fy_node *node)
{
    while (node && !fy_node_is_scalar(node)) {
        if (fy_node_is_sequence(node))
            node = fy_node_sequence_get_by_index(node, 0);
        else
            node = fy_node_pair_key(fy_node_mapping_get_by_index(node, 0));
    }
    return node ? fy_node_get_scalar_token(node) : NULL;
}

void workload_complain(struct loader *loader, struct fy_node *at, const char *format, ...)
{
    struct fy_token *token = token_of(at);
    const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
    va_list arguments;
    if (loader->errors++ >= 100)
        return;
    fprintf(loader->report, "%s:%d:%d: error: ", loader->path, mark ? mark->line + 1 : 1,
            mark ? mark->column + 1 : 1);
    va_start(arguments, format);
    vfprintf(loader->report, format, arguments);
    va_end(arguments);
    fputc('\n', loader->report);
}

const char *workload_text(struct fy_node *node)
{
    const char *text = node && fy_node_is_scalar(node) ? fy_node_get_scalar0(node) : NULL;
    return text ? text : "";
}

static bool parse_value(const struct workload_field *field, const char *text, double *value, int64_t *ns)
{
    switch (field->unit) {
    case UNIT_TIME:
        if (!amount_time(text, ns))
            return false;
        *value = (double)*ns / 1e9;
        return true;
    case UNIT_SHARE:
        return amount_share(text, value);
    default:
        return amount_number(text, value);
    }
}

static void set_field(struct loader *loader, const struct workload_field *field, struct fy_node *node,
                      void *base)
{
    static const char *const wanted[] = {"a time such as 900ms", "a share such as 35%", "a number",
        "a whole number"};
    static const char *const suffix[] = {" s", "", "", ""};
    uint8_t *place = (uint8_t *)base + field->offset;
    double value = 0;
    int64_t ns = 0;
    if (!parse_value(field, workload_text(node), &value, &ns)) {
        workload_complain(loader, node, "%s: '%s' is not %s", field->key, workload_text(node),
                          wanted[field->unit]);
        return;
    }
    if (value < field->low || value > field->high) {
        workload_complain(loader, node, "%s: '%s' is outside %g .. %g%s", field->key, workload_text(node),
                          field->low, field->high, suffix[field->unit]);
        return;
    }
    if (field->unit == UNIT_TIME)
        memcpy(place, &ns, sizeof(ns));
    else if (field->unit == UNIT_COUNT)
        memcpy(place, &(uint32_t){(uint32_t)value}, sizeof(uint32_t));
    else
        memcpy(place, &value, sizeof(value));
}

static const struct workload_field *find_field(const struct workload_field *table, const char *key)
{
    for (; table->key; table++) {
        if (!strcmp(table->key, key))
            return table;
    }
    return NULL;
}

void workload_set_fields(struct loader *loader, struct fy_node *map, const struct workload_field *table,
                         void *base, const char *what, int kind, const char *const *skip)
{
    struct fy_node_pair *pair;
    void *walk = NULL;
    if (!fy_node_is_mapping(map)) {
        workload_complain(loader, map, "a block of `key: value` belongs here");
        return;
    }
    while ((pair = fy_node_mapping_iterate(map, &walk))) {
        struct fy_node *key = fy_node_pair_key(pair);
        const char *name = workload_text(key);
        const char *const *other = skip;
        while (*other && strcmp(*other, name))
            other++;
        if (*other)
            continue;
        const struct workload_field *field = find_field(table, name);
        if (!field)
            workload_complain(loader, key, "unknown key '%s'", name);
        else if (!(field->kinds & kind))
            workload_complain(loader, key, "'%s' does not belong to this kind of %s", name, what);
        else
            set_field(loader, field, fy_node_pair_value(pair), base);
    }
}

static void claim_hosts(struct loader *loader, struct fy_node *pattern, uint32_t class)
{
    struct workload *workload = loader->workload;
    uint32_t found = 0;
    for (uint32_t h = 0; h < loader->model->host_count; h++) {
        const char *name = loader->model->host[h].name;
        if (fnmatch(workload_text(pattern), name, 0))
            continue;
        found++;
        uint32_t before = workload->class_of[h];
        if (before != CLASS_NONE)
            workload_complain(loader, pattern, "host %s follows '%s' already", name,
                              workload->class[before].name);
        workload->class_of[h] = (uint8_t)class;
    }
    if (!found)
        workload_complain(loader, pattern, "'%s' fits no host of the site", workload_text(pattern));
}

static int parse_kind(const char *text)
{
    static const char *const name[WORKLOAD_KIND_COUNT] = {"train", "inference", "starter", "finetune",
                                                            "queries"};
    for (int kind = 0; kind < WORKLOAD_KIND_COUNT; kind++) {
        if (!strcmp(name[kind], text))
            return kind;
    }
    return -1;
}

static void load_class(struct loader *loader, struct fy_node *node)
{
    static const char *const own[] = {"id", "kind", "hosts", NULL};
    struct workload *workload = loader->workload;
    if (workload->class_count == CLASSES_MAX) {
        workload_complain(loader, node, "more than %d classes", CLASSES_MAX);
        return;
    }
    uint32_t index = workload->class_count++;
    struct workload_class *class = &workload->class[index];
    struct fy_node *kind = fy_node_mapping_lookup_by_string(node, "kind", FY_NT);
    struct fy_node *hosts = fy_node_mapping_lookup_by_string(node, "hosts", FY_NT), *pattern;
    struct fy_node *id = fy_node_mapping_lookup_by_string(node, "id", FY_NT);
    if (!*workload_text(id) || strlen(workload_text(id)) >= sizeof(class->name))
        workload_complain(loader, id ? id : node, "a class needs an `id` of at most %d characters",
                          NAME_BYTES - 1);
    int parsed = parse_kind(workload_text(kind));
    if (parsed < 0) {
        workload_complain(loader, kind ? kind : node,
                          "`kind` is train, inference, starter, finetune or queries");
        return;
    }
    workload_class_defaults(class, (enum workload_kind)parsed);
    snprintf(class->name, sizeof(class->name), "%s", workload_text(id));
    workload_set_fields(loader, node, class_field, class, "class", 1 << parsed, own);
    if (!hosts || !fy_node_is_sequence(hosts))
        workload_complain(loader, hosts ? hosts : node,
                          "`hosts` is a list of names or patterns such as [\"a1-*\"]");
    for (void *walk = NULL; hosts && (pattern = fy_node_sequence_iterate(hosts, &walk));)
        claim_hosts(loader, pattern, index);
}

static void load_classes(struct loader *loader, struct fy_node *root)
{
    struct fy_node *classes = fy_node_mapping_lookup_by_string(root, "classes", FY_NT), *node;
    if (!classes || !fy_node_is_sequence(classes)) {
        workload_complain(loader, classes ? classes : root,
                          "`classes` is missing: a list of classes of hosts");
        return;
    }
    for (void *walk = NULL; (node = fy_node_sequence_iterate(classes, &walk));) {
        if (fy_node_is_mapping(node))
            load_class(loader, node);
        else
            workload_complain(loader, node, "a class is a block of `key: value`");
    }
    for (uint32_t h = 0; h < loader->model->host_count; h++) {
        if (loader->workload->class_of[h] != CLASS_NONE)
            continue;
        workload_complain(loader, classes, "host %s follows no class", loader->model->host[h].name);
        loader->workload->class_of[h] = 0;
    }
}

static void load_seed(struct loader *loader, struct fy_node *root)
{
    struct fy_node *seed = fy_node_mapping_lookup_by_string(root, "seed", FY_NT);
    char *end = NULL;
    loader->workload->seed = strtoull(workload_text(seed), &end, 10);
    if (!seed || *end || end == workload_text(seed))
        workload_complain(loader, seed ? seed : root, "`seed` is a whole number");
}

static void load_root(struct loader *loader, struct fy_node *root)
{
    static const char *const own[] = {"workload", "seed", "classes", "plant", "breakers", "network",
        "sources", "events", NULL};
    static const char *const none[] = {NULL};
    static const struct { const char *name; const struct workload_field *field; } block[] = {
        {"plant", plant_field}, {"breakers", breaker_field}, {"network", network_field},
    };
    struct workload *workload = loader->workload;
    if (!root || !fy_node_is_mapping(root)) {
        workload_complain(loader, root, "the file is empty or no block of `key: value`");
        return;
    }
    snprintf(workload->name, sizeof(workload->name), "%s",
             workload_text(fy_node_mapping_lookup_by_string(root, "workload", FY_NT)));
    workload_set_fields(loader, root, top_field, workload, "file", ANY, own);
    load_seed(loader, root);
    for (size_t i = 0; i < sizeof(block) / sizeof(block[0]); i++) {
        struct fy_node *node = fy_node_mapping_lookup_by_string(root, block[i].name, FY_NT);
        if (node)
            workload_set_fields(loader, node, block[i].field, workload, "block", ANY, none);
    }
    int64_t step_ns = workload_step_ns(workload);
    if (step_ns != NS_PER_MS && step_ns != 2 * NS_PER_MS && step_ns != 4 * NS_PER_MS)
        workload_complain(loader, root, "plant: step is 1ms, 2ms or 4ms");
    load_classes(loader, root);
    workload_load_sources(loader, fy_node_mapping_lookup_by_string(root, "sources", FY_NT));
    workload_load_events(loader, fy_node_mapping_lookup_by_string(root, "events", FY_NT));
}

int workload_load(struct workload *workload, const char *path, const struct model *model, FILE *report)
{
    struct loader loader = {.workload = workload, .model = model, .path = path, .report = report};
    struct fy_diag_cfg silence;
    fy_diag_cfg_default(&silence);
    silence.fp = report;
    silence.colorize = false;
    silence.show_source = false;
    workload_defaults(workload);
    FILE *file = fopen(path, "re");
    if (!file) {
        int error = errno;
        fprintf(report, "%s: %s\n", path, strerror(error));
        return -error;
    }
    fclose(file);
    workload->class_of = malloc(model->host_count + 1);
    workload->resets = calloc(model->host_count + 1, sizeof(*workload->resets));
    if (!workload->class_of || !workload->resets) {
        workload_unload(workload);
        return -ENOMEM;
    }
    memset(workload->class_of, CLASS_NONE, model->host_count);
    struct fy_diag *diag = fy_diag_create(&silence);
    struct fy_parse_cfg config = {.diag = diag, .flags = FYPCF_DEFAULT_DOC};
    struct fy_document *document = fy_document_build_from_file(&config, path);
    if (document)
        load_root(&loader, fy_document_root(document));
    fy_document_destroy(document);
    fy_diag_destroy(diag);
    if (document && !loader.errors)
        return 0;
    workload_unload(workload);
    return -EINVAL;
}
