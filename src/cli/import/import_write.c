/* SPDX-License-Identifier: Apache-2.0 */
/* The site file that import writes, and the way back from a place in it to the cell that is meant. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/import/import.h"

enum { LINE_MAX_COLUMN = 110 };

static const struct {
    const char *key, *comment;
} sections[IMPORT_SOURCES] = {
    [IMPORT_NODES] = {"nodes",
                      "What power flows through. volts and phases that are not written are the parent's."},
    [IMPORT_TYPES] = {"host_types", "What one host of a kind may draw, at the wall."},
    [IMPORT_HOSTS] = {"hosts", "`count` makes ID-01, ID-02 ... at consecutive addresses."},
    [IMPORT_METERS] = {"meters", "At most one per node; id is the device_id on the wire."},
    [IMPORT_DEVICES] = {"devices", "Protective devices as left, each once: nodes name theirs with `device`."},
};

static void put(struct import_out *o, const char *text)
{
    if (fputs(text, o->out) == EOF)
        o->failed = 1;
    for (; *text; text++) {
        if (*text == '\n') {
            o->line++;
            o->column = 1;
        } else if ((*text & 0xC0) != 0x80) {
            o->column++;
        }
    }
}

/* What is written next came from here. */
static void mark(struct import_out *o, const char *path, uint32_t line, uint32_t column)
{
    if (o->place_count == o->place_room) {
        uint32_t room = o->place_room ? 2 * o->place_room : 1024;
        struct import_place *more = realloc(o->place, room * sizeof *more);

        if (!more) {
            o->failed = 1;
            return;
        }
        o->place = more;
        o->place_room = room;
    }
    o->place[o->place_count++] = (struct import_place){o->line, o->column, path, line, column};
}

/* Any text as comment lines, broken between words. A path may hold any byte, a site file only UTF-8. */
static void put_comment(struct import_out *o, const char *indent, const char *text, int is_path)
{
    static const char blanks[] = " \t\r\n";

    put(o, indent);
    put(o, "#");
    for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
        size_t bytes = strcspn(text, blanks);

        if (o->column + bytes + 1 > LINE_MAX_COLUMN && o->column > strlen(indent) + 2) {
            put(o, "\n");
            put(o, indent);
            put(o, "#");
        }
        put(o, " ");
        for (; bytes; bytes--, text++) {
            char one[] = {is_path && (*text <= ' ' || *text > '~') ? '?' : *text, '\0'};

            put(o, one);
        }
    }
    put(o, "\n");
}

static int is_plain(const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";

    return text[strspn(text, safe)] == '\0' && *text != '-' && *text != '.' && strcmp(text, "null");
}

static void write_scalar(const struct import_key *key, const char *text, FILE *out)
{
    if (key->field.kind != FIELD_TEXT || is_plain(text)) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', out);
        if ((unsigned char)*text < ' ')
            fprintf(out, "\\x%02x", (unsigned char)*text);
        else
            putc(*text, out);
    }
    putc('"', out);
}

struct entry {
    const struct import_key *key;
    const struct csv_cell *cell;
    const char *text;
    int opens, closes;          /* the mapping around it */
};

/* `key: value` of a row, on a line of its own where it would not fit. */
static void put_entry(struct import_out *o, const char *path, const struct entry *e, int first)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (!out) {
        o->failed = 1;
        return;
    }
    if (e->opens)
        fprintf(out, "%s: {", e->key->outer);
    fprintf(out, "%s: ", e->key->inner);
    if (e->key->list)
        import_list_write(e->key, e->text, out);
    else
        write_scalar(e->key, e->text, out);
    fputs(e->closes ? "}" : "", out);
    if (fclose(out)) {
        o->failed = 1;
    } else {
        put(o, first ? "" : o->column + bytes + 2 > LINE_MAX_COLUMN ? ",\n     " : ", ");
        mark(o, path, e->cell->line, e->cell->column);
        put(o, text);
    }
    free(text);
}

static int same_outer(const struct import_key *a, const struct import_key *b)
{
    return a && b && a->outer && b->outer && !strcmp(a->outer, b->outer);
}

/* The next key of the row that has a value, or NULL. */
static const struct import_key *next_key(const struct import_table *t, uint32_t row, uint32_t *k)
{
    while (*k < t->key_count && !import_value(t, row, *k))
        ++*k;
    return *k < t->key_count ? &t->key[*k] : NULL;
}

/* `long_time` beside `long_time.delay` is {pickup: ..., delay: ...}: the short form moves into the
 * mapping. */
static const struct import_key *join_short(const struct import_table *t, uint32_t k,
                                           const struct import_key *next, struct import_key *joined)
{
    if (!t->key[k].first || !next || !next->outer || strcmp(next->outer, t->key[k].name))
        return &t->key[k];
    *joined = t->key[k];
    joined->outer = next->outer;
    joined->inner = joined->first;
    return joined;
}

static void put_row(struct import_out *o, const struct import_table *t, uint32_t row, uint32_t count,
                    const char *stem)
{
    struct import_key joined[2];        /* before, and now */
    const struct import_key *before = NULL, *key;
    char number[32];

    if (t->comment[row])
        put_comment(o, "  ", t->comment[row], 0);
    mark(o, t->path, t->head[row].line, t->head[row].column);
    put(o, "  - {");
    for (uint32_t k = 0; (key = next_key(t, row, &k)); k++, before = key) {
        uint32_t after = k + 1;
        const char *text = import_value(t, row, k);
        int is_id = count > 1 && !strcmp(key->name, "id");
        const struct import_key *next = next_key(t, row, &after);

        key = join_short(t, k, next, &joined[before == &joined[0]]);
        struct entry e = {key, &t->value[(size_t)row * t->key_count + k], is_id ? stem : text,
                          .opens = key->outer && !same_outer(before, key)};

        e.closes = key->outer && !same_outer(key, next);
        put_entry(o, t->path, &e, !before);
        snprintf(number, sizeof number, ", count: %u", count);
        put(o, is_id ? number : "");
    }
    put(o, "}\n");
}

static void put_section(struct import_out *o, const struct import_table *t)
{
    char stem[NAME_BYTES], line[64];
    uint32_t count;

    snprintf(line, sizeof line, "\n%s:\n", sections[t->source].key);
    put(o, line);
    put_comment(o, "  ", sections[t->source].comment, 0);
    for (uint32_t row = 0; row < t->rows; row += count) {
        count = t->source == IMPORT_HOSTS ? import_alike(t, row, stem) : 1;
        put_row(o, t, row, count, stem);
    }
}

static void put_head(struct import_out *o, const struct import_wish *wish)
{
    put(o, "# yaml-language-server: $schema=site.schema.json\n"
           "# `flyball schema > site.schema.json` beside this file lets an editor complete and check it.\n#\n"
           "# Written by `flyball import` from:\n");
    for (uint32_t s = 0; s < IMPORT_SOURCES; s++)
        if (wish->table[s])
            put_comment(o, "", wish->table[s]->path, 1);
    put(o, "# Read it whole, fill in servers: at its end, then: flyball check SITE.\n");
    put(o, "site: ");
    mark(o, "--site", 0, 0);
    put(o, wish->site);
    put(o, "\nmode: shadow            # decides and records, sends nothing: where every new site starts\n");
}

static void put_redundancy(struct import_out *o, const struct import_wish *wish)
{
    put(o, "\n# Which nodes may be lost, one at a time: after any of these losses every limit holds with all "
           "hosts at\n"
           "# fail-safe.\n"
           "redundancy: {scheme: ");
    mark(o, "--scheme", 0, 0);
    put(o, wish->may_lose ? wish->scheme : "N");
    if (wish->may_lose) {
        put(o, ", may_lose: [");
        mark(o, "--may-lose", 0, 0);
        for (const char *at = wish->may_lose; *at; at++) {
            char one[] = {*at, '\0'};

            put(o, *at == ',' ? ", " : one);
        }
        put(o, "]");
    }
    put(o, "}\n");
}

static void put_servers(struct import_out *o)
{
    put(o, "\n# To fill in: the machine that runs flyballd. Until the name is this machine's host name (or "
           "default) no\n"
           "# flyballd starts with this file, and `flyball check` says so. See SERVERS in flyball-site(5).\n"
           "servers:\n");
    mark(o, "servers", 0, 0);
    put(o,
        "  - name: fill-in\n"
        "    ports:              # one port for meters and hosts; or two, with role: meters and role: hosts\n"
        "      - {driver: af_packet, interface: fill-in, address: 192.0.2.1, udp: 7001}\n"
        "    cores: {lane: 1, decide: 1, housekeeping: 0}\n"
        "    priority: 80\n"
        "    rt_throttling: lift\n"
        "    door: /run/flyball/door.sock\n"
        "    journal: /var/lib/flyball/journal   # orders, epoch and meters' numbers are kept beside it\n");
}

int import_write(struct import_out *o, const struct import_wish *wish)
{
    o->line = o->column = 1;
    put_head(o, wish);
    if (wish->table[IMPORT_DEVICES])
        put_section(o, wish->table[IMPORT_DEVICES]);
    for (uint32_t s = 0; s < IMPORT_DEVICES; s++)
        if (wish->table[s])
            put_section(o, wish->table[s]);
    put_redundancy(o, wish);
    put_servers(o);
    return o->failed ? -ENOMEM : 0;
}
