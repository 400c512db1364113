/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <string.h>

#include "cli/doctor/doctor_file.h"
#include "site/site.h"

enum { WORDS_BYTES = 3 * RT_CORES_BYTES };

/* What the table says, with this host's cores in it. */
static const char *fill_in(const struct doctor *doctor, const char *words, char text[WORDS_BYTES])
{
    static const char *const names[] = {"CORES", "OTHERS"};
    const struct rt_cores *const sets[] = {&doctor->loop, &doctor->others};
    char list[RT_CORES_BYTES];
    size_t length = 0;
    while (*words && length < WORDS_BYTES - RT_CORES_BYTES) {
        size_t i = 0;
        while (i < 2 && strncmp(words, names[i], strlen(names[i])))
            i++;
        if (i == 2) {
            text[length++] = *words++;
            continue;
        }
        length += (size_t)sprintf(text + length, "%s", rt_cores_text(sets[i], list));
        words += strlen(names[i]);
    }
    text[length] = 0;
    return text;
}

static void print_how(FILE *out, const struct doctor *doctor, const struct doctor_check *check, bool can_fix)
{
    char text[WORDS_BYTES];
    fprintf(out, "            why    %s\n", fill_in(doctor, check->why, text));
    fprintf(out, "            check  %s\n", fill_in(doctor, check->check, text));
    fprintf(out, "            mend   %s%s\n", fill_in(doctor, check->mend, text),
            can_fix ? "   (--fix does)" : "");
    fprintf(out, "            undo   %s\n", fill_in(doctor, check->undo, text));
}

static void print_finding(FILE *out, const struct doctor *doctor, const struct doctor_check *check,
                          const struct doctor_finding *finding, bool how)
{
    fprintf(out, "  %-8s  %s: %s\n", finding->fixed > 0 ? "mended" : doctor_state_name(finding->state),
            check->name, finding->said);
    if (finding->tried && !finding->fixed)
        fprintf(out, "            --fix tried, and it was not enough\n");
    if (finding->fixed < 0)
        fprintf(out, "            --fix could not: %s\n", strerror(-finding->fixed));
    if (how)
        print_how(out, doctor, check, check->fix && finding->state == DOCTOR_LACKS && !finding->tried);
}

static void print_sum(FILE *out, const struct doctor_finding *found)
{
    uint32_t count[DOCTOR_STATES] = {0};
    for (uint32_t i = 0; doctor_table[i].name; i++)
        count[found[i].state]++;
    fprintf(out, "\n%u lacking, %u ok, %u unknown, %u do not apply\n", count[DOCTOR_LACKS], count[DOCTOR_OK],
            count[DOCTOR_UNKNOWN], count[DOCTOR_APART]);
}

void doctor_print_text(FILE *out, const struct doctor *doctor, const struct doctor_finding *found, bool all)
{
    char cores[RT_CORES_BYTES];
    fprintf(out, "hard real time on this host, for a loop on core %s%s%s%s\n\n",
            rt_cores_text(&doctor->loop, cores),
            doctor->guessed ? " (a guess: give SITE or --cores)" : "",
            doctor->server ? " of the row " : "", doctor->server ? doctor->server->name : "");
    for (uint32_t i = 0; doctor_table[i].name; i++)
        print_finding(out, doctor, &doctor_table[i], &found[i],
                      all || found[i].state == DOCTOR_LACKS || found[i].state == DOCTOR_UNKNOWN);
    print_sum(out, found);
}

static json_t *json_of(const struct doctor *doctor, const struct doctor_check *check,
                       const struct doctor_finding *finding)
{
    char why[WORDS_BYTES], look[WORDS_BYTES], mend[WORDS_BYTES], undo[WORDS_BYTES];
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b}", "name", check->name, "state",
                     doctor_state_name(finding->state), "said", finding->said, "why",
                     fill_in(doctor, check->why, why), "check", fill_in(doctor, check->check, look), "mend",
                     fill_in(doctor, check->mend, mend), "undo", fill_in(doctor, check->undo, undo),
                     "can_fix", check->fix != NULL, "fixed", finding->fixed > 0);
}

void doctor_print_json(FILE *out, const struct doctor *doctor, const struct doctor_finding *found)
{
    char cores[RT_CORES_BYTES];
    json_t *rows = json_array();
    int lacking = 0;
    for (uint32_t i = 0; doctor_table[i].name; i++) {
        lacking += found[i].state == DOCTOR_LACKS;
        json_array_append_new(rows, json_of(doctor, &doctor_table[i], &found[i]));
    }
    json_t *all =
        json_pack("{s:s, s:b, s:i, s:o}", "cores", rt_cores_text(&doctor->loop, cores), "guessed",
                  (int)doctor->guessed, "lacking", lacking, "checks", rows);
    json_dumpf(all, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(all);
}
