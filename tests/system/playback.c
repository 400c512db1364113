/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two sides of tests/system/playback_test.sh. `playback write SITE FILE` writes a capture in which every
 * meter of the site speaks three times and every host reports once; `playback read SITE FILE` counts the
 * leases in a capture, one line: hosts that got one, leases, other frames.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "msg/lease.h"
#include "port/driver.h"
#include "port/ip/udp.h"
#include "site/site.h"
#include "wire/cap.h"
#include "wire/frame.h"
#include "wire/upmu.h"

enum { RECORD_BYTES = 16, LINK_ETHERNET = 1, METER_PORT = 9000, READINGS = 3 };
#define MAGIC_MICROSECONDS UINT32_C(0xA1B2C3D4)

struct playback {
    struct site site;
    FILE *file;
    uint8_t room[UDP_HEADROOM + DATAGRAM_MAX];
    uint64_t sequence;
    int64_t t_ns;               /* of what is written */
};

static struct endpoint end_of(uint32_t ipv4, uint16_t port)
{
    struct endpoint end = {.ipv4 = ipv4, .port = port};
    port_made_mac(end.mac, ipv4);
    return end;
}

static void write_words(FILE *file, const uint32_t *words, uint32_t count)
{
    if (fwrite(words, sizeof words[0], count, file) != count)
        exit(2);
}

static void write_datagram(struct playback *play, const struct endpoint *from, const struct endpoint *to,
                           struct frame *frame)
{
    struct port_frame whole;
    frame->sequence = ++play->sequence;
    uint32_t bytes = frame_encode(play->room + UDP_HEADROOM, frame);
    udp_build(&whole, play->room, from, to, bytes, 0);
    const uint32_t record[] = {(uint32_t)(play->t_ns / NS_PER_S), (uint32_t)(play->t_ns % NS_PER_S / 1000),
                               whole.length, whole.length};
    write_words(play->file, record, 4);
    if (fwrite(whole.data, 1, whole.length, play->file) != whole.length)
        exit(2);
}

static uint8_t *body_of(struct playback *play)
{
    return play->room + UDP_HEADROOM + FRAME_HEADER_BYTES;
}

static void write_reading(struct playback *play, uint32_t meter)
{
    const struct site_server *server = &play->site.server;
    struct endpoint from = end_of(server->port[0].own.ipv4 + 1, METER_PORT),
                    to = end_of(server->port[0].own.ipv4, server->port[0].own.port);
    struct upmu upmu = {.timestamp_ns = play->t_ns, .phase_count = PHASES, .frequency_hz = 60,
                        .device_id = play->site.model.meter[meter].name, .peak_factor = 1.5};
    upmu.device_id_bytes = (uint32_t)strlen(upmu.device_id);
    for (int i = 0; i < PHASES; i++)
        upmu.phase[i] = (struct upmu_phase){.voltage_rms_v = 277,
                                            .current_rms_a = 60,
                                            .power_active_w = 16000,
                                            .power_apparent_va = 16620,
                                            .power_factor = 0.963};
    struct frame frame = {.kind = FRAME_MEASUREMENT};
    frame.body_bytes = upmu_encode(&upmu, body_of(play), DATAGRAM_MAX - FRAME_HEADER_BYTES);
    write_datagram(play, &from, &to, &frame);
}

static void write_report(struct playback *play, uint32_t host)
{
    const struct site_server *server = &play->site.server;
    const struct site_address *own = &server->port[server->port_count - 1].own;
    const struct model_host *model = &play->site.model.host[host];
    struct endpoint from = end_of(play->site.host_address[host].ipv4, play->site.host_address[host].port),
                    to = end_of(own->ipv4, own->port);
    struct report report = {.incarnation = 1000 + host, .number = 1, .held_ns = NS_PER_S,
                            .cap_mw = model->fail_safe_mw, .readback_mw = model->fail_safe_mw,
                            .fail_safe_mw = model->fail_safe_mw,
                            .phys_max_mw = play->site.model.type[model->type].phys_max_mw,
                            .draw_mw = model->fail_safe_mw, .state = HOST_FAIL_SAFE};
    struct frame frame = {.kind = FRAME_REPORT, .sender = host};
    frame.body_bytes = report_encode(&report, body_of(play), DATAGRAM_MAX - FRAME_HEADER_BYTES);
    write_datagram(play, &from, &to, &frame);
}

static int write_capture(struct playback *play)
{
    const uint32_t header[] = {MAGIC_MICROSECONDS, 2 | 4 << 16, 0, 0, 65535, LINK_ETHERNET};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    play->t_ns = now.tv_sec * NS_PER_S + now.tv_nsec;
    play->sequence = (uint64_t)play->t_ns;
    write_words(play->file, header, 6);
    for (int round = 0; round < READINGS; round++, play->t_ns += 16 * NS_PER_MS)
        for (uint32_t meter = 0; meter < play->site.model.meter_count; meter++)
            write_reading(play, meter);
    for (uint32_t host = 0; host < play->site.model.host_count; host++)
        write_report(play, host);
    return fclose(play->file) ? 2 : 0;
}

/* A lease for a host of the site, to its own address; the host's number, or -1. */
static int lease_in(const struct playback *play, uint8_t *data, uint32_t length)
{
    const struct port_frame whole = {.data = data, .length = length};
    for (uint32_t host = 0; host < play->site.model.host_count; host++) {
        struct endpoint to = end_of(play->site.host_address[host].ipv4, play->site.host_address[host].port);
        struct udp_datagram datagram;
        struct frame frame;
        struct lease lease;
        if (udp_parse(&whole, &to, &datagram) ||
            frame_decode(datagram.payload, datagram.payload_bytes, &frame) ||
            (frame.kind != FRAME_LEASE && frame.kind != FRAME_CLAIM) ||
            lease_decode(frame.body, frame.body_bytes, &lease))
            continue;
        bool answers = frame.sender == host && lease.incarnation == 1000 + host && lease.echo == 1;
        return answers ? (int)host : -1;
    }
    return -1;
}

static int read_capture(struct playback *play)
{
    static uint8_t data[4096], got[HOSTS_MAX];
    uint32_t record[4], leases = 0, others = 0, hosts = 0;
    if (fseek(play->file, 24, SEEK_SET))
        return 2;
    while (fread(record, RECORD_BYTES, 1, play->file) == 1) {
        if (record[2] > sizeof data || fread(data, 1, record[2], play->file) != record[2])
            return 2;
        int host = lease_in(play, data, record[2]);
        others += host < 0;
        leases += host >= 0;
        if (host >= 0 && !got[host]++)
            hosts++;
    }
    printf("%u %u %u\n", hosts, leases, others);
    return 0;
}

int main(int argc, char **argv)
{
    static struct playback play;
    bool writes = argc == 4 && !strcmp(argv[1], "write");
    if (argc != 4 || (!writes && strcmp(argv[1], "read"))) {
        fputs("usage: playback write|read SITE FILE\n", stderr);
        return 2;
    }
    if (site_load(&play.site, argv[2], NULL, stderr))
        return 4;
    play.file = fopen(argv[3], writes ? "w" : "r");
    if (!play.file) {
        perror(argv[3]);
        return 2;
    }
    return writes ? write_capture(&play) : read_capture(&play);
}
