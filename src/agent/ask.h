/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The desk where jobs of a host ask for power ahead of time (core/token.h has what a grant means). Pure:
 * orders of clients, answers of the controller and the time come in; requests to the controller and answers
 * to clients go out. No socket, no clock, no allocation.
 *
 * The controller knows one reservation of a host: so much at the wall in total, for so long. Jobs that share
 * a host each ask for what they will draw; the desk asks for the sum of all that is granted and the one that
 * asks now, until the latest end, and for less as each ends. One request is on its way at a time.
 *
 * A grant outlives no controller, and none to which the host was silent for D. The desk then asks again,
 * under new numbers, for all it has granted; where less than all is to be had, the least important go first:
 * the highest priority number, then the youngest. They are lost, shown as that, and asked for again until
 * they end.
 */
#ifndef FLYBALL_AGENT_ASK_H
#define FLYBALL_AGENT_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "msg/token.h"

enum { ASK_GRANTS_MAX = 64, ASK_WAITING_MAX = 32, ASK_JOB_BYTES = 48, ASK_PRIORITY_MAX = 255 };
#define ASK_AMOUNT_MAX_MW   (1000 * INT64_C(1000000000))
#define ASK_DURATION_MAX_NS (30 * 24 * 3600 * NS_PER_S)
#define ASK_ANSWER_NS       NS_PER_S            /* a client waits no longer for the controller */
#define ASK_AGAIN_NS        (100 * NS_PER_MS)   /* a request without answer is sent again; then twice that */
#define ASK_SPACING_NS      (20 * NS_PER_MS)    /* between two requests, whatever clients do */
#define ASK_COVER_NS        (3600 * NS_PER_S)   /* a controller reserves for no longer: asked again before */
#define ASK_REFRESH_NS      (600 * NS_PER_S)    /* so long before */

enum ask_verb { ASK_ASK, ASK_EXTEND, ASK_RELEASE, ASK_STATUS };

/* What a client wants. */
struct ask_order {
    enum ask_verb verb;
    uint32_t priority;          /* of ASK_ASK: 0 highest */
    int64_t amount_mw;          /* of ASK_ASK: at the wall, above 0 */
    int64_t for_ns;             /* of ASK_ASK and ASK_EXTEND: from now + ahead_ns on */
    int64_t ahead_ns;
    char job[ASK_JOB_BYTES];    /* "123", a pod's UID; whose may be asked for is settled before */
};

/* X(symbol, word): the first word of an answer */
#define ASK_OUTCOMES(X) \
    X(ASK_GRANTED, "granted") \
    X(ASK_DENIED, "denied") \
    X(ASK_RELEASED, "released") \
    X(ASK_UNKNOWN, "unknown") \
    X(ASK_AWAY, "away") \
    X(ASK_BUSY, "busy") \
    X(ASK_TOLD, "status") \
    X(ASK_WAITS, "waits")

#define ASK_OUTCOME_SYMBOL(symbol, word) symbol,
enum ask_outcome { ASK_OUTCOMES(ASK_OUTCOME_SYMBOL) ASK_OUTCOME_COUNT };
#undef ASK_OUTCOME_SYMBOL

/* A reason besides those of enum token_reason. */
enum { ASK_HOST_LIMIT = TOKEN_REASONS, ASK_REASONS };

struct ask_answer {
    enum ask_outcome outcome;
    uint32_t reason;            /* of ASK_DENIED: enum token_reason or ASK_HOST_LIMIT */
    int64_t amount_mw;          /* granted */
    int64_t for_ns;             /* it stands so long from now */
    int64_t alternative_mw;     /* of ASK_DENIED: the most that would have been granted to this job */
    int64_t retry_after_ns;     /* of ASK_DENIED, ASK_AWAY, ASK_BUSY */
    char job[ASK_JOB_BYTES];
};

struct ask_grant {
    char job[ASK_JOB_BYTES];
    uint32_t priority;
    bool standing;              /* the present controller has it */
    bool asked;                 /* it is in the request on its way */
    uint64_t order;             /* ascending: which is the youngest */
    int64_t amount_mw;
    int64_t end_ns;
};

struct ask_wait {
    uint64_t client;
    struct ask_order order;
    int64_t since_ns;
};

/* A request on its way to the controller. */
struct ask_open {
    struct token_request request;
    bool any;                   /* there is one */
    bool of_client;             /* for the first who waits; else for what is granted already */
    int64_t first_ns, again_ns, wait_ns;        /* sent first; to be sent again; and so long after that */
};

struct ask_reply {
    uint64_t client;
    struct ask_answer answer;
};

struct ask_desk {
    uint32_t host;
    int64_t most_mw;            /* the host can draw no more at the wall; 0 = not known */
    uint64_t epoch;             /* of the controller; 0 = none yet */
    uint64_t number;            /* of the newest request */
    uint64_t orders;
    bool excess;                /* the controller may hold more than is granted */
    /* what the present controller holds, -1 = not known, and until when at least */
    int64_t reserved_mw, covered_ns;
    int64_t retry_ns;           /* what was lost is asked for again then; INT64_MAX = nothing is */
    int64_t quiet_ns;           /* no new request before */
    uint32_t grants, waits, replies;
    struct ask_grant grant[ASK_GRANTS_MAX];
    struct ask_wait wait[ASK_WAITING_MAX];      /* the first is asked for next */
    struct ask_reply reply[ASK_WAITING_MAX];
    struct ask_open open;
    uint64_t granted, denied, unanswered, lost; /* counted */
};

/* setup: `number` is that of the newest request ever used for this host; UTC in ns will do. */
void ask_init(struct ask_desk *desk, uint32_t host, int64_t most_mw, uint64_t number);

/* any: an order of a client. ASK_WAITS: the answer comes by ask_reply. `client` is any number; a client has
 * one order at a time. */
void ask_order(struct ask_desk *desk, uint64_t client, const struct ask_order *order, int64_t now_ns,
               struct ask_answer *answer);

/* any: the client is gone: what it waits for is not granted. */
void ask_gone(struct ask_desk *desk, uint64_t client);

/* any: the next answer for one who waits; false: none. */
bool ask_reply(struct ask_desk *desk, struct ask_reply *reply);

/* any: time has passed: grants end, clients have waited long enough. True: a request is to be sent now,
 * for the first time or again. Call it until it says false. */
bool ask_next(struct ask_desk *desk, int64_t now_ns, struct token_request *request);

/* any: an answer of the controller. */
void ask_answered(struct ask_desk *desk, const struct token_response *response, int64_t now_ns);

/* any: the epoch that the host obeys now; 0 = none. A newer one has no reservation of this host. */
void ask_epoch(struct ask_desk *desk, uint64_t epoch, int64_t now_ns);

/* any: the controller may not have heard the host for D: what it held may have ended. */
void ask_unheard(struct ask_desk *desk, int64_t now_ns);

/* any: ask_next has something to do then, at the latest; INT64_MAX: nothing. */
int64_t ask_due_ns(const struct ask_desk *desk);

/* any: of all grants that stand. */
int64_t ask_total_mw(const struct ask_desk *desk);

#endif
