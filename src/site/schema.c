/* SPDX-License-Identifier: Apache-2.0 */
/* Values are typed for YAML 1.2, as editors read it: `yes` is a word there, `true` a boolean, 7 a number. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "msg/limits.h"
#include "site/read/shape.h"
#include "site/schema.h"
#include "site/schema_rules.h"

enum { PATTERN_BYTES = 256, MISSING_BYTES = 64, WITHIN_BYTES = 96 };

struct maker {
    const struct shape *shape;
    const struct schema_word *words;
    char *missing;              /* "" = nothing yet */
};

static const struct {
    const char *map, *section;
} sections[] = {
    {"site", "TOP LEVEL"},      {"policy", "POLICY"},         {"detect", "DETECT"},
    {"node", "NODES"},          {"type", "HOST TYPES"},       {"host", "HOSTS"},
    {"meter", "METERS"},        {"redundancy", "REDUNDANCY"}, {"contract", "CONTRACTS"},
    {"gear", "INFRASTRUCTURE"}, {"server", "SERVERS"},        {"measured", "MEASURED"},
    {"device", "DEVICES"},      {"shed", "SHED"},             {"alert", "ALERTS"},
    {"time", "TIME"},
};

/* Where the manual speaks of a mapping: a section, and the keys around it ("measured.hiccups"; "" = none). */
struct where {
    const char *section;
    char within[WITHIN_BYTES];
};

static const char *section_of(const char *map)
{
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
        if (!strcmp(sections[i].map, map))
            return sections[i].section;
    return NULL;
}

/* A node has the keys of a device too. */
static const char *look_up(const struct maker *m, const char *section, const char *key)
{
    for (const struct schema_word *word = m->words; word->section; word++)
        if (!strcmp(word->section, section) && !strcmp(word->key, key))
            return word->text;
    return strcmp(section, "NODES") ? NULL : look_up(m, "DEVICES", key);
}

/* The key's own entry, or that of the nearest key around it. */
static const char *describe(struct maker *m, const struct where *at, const char *key)
{
    char path[WITHIN_BYTES + NAME_BYTES];
    const char *text = NULL;
    char *end;

    snprintf(path, sizeof path, "%s%s%s", at->within, *at->within ? "." : "", key);
    for (text = look_up(m, at->section, path); !text && (end = strrchr(path, '.')); ) {
        *end = '\0';
        text = look_up(m, at->section, path);
    }
    if (!text && !*m->missing)
        snprintf(m->missing, MISSING_BYTES, "%s: %s: no words in flyball-site(5)", at->section, key);
    return text ? text : "";
}

/* The place of what stands below `key`: a section of its own, or deeper in this one. */
static struct where step_in(const struct where *at, const char *key, const char *of)
{
    const char *section = of ? section_of(of) : NULL;
    struct where inside = {.section = section ? section : at->section};

    if (section)
        return inside;
    int used =
        snprintf(inside.within, sizeof inside.within, "%s%s%s", at->within, *at->within ? "." : "", key);

    /* deeper than any table goes: the words of the section will have to do */
    if (used >= (int)sizeof inside.within)
        inside.within[0] = '\0';
    return inside;
}

static json_t *id_schema(void)
{
    char pattern[PATTERN_BYTES];

    snprintf(pattern, sizeof pattern, "^[A-Za-z0-9][A-Za-z0-9._-]{0,%d}$", NAME_BYTES - 2);
    return json_pack("{s:[s,s], s:s, s:i}", "type", "string", "number", "pattern", pattern, "minimum", 0);
}

static json_t *text_schema(const struct field *field)
{
    json_t *text = json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean");

    if (field->most)
        json_object_set_new(text, "maxLength", json_integer(field->most));
    return text;
}

static json_t *count_schema(const struct field *field)
{
    json_t *count = json_pack("{s:s, s:I}", "type", "integer", "minimum", (json_int_t)field->least);

    if (field->most)
        json_object_set_new(count, "maximum", json_integer(field->most));
    if (field->otherwise >= field->least)
        json_object_set_new(count, "default", json_integer(field->otherwise));
    return count;
}

/* A number, a space perhaps, a unit. Ranges need arithmetic: they stand in the description. */
static json_t *quantity_schema(const struct field *field)
{
    enum quantity what = (enum quantity)field->quantity;
    char pattern[PATTERN_BYTES], usual[40];
    size_t used = (size_t)snprintf(pattern, sizeof pattern, "^%s[0-9]{1,18}(\\.[0-9]{1,18})? ?(",
                                   field->least < 0 ? "-?" : "");
    const char *unit;
    int bare = 0;

    for (uint32_t i = 0; (unit = quantity_unit(what, i)) && used < sizeof pattern; i++) {
        used += (size_t)snprintf(pattern + used, sizeof pattern - used, "%s%s", i ? "|" : "", unit);
        bare |= !*unit;
    }
    used += (size_t)snprintf(pattern + used, sizeof pattern - used, ")$");
    for (uint32_t i = 0; field->words && field->words[i] && used < sizeof pattern; i++)
        used += (size_t)snprintf(pattern + used, sizeof pattern - used, "|^%s$", field->words[i]);
    json_t *quantity = json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);

    if (bare)
        json_object_set_new(quantity, "type", json_pack("[s,s]", "string", "number"));
    if (field->otherwise && field->otherwise >= field->least)
        json_object_set_new(quantity, "default",
                            json_string(quantity_write(what, field->otherwise, usual, sizeof usual)));
    return quantity;
}

static json_t *word_schema(const struct field *field)
{
    json_t *words = json_array();

    for (const char *const *word = field->words; *word; word++)
        json_array_append_new(words, json_string(*word));
    json_t *schema = json_pack("{s:o}", "enum", words);

    if (!field->required && field->otherwise >= 0)
        json_object_set_new(schema, "default", json_string(field->words[field->otherwise]));
    return schema;
}

static json_t *scalar_schema(const struct field *field)
{
    switch (field->kind) {
    case FIELD_ID:
        return id_schema();
    case FIELD_TEXT:
        return text_schema(field);
    case FIELD_COUNT:
        return count_schema(field);
    case FIELD_QUANTITY:
        return quantity_schema(field);
    case FIELD_WORD:
        return word_schema(field);
    default:
        return json_pack("{s:[s,s,b,b], s:s}", "enum", "yes", "no", 1, 0, "default",
                         field->otherwise ? "yes" : "no");
    }
}

static void add_rules(json_t *schema, const char *map, const char *key)
{
    for (const struct schema_rule *rule = schema_rules; rule->map; rule++) {
        if (strcmp(rule->map, map) || strcmp(rule->key, key))
            continue;
        json_t *more = json_loads(rule->json, 0, NULL);

        json_object_update(schema, more);
        json_decref(more);
    }
}

static json_t *map_schema(struct maker *m, const char *name, const struct where *at);

/* One mapping, or what may stand for it. */
static json_t *item_schema(struct maker *m, const struct shape_child *child, const struct where *at)
{
    if (!child->of)
        return id_schema();
    if (child->instead == SHORT_ONLY)
        return scalar_schema(shape_fields(m->shape, child->of));
    json_t *map = map_schema(m, child->of, at);

    if (child->instead == SHORT_FIRST || child->instead == SHORT_SUM)
        return json_pack("{s:[o,o]}", "anyOf", scalar_schema(shape_fields(m->shape, child->of)), map);
    if (child->instead == SHORT_OFF)
        return json_pack("{s:[{s:s},o]}", "anyOf", "const", "off", map);
    return map;
}

static json_t *child_schema(struct maker *m, const struct field *field, const char *map,
                            const struct where *at)
{
    const struct shape_child *child = shape_child(map, field->key);

    if (!child) {
        if (!*m->missing)
            snprintf(m->missing, MISSING_BYTES, "%s: %s: no shape in src/site/read/shape.c", map, field->key);
        return json_object();
    }
    const struct where inside = step_in(at, field->key, child->of);
    json_t *item = item_schema(m, child, &inside);

    if (field->kind != FIELD_LIST && !child->list)
        return item;
    json_t *list = json_pack("{s:s, s:o}", "type", "array", "items", item);

    if (child->least)
        json_object_set_new(list, "minItems", json_integer(child->least));
    if (child->most != UINT32_MAX)
        json_object_set_new(list, "maxItems", json_integer(child->most));
    if (child->whole == WHOLE_ITEM)
        return json_pack("{s:[O,o]}", "anyOf", item, list);
    if (child->whole == WHOLE_ALL)
        return json_pack("{s:[{s:s},o]}", "anyOf", "const", "all", list);
    return list;
}

static json_t *map_schema(struct maker *m, const char *name, const struct where *at)
{
    json_t *keys = json_object(), *required = json_array();
    const struct field *field = shape_fields(m->shape, name);

    for (; field && field->key; field++) {
        json_t *value = shape_is_scalar(field) ? scalar_schema(field) : child_schema(m, field, name, at);

        add_rules(value, name, field->key);
        json_object_set_new(value, "description", json_string(describe(m, at, field->key)));
        json_object_set_new(keys, field->key, value);
        if (field->required)
            json_array_append_new(required, json_string(field->key));
    }
    json_t *map =
        json_pack("{s:s, s:o, s:b}", "type", "object", "properties", keys, "additionalProperties", 0);

    if (json_array_size(required))
        json_object_set(map, "required", required);
    json_decref(required);
    add_rules(map, name, "");
    return map;
}

int schema_write(const struct schema_word *words, FILE *out, char *missing)
{
    struct shape shape;
    struct maker m = {&shape, words, missing};
    int rc = shape_gather(&shape);

    *missing = '\0';
    if (rc)
        return rc;
    json_t *map = map_schema(&m, "site", &(const struct where){.section = "TOP LEVEL"});
    json_t *all = json_pack("{s:s, s:s, s:s}", "$schema", "http://json-schema.org/draft-07/schema#", "title",
                            "flyball site file", "description",
                            "Made by `flyball schema` from the tables that read a site file. Ranges of "
                            "quantities stand in the descriptions; `flyball check` knows the rest.");

    if (!all || !map)
        rc = -ENOMEM;
    else if (json_object_update(all, map) || json_dumpf(all, out, JSON_INDENT(1)) || putc('\n', out) == EOF)
        rc = -EIO;
    json_decref(map);
    json_decref(all);
    return rc ? rc : *missing ? -EINVAL : 0;
}
