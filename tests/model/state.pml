/* SPDX-License-Identifier: Apache-2.0 */
/* What a state of the lease model is, and E, D and S of it. */

typedef Report {
    unsigned inc : 2;       /* 0: no report here */
    unsigned epoch : 2;
    unsigned settled : 1;   /* the state it shows has held for A */
    unsigned told : 3;      /* largest of read-back and writes queued or in flight */
    unsigned state : 2;
    unsigned age : 3;
    unsigned fresh : 1;
    unsigned news : 1;      /* sent after the host's cap was lost: tells of it */
    unsigned asks : 1;      /* to be let go */
    unsigned applied : 4
}

typedef Lease {
    unsigned inc : 2;
    unsigned epoch : 2;
    unsigned cap : 3;
    unsigned age : 3;       /* of the report it answers */
    unsigned lets : 1;      /* the host go */
    unsigned seq : 4
}

typedef Unretired {
    unsigned cap : 3;
    unsigned seq : 4
}

typedef Host {
    unsigned alive : 1;     /* the agent */
    unsigned frozen : 1;    /* it is stopped, and will go on where it was */
    unsigned inc : 2;
    unsigned epoch : 2;     /* highest accepted */
    unsigned saved : 2;     /* and what of it is durable */
    unsigned safe : 2;      /* fail-safe cap it was set up with */
    unsigned wanted : 3;
    unsigned leased : 1;    /* a lease is wanted, not fail-safe */
    unsigned left : 3;      /* ticks to its deadline */
    unsigned state : 2;
    unsigned held : 2;      /* ticks since it took hold, to A */
    unsigned written : 3;   /* what the agent knows of its device; 0: nothing */
    unsigned readback : 3;
    unsigned cap : 3;       /* what the device enforces */
    unsigned writing : 3;   /* write in flight; 0: none */
    unsigned mine : 1;      /* it is of the agent that runs now */
    unsigned under : 1;     /* by somebody else's limit the device stands below what was written */
    unsigned linger : 3;    /* a cut is felt only when it has settled */
    unsigned leaving : 1;   /* the agent is to stop: its reports ask */
    unsigned gone : 1;      /* it was let go: own limits are wanted, the incarnation is over */
    unsigned back : 1;      /* it was, and its agent has started anew in this tick */
    unsigned bad : 2;       /* LOST its cap and no report that tells so was heard, or is CUT since: bad(n) */
    unsigned applied : 4
}

typedef Ledger {
    unsigned inc : 2;       /* 0: never heard of */
    unsigned bounded : 1;
    unsigned accepted : 1;
    unsigned handed : 1;
    unsigned safe : 2;      /* larger of site file and reports */
    unsigned newest : 3;    /* cap of the newest lease; 0: none */
    unsigned age : 3;       /* of the newest report heard: the echo of the next lease */
    unsigned asks : 1;      /* that report does, to be let go */
    unsigned silence : 3;   /* ticks since then, to D + 1 */
    unsigned former : 4;    /* incarnations before, bit by bit */
    unsigned back : 2;
    unsigned backs : 2;
    unsigned count : 2;
    unsigned base : 4;      /* last sequence before this incarnation */
    Unretired u[UNRETIRED]
}

typedef Link {
    unsigned reports : 2;
    unsigned leases : 2;
    Report r[REPORTS];
    Lease l[LEASES]
}

Host host[HOSTS];
Ledger ledger[HOSTS];
Link link[HOSTS];
unsigned limit : 4;
unsigned recovering : 1;    /* D above the limit, by a counted event */
unsigned dead : 1;          /* there is no controller any more */
unsigned fell : 1;          /* the limit did */
unsigned since : 3;         /* ticks since it died, or since the limit fell, to D + A + 1 */
unsigned calm : 1;          /* no fault happens any more */
byte i, j, k, v, d_before, ticks, who;      /* of a step; 0 between steps */

#define LARGER(a, b) ((a) > (b) -> (a) : (b))
#define MIGHT_DRAW(h) LARGER(host[h].cap, LARGER(host[h].writing, host[h].linger))
#define HOLDS(h) (host[h].writing * host[h].mine == 0 && host[h].written == host[h].wanted && \
                  host[h].readback && host[h].readback <= host[h].wanted)

/* ---- E, D and S ---- */

#define E_CAP(h) (ledger[h].count -> LARGER(ledger[h].u[0].cap, ledger[h].safe) : ledger[h].safe)
#define E(h) (ledger[h].bounded -> E_CAP(h) : PHYS)
#define S(h) (ledger[h].bounded -> LARGER(ledger[h].newest, ledger[h].safe) : PHYS)
#define GOVERNS(h) (ledger[h].bounded && (ledger[h].accepted || ledger[h].handed))
#if HOSTS == 1
#define D_SUM E(0)
#define S_SUM S(0)
#define OTHERS_E(h) 0
#define OTHERS_S(h) 0
#else
#define D_SUM (E(0) + E(1))
#define S_SUM (S(0) + S(1))
#define OTHERS_E(h) E(1 - (h))
#define OTHERS_S(h) S(1 - (h))
#endif
#define FITS_S(h, c) (BROKEN(I1A) || LARGER(c, ledger[h].safe) + OTHERS_S(h) <= limit)
#define FITS_D(h, c) (BROKEN(I1B) || (c) <= E_CAP(h) || LARGER(c, ledger[h].safe) + OTHERS_E(h) <= limit)
/* what a host that is let go may draw, beside what others may and might */
#define FITS_PHYS(h) (BROKEN(LET_GO_ROOM) || (PHYS + OTHERS_S(h) <= limit && PHYS + OTHERS_E(h) <= limit))
#define RENEWS(h, c) (BROKEN(RENEWALS) && (c) == ledger[h].newest)
#define MAY_SEND(h, c) \
    (((c) <= SAFE && !BROKEN(CLAIMS)) || \
     ((GOVERNS(h) || (c) <= SAFE) && (RENEWS(h, c) || (FITS_S(h, c) && FITS_D(h, c)))))
