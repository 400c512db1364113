/* SPDX-License-Identifier: Apache-2.0 */
/* flyball latency: how long each stage of a running loop takes, and who takes its time, seen from outside. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "cli/cli.h"
#include "cli/door_client.h"
#include "cli/latency/latency_agent.h"
#include "cli/latency/latency_watch.h"
#include "rt/clock.h"
#include "site/read/quantity.h"

#define FOR_MOST_NS (30 * 24 * 3600 * NS_PER_S)

struct arguments {
    const char *site, *door;
    long pid, agent;
    struct wire wire;
    int64_t for_ns;
    enum latency_stage stage;
    bool json, no_noise;
};

/* ---- the daemon's own figures ---- */

static uint64_t number_at(const json_t *object, const char *part, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(json_object_get(object, part), name));
    return value > 0 ? (uint64_t)value : 0;
}

static struct own_counts ask_counts(const char *door)
{
    struct own_counts counts = {0};
    json_t *answer = door ? door_client_ask(door, "counters") : NULL;
    const json_t *counters = json_object_get(answer, "counters"), *lane;
    size_t i;
    if (!counters) {
        json_decref(answer);
        return counts;
    }
    counts.known = true;
    counts.slots = number_at(counters, "decide", "slots");
    counts.sent = number_at(counters, "egress", "sent");
    json_array_foreach(json_object_get(counters, "lanes"), i, lane)
        counts.frames += (uint64_t)json_integer_value(json_object_get(lane, "frames"));
    json_decref(answer);
    return counts;
}

/* ---- watching ---- */

static void look(struct watch *watch, struct stages_seen *last)
{
    int64_t now_ns = clock_monotonic_ns();
    if (watch->for_ns && now_ns >= watch->began_ns + watch->for_ns)
        now_ns = watch->began_ns + watch->for_ns - 1;       /* what the end takes is no column */
    struct moments *worst = &watch->stages.worst;
    stages_poll(&watch->stages);
    noise_poll(&watch->noise);
    for (uint32_t i = 0; i < worst->count && watch->noise_there; i++)
        if (!worst->moment[i].explained)
            moment_explain(&worst->moment[i], &watch->noise.thefts);
    *last = watch->seen;
    stages_read(&watch->stages, &watch->seen);
    map_add(&watch->map, &last->row[watch->map_stage], &watch->seen.row[watch->map_stage],
            (uint64_t)now_ns);
}

static int open_all(struct watch *watch, bool noise)
{
    char why[WIRE_WHY_BYTES] = "";
    if (noise)
        watch->noise_there = !noise_open(&watch->noise, &watch->target, watch->noise_why);
    else
        snprintf(watch->noise_why, sizeof watch->noise_why, "not asked for");
    int error = stages_open(&watch->stages, &watch->target, watch->place.provider, why);
    if (!error && watch->wire.places)
        error = wire_open(&watch->wire, &watch->target, watch->place.provider, why);
    if (error)
        fprintf(stderr, "flyball latency: %s\n", why);
    return error ? CLI_CONNECT : CLI_OK;
}

static void close_all(struct watch *watch)
{
    wire_close(&watch->wire);
    if (watch->stages.object)
        stages_close(&watch->stages);
    noise_close(&watch->noise);
}

static void count(struct watch *watch, bool on)
{
    noise_count(&watch->noise, on);
    wire_count(&watch->wire, on);
    stages_count(&watch->stages, on);
}

/* What the daemon has counted is asked before and behind each end: between the inner two all was counted
 * here, between the outer two nothing else. */
static void watch_on(struct watch *watch)
{
    static struct stages_seen last;
    int signals = rows_hold_signals();
    watch->own.before = ask_counts(watch->door);
    count(watch, true);
    watch->began_ns = clock_monotonic_ns();
    watch->own.begin = ask_counts(watch->door);
    fprintf(stderr, "flyball latency: watching process %d%s\n", (int)watch->target.pid,
            watch->for_ns ? "" : "; Ctrl-C ends it");
    uint64_t column_ns = watch->for_ns ? (uint64_t)(watch->for_ns / MAP_COLUMNS) + 1 : NS_PER_S;
    map_begin(&watch->map, (uint64_t)watch->began_ns, column_ns);
    while (rows_wait(signals, watch->target.pid, watch->for_ns ? watch->began_ns + watch->for_ns : 0))
        look(watch, &last);
    watch->own.end = ask_counts(watch->door);
    count(watch, false);
    watch->ended_ns = clock_monotonic_ns();
    watch->own.after = ask_counts(watch->door);
    look(watch, &last);
    noise_read(&watch->noise, &watch->noise_seen);
    wire_read(&watch->wire, &watch->wire_seen);
    if (signals >= 0)
        close(signals);
}

static int run_watch(struct watch *watch, bool noise)
{
    int result = open_all(watch, noise);
    if (!result)
        watch_on(watch);
    close_all(watch);
    return result;
}

/* ---- what is to be watched ---- */

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
    (void)level;
    (void)format;
    (void)arguments;
    return 0;
}

static int refuse_place(int error)
{
    if (error == -EPERM || error == -EACCES)
        fprintf(stderr,
                "flyball latency: the kernel lets this user load no programs: run it as root, or with "
                "CAP_BPF and CAP_PERFMON\n");
    else
        fprintf(stderr, "flyball latency: this kernel takes no program at a probe: %s; it needs BPF, BTF "
                "(/sys/kernel/btf/vmlinux) and uprobes\n", strerror(-error));
    return CLI_REFUSED;
}

static int try_places(struct place *place)
{
    libbpf_set_print(silent);
    int error = place_try(place);
    return error ? refuse_place(error) : CLI_OK;
}

static int find_target(struct watch *watch, const struct arguments *arguments,
                       char door[DOOR_CLIENT_PATH_BYTES])
{
    pid_t pid = (pid_t)arguments->pid;
    if (!pid) {
        int result = door_client_find("latency", arguments->site, arguments->door, door);
        if (result)
            return result;
        watch->door = door;
        pid = target_of_door(door);
    }
    if (pid < 0) {
        fprintf(stderr, "flyball latency: %s: %s; is flyballd running?\n", door, strerror(-pid));
        return CLI_CONNECT;
    }
    int error = target_open(&watch->target, pid);
    if (!error && watch->target.threads)
        return CLI_OK;
    fprintf(stderr, "flyball latency: process %d: %s\n", (int)pid,
            error ? strerror(-error) : "it has no thread of a loop");
    return CLI_CONNECT;
}

static int show(const struct arguments *arguments)
{
    static struct watch watch;
    char door[DOOR_CLIENT_PATH_BYTES] = "";
    watch.for_ns = arguments->for_ns;
    watch.map_stage = arguments->stage;
    watch.wire = arguments->wire;
    int result = find_target(&watch, arguments, door);
    if (result)
        return result;
    result = try_places(&watch.place);
    if (result)
        return result;
    result = run_watch(&watch, !arguments->no_noise);
    if (result)
        return result;
    if (arguments->json) {
        json_t *document = watch_json(&watch);
        json_dumpf(document, stdout, JSON_INDENT(1));
        putchar('\n');
        json_decref(document);
    } else {
        watch_print(&watch, stdout);
    }
    return watch_agrees(&watch) ? CLI_OK : CLI_ALARM;
}

static int show_agent(const struct arguments *arguments)
{
    struct place place;
    int result = try_places(&place);
    return result ? result : latency_agent((pid_t)arguments->agent, place.provider, arguments->for_ns,
                                           arguments->json);
}

/* ---- arguments ---- */

static bool take_process(const char *option, const char *text, long *pid)
{
    char *end;
    *pid = strtol(text, &end, 10);
    if (end != text && !*end && *pid > 0 && *pid <= INT32_MAX)
        return true;
    fprintf(stderr, "flyball latency: --%s wants the number of a process\n", option);
    return false;
}

static bool take_time(const char *text, int64_t *for_ns)
{
    if (!quantity_parse(QUANTITY_TIME, text, for_ns) && *for_ns > 0 && *for_ns <= FOR_MOST_NS)
        return true;
    fprintf(stderr, "flyball latency: --for wants a time, such as 5s, up to 30 days\n");
    return false;
}

static bool take_wire(struct wire *wire, const char *text)
{
    if (!wire_add(wire, text))
        return true;
    fprintf(stderr, "flyball latency: --wire wants [NAMESPACE:]INTERFACE, at most %d times\n", WIRES_MAX);
    return false;
}

static bool take_stage(struct arguments *arguments, const char *text)
{
    for (uint32_t i = 0; i < LATENCY_STAGE_COUNT; i++) {
        if (strcmp(text, watch_stage_name(i)))
            continue;
        arguments->stage = (enum latency_stage)i;
        return true;
    }
    fprintf(stderr, "flyball latency: '%s' is none of decoded decided sent emergency tick\n", text);
    return false;
}

static bool take_option(struct arguments *arguments, int option)
{
    switch (option) {
    case 'd': arguments->door = optarg; return true;
    case 'j': arguments->json = true; return true;
    case 'n': arguments->no_noise = true; return true;
    case 's': return take_stage(arguments, optarg);
    case 'p': return take_process("pid", optarg, &arguments->pid);
    case 'a': return take_process("agent", optarg, &arguments->agent);
    case 'f': return take_time(optarg, &arguments->for_ns);
    case 'w': return take_wire(&arguments->wire, optarg);
    default: return false;
    }
}

static int run_latency(int argc, char **argv)
{
    static const struct option options[] = {
        {"door", required_argument, NULL, 'd'},  {"pid", required_argument, NULL, 'p'},
        {"for", required_argument, NULL, 'f'},   {"stage", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},        {"no-noise", no_argument, NULL, 'n'},
        {"wire", required_argument, NULL, 'w'},  {"agent", required_argument, NULL, 'a'},
        {NULL, 0, NULL, 0}};
    struct arguments arguments = {.stage = LATENCY_DECIDED};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (!take_option(&arguments, option))
            return CLI_USAGE;
    int targets = (argc - optind == 1) + (arguments.door != NULL) + (arguments.pid != 0) +
                  (arguments.agent != 0);
    if (argc - optind > 1 || targets != 1) {
        fprintf(stderr, "flyball latency: give one of: the site file, --door PATH, --pid PID, --agent PID\n");
        return CLI_USAGE;
    }
    arguments.site = argv[optind];
    return arguments.agent ? show_agent(&arguments) : show(&arguments);
}

const struct cli_verb cli_latency = {
    .name = "latency",
    .arguments = "SITE | --door PATH | --pid PID | --agent PID [--for TIME] [--wire [NETNS:]INTERFACE]... "
                 "[--stage NAME] [--no-noise] [--json]",
    .summary = "how long each stage of a running flyballd takes, and who takes its time, seen from outside",
    .help =
        "By programs in the kernel at the probes of flyballd, there only while this runs; as root.\n"
        "SITE is the site file the daemon runs with; --door PATH its socket; --pid PID its process.\n"
        "--agent PID      the steps of a flyball-agent on this host instead\n"
        "--for TIME       ends by itself; else Ctrl-C ends it, and what was seen is shown\n"
        "--wire WHERE     an interface on the other side of the cable, [NETNS:]INTERFACE: wire to wire; may "
        "be "
        "repeated\n"
        "--stage NAME     of the heat map: decoded, decided (default), sent, emergency, tick\n"
        "--no-noise       only stages: who took the loop's time is not asked\n"
        "--json           one object, with histograms\n"
        "Exit code 1: the daemon's own counters do not agree with what was counted; 5: the kernel takes no "
        "programs.\n",
    .run = run_latency,
};
