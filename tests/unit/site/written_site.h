/* SPDX-License-Identifier: Apache-2.0 */
/* A site file written by a test: text in, loaded site and report out. */
#ifndef FLYBALL_TESTS_WRITTEN_SITE_H
#define FLYBALL_TESTS_WRITTEN_SITE_H

#include "site/site.h"

struct written_site {
    struct site site;
    int rc;
    char report[4096];
};

/* Writes the text to a file of its own, loads it, deletes the file. */
void written_site_load(struct written_site *w, const char *text, const char *server);

/* Index of a node or host by name; fails the test when there is none. */
uint32_t written_site_node(const struct site *site, const char *name);
uint32_t written_site_host(const struct site *site, const char *name);

/* Structural promises of msg/model.h; fails the test when one is broken. */
void written_site_check_model(const struct model *model);

#endif
