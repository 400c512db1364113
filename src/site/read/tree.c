/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree is built from libfyaml's events and not from its documents: a document checks duplicate keys by
 * comparing all pairs and takes minutes for a large mapping, and aliases would have to be resolved. Here both
 * are refused while reading.
 */
#include <errno.h>
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "site/read/text.h"
#include "site/read/tree.h"

struct builder {
    struct scratch *scratch;
    uint32_t nodes;
    struct findings *errors;
    struct tree *open[TREE_DEPTH_MAX];      /* collections around the present place */
    const struct tree *key[TREE_DEPTH_MAX]; /* key waiting for its value */
    uint32_t depth;
    struct tree *root;
    uint32_t documents;
};

static uint32_t end_of(struct fy_event *event, uint32_t otherwise)
{
    const struct fy_mark *mark = fy_event_end_mark(event);

    return mark ? (uint32_t)mark->input_pos : otherwise;
}

static struct tree *new_node(struct builder *b, enum tree_kind kind, struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    uint32_t line = mark ? (uint32_t)mark->line + 1 : 1, column = mark ? (uint32_t)mark->column + 1 : 1;
    struct tree *node = NULL;

    if (b->nodes == TREE_NODES_MAX) {
        findings_add(b->errors, line, column, "too many values, a site file may hold %d", TREE_NODES_MAX);
        return NULL;
    }
    b->nodes++;
    node = scratch_take(b->scratch, sizeof *node);
    if (!node) {
        findings_add(b->errors, 0, 0, "out of memory");
        return NULL;
    }
    *node = (struct tree){.kind = (uint8_t)kind, .line = line, .column = column};
    node->from = mark ? (uint32_t)mark->input_pos : 0;
    node->to = end_of(event, node->from);
    return node;
}

static int copy_text(struct builder *b, struct tree *node, struct fy_token *token)
{
    size_t bytes = 0;
    const char *text = token ? fy_token_get_text(token, &bytes) : "";

    if (!text)
        return -1;
    if (bytes > TREE_TEXT_MAX) {
        findings_add(b->errors, node->line, node->column,
                     "a text of %zu bytes, no value of a site file needs more than %d", bytes, TREE_TEXT_MAX);
        return -1;
    }
    char *copy = scratch_take(b->scratch, bytes + 1);

    if (!copy)
        return -1;
    memcpy(copy, text, bytes);
    node->text = copy;
    node->quoted = token && fy_token_scalar_style(token) != FYSS_PLAIN;
    if (node->quoted && fy_token_scalar_style(token) <= FYSS_DOUBLE_QUOTED && node->from) {
        node->from--;           /* the parser's marks leave the quotes out */
        node->to++;
    }
    if (strlen(copy) == bytes)
        return 0;
    findings_add(b->errors, node->line, node->column, "%s",
                 token && fy_token_scalar_style(token) > FYSS_DOUBLE_QUOTED
                     ? "nothing stands below this | or >, write the text on one line in quotes"
                     : "a NUL character stands in this text, remove it");
    return -1;
}

/* A scalar in a mapping that has no key waiting is the key. Returns 1 then, 0 for a value, -1
 * for an error. */
static int take_key(struct builder *b, struct tree *node)
{
    struct tree *map = b->depth ? b->open[b->depth - 1] : NULL;

    if (!map || map->kind != TREE_MAP || b->key[b->depth - 1])
        return 0;
    if (node->kind != TREE_SCALAR) {
        findings_add(b->errors, node->line, node->column, "a key must be a plain word, not %s",
                     tree_kind_name(node));
        return -1;
    }
    for (const struct tree *other = map->first; other; other = other->next) {
        if (strcmp(other->key->text, node->text))
            continue;
        findings_add(b->errors, node->line, node->column, "key '%s' is given twice, first at %u:%u, keep one",
                     node->text, other->key->line, other->key->column);
        break;
    }
    if (map->count == TREE_KEYS_MAX) {
        findings_add(b->errors, node->line, node->column, "more than %d keys in one mapping, write a list",
                     TREE_KEYS_MAX);
        return -1;
    }
    b->key[b->depth - 1] = node;
    return 1;
}

static void attach(struct builder *b, struct tree *node)
{
    if (!b->depth) {
        b->root = node;
        return;
    }
    struct tree *parent = b->open[b->depth - 1];

    node->key = b->key[b->depth - 1];
    b->key[b->depth - 1] = NULL;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    parent->count++;
}

static int add_scalar(struct builder *b, struct fy_event *event)
{
    struct tree *node = new_node(b, TREE_SCALAR, event);

    if (!node || copy_text(b, node, fy_event_get_token(event)))
        return -1;
    int is_key = take_key(b, node);

    if (is_key < 0)
        return -1;
    if (!is_key) {
        attach(b, node);
        /* `key:` with nothing after it: libfyaml gives no useful place, the key has one */
        if (node->key && !*node->text && !node->quoted) {
            node->line = node->key->line;
            node->column = node->key->column;
            node->from = node->to = node->key->to;
        }
    }
    return 0;
}

static int open_collection(struct builder *b, enum tree_kind kind, struct fy_event *event)
{
    struct tree *node = new_node(b, kind, event);

    if (!node || take_key(b, node))
        return -1;
    node->flow = fy_event_get_node_style(event) == FYNS_FLOW;
    attach(b, node);
    if (b->depth == TREE_DEPTH_MAX) {
        findings_add(b->errors, node->line, node->column, "nested deeper than %d levels", TREE_DEPTH_MAX);
        return -1;
    }
    b->key[b->depth] = NULL;
    b->open[b->depth++] = node;
    return 0;
}

/* The end of a block collection has no text of its own: it ends with its last value. */
static int close_collection(struct builder *b, struct fy_event *event)
{
    struct tree *node = b->open[--b->depth];
    uint32_t to = end_of(event, 0);

    node->to = node->flow ? to : node->last ? node->last->to : node->to;
    return 0;
}

static int refuse(struct builder *b, struct fy_event *event, const char *what)
{
    const struct fy_mark *mark = fy_event_start_mark(event);

    findings_add(b->errors, mark ? (uint32_t)mark->line + 1 : 1, mark ? (uint32_t)mark->column + 1 : 1, "%s",
                 what);
    return -1;
}

static int add_event(struct builder *b, struct fy_event *event)
{
    if (fy_event_get_tag_token(event))
        return refuse(b, event, "tags (!) are not used in a site file, write the plain value");
    switch (event->type) {
    case FYET_SCALAR:
        return add_scalar(b, event);
    case FYET_MAPPING_START:
        return open_collection(b, TREE_MAP, event);
    case FYET_SEQUENCE_START:
        return open_collection(b, TREE_LIST, event);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        return close_collection(b, event);
    case FYET_ALIAS:
        return refuse(b, event, "aliases (*) are not used in a site file, write the value out");
    case FYET_DOCUMENT_START:
        return b->documents++ ? refuse(b, event, "a second document starts here, a site file holds one") : 0;
    default:
        return 0;
    }
}

/* libfyaml's own complaints become findings; only the first of a broken file means anything. */
static void note_syntax(struct fy_diag *diag, struct findings *errors)
{
    void *place = NULL;
    struct fy_diag_error *error = fy_diag_errors_iterate(diag, &place);

    if (error)
        findings_add(errors, (uint32_t)(error->line > 0 ? error->line : 1),
                     (uint32_t)(error->column > 0 ? error->column : 1), "not YAML: %s", error->msg);
    else
        findings_add(errors, 1, 1, "not YAML that can be read");
}

static int run_parser(struct builder *b, struct fy_parser *parser, struct fy_diag *diag)
{
    struct fy_event *event;
    int failed = 0;

    while (!failed && (event = fy_parser_parse(parser))) {
        failed = add_event(b, event);
        fy_parser_event_free(parser, event);
    }
    if (failed || !fy_parser_get_stream_error(parser))
        return failed;
    note_syntax(diag, b->errors);
    return -1;
}

static void silent(struct fy_diag *diag, void *user, const char *text, size_t bytes)
{
    (void)diag, (void)user, (void)text, (void)bytes;
}

struct tree *tree_parse(const char *text, size_t bytes, struct scratch *scratch, struct findings *errors)
{
    struct fy_diag_cfg diag_config;
    int failed = -1;
    struct builder b = {.errors = errors, .scratch = scratch};

    if (text_check(text, bytes, errors))
        return NULL;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = NULL;
    diag_config.output_fn = silent;
    struct fy_diag *diag = fy_diag_create(&diag_config);
    struct fy_parse_cfg config = {
        .search_path = "", .flags = FYPCF_QUIET | FYPCF_DEFAULT_PARSE, .diag = diag};
    struct fy_parser *parser = diag ? fy_parser_create(&config) : NULL;

    if (!parser) {
        findings_add(errors, 0, 0, "out of memory");
    } else {
        fy_diag_set_collect_errors(diag, true);
        if (fy_parser_set_string(parser, text, bytes))
            findings_add(errors, 0, 0, "cannot be read as YAML");
        else
            failed = run_parser(&b, parser, diag);
    }
    if (parser)
        fy_parser_destroy(parser);
    if (diag)
        fy_diag_destroy(diag);
    return failed ? NULL : b.root;
}

int tree_load(const char *path, struct tree **root, struct scratch *scratch, struct findings *errors)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    int rc = -ENOMEM;

    if (!file)
        return -errno;
    text = malloc(TREE_BYTES_MAX + 1);
    if (!text)
        goto cleanup;
    size_t bytes = fread(text, 1, TREE_BYTES_MAX + 1, file);

    rc = ferror(file) ? -errno : -EINVAL;
    if (ferror(file))
        goto cleanup;
    if (bytes > TREE_BYTES_MAX) {
        findings_add(errors, 1, 1, "the file is larger than %d MiB, no site needs that",
                     TREE_BYTES_MAX >> 20);
        goto cleanup;
    }
    *root = tree_parse(text, bytes, scratch, errors);
    if (!*root && !errors->count)
        findings_add(errors, 1, 1, "the file is empty, a site file starts with `site: NAME`");
    rc = *root ? 0 : -EINVAL;
cleanup:
    free(text);
    fclose(file);
    return rc;
}

const struct tree *tree_get(const struct tree *map, const char *key)
{
    for (const struct tree *child = map ? map->first : NULL; child; child = child->next)
        if (child->key && !strcmp(child->key->text, key))
            return child;
    return NULL;
}

const char *tree_kind_name(const struct tree *at)
{
    static const char *const name[] = {
        [TREE_SCALAR] = "a plain value", [TREE_LIST] = "a list", [TREE_MAP] = "a mapping"};

    return name[at->kind];
}
