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
    uint32_t records, record_version;   /* 0: a writer that left none */
    uint32_t model_crc;         /* of what records are about */
    uint32_t session[2];        /* of the writer, low half first; 0: one that drew none */
    uint8_t reserved[36];
    struct seqlock beat;        /* t_ns, whole, newer epoch seen */
};

static_assert(sizeof(struct account_header) == 192, "the header is whole cache lines, its beat in one");

enum { BEAT_T_NS, BEAT_WHOLE, BEAT_NEWER };

/* A change of meaning in a word raises the version. */
enum { RECORD_VERSION = 2, RECORD_LINES = (HANDED_WORDS_MAX + SEQLOCK_WORDS) / SEQLOCK_WORDS };

/* Lines of one writing have one version; the first word says how many words there are, and which writing. */
struct account_record {
    struct seqlock line[2][RECORD_LINES];
};

static size_t accounts_bytes(uint32_t hosts)
{
    return sizeof(struct account_header) + hosts * sizeof(struct seqlock);
}

static size_t file_bytes(uint32_t hosts, uint32_t records)
{
    return accounts_bytes(hosts) + records * sizeof(struct account_record);
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

/* What heat, permits and pools are worked out from. */
static uint32_t crc_of_model(const struct model *model)
{
    struct crc32c crc;
    uint32_t sum = 0;
    crc32c_init(&crc);
    sum = crc32c(&crc, sum, model->node, model->node_count * sizeof *model->node);
    sum = crc32c(&crc, sum, model->meter, model->meter_count * sizeof *model->meter);
    sum = crc32c(&crc, sum, model->host, model->host_count * sizeof *model->host);
    sum = crc32c(&crc, sum, model->type, model->type_count * sizeof *model->type);
    sum = crc32c(&crc, sum, model->curve, model->curve_count * sizeof *model->curve);
    return crc32c(&crc, sum, model->contingency, model->contingency_count * sizeof *model->contingency);
}

static void unmap(struct account_file *file)
{
    if (file->memory)
        munmap(file->memory, file->bytes);
    file->memory = NULL;
    file->header = NULL;
    file->host = NULL;
    file->record = NULL;
    file->hosts = file->records = 0;
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

bool account_has_records(const struct account_file *file, const struct model *model)
{
    const struct account_header *header = file->header;
    return header->record_version == RECORD_VERSION && header->records == model->meter_count + 1 &&
           file->bytes >= file_bytes(header->hosts, header->records) &&
           header->model_crc == crc_of_model(model);
}

/* Returns the words; *number is that of the writing. */
static uint32_t read_place(const struct seqlock line[RECORD_LINES], int64_t word[HANDED_WORDS_MAX],
                           uint64_t *number)
{
    uint64_t got[RECORD_LINES * SEQLOCK_WORDS];
    uint64_t version = atomic_load_explicit(&line[0].version, memory_order_acquire);
    uint32_t words = 0;
    for (uint32_t i = 0; i * SEQLOCK_WORDS < words + 1; i++) {
        if (!version || atomic_load_explicit(&line[i].version, memory_order_acquire) != version ||
            !seqlock_read(&line[i], &got[i * SEQLOCK_WORDS]))
            return 0;
        words = (uint32_t)(got[0] & 0xFF);
        if (!words || words > HANDED_WORDS_MAX)
            return 0;
    }
    *number = got[0] >> 8;
    for (uint32_t i = 0; i < words; i++)
        word[i] = (int64_t)got[i + 1];
    return words;
}

uint32_t account_read_record(const struct account_file *file, uint32_t number,
                             int64_t word[HANDED_WORDS_MAX])
{
    const struct account_record *record =
        (const struct account_record *)((const uint8_t *)file->memory + accounts_bytes(file->header->hosts)) +
        number;
    int64_t other[HANDED_WORDS_MAX];
    uint64_t written[2] = {0, 0};
    uint32_t words = read_place(record->line[0], word, &written[0]);
    uint32_t other_words = read_place(record->line[1], other, &written[1]);
    if (!other_words || (words && written[0] > written[1]))
        return words;
    memcpy(word, other, other_words * sizeof *word);
    return other_words;
}

int account_begin(struct account_file *file, const struct model *model, uint64_t epoch)
{
    uint32_t records = model->meter_count + 1;
    size_t bytes = file_bytes(model->host_count, records);
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
    header->records = records;
    header->record_version = RECORD_VERSION;
    header->model_crc = crc_of_model(model);
    header->writer = (int32_t)getpid();
    file->record = (struct account_record *)((uint8_t *)file->memory + accounts_bytes(model->host_count));
    file->records = records;
    error = read_boot(header->boot);
    header->magic = ACCOUNT_MAGIC;
    return error;
}

uint64_t account_session(const struct account_file *file)
{
    const struct account_header *header = file->header;
    if (!file->memory || header->magic != ACCOUNT_MAGIC || header->version != ACCOUNT_VERSION)
        return 0;
    return (uint64_t)header->session[1] << 32 | header->session[0];
}

void account_set_session(struct account_file *file, uint64_t session)
{
    file->header->session[0] = (uint32_t)session;
    file->header->session[1] = (uint32_t)(session >> 32);
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

/* The place that was not written last, line by line; its version is that of the first, whatever a torn one
 * left in the others. */
void account_write_record(struct account_file *file, uint32_t number, const int64_t *word, uint32_t words)
{
    struct account_record *record = &file->record[number];
    uint64_t written[2];
    for (uint32_t i = 0; i < 2; i++)
        written[i] = atomic_load_explicit(&record->line[i][0].version, memory_order_relaxed);
    bool second = written[1] < written[0];
    uint64_t line_word[SEQLOCK_WORDS] = {(written[0] / 2 + written[1] / 2 + 1) << 8 | words};
    uint32_t at = 1;
    for (uint32_t i = 0, line = 0; i < words; line++, at = 0) {
        for (; at < SEQLOCK_WORDS && i < words; at++, i++)
            line_word[at] = (uint64_t)word[i];
        seqlock_write(&record->line[second][line], line_word);
    }
}

void account_beat(struct account_file *file, int64_t now_ns, bool newer_epoch)
{
    const uint64_t word[SEQLOCK_WORDS] = {
        [BEAT_T_NS] = (uint64_t)now_ns, [BEAT_WHOLE] = 1, [BEAT_NEWER] = newer_epoch};
    seqlock_write(&file->header->beat, word);
}
