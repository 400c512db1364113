/* SPDX-License-Identifier: Apache-2.0 */
/* The plant on real sockets over loopback: every host speaks from its
 * own address, leases reach it and take hold. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "sim/live.h"
#include "tiny_site.h"
#include "wire/cap.h"
#include "wire/detail.h"
#include "wire/frame.h"
#include "wire/upmu.h"

enum { HOSTS = 4, CAP_MW = 3000000 };
static const uint32_t controller_ipv4 = 0x7F4D0001;     /* 127.77.0.1; hosts from 127.77.0.11 on */

struct stage {
    struct site site;
    struct site_address address[HOSTS];
    struct workload workload;
    struct live_config config;
    struct outcome outcome;
    char why[200];
    int result;
};

struct heard {
    uint32_t measurements, reports, details, from_elsewhere, undecodable;
    int64_t last_timestamp_ns[8], readback_mw[HOSTS];
    bool fell_back;                     /* a meter's stamps did not ascend */
    uint64_t sequence;
};

static int open_controller(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(controller_ipv4)};
    socklen_t bytes = sizeof(at);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &bytes), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void init_stage(struct stage *stage, uint16_t meters_port, uint16_t hosts_port)
{
    const struct tiny_shape shape = {.branches = 1, .racks = 1, .hosts = HOSTS, .main_a = 600,
        .branch_a = 250, .rack_a = 150};
    memset(stage, 0, sizeof(*stage));
    tiny_site_init(&stage->site.model, &shape);
    stage->site.model.policy.report_ns = 50 * NS_PER_MS;
    stage->site.host_address = stage->address;
    for (uint32_t h = 0; h < HOSTS; h++)
        stage->address[h] = (struct site_address){.ipv4 = controller_ipv4 + 10 + h,
                                                  .port = (uint16_t)(20000 + getpid() % 20000)};
    stage->site.server.port_count = 2;
    stage->site.server.housekeeping_core = -1;
    stage->site.server.port[0].own = (struct site_address){.ipv4 = controller_ipv4, .port = meters_port};
    stage->site.server.port[1].own = (struct site_address){.ipv4 = controller_ipv4, .port = hosts_port};
    workload_defaults(&stage->workload);
    stage->workload.class_count = 1;
    stage->workload.class_of = calloc(HOSTS, 1);
    workload_class_defaults(&stage->workload.class[0], WORKLOAD_TRAIN);
    stage->config.duration_ns = 600 * NS_PER_MS;
}

static void *run_stage(void *user)
{
    struct stage *stage = user;
    stage->result = live_run(&stage->site, &stage->workload, &stage->config, &stage->outcome, stage->why,
                             sizeof(stage->why));
    return NULL;
}

static void hear_measurement(struct heard *heard, const struct stage *stage, const struct frame *frame)
{
    struct upmu upmu;
    if (upmu_decode(frame->body, frame->body_bytes, &upmu) != ACCEPTED) {
        heard->undecodable++;
        return;
    }
    for (uint32_t m = 0; m < stage->site.model.meter_count; m++) {
        const char *name = stage->site.model.meter[m].name;
        if (strlen(name) != upmu.device_id_bytes || memcmp(name, upmu.device_id, upmu.device_id_bytes))
            continue;
        heard->measurements++;
        heard->fell_back |= upmu.timestamp_ns <= heard->last_timestamp_ns[m];
        heard->last_timestamp_ns[m] = upmu.timestamp_ns;
    }
}

static void answer(struct heard *heard, int fd, const struct sockaddr_in *to, uint32_t host,
                   const struct report *report)
{
    uint8_t data[DATAGRAM_MAX];
    struct lease lease = {.incarnation = report->incarnation, .epoch = 1, .sequence = ++heard->sequence,
                          .echo = report->number, .cap_mw = CAP_MW, .duration_ns = NS_PER_S};
    struct frame frame = {.kind = FRAME_LEASE, .sender = host, .sequence = heard->sequence,
                          .body_bytes = lease_encode(&lease, data + FRAME_HEADER_BYTES, 1000)};
    sendto(fd, data, frame_encode(data, &frame), 0, (const struct sockaddr *)to, sizeof(*to));
}

static void hear_report(struct heard *heard, int fd, const struct sockaddr_in *from,
                        const struct frame *frame)
{
    struct report report;
    if (report_decode(frame->body, frame->body_bytes, &report) != ACCEPTED) {
        heard->undecodable++;
        return;
    }
    heard->reports++;
    heard->from_elsewhere += frame->sender >= HOSTS || ntohl(from->sin_addr.s_addr) != controller_ipv4 +
        10 + frame->sender;
    if (frame->sender < HOSTS)
        heard->readback_mw[frame->sender] = report.readback_mw;
    answer(heard, fd, from, frame->sender, &report);
}

static void hear_detail(struct heard *heard, const struct frame *frame)
{
    struct detail detail;
    bool good = detail_decode(frame->body, frame->body_bytes, &detail) == ACCEPTED;
    heard->undecodable += !good;
    heard->details += good && detail.device_count == 1;
}

static void listen_to(struct heard *heard, const struct stage *stage, int meters_fd, int hosts_fd)
{
    struct pollfd ready[2] = {{.fd = meters_fd, .events = POLLIN}, {.fd = hosts_fd, .events = POLLIN}};
    while (poll(ready, 2, 400) > 0) {
        for (int i = 0; i < 2; i++) {
            uint8_t data[DATAGRAM_MAX];
            struct sockaddr_in from;
            struct frame frame;
            socklen_t from_bytes = sizeof(from);
            ssize_t bytes = ready[i].revents ? recvfrom(ready[i].fd, data, sizeof(data), MSG_DONTWAIT,
                                                        (struct sockaddr *)&from, &from_bytes) : -1;
            if (bytes <= 0)
                continue;
            if (frame_decode(data, (uint32_t)bytes, &frame) != ACCEPTED)
                heard->undecodable++;
            else if (i == 0)
                hear_measurement(heard, stage, &frame);
            else if (frame.kind == FRAME_DETAIL)
                hear_detail(heard, &frame);
            else
                hear_report(heard, hosts_fd, &from, &frame);
        }
    }
}

static void hosts_speak_from_their_own_addresses_and_obey_leases(void **state)
{
    struct stage stage;
    struct heard heard = {0};
    uint16_t meters_port, hosts_port;
    pthread_t thread;
    (void)state;
    int meters_fd = open_controller(&meters_port), hosts_fd = open_controller(&hosts_port);
    init_stage(&stage, meters_port, hosts_port);
    assert_int_equal(pthread_create(&thread, NULL, run_stage, &stage), 0);
    listen_to(&heard, &stage, meters_fd, hosts_fd);
    pthread_join(thread, NULL);
    if (stage.result)
        fail_msg("live_run: %s: %s", stage.why, strerror(-stage.result));
    assert_int_equal(heard.undecodable, 0);
    assert_int_equal(heard.from_elsewhere, 0);
    assert_false(heard.fell_back);
    assert_in_range(heard.measurements, 3 * 36, 3 * 37);    /* three meters, 600 ms / 16 ms */
    assert_in_range(heard.details, 1, HOSTS);       /* those whose turn falls within 600 ms */
    assert_in_range(heard.reports, HOSTS * 12, 10000);
    assert_int_equal(stage.outcome.reports_sent, heard.reports);
    assert_int_equal(stage.outcome.caps.accepted, stage.outcome.caps.received);
    /* fail-safe at boot, then the lease */
    assert_in_range(stage.outcome.caps.enforced, 2 * HOSTS, 3 * HOSTS);
    for (int h = 0; h < HOSTS; h++)
        assert_int_equal(heard.readback_mw[h], CAP_MW);
    outcome_finish(&stage.outcome);
    workload_unload(&stage.workload);
    tiny_site_finish(&stage.site.model);
    close(meters_fd);
    close(hosts_fd);
}

static void a_missing_namespace_is_named(void **state)
{
    struct stage stage;
    (void)state;
    init_stage(&stage, 1, 1);
    stage.config.meters_netns = "no-such-namespace-here";
    run_stage(&stage);
    assert_int_not_equal(stage.result, 0);
    assert_non_null(strstr(stage.why, "no-such-namespace-here"));
    workload_unload(&stage.workload);
    tiny_site_finish(&stage.site.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_speak_from_their_own_addresses_and_obey_leases),
        cmocka_unit_test(a_missing_namespace_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
