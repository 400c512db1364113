/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers check in code and a schema can say too. */
#ifndef FLYBALL_SITE_SCHEMA_RULES_H
#define FLYBALL_SITE_SCHEMA_RULES_H

struct schema_rule {
    const char *map, *key;      /* key "": of the mapping as a whole */
    const char *json;           /* members that are added, and replace those of the same name */
};

/* Ends with {0}. */
extern const struct schema_rule schema_rules[];

#endif
