/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays the meters and the hosts of a site for the daemon's tests, through kernel sockets in the two
 * namespaces of tools/net: one datagram per meter and period, reports as the hosts' half of a lease makes
 * them, leases obeyed at once. Prints one JSON object. With `--damage` every tenth measurement is spoilt in
 * turn by one of a few ways. With `--move` every other report of a host comes from another source port. With
 * `--hungry` the meters read next to nothing, so that no load is above what hosts may draw. With `--heavy
 * METER` the meters read what the hosts report, and that one 300 A from one SIGUSR1 to the next, whatever
 * hosts are told. With `--flood N METER` besides, each step of 2 ms brings N more measurements and as many
 * requests for power. Where the environment names a key file in FLYBALL_KEYS every frame carries its tag, and
 * each step of a flood besides N/8 reports whose tags are wrong.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "auth/auth.h"
#include "core/holder.h"
#include "loop/keys.h"
#include "site/site.h"
#include "wire/cap.h"
#include "wire/frame.h"
#include "wire/upmu.h"

#define STEP_NS (2 * NS_PER_MS)
enum { DRAW_MW = 3000000 };             /* of every host */

struct played_host {
    struct holder holder;
    int socket, other;          /* leases come to the first */
};

struct traffic {
    struct site site;
    struct played_host *host;
    int meters;
    struct sockaddr_in meters_to, hosts_to;
    struct auth auth;           /* of every peer; no users: frames carry no tags */
    bool damage, move, hungry, heavy;
    uint32_t heavy_meter, flood;
    uint64_t frames, requests;  /* that the kernel took; of power, among these */
    uint64_t sequence, measurements, damaged, forged, reports, leases, accepted, unreadable;
};

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "daemon_traffic: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void enter(const char *role, const char *suffix)
{
    char path[128];
    snprintf(path, sizeof path, "/run/netns/flyball-%s-%s", role, suffix);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET))
        fail(path);
    close(fd);
}

static void read_keys(struct traffic *traffic, const char *path)
{
    const struct auth_names names = keys_names(&traffic->site.model);
    struct auth_keys keys;
    if ((errno = -auth_keys_read(&keys, path, stderr)) ||
        (errno = -auth_open(&traffic->auth, AUTH_PEER, &names, 1)) ||
        (errno = -auth_publish(&traffic->auth, &keys, clock_ns(CLOCK_REALTIME) / NS_PER_S)))
        fail(path);
    auth_keys_free(&keys);
    auth_look(&traffic->auth.user[0]);
}

static struct sockaddr_in address(const struct site_address *from)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(from->port),
                                .sin_addr.s_addr = htonl(from->ipv4)};
}

static int open_socket(const struct site_address *own)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in bound = address(own);
    if (fd < 0 || bind(fd, (struct sockaddr *)&bound, sizeof bound))
        fail("socket");
    return fd;
}

static void start(struct traffic *traffic, const char *suffix)
{
    const struct model *model = &traffic->site.model;
    const struct site_server *server = &traffic->site.server;
    traffic->meters_to = address(&server->port[0].own);
    traffic->hosts_to = address(&server->port[server->port_count - 1].own);
    enter("meters", suffix);
    traffic->meters = open_socket(&(struct site_address){.ipv4 = 0, .port = 9000});
    enter("hosts", suffix);
    traffic->host = calloc(model->host_count, sizeof *traffic->host);
    traffic->sequence = (uint64_t)clock_ns(CLOCK_REALTIME);
    for (uint32_t i = 0; i < model->host_count; i++) {
        const struct model_host_type *type = &model->type[model->host[i].type];
        struct holder_config config = {.host = i,
                                       .fail_safe_mw = model->host[i].fail_safe_mw,
                                       .phys_max_mw = type->phys_max_mw,
                                       .cap_max_mw = type->cap_max_mw,
                                       .report_ns = model->policy.report_ns,
                                       .actuation_ns = type->actuation_ns};
        holder_init(&traffic->host[i].holder, &config, traffic->sequence + i, 0, clock_ns(CLOCK_MONOTONIC));
        if (traffic->hungry)
            holder_flags(&traffic->host[i].holder, REPORT_AT_CAP, clock_ns(CLOCK_MONOTONIC));
        traffic->host[i].socket = open_socket(&traffic->site.host_address[i]);
        traffic->host[i].other =
            open_socket(&(struct site_address){.ipv4 = traffic->site.host_address[i].ipv4});
    }
}

static void seal(struct traffic *traffic, uint32_t peer, uint8_t *data, uint32_t bytes)
{
    if (traffic->auth.users && auth_seal(&traffic->auth.user[0], peer, data, bytes))
        fail("no key of a peer");
}

static void send_frame(struct traffic *traffic, int fd, const struct sockaddr_in *to, uint8_t *data,
                       struct frame *frame, uint32_t peer, int damage)
{
    frame->sequence = ++traffic->sequence;
    uint32_t bytes = frame_encode(data, frame);
    seal(traffic, peer, data, bytes);
    if (damage == 1)
        data[0] ^= 1;
    if (damage == 2)
        bytes -= 1;
    if (damage == 3)
        data[FRAME_HEADER_BYTES] = 0xFF;
    if (damage == 5)
        data[bytes - 1] ^= 1;
    for (int times = damage == 4 ? 2 : 1; times > 0; times--)
        traffic->frames += sendto(fd, data, bytes, 0, (const struct sockaddr *)to, sizeof *to) > 0;
}

static double current_of(const struct traffic *traffic, uint32_t meter)
{
    const struct model *model = &traffic->site.model;
    double current_a = 0;
    if (traffic->heavy_meter == INDEX_NONE)
        return 60;
    if (traffic->heavy && meter == traffic->heavy_meter)
        return 300;
    for (uint32_t host = 0; host < model->host_count; host++)
        if (model_lies_below(model, model->host[host].cord[0].node, model->meter[meter].node))
            current_a += DRAW_MW / 1e3 / PHASES / 277 / 0.963;
    return current_a + (double)(traffic->sequence % 7) / 100;
}

static void measure(struct traffic *traffic, uint32_t meter)
{
    const struct model *model = &traffic->site.model;
    uint8_t data[DATAGRAM_MAX];
    int damage = traffic->damage && ++traffic->measurements % 10 == 0 ? (int)(++traffic->damaged % 5) : -1;
    struct upmu upmu = {.timestamp_ns = clock_ns(CLOCK_REALTIME), .phase_count = PHASES, .frequency_hz = 60,
                        .device_id = damage == 0 ? "nobody" : model->meter[meter].name, .peak_factor = 1.5};
    upmu.device_id_bytes = (uint32_t)strlen(upmu.device_id);
    double current_a = current_of(traffic, meter);
    for (int i = 0; i < PHASES; i++)
        upmu.phase[i] = (struct upmu_phase){
            .voltage_rms_v = 277,
            .current_rms_a = traffic->hungry ? 0.6 + (double)(traffic->sequence % 7) / 100 : current_a,
            .power_active_w = traffic->hungry ? 160 : 16000 * current_a / 60,
            .power_apparent_va = traffic->hungry ? 166.2 : 277 * current_a,
            .power_factor = 0.963};
    struct frame frame = {.kind = FRAME_MEASUREMENT};
    frame.body_bytes = upmu_encode(&upmu, data + FRAME_HEADER_BYTES, sizeof data - FRAME_HEADER_BYTES);
    send_frame(traffic, traffic->meters, &traffic->meters_to, data, &frame, auth_meter(&traffic->auth, meter),
               damage);
    traffic->measurements += !traffic->damage;
}

static bool is_sealed(struct traffic *traffic, const struct played_host *host, const uint8_t *data,
                      const struct frame *frame)
{
    uint32_t peer = auth_host(host->holder.config.host);
    if (!traffic->auth.users)
        return true;
    if (auth_check(&traffic->auth.user[0], peer, data, frame))
        return false;
    auth_heard(&traffic->auth.user[0], peer, frame->key_id);
    return true;
}

static void obey(struct traffic *traffic, struct played_host *host)
{
    uint8_t data[DATAGRAM_MAX];
    ssize_t got;
    while ((got = recv(host->socket, data, sizeof data, 0)) > 0) {
        struct frame frame;
        struct lease lease = {0};
        traffic->leases++;
        if (frame_decode(data, (uint32_t)got, &frame) || !is_sealed(traffic, host, data, &frame) ||
            lease_decode(frame.body, frame.body_bytes, &lease) ||
            frame.sender != host->holder.config.host) {
            traffic->unreadable++;
            continue;
        }
        int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
        int verdict = holder_lease(&host->holder, &lease, now_ns);
        if (verdict == HOLDER_UNSAVED_EPOCH) {
            holder_epoch_saved(&host->holder, lease.epoch, now_ns);
            verdict = holder_lease(&host->holder, &lease, now_ns);
        }
        traffic->accepted += verdict == HOLDER_ACCEPTED;
    }
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC), cap_mw;
    uint32_t device;
    holder_time(&host->holder, now_ns);
    if (holder_next_write(&host->holder, &device, &cap_mw))
        holder_written(&host->holder, device, cap_mw, now_ns);
}

static void report(struct traffic *traffic, struct played_host *host)
{
    uint8_t data[DATAGRAM_MAX];
    struct report report = {0};
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    if (!holder_report_due(&host->holder, now_ns))
        return;
    holder_report(&host->holder, DRAW_MW, 3, &report, now_ns);
    struct frame frame = {.kind = FRAME_REPORT, .sender = host->holder.config.host};
    frame.body_bytes = report_encode(&report, data + FRAME_HEADER_BYTES, sizeof data - FRAME_HEADER_BYTES);
    int fd = traffic->move && report.number % 2 ? host->other : host->socket;
    send_frame(traffic, fd, &traffic->hosts_to, data, &frame, auth_host(frame.sender), -1);
    traffic->reports++;
}

/* The answers are no leases; obey() counts them as unreadable. */
static void request(struct traffic *traffic, struct played_host *host)
{
    uint8_t data[DATAGRAM_MAX];
    const struct token_request token = {.request = ++traffic->requests, .amount_mw = 100000,
                                        .duration_ns = NS_PER_S};
    struct frame frame = {.kind = FRAME_TOKEN_REQUEST, .sender = host->holder.config.host};
    frame.body_bytes =
        token_request_encode(&token, data + FRAME_HEADER_BYTES, sizeof data - FRAME_HEADER_BYTES);
    send_frame(traffic, host->socket, &traffic->hosts_to, data, &frame, auth_host(frame.sender), -1);
}

/* A report that says what would raise its exposure, under the tag of nobody. */
static void forge(struct traffic *traffic, struct played_host *host)
{
    uint8_t data[DATAGRAM_MAX];
    const struct report report = {.host = host->holder.config.host, .number = traffic->sequence,
                                  .cap_mw = DRAW_MW * 10LL, .phys_max_mw = DRAW_MW * 10LL};
    struct frame frame = {.kind = FRAME_REPORT, .sender = report.host};
    frame.body_bytes = report_encode(&report, data + FRAME_HEADER_BYTES, sizeof data - FRAME_HEADER_BYTES);
    send_frame(traffic, host->socket, &traffic->hosts_to, data, &frame, auth_host(frame.sender), 5);
    traffic->forged++;
}

static void flood(struct traffic *traffic)
{
    const struct model *model = &traffic->site.model;
    for (uint32_t i = 0; i < traffic->flood; i++) {
        measure(traffic, i % model->meter_count);
        request(traffic, &traffic->host[i % model->host_count]);
        if (traffic->auth.users && i % 8 == 0)
            forge(traffic, &traffic->host[i % model->host_count]);
    }
}

static void play(struct traffic *traffic, int64_t duration_ns)
{
    const struct model *model = &traffic->site.model;
    const struct timespec at_once = {0};
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGUSR1);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    const int64_t begin_ns = clock_ns(CLOCK_MONOTONIC);
    int64_t step = 0;
    for (int64_t now_ns = begin_ns; now_ns - begin_ns < duration_ns; now_ns = clock_ns(CLOCK_MONOTONIC)) {
        int got = sigtimedwait(&stop, NULL, &at_once);
        if (got == SIGTERM)
            break;
        traffic->heavy ^= got == SIGUSR1;
        for (uint32_t i = 0; i < model->meter_count; i++)
            if ((step + i) % (model->meter[i].period_ns / STEP_NS) == 0)
                measure(traffic, i);
        for (uint32_t i = 0; i < model->host_count; i++) {
            obey(traffic, &traffic->host[i]);
            report(traffic, &traffic->host[i]);
        }
        flood(traffic);
        step++;
        const struct timespec rest = {.tv_nsec = STEP_NS};
        nanosleep(&rest, NULL);
    }
}

int main(int argc, char **argv)
{
    struct traffic traffic = {0};
    if (argc < 4) {
        fprintf(stderr,
                "usage: daemon_traffic SITE SUFFIX SECONDS [--damage | --move | --hungry | "
                "--heavy METER | --flood N METER]\n");
        return 2;
    }
    traffic.damage = argc > 4 && !strcmp(argv[4], "--damage");
    traffic.move = argc > 4 && !strcmp(argv[4], "--move");
    traffic.hungry = argc > 4 && !strcmp(argv[4], "--hungry");
    if (site_load(&traffic.site, argv[1], "default", stderr))
        return 2;
    if (getenv("FLYBALL_KEYS"))
        read_keys(&traffic, getenv("FLYBALL_KEYS"));
    traffic.flood = argc > 6 && !strcmp(argv[4], "--flood") ? (uint32_t)atoi(argv[5]) : 0;
    traffic.heavy_meter = argc > 5 ? 0 : INDEX_NONE;
    while (argc > 5 && traffic.heavy_meter < traffic.site.model.meter_count &&
           strcmp(traffic.site.model.meter[traffic.heavy_meter].name, argv[argc - 1]))
        traffic.heavy_meter++;
    start(&traffic, argv[2]);
    play(&traffic, (int64_t)(atof(argv[3]) * 1e9));
    printf("{\"measurements\": %llu, \"damaged\": %llu, \"reports\": %llu, \"leases\": %llu, \"accepted\": "
           "%llu, "
           "\"unreadable\": %llu, \"frames\": %llu, \"requests\": %llu, \"forged\": %llu}\n",
           (unsigned long long)traffic.measurements, (unsigned long long)traffic.damaged,
           (unsigned long long)traffic.reports, (unsigned long long)traffic.leases,
           (unsigned long long)traffic.accepted, (unsigned long long)traffic.unreadable,
           (unsigned long long)traffic.frames, (unsigned long long)traffic.requests,
           (unsigned long long)traffic.forged);
    if (traffic.auth.users)
        auth_close(&traffic.auth);
    free(traffic.host);
    site_unload(&traffic.site);
    return 0;
}
