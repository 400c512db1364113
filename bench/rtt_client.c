/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/report.h"
#include "bench/rtt_side.h"
#include "wire/cap.h"
#include "wire/frame.h"
#include "wire/upmu.h"

enum { FAIL_SAFE_MW = 1600000, CAP_MAX_MW = 8000000, PHYS_MAX_MW = 10300000, INCARNATION = 77, AWAIT_MS = 200,
       SETTLE_NS = 50000, RECEIVE_BYTES = 8 << 20 };

static int enter(const char *netns)
{
    char path[128];
    snprintf(path, sizeof path, "/run/netns/%s", netns);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = setns(fd, CLONE_NEWNET) ? -errno : 0;
    close(fd);
    return error;
}

static int open_socket(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    /* the usual one holds what comes in 3 ms */
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){RECEIVE_BYTES}, sizeof(int)) == 0 &&
        bind(fd, (struct sockaddr *)&any, sizeof any) == 0)
        return fd;
    int error = -errno;
    if (fd >= 0)
        close(fd);
    return error;
}

int rtt_client_open(struct rtt_client *client, const char *netns, const struct site *site,
                    struct rtt_keys *keys)
{
    const struct site_address *own = &site->server.port[0].own;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *client = (struct rtt_client){
        .server_ipv4 = own->ipv4,
        .server_port = own->port,
        .host_address = site->host_address,
        .keys = keys,
        .frame_sequence = (uint64_t)now.tv_sec * 1000000000u,
        .report_number = 0,
    };
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int error = enter(netns);
    client->socket = error ? error : open_socket(site->host_address[0].port);
    if (!error && setns(home, CLONE_NEWNET))
        error = -errno;
    close(home);
    return client->socket < 0 ? client->socket : error;
}

void rtt_client_close(struct rtt_client *client)
{
    close(client->socket);
}

static struct sockaddr_in server(const struct rtt_client *client)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(client->server_port),
        .sin_addr.s_addr = htonl(client->server_ipv4),
    };
}

static void check_sent(struct rtt_client *client, bool sent)
{
    if (!sent && !client->cut_off)
        perror("rtt: send");
    client->cut_off |= !sent;
}

static int64_t send_now(struct rtt_client *client, const uint8_t *data, uint32_t bytes)
{
    struct sockaddr_in to = server(client);
    int64_t before_ns = bench_now_ns();
    ssize_t sent = sendto(client->socket, data, bytes, 0, (struct sockaddr *)&to, sizeof to);
    check_sent(client, sent == (ssize_t)bytes);
    return before_ns;
}

/* One socket speaks for all hosts, each from its own address: others are refused as `source`. */
static int64_t send_as(struct rtt_client *client, uint32_t host, uint8_t *data, uint32_t bytes)
{
    struct sockaddr_in to = server(client);
    struct iovec vector = {.iov_base = data, .iov_len = bytes};
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo))] = {0};
    struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &vector, .msg_iovlen = 1,
                             .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(client->host_address[host].ipv4)};
    memcpy(CMSG_DATA(header), &info, sizeof info);
    int64_t before_ns = bench_now_ns();
    check_sent(client, sendmsg(client->socket, &message, 0) == (ssize_t)bytes);
    return before_ns;
}

static uint32_t make_reading(struct rtt_client *client, uint8_t *data, double amperes)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct upmu upmu = {
        .timestamp_ns = now.tv_sec * NS_PER_S + now.tv_nsec + client->skipped_ns,
        .device_id = "m-branch",
        .device_id_bytes = 8,
        .phase_count = PHASES,
        .frequency_hz = 60,
        .peak_factor = 1.42,
        .thd_voltage_pct = 2.25,
        .thd_current_pct = 12.5,
        .load_factor = 0.75,
        .harmonic_count = 5,
        .harmonic_pct = {100, 0, 10, 0, 6},
    };
    for (uint32_t i = 0; i < PHASES; i++)
        upmu.phase[i] =
            (struct upmu_phase){277.1, amperes, 277.1 * amperes * 0.98, 43040, 277.1 * amperes, 0.98};
    struct frame frame = {.kind = FRAME_MEASUREMENT, .sequence = ++client->frame_sequence};
    frame.body_bytes = upmu_encode(&upmu, data + FRAME_HEADER_BYTES, RTT_DATAGRAM_MAX - FRAME_HEADER_BYTES);
    uint32_t bytes = frame_encode(data, &frame);
    rtt_keys_seal(client->keys, true, 0, data, bytes);
    return bytes;
}

int64_t rtt_send_reading(struct rtt_client *client, double amperes)
{
    uint8_t data[RTT_DATAGRAM_MAX];
    uint32_t bytes = make_reading(client, data, amperes);
    return send_now(client, data, bytes);
}

/* The same length as a reading, so that both directions carry the same bytes. */
int64_t rtt_send_letter(struct rtt_client *client, uint8_t letter)
{
    uint8_t data[RTT_DATAGRAM_MAX];
    uint32_t bytes = make_reading(client, data, 100);
    memset(data, letter, bytes);
    const uint32_t number = ++client->echo_number, complement = ~number;
    if (letter == RTT_ECHO_ONE) {
        memcpy(data + RTT_NUMBER_AT, &number, sizeof number);
        memcpy(data + RTT_NUMBER_AT + sizeof number, &complement, sizeof complement);
    }
    return send_now(client, data, bytes);
}

uint64_t rtt_number(const struct rtt_client *client, bool echoes)
{
    return echoes ? client->echo_number : client->report_number;
}

int64_t rtt_send_echo(struct rtt_client *client)
{
    return rtt_send_letter(client, RTT_ECHO);
}

int64_t rtt_send_echo_one(struct rtt_client *client)
{
    return rtt_send_letter(client, RTT_ECHO_ONE);
}

bool rtt_skip(struct rtt_client *client, int64_t skip_ns)
{
    uint8_t data[32] = {RTT_SKIP};
    int64_t first_ns, last_ns;
    memcpy(data + 1, &skip_ns, sizeof skip_ns);
    rtt_drain(client, SETTLE_NS);
    send_now(client, data, sizeof data);
    client->skipped_ns += skip_ns;
    return rtt_await(client, true, 1, &first_ns, &last_ns);
}

int64_t rtt_send_report(struct rtt_client *client, uint32_t host)
{
    uint8_t data[RTT_DATAGRAM_MAX];
    const struct lease *lease = &client->newest[host];
    int64_t cap_mw = lease->sequence ? lease->cap_mw : FAIL_SAFE_MW;
    struct report report = {
        .incarnation = INCARNATION,
        .epoch = lease->epoch,
        .number = ++client->report_number,
        .applied = lease->sequence,
        .held_ns = NS_PER_S,
        .cap_mw = cap_mw,
        .readback_mw = cap_mw,
        .fail_safe_mw = FAIL_SAFE_MW,
        .phys_max_mw = PHYS_MAX_MW,
        .draw_mw = cap_mw + 1500000,
        .state = lease->sequence ? HOST_LEASED : HOST_FAIL_SAFE,
        .flags = cap_mw < CAP_MAX_MW ? REPORT_AT_CAP : 0,
        .session = lease->session,
    };
    struct frame frame = {.kind = FRAME_REPORT, .sender = host, .sequence = ++client->frame_sequence};
    frame.body_bytes = report_encode(&report, data + FRAME_HEADER_BYTES, sizeof data - FRAME_HEADER_BYTES);
    uint32_t bytes = frame_encode(data, &frame);
    rtt_keys_seal(client->keys, false, host, data, bytes);
    return send_as(client, host, data, bytes);
}

uint64_t rtt_obey(struct rtt_client *client, const uint8_t *data, uint32_t bytes)
{
    struct frame frame;
    struct lease lease;
    if (bytes < FRAME_HEADER_BYTES || frame_decode(data, bytes, &frame) || frame.sender >= RTT_HOSTS ||
        !rtt_keys_true(client->keys, data, &frame) ||
        lease_decode(frame.body, frame.body_bytes, &lease))
        return 0;
    if (lease.sequence <= client->newest[frame.sender].sequence)
        return lease.echo;
    client->newest[frame.sender] = lease;
    client->lease_bytes = bytes;
    client->received++;
    return lease.echo;
}

bool rtt_await(struct rtt_client *client, bool echoes, uint32_t count, int64_t *first_ns, int64_t *last_ns)
{
    static uint8_t data[4 * RTT_HOSTS][RTT_DATAGRAM_MAX];
    uint32_t bytes[4 * RTT_HOSTS], got = 0, counted = 0;
    int64_t give_up_ns = bench_now_ns() + AWAIT_MS * NS_PER_MS;
    while (counted < count && got < 4 * RTT_HOSTS) {
        ssize_t length = recv(client->socket, data[got], sizeof data[got], 0);
        if (length <= 0) {
            if (bench_now_ns() > give_up_ns)
                break;
            continue;
        }
        int64_t now_ns = bench_now_ns();
        if ((data[got][0] == RTT_ECHO) == echoes) {
            *last_ns = now_ns;
            *first_ns = counted++ ? *first_ns : now_ns;
        }
        bytes[got++] = (uint32_t)length;
    }
    for (uint32_t i = 0; i < got; i++)
        rtt_obey(client, data[i], bytes[i]);
    return counted == count;
}

void rtt_drain(struct rtt_client *client, int64_t quiet_ns)
{
    uint8_t data[RTT_DATAGRAM_MAX];
    int64_t quiet_since_ns = bench_now_ns();
    while (bench_now_ns() - quiet_since_ns < quiet_ns) {
        ssize_t length = recv(client->socket, data, sizeof data, 0);
        if (length < 0)
            continue;
        rtt_obey(client, data, (uint32_t)length);
        quiet_since_ns = bench_now_ns();
    }
}

static uint64_t number_of(const uint8_t *data)
{
    uint32_t number;
    memcpy(&number, data + RTT_NUMBER_AT, sizeof number);
    return number;
}

bool rtt_take(struct rtt_client *client, bool echoes, int64_t *now_ns, uint64_t *number)
{
    uint8_t data[RTT_DATAGRAM_MAX];
    ssize_t length = recv(client->socket, data, sizeof data, 0);
    if (length <= 0)
        return false;
    *now_ns = bench_now_ns();
    bool echo = data[0] == RTT_ECHO;
    *number = echo ? number_of(data) : rtt_obey(client, data, (uint32_t)length);
    return echo == echoes;
}
