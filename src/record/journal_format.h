/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a journal looks like on disk: a head, the model's arrays one after the other, then blocks. Little
 * endian. Every byte is under a checksum. Slots and model are stored as this build lays them out, so the
 * head carries the sizes of all of them and a build with other sizes refuses the file.
 */
#ifndef FLYBALL_RECORD_JOURNAL_FORMAT_H
#define FLYBALL_RECORD_JOURNAL_FORMAT_H

#include "msg/model.h"
#include "msg/slot.h"
#include "record/crc32c.h"
#include "record/journal.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a journal is written as memory stands");

/* A change of meaning or order inside a stored struct that keeps its size must raise the version. */
enum { JOURNAL_VERSION = 6, JOURNAL_BLOCK_SLOTS = 255 };
enum { JOURNAL_BLOCK_BYTES = (1 + JOURNAL_BLOCK_SLOTS) * SLOT_BYTES };
#define JOURNAL_MAGIC UINT64_C(0x314C4E524A594C46)  /* "FLYJRNL1" as bytes */
#define JOURNAL_BLOCK_MAGIC UINT32_C(0x4B4C4246)    /* "FBLK" as bytes */

enum journal_section {
    SECTION_MODEL,
    SECTION_NODES,
    SECTION_HOSTS,
    SECTION_TYPES,
    SECTION_METERS,
    SECTION_CURVES,
    SECTION_ALERTS,
    SECTION_WATCHES,
    SECTION_COUNT
};

struct journal_head {
    uint64_t magic;
    uint32_t version;
    uint32_t slot_bytes;
    uint32_t item_bytes[SECTION_COUNT];     /* sizeof one item of each section */
    uint32_t item_count[SECTION_COUNT];     /* 1 model, then the arrays */
    struct journal_start start;
    uint64_t model_bytes;                   /* all sections together */
    uint32_t model_crc;
    uint8_t reserved[SLOT_BYTES - 120];
    uint32_t head_crc;                      /* of everything before it */
};

enum journal_block_flag { BLOCK_END = 1 };  /* the writer finished: nothing follows */

struct journal_block {
    uint32_t magic;
    uint32_t count;             /* slots that follow */
    uint64_t number;            /* from 0, ascending by one */
    uint64_t dropped;           /* slots not written so far, the disk being behind */
    uint32_t flags;             /* enum journal_block_flag */
    uint32_t slots_crc;
    uint8_t reserved[SLOT_BYTES - 36];
    uint32_t head_crc;          /* of everything before it */
};

static_assert(sizeof(struct journal_head) == SLOT_BYTES, "the head is one slot long");
static_assert(sizeof(struct journal_block) == SLOT_BYTES, "a block's head is one slot long");

struct journal_sections {
    const void *data[SECTION_COUNT];
    size_t bytes[SECTION_COUNT];
    struct model fixed;         /* the model without its pointers: what section 0 shows */
};

/* any: where the model's parts lie. `sections` must not move afterwards (data[0] points into it). */
void journal_sections(struct journal_sections *sections, const struct model *model);

/* any: sizes of this build into the head, counts of this model beside them. */
void journal_head_sizes(struct journal_head *head, const struct model *model);

/* any: what of an alert is out of range, in words; NULL: nothing. */
const char *journal_alert_fault(const struct model_alert *alert);

/* any: 0 when every count and index of the model lies in its range, else -EBADMSG and `error` says which. */
int journal_model_check(const struct model *model, char *error, size_t error_bytes);

#endif
