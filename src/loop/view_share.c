/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/view_share.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096 };

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

static int prepare(struct view_share *share)
{
    if (ftruncate(share->fd, (off_t)share->bytes))
        return -errno;
    void *memory = mmap(NULL, share->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, share->fd, 0);
    if (memory == MAP_FAILED)
        return -errno;
    share->memory = memory;
    /* Written once, so that no hot writer ever meets a page for the first time. */
    memset(memory, 0, share->bytes);
    /* Nobody but root may open it again for writing; and whoever can finds the seals. */
    if (fchmod(share->fd, 0444) || fcntl(share->fd, F_ADD_SEALS, SEALS))
        return -errno;
    return 0;
}

uint64_t view_share_bytes(uint32_t nodes, uint32_t hosts, uint32_t meters)
{
    uint64_t bytes = view_layout(nodes, hosts, meters).end;
    return (bytes + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
}

int view_share_open(struct view_share *share, struct view *view, uint32_t nodes, uint32_t hosts,
                    uint32_t meters)
{
    *share = (struct view_share){.bytes = view_share_bytes(nodes, hosts, meters)};
    share->fd = memfd_create("flyball-view", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (share->fd < 0)
        return -errno;
    int error = prepare(share);
    if (error) {
        view_share_close(share);
        return error;
    }
    view_place(view, share->memory, nodes, hosts, meters);
    return 0;
}

void view_share_close(struct view_share *share)
{
    if (share->memory)
        munmap(share->memory, share->bytes);
    if (share->fd >= 0)
        close(share->fd);
    *share = (struct view_share){.fd = -1};
}

void view_share_header(const struct view *view, struct view_header *header)
{
    *header = (struct view_header){.magic = VIEW_MAGIC,
                                   .version = VIEW_VERSION,
                                   .header_bytes = sizeof *header,
                                   .record_bytes = VIEW_RECORD_BYTES,
                                   .counters = VIEW_COUNTERS,
                                   .degradations = DEGRADATION_COUNT,
                                   .nodes = view->nodes,
                                   .hosts = view->hosts,
                                   .meters = view->meters,
                                   .node_records = VIEW_NODE_RECORDS,
                                   .host_records = VIEW_HOST_RECORDS,
                                   .detail_records = VIEW_DETAIL_RECORDS,
                                   .devices = HOST_DEVICES_MAX,
                                   .alerts = ALERTS_MAX,
                                   .alert_records = VIEW_ALERT_RECORDS,
                                   .at = view_layout(view->nodes, view->hosts, view->meters)};
}

static bool understood(const struct view_header *header)
{
    if (header->nodes > NODES_MAX || header->hosts > HOSTS_MAX || header->meters > METERS_MAX)
        return false;
    const struct view view = {.nodes = header->nodes, .hosts = header->hosts, .meters = header->meters};
    struct view_header own;
    view_share_header(&view, &own);
    return !memcmp(header, &own, offsetof(struct view_header, epoch));
}

int view_share_map(struct view_share *share, struct view *view, const struct view_header *header, int fd)
{
    struct stat what;
    *share = (struct view_share){.fd = -1};
    if (!understood(header))
        return -EPROTO;
    if (fstat(fd, &what))
        return -errno;
    if ((uint64_t)what.st_size < header->at.end)
        return -EPROTO;
    void *memory = mmap(NULL, (size_t)what.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return -errno;
    share->memory = memory;
    share->bytes = (uint64_t)what.st_size;
    view_place(view, memory, header->nodes, header->hosts, header->meters);
    return 0;
}
