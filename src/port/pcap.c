/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capture in, a capture out: "IN:OUT", classic pcap files (the format of libpcap's savefiles), either may
 * be empty. Frames come as fast as they are asked for: the stamps of the capture are not looked at yet. What
 * is sent is written with the time of sending, one system call a burst. At the end of the capture nothing
 * comes any more; the link stays up.
 *
 * DPDK has a driver for this and it is not used: it takes a capture that is cut off or broken in the middle
 * for one that ended, and it would start DPDK, with its memory, to read a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "port/driver.h"

enum { RECORD_BYTES = 16, LINK_ETHERNET = 1, VERSION_MAJOR = 2, VERSION_MINOR = 4 };
#define MAGIC_MICROSECONDS UINT32_C(0xA1B2C3D4)
#define MAGIC_NANOSECONDS  UINT32_C(0xA1B23C4D)
#define MAGIC_NEW_FORMAT   UINT32_C(0x0A0D0D0A)     /* pcapng: the same in either byte order */

struct file_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, accuracy;
    uint32_t longest;
    uint32_t link;
};

struct record {
    uint32_t seconds, fraction;
    uint32_t bytes;             /* in the file */
    uint32_t length;            /* on the wire */
};

static_assert(sizeof(struct record) == RECORD_BYTES, "as it lies in the file");

struct pcap {
    struct port_counters counters;
    uint8_t *in;                /* a private copy of the capture: what is changed there stays here */
    size_t in_bytes, at;
    bool swapped;               /* the capture is in the other byte order */
    bool nowhere;               /* no capture out: what is sent counts as sent and is gone */
    int out;
    uint8_t *burst;             /* what one call writes */
};

static uint32_t in_order(const struct pcap *pcap, uint32_t value)
{
    return pcap->swapped ? __builtin_bswap32(value) : value;
}

static struct record record_at(const struct pcap *pcap, size_t at)
{
    struct record record;
    memcpy(&record, pcap->in + at, sizeof record);
    record.bytes = in_order(pcap, record.bytes);
    record.length = in_order(pcap, record.length);
    return record;
}

static int check_header(struct port *port, const char *path)
{
    struct pcap *pcap = port->state;
    struct file_header header;
    if (pcap->in_bytes < sizeof header)
        return port_fail(port, -EINVAL, "pcap %s: %zu bytes are no capture", path, pcap->in_bytes);
    memcpy(&header, pcap->in, sizeof header);
    if (header.magic == MAGIC_NEW_FORMAT)
        return port_fail(port, -EINVAL, "pcap %s: a pcapng file; write it as classic pcap", path);
    uint32_t turned = __builtin_bswap32(header.magic);
    pcap->swapped = turned == MAGIC_MICROSECONDS || turned == MAGIC_NANOSECONDS;
    if (!pcap->swapped && header.magic != MAGIC_MICROSECONDS && header.magic != MAGIC_NANOSECONDS)
        return port_fail(port, -EINVAL, "pcap %s: it does not start like a capture", path);
    /* above bit 15 stand notes about checksums of frames */
    if ((in_order(pcap, header.link) & 0xFFFF) != LINK_ETHERNET)
        return port_fail(port, -EINVAL, "pcap %s: link type %u, only Ethernet (1) is read here", path,
                         in_order(pcap, header.link) & 0xFFFF);
    pcap->at = sizeof header;
    return 0;
}

/* Every record to the end, so that none is found broken under way. */
static int check_records(struct port *port, const char *path)
{
    const struct pcap *pcap = port->state;
    uint32_t number = 1;
    for (size_t at = pcap->at; at < pcap->in_bytes; number++) {
        size_t left = pcap->in_bytes - at;
        struct record record = {0};
        if (left >= RECORD_BYTES)
            record = record_at(pcap, at);
        if (left < RECORD_BYTES || record.bytes > left - RECORD_BYTES)
            return port_fail(port, -EINVAL, "pcap %s: frame %u at byte %zu is cut off by the end of the file",
                             path, number, at);
        if (!port_fits(port, pcap->in + at + RECORD_BYTES, record.bytes) || record.length < record.bytes)
            return port_fail(
                port, -EINVAL,
                "pcap %s: frame %u at byte %zu says %u of %u bytes; with MTU %u a frame has %d to %u", path,
                number, at, record.bytes, record.length, port->mtu, ETHERNET_HEADER_BYTES,
                port->mtu + ETHERNET_HEADER_BYTES);
        at += RECORD_BYTES + record.bytes;
    }
    return 0;
}

static int open_in(struct port *port, const char *path)
{
    struct pcap *pcap = port->state;
    struct stat status = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status)) {
        int rc = port_fail(port, -errno, "pcap %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    if (S_ISREG(status.st_mode) && status.st_size) {
        void *in =
            mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        pcap->in = in == MAP_FAILED ? NULL : in;
        pcap->in_bytes = pcap->in ? (size_t)status.st_size : 0;
    }
    close(fd);
    int rc = check_header(port, path);
    return rc ? rc : check_records(port, path);
}

static int open_out(struct port *port, const char *path)
{
    struct pcap *pcap = port->state;
    const struct file_header header = {.magic = MAGIC_NANOSECONDS, .major = VERSION_MAJOR,
                                       .minor = VERSION_MINOR, .longest = port_longest(port),
                                       .link = LINK_ETHERNET};
    size_t room = BURST_MAX * (size_t)(RECORD_BYTES + port_longest(port));
    pcap->out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (pcap->out < 0)
        return port_fail(port, -errno, "pcap %s: %s", path, strerror(errno));
    if (flock(pcap->out, LOCK_EX | LOCK_NB))
        return port_fail(port, -EBUSY, "pcap %s: another port writes there", path);
    if (ftruncate(pcap->out, 0) || write(pcap->out, &header, sizeof header) != sizeof header)
        return port_fail(port, -EIO, "pcap %s: it cannot be written", path);
    pcap->burst = malloc(room);
    if (!pcap->burst)
        return port_fail(port, -ENOMEM, "pcap %s: no memory", path);
    memset(pcap->burst, 0, room);       /* touched now, so that no send meets a page fault */
    return 0;
}

static void pcap_close(struct port *port)
{
    struct pcap *pcap = port->state;
    if (pcap->in)
        munmap(pcap->in, pcap->in_bytes);
    if (pcap->out >= 0)
        close(pcap->out);
    free(pcap->burst);
}

static bool same_file(const char *one, const char *other)
{
    struct stat a, b;
    return !stat(one, &a) && !stat(other, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int pcap_open(struct port *port, const struct port_config *config)
{
    struct pcap *pcap = port->state;
    char path[INTERFACE_BYTES];
    snprintf(path, sizeof path, "%s", config->interface);
    char *out = strchr(path, ':');
    pcap->out = -1;
    if (!out || strlen(config->interface) >= sizeof path)
        return port_fail(port, -EINVAL, "pcap %s: write IN:OUT, two files of which one may be empty", path);
    if (config->queues != 1)
        return port_fail(port, -EINVAL, "pcap %s: one queue, not %u: a capture has one order", path,
                         config->queues);
    *out++ = '\0';
    if (path[0] && out[0] && same_file(path, out))
        return port_fail(port, -EINVAL, "pcap %s: the same file in and out", path);
    /* who frames of the capture are for */
    if (config->mac)
        memcpy(port->mac, config->mac, sizeof port->mac);
    else
        port_made_mac(port->mac, config->ipv4);
    pcap->nowhere = !out[0];
    int rc = path[0] ? open_in(port, path) : 0;
    if (!rc && out[0])
        rc = open_out(port, out);
    if (rc)
        pcap_close(port);
    return rc;
}

static int pcap_attach(struct port *port, uint32_t queue)
{
    (void)port;
    return queue ? -EINVAL : 0;
}

static uint32_t pcap_receive(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count)
{
    (void)queue;
    struct pcap *pcap = port->state;
    uint64_t bytes = 0;
    uint32_t got = 0;
    for (; got < count && pcap->at < pcap->in_bytes; got++) {
        uint32_t length = record_at(pcap, pcap->at).bytes;
        frame[got] = (struct port_frame){.data = pcap->in + pcap->at + RECORD_BYTES, .length = length};
        pcap->at += RECORD_BYTES + length;
        bytes += length;
    }
    counter_add(&pcap->counters.received, got);
    counter_add(&pcap->counters.received_bytes, bytes);
    return got;
}

/* As many bytes as `used` or none: a file that took half a burst (a full disk) is cut back to where it was,
 * and where that fails too nothing more is written behind the half frame. */
static bool write_out(struct pcap *pcap, size_t used)
{
    ssize_t written = pcap->out < 0 ? -1 : write(pcap->out, pcap->burst, used);
    if (written == (ssize_t)used)
        return true;
    off_t end = written > 0 ? lseek(pcap->out, -written, SEEK_CUR) : -1;
    if (written > 0 && (end < 0 || ftruncate(pcap->out, end))) {
        close(pcap->out);
        pcap->out = -1;
    }
    return false;
}

static uint32_t send_burst(struct pcap *pcap, const struct port_frame *frame, uint32_t count)
{
    struct timespec now;
    size_t used = 0, bytes = 0;
    clock_gettime(CLOCK_REALTIME, &now);
    for (uint32_t i = 0; i < count; i++) {
        const struct record record = {(uint32_t)now.tv_sec, (uint32_t)now.tv_nsec, frame[i].length,
                                      frame[i].length};
        bytes += frame[i].length;
        if (pcap->nowhere)
            continue;
        memcpy(pcap->burst + used, &record, sizeof record);
        memcpy(pcap->burst + used + sizeof record, frame[i].data, frame[i].length);
        used += sizeof record + frame[i].length;
    }
    if (!pcap->nowhere && !write_out(pcap, used))
        return 0;
    counter_add(&pcap->counters.sent, count);
    counter_add(&pcap->counters.sent_bytes, bytes);
    return count;
}

static uint32_t pcap_send(struct port *port, uint32_t queue, const struct port_frame *frame, uint32_t count)
{
    (void)queue;
    struct pcap *pcap = port->state;
    uint32_t fitting = port_fitting(port, frame, count), sent = 0;
    while (sent < fitting) {
        uint32_t part = fitting - sent < BURST_MAX ? fitting - sent : BURST_MAX;
        uint32_t taken = send_burst(pcap, frame + sent, part);
        sent += taken;
        if (taken < part)
            break;
    }
    counter_add(&pcap->counters.refused, count - sent);
    return sent;
}

static void pcap_statistics(struct port *port, struct port_statistics *statistics)
{
    const struct pcap *pcap = port->state;
    port_counters_sum(&pcap->counters, statistics);
}

static int pcap_link(struct port *port)
{
    (void)port;
    return 1;
}

const struct port_driver port_pcap = {
    .name = "pcap",
    .summary = "a capture in and a capture out, two files: IN:OUT",
    .kind = PORT_FRAMES,
    .state_bytes = sizeof(struct pcap),
    .open = pcap_open,
    .attach = pcap_attach,
    .receive = pcap_receive,
    .send = pcap_send,
    .statistics = pcap_statistics,
    .link = pcap_link,
    .close = pcap_close,
};
