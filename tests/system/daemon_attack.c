/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attacker in the hosts' namespace: records what hosts say and hear for a while, then sends what can be
 * made of it, from the hosts' own addresses. usage: daemon_attack SITE NAMESPACE FRAMES_PER_S SECONDS. Prints
 * one JSON object: how many of each kind the kernel took, and how many datagrams came back to him.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "site/site.h"
#include "wire/cap.h"
#include "wire/frame.h"

enum { KEPT_MAX = 4096, RECORD_MS = 1000, IP_AT = ETH_HLEN, PAYLOAD_AT = ETH_HLEN + 28, UNKNOWN_ID = 999,
       KIND_AT = 5, BURST = 20 };

/* X(symbol, name in the JSON) */
#define KINDS(X) \
    X(KIND_REPLAY, "replay") X(KIND_FLIP, "flip") X(KIND_WRONG_KEY, "wrong_key") \
    X(KIND_UNKNOWN_ID, "unknown_id") X(KIND_BARE, "bare") X(KIND_REFLECTED, "reflected") \
    X(KIND_DISGUISED, "disguised")
#define KIND_SYMBOL(symbol, name) symbol,
#define KIND_NAME(symbol, name) name,
enum kind { KINDS(KIND_SYMBOL) KIND_COUNT };
static const char *const kind_names[] = {KINDS(KIND_NAME)};

struct kept {
    uint32_t bytes;
    uint8_t data[DATAGRAM_MAX];
};

struct attack {
    struct site site;
    int socket;
    struct sockaddr_in to;
    struct kept *report, *lease;
    uint32_t reports, leases;
    uint64_t sent[KIND_COUNT], answered, sequence;
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "daemon_attack: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void keep(struct attack *attack, const uint8_t *frame, uint32_t bytes)
{
    struct frame parsed;
    if (bytes <= PAYLOAD_AT || bytes - PAYLOAD_AT > DATAGRAM_MAX ||
        frame_decode(frame + PAYLOAD_AT, bytes - PAYLOAD_AT, &parsed))
        return;
    bool report = parsed.kind == FRAME_REPORT;
    bool lease = parsed.kind == FRAME_LEASE || parsed.kind == FRAME_CLAIM;
    uint32_t *count = report ? &attack->reports : &attack->leases;
    if (!(report || lease) || *count == KEPT_MAX)
        return;
    struct kept *kept = (report ? attack->report : attack->lease) + (*count)++;
    kept->bytes = bytes - PAYLOAD_AT;
    memcpy(kept->data, frame + PAYLOAD_AT, kept->bytes);
}

static void record(struct attack *attack)
{
    uint8_t frame[2048];
    int64_t end_ns = now_ns() + RECORD_MS * NS_PER_MS;
    int wire = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
    if (wire < 0)
        fail("packet socket");
    while (now_ns() < end_ns) {
        ssize_t bytes = recv(wire, frame, sizeof frame, 0);
        if (bytes > 0)
            keep(attack, frame, (uint32_t)bytes);
    }
    close(wire);
    if (!attack->reports || !attack->leases)
        errno = ENODATA, fail("nothing to record");
}

static uint32_t forge(struct attack *attack, uint8_t *data, uint16_t key_id)
{
    struct report report = {.incarnation = 1, .number = ++attack->sequence, .cap_mw = 1, .readback_mw = 1,
                            .fail_safe_mw = 1, .phys_max_mw = 1, .state = HOST_FAIL_SAFE};
    struct frame frame = {.kind = FRAME_REPORT, .sender = (uint32_t)(attack->sequence %
                                                                    attack->site.model.host_count)};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    frame.sequence = (uint64_t)now.tv_sec * 1000000000U + 3600000000000U + attack->sequence;
    frame.body_bytes = report_encode(&report, data + FRAME_HEADER_BYTES, 512);
    uint32_t bytes = frame_encode(data, &frame);
    uint8_t tag[FRAME_TAG_BYTES];
    frame_set_key(data, key_id);
    if (key_id && getrandom(tag, sizeof tag, 0) == (ssize_t)sizeof tag)
        frame_set_tag(data, tag);
    return bytes;
}

static uint32_t make(struct attack *attack, enum kind kind, uint8_t *data)
{
    uint32_t dice = (uint32_t)rand();
    bool down = kind == KIND_REFLECTED || kind == KIND_DISGUISED;
    const struct kept *kept = down ? &attack->lease[dice % attack->leases]
                                   : &attack->report[dice % attack->reports];
    if (kind == KIND_BARE || kind == KIND_WRONG_KEY)
        return forge(attack, data, kind == KIND_BARE ? 0 : 1);
    memcpy(data, kept->data, kept->bytes);
    if (kind == KIND_FLIP)
        data[24 + (dice >> 8) % (kept->bytes - 24)] ^= (uint8_t)(1U << (dice & 7));
    if (kind == KIND_UNKNOWN_ID)
        frame_set_key(data, UNKNOWN_ID);
    if (kind == KIND_DISGUISED)
        data[KIND_AT] = FRAME_REPORT;
    return kept->bytes;
}

/* From the address of the host that the frame is about. */
static bool send_as(struct attack *attack, uint8_t *data, uint32_t bytes)
{
    struct frame frame;
    struct iovec vector = {.iov_base = data, .iov_len = bytes};
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo))] = {0};
    struct msghdr message = {.msg_name = &attack->to, .msg_namelen = sizeof attack->to, .msg_iov = &vector,
                             .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (frame_decode(data, bytes, &frame) || frame.sender >= attack->site.model.host_count)
        return false;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(attack->site.host_address[frame.sender].ipv4)};
    memcpy(CMSG_DATA(header), &info, sizeof info);
    return sendmsg(attack->socket, &message, 0) == (ssize_t)bytes;
}

static void listen_back(struct attack *attack)
{
    uint8_t data[2048];
    while (recv(attack->socket, data, sizeof data, MSG_DONTWAIT) > 0)
        attack->answered++;
}

static void run(struct attack *attack, uint64_t per_s, uint64_t seconds)
{
    uint8_t data[DATAGRAM_MAX];
    int64_t start_ns = now_ns();
    for (uint64_t i = 0; i < per_s * seconds; i++) {
        enum kind kind = (enum kind)(i % KIND_COUNT);
        attack->sent[kind] += send_as(attack, data, make(attack, kind, data));
        int64_t due_ns = start_ns + (int64_t)((i + 1) * NS_PER_S / per_s);
        const struct timespec wait = {.tv_nsec = NS_PER_MS};
        if (i % BURST == 0)
            listen_back(attack);
        while (i % BURST == 0 && now_ns() < due_ns)
            nanosleep(&wait, NULL);
    }
    usleep(200000);
    listen_back(attack);
}

static void enter(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "/run/netns/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET))
        fail(path);
    close(fd);
}

int main(int argc, char **argv)
{
    static struct attack attack;
    if (argc != 5 || site_load(&attack.site, argv[1], NULL, stderr))
        return 2;
    const struct site_server *server = &attack.site.server;
    const struct site_address *to = &server->port[server->port_count - 1].own;
    attack.to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(to->port),
                                     .sin_addr.s_addr = htonl(to->ipv4)};
    attack.report = calloc(KEPT_MAX, sizeof *attack.report);
    attack.lease = calloc(KEPT_MAX, sizeof *attack.lease);
    enter(argv[2]);
    attack.socket = socket(AF_INET, SOCK_DGRAM, 0);
    if (!attack.report || !attack.lease || attack.socket < 0)
        fail("begin");
    record(&attack);
    run(&attack, strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
    printf("{");
    for (int kind = 0; kind < KIND_COUNT; kind++)
        printf("\"%s\": %llu, ", kind_names[kind], (unsigned long long)attack.sent[kind]);
    printf("\"answered\": %llu}\n", (unsigned long long)attack.answered);
    free(attack.report);
    free(attack.lease);
    site_unload(&attack.site);
    return 0;
}
