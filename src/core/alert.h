/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts of the site file: each has a condition (core/when.h) and stands at every meter where that holds. An
 * alert is told, counted and part of the digest of decisions; it moves no cap.
 */
#ifndef FLYBALL_CORE_ALERT_H
#define FLYBALL_CORE_ALERT_H

#include "core/degrade.h"
#include "core/pipeline.h"
#include "core/spectrum.h"
#include "core/when.h"

/* One alert at one meter. */
struct alert_watch {
    struct when_state when;
    int64_t since_ns;           /* slot time: it stands since */
    int64_t seen_ns;            /* slot time of the newest reading */
    bool heard, stands, unknown;
};

/* One alert at all its meters. */
struct alert_row {
    struct degrade_row row;     /* members are meters */
    uint32_t unknown;           /* meters whose newest reading does not tell what it asks for */
    int64_t value[ALERT_VALUES_MAX];    /* at row.newest, as in struct core_alert_view */
};

struct alerts {
    const struct model *model;
    const struct spectra_known *known;  /* NULL: nothing but readings */
    uint32_t *first;            /* by meter, and behind the last: where its watches begin; none: no array */
    struct alert_watch *watch;  /* as in model.watch */
    struct alert_row *row;      /* by alert */
    uint64_t raised, cleared, unknown;  /* counts since the start; unknown: readings */
    uint64_t digest;            /* of everything that was raised and cleared */
};

/* setup: the arrays stand, zeroed. */
void alert_init(struct alerts *alerts, const struct model *model);

/* rt: takes a reading; returns how many alerts came or went. */
uint32_t alert_reading(struct alerts *alerts, const struct reading *reading, int64_t t_ns);

/* any */
void alert_view(const struct alerts *alerts, uint32_t alert, struct core_alert_view *view);

#endif
