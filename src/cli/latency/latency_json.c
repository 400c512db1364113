/* SPDX-License-Identifier: Apache-2.0 */
/* The same as one JSON object. */
#include <string.h>

#include "cli/latency/latency_watch.h"

enum { WORDS_BYTES = 80 };

static json_t *wire_json(const struct watch *watch)
{
    const struct wire_counts *counts = &watch->wire_seen.counts;
    json_t *unseen = json_array();
    for (uint32_t i = 0; i < watch->wire.places; i++)
        if (watch->wire.place[i].out_error)
            json_array_append_new(unseen, json_string(watch->wire.place[i].text));
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:o}", "rows",
                     rows_json(watch->wire_seen.row, rows_of_wire, WIRE_ROW_COUNT), "meter_frames",
                     rows_integer(counts->meter_frames), "cap_frames", rows_integer(counts->cap_frames),
                     "unmatched", rows_integer(counts->unmatched), "ambiguous",
                     rows_integer(counts->ambiguous), "egress_unseen", unseen);
}

static json_t *cores_json(const struct latency_moment *what)
{
    struct stay stay[STAYS];
    json_t *list = json_array();
    uint32_t stays = moment_stays(what, stay);
    for (uint32_t i = 0; i < stays; i++)
        json_array_append_new(list, json_integer(stay[i].cpu));
    return list;
}

static json_t *moments_json(const struct watch *watch)
{
    char words[WORDS_BYTES];
    json_t *list = json_array();
    for (uint32_t i = 0; i < moments_told(&watch->stages.worst); i++) {
        const struct moment *moment = &watch->stages.worst.moment[i];
        json_t *culprits = json_array();
        for (uint32_t j = 0; j < moment->culprits; j++) {
            const struct culprit *culprit = &moment->culprit[j];
            culprit_words(&culprit->by, words, sizeof words);
            json_array_append_new(culprits, json_pack("{s:s, s:I, s:I}", "by", words, "took_ns",
                                                      rows_integer(culprit->took_ns), "count",
                                                      (json_int_t)culprit->count));
        }
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:I, s:I, s:o, s:I, s:I, s:o}", "stage",
                            watch_stage_name(moment->what.stage), "at_ns",
                            (json_int_t)moment->what.begin_ns - watch->began_ns, "took_ns",
                            rows_integer(moment_ns(&moment->what)), "number",
                            rows_integer(moment->what.number), "cores", cores_json(&moment->what), "together",
                            (json_int_t)moment->together, "explained_ns", rows_integer(moment->explained_ns),
                            "culprits", culprits));
    }
    return list;
}

static json_t *theft_json(const struct noise_row *row)
{
    char words[WORDS_BYTES];
    json_t *octaves = json_array();
    culprit_words(&row->by, words, sizeof words);
    for (uint32_t i = 0; i < LATENCY_OCTAVES; i++)
        if (row->sum.octave[i])
            json_array_append_new(octaves, json_pack("[II]", i ? (json_int_t)1 << (i - 1) : 0,
                                                     rows_integer(row->sum.octave[i])));
    return json_pack("{s:s, s:I, s:I, s:I, s:o}", "by", words, "n", rows_integer(row->sum.count), "total_ns",
                     rows_integer(row->sum.total_ns), "max_ns", rows_integer(row->sum.max_ns), "buckets",
                     octaves);
}

static json_t *noise_json(const struct watch *watch)
{
    json_t *rows = json_array(), *lacking = json_array();
    if (!watch->noise_there) {
        json_decref(rows);
        json_decref(lacking);
        return json_pack("{s:b, s:s}", "measured", 0, "why", watch->noise_why);
    }
    for (uint32_t i = 0; i < watch->noise_seen.rows; i++)
        json_array_append_new(rows, theft_json(&watch->noise_seen.row[i]));
    for (uint32_t i = 0; i < watch->noise.lacking_count; i++)
        json_array_append_new(lacking, json_pack("{s:s, s:s}", "program", watch->noise.lacking[i].name, "why",
                                                 strerror(-watch->noise.lacking[i].error)));
    return json_pack("{s:b, s:o, s:o}", "measured", 1, "rows", rows, "lacking", lacking);
}

static json_t *counts_json(const struct own_counts *counts)
{
    if (!counts->known)
        return json_null();
    return json_pack("{s:I, s:I, s:I}", "slots", rows_integer(counts->slots), "sent",
                     rows_integer(counts->sent), "frames", rows_integer(counts->frames));
}

static json_t *trial_json(const struct place_trial *trial)
{
    return json_pack("{s:b, s:I, s:I, s:f}", "there", (int)trial->there, "calls", (json_int_t)trial->calls,
                     "spoilt", (json_int_t)trial->spoilt, "call_ns", trial->call_ns);
}

static json_t *place_json(const struct place *place)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "provider", place->provider, "why", place->why, "one",
                     trial_json(&place->one), "five", trial_json(&place->five));
}

static json_t *threads_json(const struct target *target)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < target->threads; i++)
        json_array_append_new(list, json_pack("{s:s, s:i, s:i}", "name", target->thread[i].name, "tid",
                                              (int)target->thread[i].tid, "core",
                                              (int)target->thread[i].core));
    return list;
}

static json_t *map_json(const struct map *map)
{
    json_t *columns = json_array();
    for (uint32_t i = 0; i < map->columns; i++) {
        json_t *column = json_array();
        for (uint32_t octave = 0; octave < MAP_OCTAVES; octave++)
            if (map->count[i][octave])
                json_array_append_new(column, json_pack("[II]", octave ? (json_int_t)1 << (octave - 1) : 0,
                                                        rows_integer(map->count[i][octave])));
        json_array_append_new(columns, column);
    }
    return json_pack("{s:I, s:o}", "column_ns", rows_integer(map->column_ns), "columns", columns);
}

json_t *watch_json(const struct watch *watch)
{
    const struct own_bounds *own = &watch->own;
    json_t *daemon = json_pack("{s:b, s:o, s:o, s:o, s:o}", "agrees", (int)watch_agrees(watch), "before",
                               counts_json(&own->before), "begin", counts_json(&own->begin), "end",
                               counts_json(&own->end), "after", counts_json(&own->after));
    json_t *lost = json_pack("{s:I, s:I, s:I}", "moments", rows_integer(watch->seen.lost), "thefts",
                             rows_integer(watch->noise_seen.lost), "culprits",
                             rows_integer(watch->noise_seen.lost_culprits));
    json_t *all =
        json_pack("{s:i, s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "pid", (int)watch->target.pid, "threads",
                  threads_json(&watch->target), "began_ns", (json_int_t)watch->began_ns, "duration_ns",
                  (json_int_t)(watch->ended_ns - watch->began_ns), "slots", rows_integer(watch->seen.slots),
                  "bursts", rows_integer(watch->seen.bursts), "frames", rows_integer(watch->seen.frames),
                  "entry_ns", rows_integer(watch->seen.entry_ns));
    json_object_set_new(all, "probes", place_json(&watch->place));
    json_object_set_new(all, "stages", rows_json(watch->seen.row, rows_of_stages, LATENCY_STAGE_COUNT));
    if (watch->wire.places)
        json_object_set_new(all, "wire", wire_json(watch));
    json_object_set_new(all, "map", map_json(&watch->map));
    json_object_set_new(all, "moments", moments_json(watch));
    json_object_set_new(all, "noise", noise_json(watch));
    json_object_set_new(all, "lost", lost);
    json_object_set_new(all, "daemon", daemon);
    return all;
}
