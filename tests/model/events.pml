/* SPDX-License-Identifier: Apache-2.0 */
/* Time, what has to hold after every step, faults, and the calm after them. */

/* ---- time ---- */

inline expire(h) {
    host[h].left--;
    if
    :: !host[h].left && ACTS(h) ->
       want_fail_safe(h);
       printf("host %d: its lease has run out\n", h);
       if :: HOLDS(h) -> host[h].state = FAIL_SAFE :: else fi
    :: else
    fi
}

inline pass_host(h) {
    if :: host[h].bad == CUT -> host[h].bad = 0 :: else fi;
    host[h].linger = 0;
    host[h].back = 0;
    if :: host[h].alive && host[h].held < A -> host[h].held++ :: else fi;
    if :: host[h].left -> expire(h) :: else fi
}

inline pass_link(h) {
    i = 0;
    do
    :: i < link[h].reports -> if :: link[h].r[i].age < D -> link[h].r[i].age++ :: else fi; i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < link[h].leases -> if :: link[h].l[i].age < D -> link[h].l[i].age++ :: else fi; i++
    :: else -> break
    od;
    i = 0;
    if
    :: ledger[h].inc && (ledger[h].age < D || (BROKEN(X_RETIRES) && ledger[h].age <= D + A)) ->
       ledger[h].age++
    :: else
    fi;
    if :: ledger[h].former && ledger[h].silence <= D -> ledger[h].silence++ :: else fi
}

/* X is D + A where clocks agree: nothing that answers so old a report can be in force at an obeying host. */
inline x_retires(h) {
    if
    :: BROKEN(X_RETIRES) && ledger[h].age > D + A -> forget_unretired(h)
    :: else
    fi
}

inline pass(h) {
    pass_host(h);
    pass_link(h);
    x_retires(h)
}

/* Writes take less than a tick, where none stalls; nobody waits with one that is due. */
#define BUSY(h) (!STALLS && (host[h].writing || WANTS_WRITE(h) || WATCHDOG_DUE(h)))
/* The word that the agent left: a deadline, one that has passed, or 0 with fail-safe in force. */
#define WORD_HAS_PASSED(h) (BROKEN(WORD) -> host[h].leased && !host[h].left : !host[h].left)
#define WATCHDOG_DUE(h) (WATCHDOG && !ACTS(h) && !host[h].gone && WORD_HAS_PASSED(h) && \
                         !host[h].writing && host[h].cap > host[h].safe)

/* ---- what has to hold after every step ---- */

inline check_host(h) {
    if
    :: !host[h].bad && MIGHT_DRAW(h) > E(h) ->
       printf("host %d might draw %d, and the controller counts %d\n", h, MIGHT_DRAW(h), E(h));
       assert(false)
    :: else
    fi;
    if
    :: dead && since >= D + A && MIGHT_DRAW(h) > host[h].safe && !host[h].gone && !host[h].back ->
       printf("host %d might draw %d, D + A after the controller died\n", h, MIGHT_DRAW(h));
       assert(false)
    :: else
    fi
}

#if HOSTS == 1
#define FLOWS MIGHT_DRAW(0)
#define ANY_BAD host[0].bad
#define ANY_BUSY BUSY(0)
#else
#define FLOWS (MIGHT_DRAW(0) + MIGHT_DRAW(1))
#define ANY_BAD (host[0].bad || host[1].bad)
#define ANY_BUSY (BUSY(0) || BUSY(1))
#endif

inline check() {
    check_host(0);
#if HOSTS == 2
    check_host(1);
#endif
    if :: D_SUM <= limit -> recovering = 0 :: else fi;
    if
    :: !ANY_BAD && !recovering && FLOWS > limit ->
       printf("%d might flow, the limit is %d, and no event explains it\n", FLOWS, limit);
       assert(false)
    :: fell && since >= D + A && FLOWS > limit ->
       printf("%d might flow, and the limit fell to %d D + A ago\n", FLOWS, limit);
       assert(false)
    :: else
    fi
}

/* ---- events ---- */

/* It goes on where it was: in the one of two steps that say this after it had decided on a write. */
inline thaw(h) {
    host[h].frozen = 0;
    printf("host %d: its agent goes on\n", h);
    if
    :: host[h].leased && !host[h].left ->
       want_fail_safe(h);
       if :: HOLDS(h) -> host[h].state = FAIL_SAFE :: else fi
    :: else
    fi
}

inline crash(h) {
    host[h].alive = 0;
    host[h].frozen = 0;
    host[h].mine = 0; host[h].written = 0; host[h].readback = 0; host[h].held = 0; host[h].applied = 0;
    host[h].state = BOOT;
    host[h].wanted = host[h].safe;
    tidy(h);
    printf("host %d: its agent dies; cap %d stays, write in flight %d\n", h, host[h].cap, host[h].writing)
}

/* What is under way tells nothing of it. */
inline lose_cap(h) {
    host[h].bad = LOST;
    i = 0; do :: i < link[h].reports -> link[h].r[i].news = 0; i++ :: else -> break od;
    i = 0
}

inline old_controller_lets_go(h) {
    go(h);
    tidy(h);
    printf("that was an old controller\n")
}

/* Device lost and back, or the machine booted: defaults are in force, and nobody who counts knows yet. */
inline reset(h) {
    start_agent(h);
    host[h].cap = PHYS;
    host[h].writing = 0;
    host[h].linger = 0;
    lose_cap(h);
    tidy(h);
    printf("host %d: its devices are reset to defaults, the agent starts incarnation %d\n", h, host[h].inc)
}

inline meddle(h, c) {
    host[h].cap = c;
    host[h].readback = c;
    host[h].held = 0;
    lose_cap(h);
    printf("host %d: somebody else sets cap %d, and the agent reads it back\n", h, c)
}

/* Somebody else limits the device, and lifts that limit again; what was written stands behind it. */
inline limit_device(h) {
    host[h].under = 1;
    host[h].linger = LARGER(host[h].linger, host[h].cap);
    host[h].cap = SAFE;
    host[h].readback = SAFE;
    printf("host %d: somebody else limits the device to cap %d\n", h, SAFE)
}

inline lift_limit(h) {
    host[h].under = 0;
    host[h].cap = host[h].written;
    host[h].readback = host[h].written;
    printf("host %d: that limit is lifted, cap %d is in force\n", h, host[h].cap)
}

inline old_controller(h, c, lasts) {
    host[h].wanted = c;
    host[h].left = lasts;
    host[h].leased = 1;
    highest(h);
    host[h].applied = v;        /* his numbers are his own: as high as may mislead */
    v = 0;
    if :: HOLDS(h) -> host[h].state = LEASED :: else fi;
    tidy(h);
    printf("host %d obeys an old controller: cap %d, %d ticks left\n", h, c, lasts)
}

/* A new controller with nothing in hand; the one before may live on. */
inline restart_host(h) {
    forget(h);
    host[h].epoch = OLD;
    host[h].saved = OLD;
    i = 0; do :: i < link[h].reports -> link[h].r[i].epoch = OLD; link[h].r[i].fresh = 1; i++
              :: else -> break od;
    i = 0; do :: i < LEASES -> clear_lease(h, i); i++ :: else -> break od;
    i = 0;
    link[h].leases = 0;
    tidy(h)
}

#define OLDER_EPOCH(field) field = (field == NOW -> BEFORE : OLD)

/* The one before is gone for good and hands its ledger over. */
inline hand_over_host(h) {
    j = ledger[h].bounded && ledger[h].accepted;
    if :: BROKEN(LET_GO_HANDED) && ledger[h].accepted -> j = 1; ledger[h].bounded = 1 :: else fi;
    if
    :: !j -> forget(h)
    :: else ->
       v = LARGER(E_CAP(h), ledger[h].newest);
       if :: BROKEN(LOW_ACCOUNT) -> v = ledger[h].newest :: else fi;
       k = v;
       forget_unretired(h);
       highest(h);
       ledger[h].base = v;
       ledger[h].u[0].cap = k;
       ledger[h].u[0].seq = v;
       ledger[h].count = 1;
       ledger[h].handed = 1; ledger[h].accepted = 0; ledger[h].asks = 0;
       ledger[h].former = 0; ledger[h].back = 0; ledger[h].backs = 0; ledger[h].silence = 0
    fi;
    OLDER_EPOCH(host[h].epoch);
    OLDER_EPOCH(host[h].saved);
    i = 0;
    do
    :: i < link[h].reports ->
       OLDER_EPOCH(link[h].r[i].epoch);
       if :: !j || link[h].r[i].inc != ledger[h].inc -> link[h].r[i].fresh = 1 :: else fi;
       i++
    :: else -> break
    od;
    i = link[h].leases;
    do
    :: i > 0 ->
       i--;
       OLDER_EPOCH(link[h].l[i].epoch);
       if :: link[h].l[i].epoch == OLD -> k = i; drop_lease(h) :: else fi
    :: else -> break
    od;
    j = 0; k = 0; v = 0;
    tidy(h)
}

/* ---- without faults: one tick, all messages arrive at once ---- */

inline write_now(h) {
    if :: host[h].writing -> finish_write(h) :: else fi;
    if :: WANTS_WRITE(h) -> start_write(h); finish_write(h) :: else fi
}

inline lose_all(h) {
    i = 0; do :: i < REPORTS -> clear_report(h, i); i++ :: else -> break od;
    i = 0; do :: i < LEASES -> clear_lease(h, i); i++ :: else -> break od;
    i = 0;
    link[h].reports = 0; link[h].leases = 0
}

inline calm_tick(h) {
    lose_all(h);
    if :: !host[h].alive || host[h].gone -> start_agent(h) :: host[h].frozen -> thaw(h) :: else fi;
    if :: host[h].under -> lift_limit(h) :: else fi;
    write_now(h);
    send_report(h);
    hear(h, 0);
    if
    :: ledger[h].inc == host[h].inc && MAY_SEND(h, SAFE) ->
       send_lease(h, SAFE);
       if :: OBEYS(h, 0) -> take_lease(h, 0) :: else fi;
       if :: OBEYS(h, 0) -> take_lease(h, 0) :: else fi
    :: else
    fi;
    write_now(h);
    lose_all(h);
    tidy(h);
    pass(h)
}

#if HOSTS == 1
#define ALL_GOVERNED GOVERNS(0)
#else
#define ALL_GOVERNED (GOVERNS(0) && GOVERNS(1))
#endif

/* nothing is left to tell one end from another */
inline forget_all(h) {
    lose_all(h);
    forget(h);
    host[h].alive = 0; host[h].frozen = 0; host[h].inc = 0;
    host[h].epoch = 0; host[h].saved = 0; host[h].safe = 0;
    host[h].wanted = 0; host[h].leased = 0; host[h].left = 0; host[h].state = 0; host[h].held = 0;
    host[h].written = 0; host[h].readback = 0; host[h].cap = 0; host[h].writing = 0; host[h].mine = 0;
    host[h].linger = 0; host[h].bad = 0; host[h].applied = 0; host[h].under = 0;
    host[h].leaving = 0; host[h].gone = 0; host[h].back = 0
}

/* All of it is one step: whatever was before, so many ticks without a fault are enough. */
inline calm_down() {
    ticks = CALM;
    do
    :: !ALL_GOVERNED && ticks > 0 ->
       who = 0;
       do :: who < HOSTS -> calm_tick(who); who++ :: else -> break od;
       who = 0;
       printf("-- a calm tick passes\n");
       ticks--
    :: else -> break
    od;
    check();
    if
    :: !ALL_GOVERNED ->
       printf("a host counts at phys_max %d ticks after the last fault\n", CALM);
       assert(false)
    :: else
    fi;
    ticks = 0;
    do :: who < HOSTS -> forget_all(who); who++ :: else -> break od;
    who = 0;
    calm = 1
}
