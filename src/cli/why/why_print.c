/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <string.h>

#include "cli/status/status.h"
#include "cli/why/why.h"
#include "loop/view_words.h"

enum { LABEL_COLUMNS = 10, TEXT_BYTES = 512 };

/* How much of the text goes into a line: up to the last blank that fits, or all of a word that never does. */
static size_t line_of(const char *text, size_t columns)
{
    size_t length = strlen(text);
    if (length <= columns)
        return length;
    size_t at = columns;
    while (at > 0 && text[at] != ' ')
        at--;
    return at ? at : strcspn(text, " ");
}

void why_print_text(FILE *out, const char *label, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const char *at = text;
    /* the further lines of an item stand under its words */
    int item = strncmp(text, "- ", 2) ? 0 : 2;
    do {
        int used = LABEL_COLUMNS + (at == text ? 0 : item);
        size_t length = line_of(at, (size_t)(WHY_COLUMNS - used));
        fprintf(out, "%-*s%.*s\n", used, at == text ? label : "", (int)length, at);
        at += length;
        at += *at == ' ';
    } while (*at);
}

void why_print_list(FILE *out, const char *label, json_t *list)
{
    size_t i;
    json_t *sentence;
    json_array_foreach(list, i, sentence)
        why_print_text(out, i ? "" : label, "- %s", json_string_value(sentence));
}

void why_print_kw(char text[WHY_FIGURE_BYTES], const json_t *object, const char *key)
{
    if (status_has_number(object, key))
        snprintf(text, WHY_FIGURE_BYTES, "%.1f kW", status_number(object, key) / 1e3);
    else
        strcpy(text, "-");
}

void why_print_a(char text[WHY_FIGURE_BYTES], const json_t *object, const char *key)
{
    if (status_has_number(object, key))
        snprintf(text, WHY_FIGURE_BYTES, "%.1f", status_number(object, key));
    else
        strcpy(text, "-");
}

void why_print_time(char text[WHY_FIGURE_BYTES], double ms)
{
    char words[VIEW_WORDS_TIME_BYTES];
    if (ms < 1000) {
        snprintf(text, WHY_FIGURE_BYTES, "%.0f ms", ms > 0 ? ms : 0.0);
        return;
    }
    view_words_since(words, (int64_t)(ms * 1e6));
    snprintf(text, WHY_FIGURE_BYTES, "%s", words);
}

void why_print_sum(char text[WHY_SUM_BYTES], const char *node, json_t *sum)
{
    const char *contingency = status_word(sum, "contingency");
    bool lost = strcmp(contingency, "none") != 0;
    int used = snprintf(text, WHY_SUM_BYTES, "%s phase %s%s%s: %.1f", node, status_word(sum, "phase"),
                        lost ? ", on loss of " : "", lost ? contingency : "", status_number(sum, "sum_a"));
    if (status_has_number(sum, "limit_a"))
        snprintf(text + used, WHY_SUM_BYTES - (size_t)used, " of %.1f A (%.1f of %.1f kVA)",
                 status_number(sum, "limit_a"), status_number(sum, "sum_kva"),
                 status_number(sum, "limit_kva"));
    else
        snprintf(text + used, WHY_SUM_BYTES - (size_t)used, " A (%.1f kVA), no limit",
                 status_number(sum, "sum_kva"));
}

void why_print(FILE *out, json_t *document)
{
    if (!strcmp(status_word(document, "kind"), "host"))
        why_print_host(out, document);
    else
        why_print_node(out, document);
}
