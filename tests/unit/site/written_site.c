/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "written_site.h"

void written_site_load(struct written_site *w, const char *text, const char *server)
{
    char path[] = "/tmp/flyball-site-XXXXXX";
    int fd = mkstemp(path);
    size_t bytes = strlen(text);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, bytes), bytes);
    close(fd);
    memset(w->report, 0, sizeof w->report);
    FILE *report = fmemopen(w->report, sizeof w->report - 1, "w");

    assert_non_null(report);
    w->rc = site_load(&w->site, path, server, report);
    fclose(report);
    unlink(path);
}

uint32_t written_site_node(const struct site *site, const char *name)
{
    for (uint32_t i = 0; i < site->model.node_count; i++)
        if (!strcmp(site->model.node[i].name, name))
            return i;
    fail_msg("no node %s", name);
    return INDEX_NONE;
}

uint32_t written_site_host(const struct site *site, const char *name)
{
    for (uint32_t i = 0; i < site->model.host_count; i++)
        if (!strcmp(site->model.host[i].name, name))
            return i;
    fail_msg("no host %s", name);
    return INDEX_NONE;
}

static int below(const struct model *m, uint32_t node, uint32_t top)
{
    for (; node != top; node = m->node[node].parent[0])
        if (!m->node[node].parent_count)
            return 0;
    return 1;
}

static void check_node(const struct model *m, uint32_t i)
{
    const struct model_node *n = &m->node[i];
    uint32_t children = 0, hosts = 0, hosts_below = 0;

    for (uint32_t p = 0; p < n->parent_count; p++)
        assert_true(n->parent[p] < i);
    assert_int_equal(n->ancestor[0], i);
    for (uint32_t a = 0; a < n->ancestor_count; a++)
        for (uint32_t b = 0; b < a; b++)
            assert_int_not_equal(n->ancestor[a], n->ancestor[b]);
    for (uint32_t j = 0; j < m->node_count; j++) {
        if (!m->node[j].parent_count || m->node[j].parent[0] != i)
            continue;
        assert_in_range(j, n->child_first, n->child_first + n->child_count - 1);
        children++;
    }
    for (uint32_t h = 0; h < m->host_count; h++) {
        uint32_t at = m->host[h].cord[0].node;

        if (at == i && ++hosts)
            assert_in_range(h, n->host_first, n->host_first + n->host_count - 1);
        if (below(m, at, i) && ++hosts_below)
            assert_in_range(h, n->host_below_first, n->host_below_first + n->host_below - 1);
    }
    assert_int_equal(children, n->child_count);
    assert_int_equal(hosts, n->host_count);
    assert_int_equal(hosts_below, n->host_below);
}

void written_site_check_model(const struct model *m)
{
    for (uint32_t i = 0; i < m->node_count; i++)
        check_node(m, i);
    for (uint32_t i = 0; i < m->meter_count; i++)
        assert_int_equal(m->node[m->meter[i].node].meter, i);
}
