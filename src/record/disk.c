/* SPDX-License-Identifier: Apache-2.0 */
#include "record/disk.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

/* What the kernel says when io_uring is not built, switched off, or filtered by a sandbox. */
static bool is_forbidden(int error)
{
    return error == -ENOSYS || error == -EPERM || error == -EACCES || error == -ENOMEM;
}

int disk_open(struct disk *disk, int fd)
{
    memset(disk, 0, sizeof(*disk));
    disk->fd = fd;

    int error = io_uring_queue_init(DISK_DEPTH, &disk->uring, 0);

    disk->uring_used = error == 0;
    return is_forbidden(error) ? 0 : error;
}

void disk_close(struct disk *disk)
{
    if (disk->uring_used)
        io_uring_queue_exit(&disk->uring);
    disk->uring_used = false;
}

static void write_now(struct disk *disk, uint32_t tag, const void *data, uint32_t bytes, uint64_t offset)
{
    struct disk_done *done = &disk->done[(disk->done_first + disk->in_flight) % DISK_DEPTH];
    ssize_t written;

    do {
        written = pwrite(disk->fd, data, bytes, (off_t)offset);
    } while (written < 0 && errno == EINTR);
    done->tag = tag;
    done->result = written < 0 ? -errno : (int32_t)written;
}

/* The kernel finishes a buffered write on a worker thread of the submitting thread, free to run on any
 * core: on a hot one it would take the time that the fair server grants it from the hot thread. It is
 * held to the cores of this thread; a kernel that cannot do that is no reason not to write. */
static void place_workers(struct disk *disk)
{
    cpu_set_t cores;
    pid_t self = gettid();

    if (disk->placed == self)
        return;
    disk->placed = self;
    if (sched_getaffinity(0, sizeof(cores), &cores) == 0)
        io_uring_register_iowq_aff(&disk->uring, sizeof(cores), &cores);
}

bool disk_write(struct disk *disk, uint32_t tag, const void *data, uint32_t bytes, uint64_t offset)
{
    if (disk->in_flight == DISK_DEPTH)
        return false;
    if (!disk->uring_used) {
        write_now(disk, tag, data, bytes, offset);
        disk->in_flight++;
        return true;
    }

    place_workers(disk);

    struct io_uring_sqe *entry = io_uring_get_sqe(&disk->uring);

    if (!entry)
        return false;
    io_uring_prep_write(entry, disk->fd, data, bytes, offset);
    entry->user_data = tag;
    disk->in_flight++;
    /* A refusal (EAGAIN, EBUSY) leaves the entry queued; the next submit takes it along. */
    io_uring_submit(&disk->uring);
    return true;
}

static bool is_passing(int error)
{
    return error >= 0 || error == -EINTR || error == -EAGAIN || error == -EBUSY;
}

static bool reap_uring(struct disk *disk, bool wait, struct disk_done *done)
{
    struct io_uring_cqe *entry = NULL;
    int error;

    do {
        error = io_uring_submit_and_wait(&disk->uring, wait ? 1 : 0);
    } while (io_uring_peek_cqe(&disk->uring, &entry) != 0 && wait && is_passing(error));
    if (!entry)
        return false;
    done->tag = (uint32_t)entry->user_data;
    done->result = entry->res;
    io_uring_cqe_seen(&disk->uring, entry);
    return true;
}

bool disk_reap(struct disk *disk, bool wait, struct disk_done *done)
{
    if (disk->in_flight == 0)
        return false;
    if (disk->uring_used) {
        if (!reap_uring(disk, wait, done))
            return false;
    } else {
        *done = disk->done[disk->done_first];
        disk->done_first = (disk->done_first + 1) % DISK_DEPTH;
    }
    disk->in_flight--;
    return true;
}
