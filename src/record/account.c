/* SPDX-License-Identifier: Apache-2.0 */
#include "record/account.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "record/crc32c.h"
#include "ring/seqlock.h"

/* A change of meaning in a record raises the version. */
enum { ACCOUNT_VERSION = 1, BOOT_BYTES = 40, FLAG_BOUNDED = 1, FLAG_ACCEPTED = 2 };
#define ACCOUNT_MAGIC UINT64_C(0x3154434341594C46)  /* "FLYACCT1" as bytes */

struct account_header {
    uint64_t magic;
    uint32_t version;
    uint32_t hosts;
    uint64_t epoch;
    uint32_t hosts_crc;         /* of their names, in order: what a record is about */
    int32_t writer;             /* process id, for people */
    char boot[BOOT_BYTES];
    uint8_t reserved[56];
    struct seqlock beat;        /* t_ns, whole, newer epoch seen */
};

static_assert(sizeof(struct account_header) == 192, "the header is whole cache lines, its beat in one");

enum { BEAT_T_NS, BEAT_WHOLE, BEAT_NEWER };

static size_t file_bytes(uint32_t hosts)
{
    return sizeof(struct account_header) + hosts * sizeof(struct seqlock);
}

const char *account_state_words(enum account_state state)
{
#define ACCOUNT_STATE_WORDS(symbol, words) [symbol] = words,
    static const char *const words[] = {ACCOUNT_STATES(ACCOUNT_STATE_WORDS)};
#undef ACCOUNT_STATE_WORDS
    return words[state];
}

/* ---- setup ---- */

static int read_boot(char boot[BOOT_BYTES])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    memset(boot, 0, BOOT_BYTES);
    ssize_t got = read(fd, boot, BOOT_BYTES - 1);
    close(fd);
    return got > 0 ? 0 : -EIO;
}

static uint32_t crc_of_hosts(const struct model *model)
{
    struct crc32c crc;
    uint32_t sum = 0;
    crc32c_init(&crc);
    for (uint32_t host = 0; host < model->host_count; host++)
        sum = crc32c(&crc, sum, model->host[host].name, sizeof model->host[host].name);
    return sum;
}

static void unmap(struct account_file *file)
{
    if (file->memory)
        munmap(file->memory, file->bytes);
    file->memory = NULL;
    file->header = NULL;
    file->host = NULL;
    file->hosts = 0;
}

static int map(struct account_file *file, size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file->fd, 0);
    if (memory == MAP_FAILED)
        return -errno;
    file->memory = memory;
    file->bytes = bytes;
    file->header = memory;
    file->host = (struct seqlock *)((uint8_t *)memory + sizeof(struct account_header));
    file->hosts = (uint32_t)((bytes - sizeof(struct account_header)) / sizeof(struct seqlock));
    return 0;
}

/* What another user could write is no evidence; what a disk may keep waiting is none of decide's. */
static int check_file(const struct account_file *file, size_t *bytes)
{
    struct stat what;
    struct statfs where;
    if (fstat(file->fd, &what) || fstatfs(file->fd, &where))
        return -errno;
    *bytes = (size_t)what.st_size;
    if (!S_ISREG(what.st_mode) || what.st_uid != geteuid() || what.st_mode & (S_IWGRP | S_IWOTH))
        return -EPERM;
    return where.f_type == TMPFS_MAGIC || where.f_type == RAMFS_MAGIC ? 0 : -ENOTSUP;
}

static pid_t holder_of(const struct account_file *file)
{
    struct account_header header = {0};
    bool known = pread(file->fd, &header, sizeof header, 0) == (ssize_t)sizeof header;
    return known && header.magic == ACCOUNT_MAGIC ? header.writer : 0;
}

int account_open(struct account_file *file, const char *path, pid_t *holder)
{
    size_t bytes = 0;
    *file = (struct account_file){.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    *holder = 0;
    if (file->fd < 0)
        return -errno;
    int error = check_file(file, &bytes);
    if (!error && flock(file->fd, LOCK_EX | LOCK_NB)) {
        error = -errno;
        *holder = holder_of(file);
    }
    if (!error && bytes >= sizeof(struct account_header))
        error = map(file, bytes);
    if (error)
        account_close(file);
    return error;
}

/* Only a whole record counts: one that a killed writer left odd is torn, and nobody will finish it. */
static bool read_record(const struct account_file *file, uint32_t host, struct slot_account *account)
{
    uint64_t word[SEQLOCK_WORDS];
    if (!seqlock_read(&file->host[host], word))
        return false;
    *account = (struct slot_account){
        .host = host,
        .last = host + 1 == file->header->hosts,
        .epoch = file->header->epoch,
        .incarnation = word[0],
        .report = word[1],
        .sequence = word[2],
        .newest_mw = (int64_t)word[3],
        .exposed_mw = (int64_t)word[4],
        .fail_safe_mw = (int64_t)word[5],
        .phys_max_mw = (int64_t)(word[6] >> 8),
        .bounded = (word[6] & FLAG_BOUNDED) != 0,
        .accepted = (word[6] & FLAG_ACCEPTED) != 0,
    };
    return true;
}

static enum account_state state_of(const struct account_file *file, const struct model *model, int64_t now_ns,
                                   int64_t *age_ns)
{
    const struct account_header *header = file->header;
    char boot[BOOT_BYTES];
    uint64_t beat[SEQLOCK_WORDS];
    if (read_boot(boot) || memcmp(header->boot, boot, BOOT_BYTES))
        return ACCOUNT_BOOT;
    if (header->hosts != model->host_count || header->hosts > file->hosts ||
        header->hosts_crc != crc_of_hosts(model))
        return ACCOUNT_HOSTS;
    if (!seqlock_read(&header->beat, beat))
        return ACCOUNT_TORN;
    if (!beat[BEAT_WHOLE])
        return ACCOUNT_UNFINISHED;
    if (beat[BEAT_NEWER])
        return ACCOUNT_NEWER_EPOCH;
    *age_ns = now_ns - (int64_t)beat[BEAT_T_NS];
    return *age_ns < 0 || *age_ns > model->policy.lease_ns ? ACCOUNT_OLD : ACCOUNT_WHOLE;
}

enum account_state account_read(const struct account_file *file, const struct model *model, int64_t now_ns,
                                struct slot_account *account, uint64_t *epoch)
{
    int64_t age_ns = 0;
    *epoch = 0;
    if (!file->memory || file->header->magic == 0)
        return ACCOUNT_NONE;
    if (file->header->magic != ACCOUNT_MAGIC || file->header->version != ACCOUNT_VERSION)
        return ACCOUNT_FORMAT;
    *epoch = file->header->epoch;
    enum account_state state = state_of(file, model, now_ns, &age_ns);
    for (uint32_t host = 0; state == ACCOUNT_WHOLE && host < model->host_count; host++) {
        if (!read_record(file, host, &account[host]))
            return ACCOUNT_TORN;
        account[host].age_ns = age_ns;
    }
    return state;
}

int account_begin(struct account_file *file, const struct model *model, uint64_t epoch)
{
    size_t bytes = file_bytes(model->host_count);
    unmap(file);
    /* emptied first: until account_whole nothing of the writer before may be read again */
    int error = ftruncate(file->fd, 0) ? -errno : posix_fallocate(file->fd, 0, (off_t)bytes);
    if (error)
        return error < 0 ? error : -error;
    error = map(file, bytes);
    if (error)
        return error;
    struct account_header *header = file->header;
    header->version = ACCOUNT_VERSION;
    header->hosts = model->host_count;
    header->epoch = epoch;
    header->hosts_crc = crc_of_hosts(model);
    header->writer = (int32_t)getpid();
    error = read_boot(header->boot);
    header->magic = ACCOUNT_MAGIC;
    return error;
}

void account_whole(struct account_file *file, int64_t now_ns)
{
    const uint64_t word[SEQLOCK_WORDS] = {[BEAT_T_NS] = (uint64_t)now_ns, [BEAT_WHOLE] = 1};
    seqlock_write(&file->header->beat, word);
}

void account_close(struct account_file *file)
{
    unmap(file);
    if (file->fd >= 0)
        close(file->fd);
    *file = (struct account_file){.fd = -1};
}

/* ---- rt ---- */

void account_write(struct account_file *file, const struct slot_account *account)
{
    uint64_t flags = (account->bounded ? FLAG_BOUNDED : 0) | (account->accepted ? FLAG_ACCEPTED : 0);
    const uint64_t word[SEQLOCK_WORDS] = {account->incarnation,
                                          account->report,
                                          account->sequence,
                                          (uint64_t)account->newest_mw,
                                          (uint64_t)account->exposed_mw,
                                          (uint64_t)account->fail_safe_mw,
                                          (uint64_t)account->phys_max_mw << 8 | flags};
    seqlock_write(&file->host[account->host], word);
}

void account_beat(struct account_file *file, int64_t now_ns, bool newer_epoch)
{
    const uint64_t word[SEQLOCK_WORDS] = {
        [BEAT_T_NS] = (uint64_t)now_ns, [BEAT_WHOLE] = 1, [BEAT_NEWER] = newer_epoch};
    seqlock_write(&file->header->beat, word);
}
