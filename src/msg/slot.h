/* SPDX-License-Identifier: Apache-2.0 */
/* The unit of the ring: one input to the decision, fixed size, no pointers, stamped by every stage. */
#ifndef FLYBALL_MSG_SLOT_H
#define FLYBALL_MSG_SLOT_H

#include "msg/lease.h"
#include "msg/order.h"
#include "msg/quality.h"
#include "msg/reading.h"
#include "msg/spectrum.h"
#include "msg/token.h"

enum slot_kind {
    SLOT_READING = 1,
    SLOT_REPORT,
    SLOT_TICK,          /* starts an arbitration */
    SLOT_TICK_PART,     /* carries it on; entered by decide between bursts */
    SLOT_REFUSED,       /* a transmit that the port refused, coming back as input */
    SLOT_ORDER,         /* an operator's order */
    SLOT_DIGEST,        /* written by the tap only: the digest of all decisions up to a second's end */
    SLOT_TOKEN,         /* a host's request for power ahead of time */
    SLOT_ACCOUNT,       /* a host's part of the ledger, handed over by the controller before: at the start */
    SLOT_HANDED,        /* a piece of what that controller knew of a meter's node, or of feeds: behind them */
    SLOT_SPECTRUM,      /* spectra of a meter's raw samples, worked out beside the hot path */
    SLOT_SWING,         /* and how the power of a node swings */
    SLOT_QUALITY,       /* 10 or 12 cycles of a meter's raw samples, worked out in its lane */
    SLOT_KIND_COUNT
};

/* Classes of admission: what is shed first when a lane fills (architecture.md, Shedding). */
enum slot_class { CLASS_DETAIL, CLASS_READING, CLASS_RESERVED };

/* Stage stamps as deltas in ns from `t_receive_ns`, saturating. */
enum slot_stage { STAGE_DECODED, STAGE_SEQUENCED, STAGE_DECIDED, STAGE_SENT, STAGE_COUNT };

/* What is known of a slot's times; whoever reads a journal may look at it, decisions do not. */
enum slot_mark {
    SLOT_CLOCK_FREE = 1,        /* this machine's clock was not synchronised: by PTP, or by anything else */
    SLOT_CLOCK_STEPPED = 2,     /* of a reading: its meter's clock went ahead within the last 60 s */
};

/* Of `waited`: as many parts or more; in a lease's record, that its slot was late when it was decided. */
enum { WAITED_MOST = 127, WAITED_LATE = 128 };

struct slot_tick {
    uint64_t number;            /* k: slot time k * tick_ns */
    uint32_t missed;            /* ticks that a stall swallowed */
};

struct slot_refused {
    uint32_t host;
    uint32_t reserved;
    uint64_t sequence;          /* of the lease that did not leave */
};

/* What a controller knew of a host when it stopped or was last persisted (safety.md section 10). All hosts of
 * one hand-over stand in slots one behind the other, before any other slot; it counts only as a whole. */
struct slot_account {
    uint32_t host;
    uint32_t last;              /* not 0: the hand-over is complete with this one */
    uint64_t incarnation;
    uint64_t epoch;             /* of the controller that wrote it */
    uint64_t report, sequence;  /* as in struct ledger_host */
    int64_t newest_mw;
    int64_t exposed_mw;         /* the largest cap of any unretired lease, at least newest_mw */
    int64_t fail_safe_mw, phys_max_mw;
    int64_t age_ns;             /* of the hand-over at the moment of the take-over */
    uint8_t bounded, accepted;
    uint8_t reserved[6];
};

enum {
    HANDED_WORDS_MAX = 17 * 7,      /* of a record; whole sequence-locked lines of the file in memory */
    HANDED_PIECE_WORDS = 24,
};

/* A piece of a record: what a controller knew of a meter's node (its heat, its permit, what holds raises
 * there), one record by meter, and behind them one of all feeds. Pieces of a record stand one behind the
 * other, behind the accounts and before any other slot. core/handed.c says what a word is. */
struct slot_handed {
    uint32_t record;            /* meter, or the number of meters: feeds */
    uint8_t first, count;       /* words in this piece */
    uint8_t words;              /* of the whole record */
    uint8_t reserved;
    int64_t word[HANDED_PIECE_WORDS];
};

struct slot_digest {
    uint64_t second;            /* of slot time */
    uint64_t digest;
    uint64_t decisions;         /* egress records hashed so far */
};

struct slot {
    uint64_t sequence;          /* total order, ascending by one */
    int64_t t_ns;               /* slot time: monotonic, never falls */
    int64_t t_receive_ns;       /* monotonic, poll that found the frame (or creation) */
    uint32_t stage_ns[STAGE_COUNT];
    uint32_t shed[3];           /* slots shed by class since the last admitted one of this lane */
    uint8_t kind;               /* enum slot_kind */
    uint8_t lane;
    uint8_t marks;              /* a set of enum slot_mark */
    uint8_t waited;             /* for its poll, at most, in parts of the budget (loop/budget.h) */
    union {
        struct reading reading;
        struct report report;
        struct slot_tick tick;
        struct slot_refused refused;
        struct slot_order order;
        struct token_request token;
        struct slot_account account;
        struct slot_handed handed;
        struct slot_digest digest;
        struct spectrum spectrum;
        struct spectrum_swing swing;
        struct quality quality;
        uint8_t bytes[SLOT_BYTES - 56];
    };
};

static_assert(sizeof(struct slot) == SLOT_BYTES, "a slot is exactly SLOT_BYTES");

#endif
