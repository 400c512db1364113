/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ask_words.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site/read/quantity.h"

enum { WORDS_MAX = 16 };

struct words {
    char text[ASK_REQUEST_BYTES];
    size_t bytes;
    uint32_t count, at;         /* the next to be taken */
    const char *word[WORDS_MAX];
    char *why;
};

/* ---- reading ---- */

static bool refuse(struct words *words, const char *what)
{
    const char *word = words->at < words->count ? words->word[words->at] : "";
    size_t at = (*word ? (size_t)(word - words->text) : words->bytes) + 1;
    snprintf(words->why, ASK_WHY_BYTES, "%s, not '%.24s' (byte %zu)", what, *word ? word : "nothing", at);
    return false;
}

/* Only printable text: it comes back in refusals, and is read on terminals. */
static bool split(struct words *words, const char *text, size_t bytes)
{
    while (bytes > 0 && (text[bytes - 1] == '\n' || text[bytes - 1] == 0))
        bytes--;
    if (bytes >= ASK_REQUEST_BYTES) {
        snprintf(words->why, ASK_WHY_BYTES, "a request has at most %d bytes", ASK_REQUEST_BYTES - 1);
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] >= ' ' && text[i] <= '~')
            continue;
        snprintf(words->why, ASK_WHY_BYTES, "byte %zu is no printable ASCII", i + 1);
        return false;
    }
    memcpy(words->text, text, bytes);
    words->text[bytes] = 0;
    words->bytes = bytes;
    char *rest = words->text, *word;
    while (words->count < WORDS_MAX && (word = strsep(&rest, " ")) != NULL)
        if (*word)
            words->word[words->count++] = word;
    return true;
}

static const char *take(struct words *words)
{
    return words->at < words->count ? words->word[words->at++] : NULL;
}

static bool take_quantity(struct words *words, enum quantity what, int64_t most, int64_t *value)
{
    const char *word = words->at < words->count ? words->word[words->at] : "";
    if (quantity_parse(what, word, value) != QUANTITY_OK)
        return refuse(words, what == QUANTITY_POWER ? "a power in W, kW or MW is wanted"
                                                    : "a time in ms, s, min or h is wanted");
    if (*value <= 0 || *value > most)
        return refuse(words, what == QUANTITY_POWER ? "more than 0W, at most 1000MW"
                                                    : "more than 0, at most 720h");
    words->at++;
    return true;
}

static bool take_priority(struct words *words, uint32_t *priority)
{
    const char *word = words->at < words->count ? words->word[words->at] : "";
    char *end;
    unsigned long value = strtoul(word, &end, 10);
    if (!isdigit((unsigned char)*word) || *end || value > ASK_PRIORITY_MAX)
        return refuse(words, "a priority is 0 to 255");
    *priority = (uint32_t)value;
    words->at++;
    return true;
}

bool ask_words_is_job(const char *job)
{
    size_t bytes = strlen(job);
    return bytes > 0 && bytes < ASK_JOB_BYTES &&
           strspn(job, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-") == bytes;
}

static bool take_job(struct words *words, char job[ASK_JOB_BYTES])
{
    const char *word = words->at < words->count ? words->word[words->at] : "";
    if (!ask_words_is_job(word))
        return refuse(words, "a job's id is 1 to 47 letters, digits, or . : _ -");
    strcpy(job, word);
    words->at++;
    return true;
}

/* One of the parts behind a verb, each at most once. */
static bool take_part(struct words *words, struct ask_order *order)
{
    const char *word = words->word[words->at++];
    if (!strcmp(word, "for") && order->verb != ASK_RELEASE && !order->for_ns)
        return take_quantity(words, QUANTITY_TIME, ASK_DURATION_MAX_NS, &order->for_ns);
    if (!strcmp(word, "ahead") && order->verb == ASK_ASK && !order->ahead_ns)
        return take_quantity(words, QUANTITY_TIME, ASK_DURATION_MAX_NS, &order->ahead_ns);
    if (!strcmp(word, "priority") && order->verb == ASK_ASK)
        return take_priority(words, &order->priority);
    if (!strcmp(word, "job") && !order->job[0])
        return take_job(words, order->job);
    words->at--;
    return refuse(words, "'for', 'ahead', 'priority' or 'job', once each and where they apply");
}

static bool take_verb(struct words *words, struct ask_order *order)
{
    static const char *const verbs[] = {[ASK_ASK] = "ask", [ASK_EXTEND] = "extend",
                                        [ASK_RELEASE] = "release", [ASK_STATUS] = "status"};
    const char *word = take(words);
    for (uint32_t i = 0; word && i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(word, verbs[i]) != 0)
            continue;
        order->verb = (enum ask_verb)i;
        return i != ASK_ASK || take_quantity(words, QUANTITY_POWER, ASK_AMOUNT_MAX_MW, &order->amount_mw);
    }
    words->at = 0;
    return refuse(words, "'ask', 'extend', 'release' or 'status'");
}

static bool read_all(struct words *words, struct ask_order *order)
{
    if (!take_verb(words, order))
        return false;
    while (words->at < words->count)
        if (order->verb == ASK_STATUS ? !refuse(words, "nothing follows 'status'") : !take_part(words, order))
            return false;
    if ((order->verb == ASK_ASK || order->verb == ASK_EXTEND) && !order->for_ns)
        return refuse(words, "'for' and a time");
    return true;
}

int ask_words_read(const char *text, size_t bytes, struct ask_order *order, char why[ASK_WHY_BYTES])
{
    struct words words = {.why = why};
    *order = (struct ask_order){.priority = 1};
    why[0] = 0;
    return split(&words, text, bytes) && read_all(&words, order) ? 0 : -EINVAL;
}

/* ---- writing ---- */

static const struct {
    const char *word, *meaning;
} reasons[ASK_REASONS] = {
#define ASK_REASON_ROW(symbol, word, meaning) [symbol] = {word, meaning},
    ASK_REASON_WORDS(ASK_REASON_ROW)
#undef ASK_REASON_ROW
};

const char *ask_words_reason(uint32_t reason)
{
    return reason < ASK_REASONS && reasons[reason].word ? reasons[reason].word : "unknown";
}

const char *ask_words_meaning(const char *reason)
{
    for (uint32_t i = 0; i < ASK_REASONS; i++)
        if (reasons[i].word && !strcmp(reasons[i].word, reason))
            return reasons[i].meaning;
    return "";
}

static int64_t ms_up(int64_t time_ns)
{
    return (time_ns + NS_PER_MS - 1) / NS_PER_MS;
}

const char *ask_words_answer(const struct ask_answer *answer, char line[ASK_LINE_BYTES])
{
    static const char *const outcomes[] = {
#define ASK_OUTCOME_WORD(symbol, word) [symbol] = word,
        ASK_OUTCOMES(ASK_OUTCOME_WORD)
#undef ASK_OUTCOME_WORD
    };
    int used = snprintf(line, ASK_LINE_BYTES, "%s job=%s", outcomes[answer->outcome], answer->job);
    char *rest = line + used;
    size_t room = ASK_LINE_BYTES - (size_t)used;
    if (answer->outcome == ASK_GRANTED)
        snprintf(rest, room, " amount_mw=%" PRId64 " for_ms=%" PRId64 "\n", answer->amount_mw,
                 answer->for_ns / NS_PER_MS);
    else if (answer->outcome == ASK_DENIED)
        snprintf(rest, room, " reason=%s alternative_mw=%" PRId64 " retry_after_ms=%" PRId64 "\n",
                 ask_words_reason(answer->reason), answer->alternative_mw, ms_up(answer->retry_after_ns));
    else if (answer->retry_after_ns)
        snprintf(rest, room, " retry_after_ms=%" PRId64 "\n", ms_up(answer->retry_after_ns));
    else
        snprintf(rest, room, "\n");
    return line;
}

const char *ask_words_grant(const struct ask_grant *grant, int64_t now_ns, char line[ASK_LINE_BYTES])
{
    snprintf(line, ASK_LINE_BYTES, "job=%s amount_mw=%" PRId64 " for_ms=%" PRId64 " priority=%" PRIu32
             " state=%s\n", grant->job, grant->amount_mw, (grant->end_ns - now_ns) / NS_PER_MS,
             grant->priority, grant->standing ? "held" : "lost");
    return line;
}
