/* SPDX-License-Identifier: Apache-2.0 */
/* The answer to "why" on one screen. */
#ifndef FLYBALL_CLI_WHY_H
#define FLYBALL_CLI_WHY_H

#include <jansson.h>
#include <stdio.h>

enum { WHY_COLUMNS = 80 };

/* A document of loop/why.h, a host's or a node's. */
void why_print(FILE *out, json_t *document);

/* why_print_host.c, why_print_node.c */
void why_print_host(FILE *out, json_t *host);
void why_print_node(FILE *out, json_t *node);

/* why_print_detail.c: what its agent tells, if it does. */
void why_print_detail(FILE *out, json_t *host);

/* A label, then text filled to the screen, its further lines under the first. */
void why_print_text(FILE *out, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The sentences of a list, the label before the first. */
void why_print_list(FILE *out, const char *label, json_t *list);

/* "branch-a phase B, on loss of A: 246.0 of 249.4 A (57.2 of 57.9 kVA)" */
enum { WHY_SUM_BYTES = 200, WHY_FIGURE_BYTES = 24 };
void why_print_sum(char text[WHY_SUM_BYTES], const char *node, json_t *sum);

/* A number with a unit, "-" for null: watts as kW. */
void why_print_kw(char text[WHY_FIGURE_BYTES], const json_t *object, const char *key);
void why_print_a(char text[WHY_FIGURE_BYTES], const json_t *object, const char *key);

/* Milliseconds ago, or from now. */
void why_print_time(char text[WHY_FIGURE_BYTES], double ms);

#endif
