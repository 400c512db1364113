/* SPDX-License-Identifier: Apache-2.0 */
/* flyball status: asks the daemon's door, says the verdict first. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"
#include "loop/door.h"
#include "site/site.h"

enum { ANSWER_SECONDS = 3, ANSWER_BYTES_MAX = 64 << 20, HOSTS_SHOWN_MAX = 120, HOSTS_A_LINE = 4 };

static int connect_door(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    const struct timeval timeout = {.tv_sec = ANSWER_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

/* The answer comes in packets until the daemon closes. Returns its text, or NULL with errno. */
static char *read_answer(int fd)
{
    size_t used = 0, room = 0;
    char *text = NULL;
    for (;;) {
        if (room - used < DOOR_PACKET_BYTES + 1) {
            room = room ? room * 2 : 4 * DOOR_PACKET_BYTES;
            char *larger = room <= ANSWER_BYTES_MAX ? realloc(text, room) : NULL;
            if (!larger) {
                free(text);
                errno = ENOMEM;
                return NULL;
            }
            text = larger;
        }
        ssize_t got = recv(fd, text + used, DOOR_PACKET_BYTES, 0);
        if (got < 0) {
            int error = errno;
            free(text);
            errno = error;
            return NULL;
        }
        if (got == 0)
            break;
        used += (size_t)got;
    }
    text[used] = 0;
    return text;
}

static char *ask(const char *path)
{
    int fd = connect_door(path);
    if (fd < 0) {
        errno = -fd;
        return NULL;
    }
    char *text = send(fd, "status", 6, MSG_NOSIGNAL) == 6 ? read_answer(fd) : NULL;
    int error = errno;
    close(fd);
    errno = error;
    return text;
}

static const char *word(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "?";
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static bool present(const json_t *object, const char *key)
{
    return json_is_number(json_object_get(object, key));
}

static void print_nodes(const json_t *nodes)
{
    size_t i;
    json_t *node;
    printf("\n%-20s %-12s %10s %9s %9s %13s\n", "node", "kind", "load kW", "exposed", "leased",
           "kVA per phase");
    json_array_foreach(nodes, i, node) {
        double limit = number(node, "limit_va");
        printf("%-20s %-12s ", word(node, "id"), word(node, "kind"));
        if (present(node, "load_w"))
            printf("%10.1f", number(node, "load_w") / 1e3);
        else
            printf("%10s", "-");
        if (json_is_true(json_object_get(node, "limited")) && limit > 0)
            printf(" %7.1f %% %7.1f %% %13.1f", 100 * number(node, "exposure_va") / limit,
                   100 * number(node, "leased_va") / limit, limit / 1e3);
        printf("%s%s\n", json_is_true(json_object_get(node, "emergency")) ? "  EMERGENCY" : "",
               json_is_true(json_object_get(node, "recovery")) ? "  recovery" : "");
    }
    puts("load: of all phases; exposed, leased and the limit in kVA: of the phase nearest to its limit");
}

static void print_meters(const json_t *meters)
{
    size_t i;
    json_t *meter;
    printf("\n%-20s %-20s %10s %10s %9s %9s\n", "meter", "node", "age ms", "kW", "A", "V");
    json_array_foreach(meters, i, meter) {
        printf("%-20s %-20s ", word(meter, "id"), word(meter, "node"));
        if (present(meter, "age_ms"))
            printf("%10.1f %10.1f %9.1f %9.1f\n", number(meter, "age_ms"), number(meter, "power_w") / 1e3,
                   number(meter, "current_a"), number(meter, "voltage_v"));
        else
            puts("     never heard");
    }
}

static void print_host(const json_t *host)
{
    char text[96];
    if (strcmp(word(host, "state"), "leased"))
        snprintf(text, sizeof text, "%s", word(host, "state"));
    else
        snprintf(text, sizeof text, "%.1f of %.1f kW", number(host, "draw_w") / 1e3,
                 number(host, "lease_w") / 1e3);
    printf("%-12s %-17s", word(host, "id"), text);
}

/* Many hosts: only those that do not hold a lease. */
static void print_hosts(const json_t *hosts)
{
    size_t i, shown = 0, total = json_array_size(hosts);
    json_t *host;
    printf("\nhosts: draw at the wall, of the cap leased%s\n",
           total > HOSTS_SHOWN_MAX ? " (only those without a lease are listed)" : "");
    json_array_foreach(hosts, i, host) {
        if (shown >= HOSTS_SHOWN_MAX || (total > HOSTS_SHOWN_MAX && !strcmp(word(host, "state"), "leased")))
            continue;
        print_host(host);
        if (++shown % HOSTS_A_LINE == 0)
            putchar('\n');
    }
    if (shown % HOSTS_A_LINE)
        putchar('\n');
}

static void print_latency(json_t *latencies)
{
    const char *stage;
    json_t *row;
    printf("\n%-20s %10s %10s %10s %10s %10s\n", "from receive, us", "n", "p50", "p99", "p99.9", "max");
    json_object_foreach(latencies, stage, row)
        printf("%-20s %10.0f %10.1f %10.1f %10.1f %10.1f\n", stage, number(row, "n"), number(row, "p50"),
               number(row, "p99"), number(row, "p999"), number(row, "max"));
}

/* Every counter that is not zero, under its path. */
static void print_counters(json_t *value, const char *path)
{
    char inner[160];
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_integer(value) && json_integer_value(value))
        printf("%-48s %14lld\n", path, (long long)json_integer_value(value));
    json_object_foreach(value, key, member) {
        snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "." : "", key);
        print_counters(member, inner);
    }
    json_array_foreach(value, i, member) {
        const char *name = json_string_value(json_object_get(member, "interface"));
        snprintf(inner, sizeof inner, "%s[%s]", path, name ? name : "?");
        print_counters(member, inner);
    }
}

static void print_status(json_t *status)
{
    printf("%s: %s\n", word(status, "verdict"), word(status, "words"));
    printf("site %s, mode %s, epoch %lld, up %.1f s\n", word(status, "site"), word(status, "mode"),
           (long long)json_integer_value(json_object_get(status, "epoch")), number(status, "uptime_s"));
    print_nodes(json_object_get(status, "nodes"));
    print_meters(json_object_get(status, "meters"));
    print_hosts(json_object_get(status, "hosts"));
    print_latency(json_object_get(status, "latency_us"));
    puts("\ncounters that are not zero");
    print_counters(json_object_get(status, "counters"), "");
}

static int show(const char *door, bool as_json)
{
    char *text = ask(door);
    if (!text) {
        fprintf(stderr, "flyball status: %s: %s; is flyballd running?\n", door, strerror(errno));
        return CLI_CONNECT;
    }
    json_error_t error;
    json_t *status = json_loads(text, 0, &error);
    if (!status || !json_is_object(status)) {
        fprintf(stderr, "flyball status: %s: the answer is not JSON: %s\n", door, error.text);
        json_decref(status);
        free(text);
        return CLI_CONNECT;
    }
    if (as_json)
        fputs(text, stdout);
    else
        print_status(status);
    int result = strcmp(word(status, "verdict"), "alarm") ? CLI_OK : CLI_ALARM;
    json_decref(status);
    free(text);
    return result;
}

static int run_status(int argc, char **argv)
{
    static const struct option options[] = {
        {"door", required_argument, NULL, 'd'}, {"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    const char *door = NULL;
    bool as_json = false;
    struct site site;
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            door = optarg;
        else if (option == 'j')
            as_json = true;
        else
            return CLI_USAGE;
    }
    if (argc - optind > 1 || (argc - optind == 1) == (door != NULL)) {
        fprintf(stderr, "flyball status: give either the site file or --door PATH\n");
        return CLI_USAGE;
    }
    if (door)
        return show(door, as_json);
    int error = site_load(&site, argv[optind], NULL, stderr);
    if (error)
        return error == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    int result = CLI_CONNECT;
    if (site.server.door[0])
        result = show(site.server.door, as_json);
    else
        fprintf(stderr, "flyball status: %s names no door, so its daemon cannot be asked: add door: PATH to "
                "the row of servers:\n", argv[optind]);
    site_unload(&site);
    return result;
}

const struct cli_verb cli_status = {
    .name = "status",
    .arguments = "SITE | --door PATH [--json]",
    .summary = "is all well? verdict, nodes, meters, hosts, latencies, counters of a running flyballd",
    .help = "SITE is the site file the daemon runs with: its row of servers: names the door. --door PATH "
            "asks that socket.\n"
            "--json prints the daemon's answer as it is. Exit code: 0 ok or starting, 1 alarm, 3 no daemon "
            "answers.\n",
    .run = run_status,
};
