/* SPDX-License-Identifier: Apache-2.0 */
/* flyball ask: power for a job ahead of time, of the agent on this host. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ask_words.h"
#include "agent/flyball_ask.h"
#include "cli/cli.h"
#include "loop/document.h"

enum { TEXT_BYTES = 32 * 1024 };

struct arguments {
    const char *amount, *length, *ahead, *priority, *job, *socket;
    bool extend, release, status, json;
};

static int take_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"for", required_argument, NULL, 'f'},  {"ahead", required_argument, NULL, 'a'},
        {"priority", required_argument, NULL, 'p'}, {"job", required_argument, NULL, 'j'},
        {"socket", required_argument, NULL, 's'}, {"extend", no_argument, NULL, 'e'},
        {"release", no_argument, NULL, 'r'},    {"status", no_argument, NULL, 't'},
        {"json", no_argument, NULL, 'J'},       {NULL, 0, NULL, 0}};
    const char **texts[] = {['f'] = &arguments->length, ['a'] = &arguments->ahead,
                            ['p'] = &arguments->priority, ['j'] = &arguments->job,
                            ['s'] = &arguments->socket};
    bool *flags[] = {['e'] = &arguments->extend, ['r'] = &arguments->release, ['t'] = &arguments->status,
                     ['J'] = &arguments->json};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return CLI_USAGE;
        if (optarg)
            *texts[option] = optarg;
        else
            *flags[option] = true;
    }
    arguments->amount = optind < argc ? argv[optind] : NULL;
    int wanted = !!arguments->amount + arguments->extend + arguments->release + arguments->status;
    if (wanted == 1 && argc - optind <= 1)
        return CLI_OK;
    fprintf(stderr, "flyball ask: give one of a power, --extend, --release and --status\n");
    return CLI_USAGE;
}

static void add(char line[ASK_REQUEST_BYTES], const char *word, const char *value)
{
    size_t used = strlen(line);
    if (value)
        snprintf(line + used, ASK_REQUEST_BYTES - used, " %s %s", word, value);
}

/* As the agent will read it: what is wrong is told before anybody is asked. */
static int write_request(const struct arguments *arguments, char line[ASK_REQUEST_BYTES])
{
    struct ask_order order;
    char why[ASK_WHY_BYTES];
    if (arguments->amount)
        snprintf(line, ASK_REQUEST_BYTES, "ask %s", arguments->amount);
    else
        snprintf(line, ASK_REQUEST_BYTES, "%s", arguments->extend ? "extend"
                                                : arguments->release ? "release" : "status");
    add(line, "for", arguments->length);
    add(line, "ahead", arguments->ahead);
    add(line, "priority", arguments->priority);
    add(line, "job", arguments->job);
    if (!ask_words_read(line, strlen(line), &order, why))
        return CLI_OK;
    fprintf(stderr, "flyball ask: '%s': %s\n", line, why);
    return CLI_USAGE;
}

/* ---- answers ---- */

static int code_of(const struct flyball_answer *answer)
{
    if (answer->outcome == FLYBALL_GRANTED || answer->outcome == FLYBALL_RELEASED)
        return CLI_OK;
    return answer->outcome == FLYBALL_AWAY || answer->outcome == FLYBALL_BUSY ? CLI_CONNECT : CLI_REFUSED;
}

static void print_answer(const struct flyball_answer *answer)
{
    const char *again = answer->outcome == FLYBALL_AWAY ? "the controller does not answer"
                                                        : "too many ask at once";
    if (answer->outcome == FLYBALL_GRANTED)
        printf("job %s: %" PRId64 " W granted for %.3f s\n", answer->job, answer->amount_w,
               (double)answer->for_ms / 1e3);
    else if (answer->outcome == FLYBALL_DENIED)
        printf("job %s: denied: %s (%s); %" PRId64 " W would be granted now; ask again after %" PRId64
               " ms\n", answer->job, ask_words_meaning(answer->reason), answer->reason,
               answer->alternative_w, answer->retry_after_ms);
    else if (answer->outcome == FLYBALL_RELEASED)
        printf("job %s: released\n", answer->job);
    else if (answer->outcome == FLYBALL_UNKNOWN)
        printf("job %s: holds no grant\n", answer->job);
    else if (answer->outcome == FLYBALL_REFUSED)
        fprintf(stderr, "flyball ask: %s", answer->text);
    else
        fprintf(stderr, "flyball ask: %s; again after %" PRId64 " ms\n", again, answer->retry_after_ms);
}

static void print_json(const struct flyball_answer *answer)
{
    char word[16];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(answer->text, " "), answer->text);
    printf("{\"outcome\": \"%s\", \"job\": ", word);
    document_text(stdout, answer->job);
    printf(", \"amount_w\": %" PRId64 ", \"for_ms\": %" PRId64 ", \"reason\": ", answer->amount_w,
           answer->for_ms);
    document_text(stdout, answer->reason);
    printf(", \"alternative_w\": %" PRId64 ", \"retry_after_ms\": %" PRId64 ", \"text\": ",
           answer->alternative_w, answer->retry_after_ms);
    char text[sizeof answer->text];
    snprintf(text, sizeof text, "%.*s", (int)strcspn(answer->text, "\n"), answer->text);
    document_text(stdout, text);
    printf("}\n");
}

/* "job=1 amount_mw=... for_ms=... priority=1 state=held" */
static void print_grant(const char *line, bool json, bool first)
{
    char job[ASK_JOB_BYTES] = "", state[16] = "", whole[ASK_LINE_BYTES];
    snprintf(whole, sizeof whole, " %.*s", (int)strcspn(line, "\n"), line);
    flyball_ask_value(whole, "job", job, sizeof job);
    flyball_ask_value(whole, "state", state, sizeof state);
    int64_t amount_w = flyball_ask_number(whole, "amount_mw") / 1000;
    int64_t for_ms = flyball_ask_number(whole, "for_ms"), priority = flyball_ask_number(whole, "priority");
    if (!json) {
        printf("job %s: %" PRId64 " W for %.3f s, priority %" PRId64 ", %s\n", job, amount_w,
               (double)for_ms / 1e3, priority, state);
        return;
    }
    printf("%s{\"job\": ", first ? "" : ", ");
    document_text(stdout, job);
    printf(", \"amount_w\": %" PRId64 ", \"for_ms\": %" PRId64 ", \"priority\": %" PRId64
           ", \"state\": \"%s\"}", amount_w, for_ms, priority, state);
}

static int print_status(const char *text, bool json)
{
    const char *line = strchr(text, '\n');
    if (strncmp(text, "status ", 7) || !line) {
        fprintf(stderr, "flyball ask: the agent said: %s\n", text);
        return CLI_REFUSED;
    }
    int64_t total_w = flyball_ask_number(text, "total_mw") / 1000, epoch = flyball_ask_number(text, "epoch");
    if (json)
        printf("{\"total_w\": %" PRId64 ", \"epoch\": %" PRId64 ", \"grants\": [", total_w, epoch);
    else
        printf("%" PRId64 " W held in all; %s\n", total_w,
               epoch ? "a controller is obeyed" : "no controller yet");
    const char *first = ++line;
    for (; strchr(line, '\n'); line = strchr(line, '\n') + 1)
        print_grant(line, json, line == first);
    if (json)
        printf("]}\n");
    return CLI_OK;
}

static int tell(const char *path, int error)
{
    fprintf(stderr, "flyball ask: %s: %s; does flyball-agent run here?\n", path, strerror(-error));
    return CLI_CONNECT;
}

static int run_ask(int argc, char **argv)
{
    struct arguments arguments = {.socket = FLYBALL_ASK_PATH};
    struct flyball_answer answer;
    static const size_t text_bytes = TEXT_BYTES;
    char line[ASK_REQUEST_BYTES];
    int result = take_arguments(argc, argv, &arguments);
    if (result || (result = write_request(&arguments, line)))
        return result;
    int fd = flyball_ask_open(arguments.socket);
    if (fd < 0)
        return tell(arguments.socket, fd);
    char *text = malloc(text_bytes);
    int error = !text ? -ENOMEM : arguments.status ? flyball_ask_line(fd, line, text, text_bytes)
                                                   : flyball_ask_say(fd, line, &answer);
    flyball_ask_close(fd);
    if (error) {
        result = tell(arguments.socket, error);
    } else if (arguments.status) {
        result = print_status(text, arguments.json);
    } else {
        result = code_of(&answer);
        if (arguments.json)
            print_json(&answer);
        else
            print_answer(&answer);
    }
    free(text);
    return result;
}

const struct cli_verb cli_ask = {
    .name = "ask",
    .arguments = "POWER --for TIME [--ahead TIME] [--priority N] | --extend --for TIME | --release | "
                 "--status",
    .summary = "power for a job on this host ahead of a ramp, by its agent",
    .help =
        "POWER is all that the job will draw on this host, at the wall: 12kW.\n"
        "--for TIME       how long it is wanted: 30s, 5min\n"
        "--ahead TIME     it begins only then\n"
        "--priority N     0 highest (root and the agent's group), default 1, up to 255\n"
        "--extend         the same power until --for from now\n"
        "--release        it is no longer wanted\n"
        "--status         what is granted\n"
        "--job ID         root and the agent's group: any job; default the one this process belongs to\n"
        "--socket PATH    default " FLYBALL_ASK_PATH "\n"
        "--json           the answer as one object\n"
        "Exit codes: 0 granted or released, 5 denied or refused, 3 no agent, or no controller.\n",
    .run = run_ask,
};
