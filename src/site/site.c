/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "site/build/build.h"

const char *const site_scheme_names[SCHEME_COUNT + 1] = {
#define SITE_SCHEME(symbol, name) name,
    SITE_SCHEMES(SITE_SCHEME)
#undef SITE_SCHEME
    NULL,
};

static int read_sections(struct draft *d, const char *server, struct site *site)
{
    static int (*const section[])(struct draft *) = {
        draft_read_top,   draft_read_policy, draft_read_sheds,      draft_read_devices,
        draft_read_nodes, draft_read_types,
        draft_read_hosts, draft_read_meters, draft_read_alerts, draft_read_redundancy, draft_read_contracts,
        draft_read_gear,  draft_read_time,
    };
    int rc = 0;

    for (size_t i = 0; !rc && i < sizeof section / sizeof section[0]; i++)
        rc = section[i](d);
    if (!rc)
        rc = draft_read_server(d, server, &site->server);
    site->auth = (struct site_auth){.said = d->auth_at.at, .hosts = d->auth.hosts.number,
                                    .meters = d->auth.meters.number};
    site->clock = d->clock;
    if (!rc && (site->auth.hosts || site->auth.meters) && site->server.port_count && !site->server.keys[0])
        finding_at(d->errors, d->auth_at.at, "tags are asked for, but the row of this server names no key "
                   "file: write keys: PATH there");
    site->driver_count = d->driver_count;
    memcpy(site->driver, d->driver, sizeof site->driver);
    return rc ? rc : draft_order_nodes(d);
}

static int check_model(struct draft *d, const struct site *site)
{
    int rc = check_cords(d, site);

    if (!rc)
        rc = check_fail_safe(d, site);
    return rc ? rc : check_outages(d, site);
}

static int derive(struct draft *d, struct site *site)
{
    int rc = draft_order_hosts(d);

    if (!rc)
        rc = build_model(d, site);
    if (!rc && !d->errors->count)
        rc = check_model(d, site);
    if (rc || d->errors->count)
        return rc;
    check_measured(d, site);
    check_steering(d, site);
    rc = check_sheds(d, site);
    return rc ? rc : check_warnings(d, site);
}

static int keep_warnings(struct findings *warnings, const char *path, struct site *site)
{
    size_t bytes;
    FILE *out = open_memstream(&site->warnings, &bytes);

    if (!out)
        return -ENOMEM;
    findings_print(warnings, path, "warning", out);
    return fclose(out) ? -ENOMEM : 0;
}

static int load(struct site *site, const char *path, const char *server, FILE *report, bool unmeasured)
{
    struct findings *found = calloc(2, sizeof *found);
    struct draft *d = calloc(1, sizeof *d);
    struct tree *root = NULL;
    int rc = -ENOMEM;

    *site = (struct site){0};
    if (!found || !d)
        goto cleanup;
    d->errors = &found[0];
    d->warnings = &found[1];
    d->unmeasured = unmeasured || (server && !*server);
    rc = tree_load(path, &root, &d->scratch, d->errors);
    if (rc)
        goto cleanup;
    d->root = root;
    rc = read_sections(d, server, site);
    if (!rc && !d->errors->count)
        rc = derive(d, site);
    if (!rc && d->errors->count)
        rc = -EINVAL;
    if (!rc)
        rc = keep_warnings(d->warnings, path, site);
cleanup:
    if (found && found[0].count)
        findings_print(&found[0], path, "error", report);
    else if (rc)
        fprintf(report, "%s: error: cannot be loaded: %s\n", path, strerror(-rc));
    if (d)
        scratch_free(&d->scratch);
    free(d);
    free(found);
    if (rc)
        site_unload(site);
    return rc;
}

int site_load(struct site *site, const char *path, const char *server, FILE *report)
{
    return load(site, path, server, report, false);
}

int site_load_unmeasured(struct site *site, const char *path, const char *server, FILE *report)
{
    return load(site, path, server, report, true);
}

void site_unload(struct site *site)
{
    free(site->memory);
    free(site->gear_memory);
    free(site->settings);
    free(site->job);
    free(site->shed);
    free(site->model.alert);
    free(site->warnings);
    *site = (struct site){0};
}
