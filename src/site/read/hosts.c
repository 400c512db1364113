/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts and their cords as written; `count` makes many of one row. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "site/read/draft.h"

const char *const draft_phase_words[] = {"A", "B", "C", "AB", "BC", "CA", "ABC", NULL};

#define HOST_MAX_MW INT64_C(10000000000)
#define AT(member) .offset = offsetof(struct draft_row, member)
static const struct field row_fields[] = {
    {.key = "id", .kind = FIELD_ID, .required = 1, AT(id)},
    {.key = "count", .kind = FIELD_COUNT, .least = 1, .most = HOSTS_MAX, AT(count)},
    {.key = "type", .kind = FIELD_ID, .required = 1, AT(type)},
    {.key = "cord", .kind = FIELD_ID, AT(cord)},
    {.key = "cords", .kind = FIELD_LIST, AT(cords)},
    {.key = "phases", .kind = FIELD_WORD, .words = draft_phase_words, .otherwise = -1, AT(phases)},
    {.key = "address", .kind = FIELD_TEXT, .most = 15, .required = 1, AT(address)},
    {.key = "udp", .kind = FIELD_COUNT, .least = 1, .most = 65535, AT(udp)},
    {.key = "mac", .kind = FIELD_TEXT, .most = 17, AT(mac)},
    {.key = "weight", .kind = FIELD_COUNT, .least = 1, .most = WEIGHT_MAX, .otherwise = 1, AT(weight)},
    {.key = "fail_safe", .kind = FIELD_QUANTITY, .quantity = QUANTITY_POWER, .least = 1000,
     .most = HOST_MAX_MW, AT(fail_safe)},
    {.key = "floor", .kind = FIELD_QUANTITY, .quantity = QUANTITY_POWER, .least = 0, .most = HOST_MAX_MW,
     AT(floor)},
    {.key = "single_corded", .kind = FIELD_SWITCH, AT(single_corded)},
    {.key = "tier", .kind = FIELD_COUNT, .least = 0, .most = TIERS_MAX - 1, AT(tier)},
    {.key = "job", .kind = FIELD_ID, AT(job)},
    FIELD_END};
#undef AT

#define AT(member) .offset = offsetof(struct draft_cord, member)
static const struct field cord_fields[] = {
    {.key = "node", .kind = FIELD_ID, .required = 1, AT(node)},
    {.key = "phases", .kind = FIELD_WORD, .words = draft_phase_words, .otherwise = -1, AT(phases)},
    {.key = "psus", .kind = FIELD_COUNT, .least = 1, .most = 16, .otherwise = 1, AT(psus)},
    {.key = "share", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 10000, .most = PPM,
     AT(share)},
    FIELD_END};
#undef AT

const struct shape_map draft_host_shapes[] = {{"host", row_fields}, {"cord", cord_fields}, {0}};

static uint32_t read_cord(struct draft *d, struct draft_row *row, const struct tree *at)
{
    if (row->cord_count == CORDS_MAX) {
        finding_at(d->errors, at, "more than %d cords on one host, that is the most", CORDS_MAX);
        return 1;
    }
    struct draft_cord *cord = &row->cords_of[row->cord_count++];

    *cord = (struct draft_cord){.at = at, .node_of = INDEX_NONE, .psus.number = 1, .phases.number = -1};
    if (at->kind == TREE_SCALAR)
        cord->node = (struct value){.at = at, .text = at->text};
    else if (fields_read(cord_fields, at, "a cord", cord, d->errors))
        return 1;
    if (cord->phases.number < 0)
        cord->phases = row->phases;
    cord->node_of = names_resolve(&d->node_names, cord->node.at, d->errors);
    return cord->node_of == INDEX_NONE;
}

/* What is drawn must be carried: the shares of a host may overlap by the tolerance but never fall short of
 * the whole. */
static void check_shares(struct draft *d, const struct draft_row *row)
{
    bool hot_spare = row->type_of != INDEX_NONE && d->type[row->type_of].psu.number == PSU_HOT_SPARE;
    int64_t sum = 0;
    uint32_t given = 0;

    for (uint32_t j = 0; j < row->cord_count; j++) {
        sum += row->cords_of[j].share.number;
        given += row->cords_of[j].share.at != NULL;
    }
    if (given && hot_spare)
        finding_at(d->errors, row->cords.at,
                   "the supplies of '%s' are hot spares, any cord may carry all: drop its shares",
                   draft_text(&row->id));
    else if (given && given < row->cord_count)
        finding_at(d->errors, row->cords.at,
                   "some cords of '%s' have a share and some have none, give all or none",
                   draft_text(&row->id));
    else if (given && sum < PPM)
        finding_at(d->errors, row->cords.at,
                   "the shares of '%s' add up to less than 100%%, the host would draw the rest too",
                   draft_text(&row->id));
}

static uint32_t read_cords(struct draft *d, struct draft_row *row)
{
    uint32_t faults = 0;

    if (row->cord.at && row->cords.at)
        finding_at(d->errors, row->cord.at, "host '%s' has both cord and cords, keep one",
                   draft_text(&row->id));
    if (!tree_get(row->at, "cord") && !tree_get(row->at, "cords"))
        finding_at(d->errors, row->at, "a host has no 'cord', add cord: NODE or cords: [{node: NODE}, ...]");
    if (row->cord.at)
        return read_cord(d, row, row->cord.at);
    if (row->cords.at && !row->cords.at->count)
        finding_at(d->errors, row->cords.at, "cords is empty, name at least one node");
    for (const struct tree *at = row->cords.at ? row->cords.at->first : NULL; at; at = at->next)
        faults += read_cord(d, row, at);
    if (!faults)
        check_shares(d, row);
    return faults;
}

/* A host that lacks supplies with nothing lost is a slip of the pen on one side or the other. */
static void check_psus(struct draft *d, const struct draft_row *row)
{
    int64_t psus = 0, needed = d->type[row->type_of].psus_needed.number;

    for (uint32_t j = 0; j < row->cord_count; j++)
        psus += row->cords_of[j].psus.number;
    if (psus < needed)
        finding_at(d->errors, row->at,
                   "host '%s' has %lld PSU%s on its cords and its type '%s' needs %lld, write psus: at its "
                   "cords or correct psus_needed",
                   draft_text(&row->id), (long long)psus, psus == 1 ? "" : "s", draft_text(&row->type),
                   (long long)needed);
}

static void read_address(struct draft *d, struct draft_row *row, uint32_t count)
{
    if (row->address.at && address_parse_ipv4(row->address.text, &row->ipv4)) {
        finding_at(d->errors, row->address.at,
                   "address '%s' is not an IPv4 host address, write one like 203.0.113.11",
                   row->address.text);
        row->address.at = NULL;
    }
    if (row->address.at && row->ipv4 + (count - 1) >= UINT32_C(0xE0000000))
        finding_at(d->errors, row->address.at, "%u addresses from %s on run into multicast, start lower",
                   count, row->address.text);
    if (row->mac.at && address_parse_mac(row->mac.text, row->mac_of))
        finding_at(d->errors, row->mac.at,
                   "mac '%s' is not a host's MAC address, write one like 02:00:00:00:00:0b", row->mac.text);
    if (row->mac.at && count > 1)
        finding_at(d->errors, row->mac.at, "one mac for %u hosts, write rows of one host or leave mac out",
                   count);
}

static void check_own_caps(struct draft *d, struct draft_row *row)
{
    const struct draft_type *t = &d->type[row->type_of];

    if (!row->fail_safe.at)
        row->fail_safe.number = !t->fail_safe.at && row->floor.number > t->fail_safe.number
                                    ? row->floor.number
                                    : t->fail_safe.number;
    if (!row->floor.at)
        row->floor.number = t->floor.number < row->fail_safe.number ? t->floor.number : row->fail_safe.number;
    /* the type's own faults are reported there */
    if (!t->cap_max.at || !t->cap_min.at)
        return;
    draft_check_cap(d, "fail_safe", &row->fail_safe, t);
    if (row->floor.at)
        draft_check_floor(d, &row->floor, &row->fail_safe, t);
}

static void read_row(struct draft *d, struct draft_row *row, const struct tree *at)
{
    row->at = at;
    fields_read(row_fields, at, "a host", row, d->errors);
    row->type_of = INDEX_NONE;
    if (at->kind != TREE_MAP)
        return;
    if (row->type.at)
        row->type_of = names_resolve(&d->type_names, row->type.at, d->errors);
    if (row->type_of != INDEX_NONE)
        check_own_caps(d, row);
    if (!read_cords(d, row) && row->cord_count && row->type_of != INDEX_NONE)
        check_psus(d, row);
    read_address(d, row, row->count.at ? (uint32_t)row->count.number : 1);
}

/* Digits of the ordinal: two at least, so that names sort and look alike. */
static int digits_of(uint32_t count)
{
    int digits = 2;

    for (uint32_t power = 100; count >= power; power *= 10)
        digits++;
    return digits;
}

static void expand_row(struct draft *d, uint32_t r)
{
    const struct draft_row *row = &d->row[r];

    /* the id of a row stands for all its hosts where infrastructure names whom it serves */
    if (row->id.at && row->count.at && names_find(&d->row_names, row->id.text) == INDEX_NONE)
        names_add(&d->row_names, row->id.text, row->id.at, r, d->errors);
    uint32_t count = row->count.at ? (uint32_t)row->count.number : 1;

    for (uint32_t i = 0; row->id.at && i < count; i++) {
        struct draft_host *host = &d->host[d->host_count];
        int length;

        if (!row->count.at)
            length = snprintf(host->name, sizeof host->name, "%s", row->id.text);
        else
            length = snprintf(host->name, sizeof host->name, "%s-%0*u", row->id.text, digits_of(count),
                              i + 1);
        if (length >= (int)sizeof host->name) {
            finding_at(d->errors, row->id.at,
                       "id '%s' with its number is longer than %d characters, shorten it", row->id.text,
                       NAME_BYTES - 1);
            return;
        }
        host->row = r;
        host->ordinal = i;
        if (names_add(&d->host_names, host->name, row->id.at, d->host_count++, d->errors))
            return;
    }
}

struct reached {
    uint64_t address;           /* ipv4 << 16 | port */
    uint32_t host;
};

static int by_address(const void *left, const void *right)
{
    const struct reached *a = left, *b = right;

    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return a->host < b->host ? -1 : a->host > b->host;
}

static int check_addresses(struct draft *d)
{
    struct reached *all = scratch_take(&d->scratch, (d->host_count + 1) * sizeof *all);
    uint32_t n = 0;

    if (!all)
        return -ENOMEM;
    for (uint32_t h = 0; h < d->host_count; h++) {
        const struct draft_row *row = &d->row[d->host[h].row];

        if (row->address.at)
            all[n++] = (struct reached){
                (uint64_t)(row->ipv4 + d->host[h].ordinal) << 16 | (uint16_t)row->udp.number, h};
    }
    qsort(all, n, sizeof *all, by_address);
    for (uint32_t i = 1; i < n; i++) {
        const struct draft_host *first = &d->host[all[i - 1].host], *second = &d->host[all[i].host];
        uint32_t ip = (uint32_t)(all[i].address >> 16);

        if (all[i].address != all[i - 1].address)
            continue;
        finding_at(d->errors, d->row[second->row].address.at,
                   "address %u.%u.%u.%u of %s is that of %s (line %u) already, give each host its own",
                   ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255, second->name, first->name,
                   d->row[first->row].at->line);
    }
    return 0;
}

int draft_read_hosts(struct draft *d)
{
    uint32_t i = 0;
    uint64_t hosts = 0;
    int rc = draft_take_rows(d, &d->hosts_at, sizeof *d->row, HOSTS_MAX, "rows of hosts", (void **)&d->row,
                             &d->row_count);

    if (rc)
        return rc;
    const struct tree *at = d->hosts_at.at ? d->hosts_at.at->first : NULL;

    for (; at && i < d->row_count; at = at->next, i++) {
        read_row(d, &d->row[i], at);
        hosts += d->row[i].count.at ? (uint64_t)d->row[i].count.number : 1;
    }
    if (hosts > HOSTS_MAX) {
        finding_at(d->errors, d->hosts_at.at, "%llu hosts, one flyballd governs at most %d",
                   (unsigned long long)hosts, HOSTS_MAX);
        d->host_names.silent = true;
        return 0;
    }
    d->host = scratch_take(&d->scratch, (hosts + 1) * sizeof *d->host);
    if (!d->host || names_start(&d->host_names, "host", (uint32_t)hosts, &d->scratch) ||
        names_start(&d->row_names, "host", d->row_count, &d->scratch))
        return -ENOMEM;
    d->host_names.silent = !d->hosts_at.at && tree_get(d->root, "hosts");
    for (i = 0; i < d->row_count; i++)
        expand_row(d, i);
    return check_addresses(d);
}
