/* SPDX-License-Identifier: Apache-2.0 */
/* The newest controller: core/ledger.c, core/guard.c, core/cut.c, core/account.c. */

/* v = sequence, c = cap */
inline push_unretired(h, c) {
    do
    :: ledger[h].count && ledger[h].u[ledger[h].count - 1].cap <= c ->
       ledger[h].count--;
       ledger[h].u[ledger[h].count].cap = 0;
       ledger[h].u[ledger[h].count].seq = 0
    :: else -> break
    od;
    if
    :: ledger[h].count == UNRETIRED ->
       ledger[h].u[UNRETIRED - 1].seq = v;
       if
       :: BROKEN(MERGE) -> ledger[h].u[UNRETIRED - 1].cap = c
       :: else
       fi
    :: else ->
       ledger[h].u[ledger[h].count].seq = v;
       ledger[h].u[ledger[h].count].cap = c;
       ledger[h].count++
    fi
}

/* enters a lease and posts it */
inline send_lease(h, c) {
    d_before = D_SUM;
    highest(h);
    v++;
    ledger[h].newest = c;
    push_unretired(h, c);
    k = link[h].leases;
    link[h].l[k].inc = ledger[h].inc;
    link[h].l[k].epoch = NOW;
    link[h].l[k].cap = c;
    link[h].l[k].age = (ledger[h].age < D -> ledger[h].age : D);
    link[h].l[k].seq = v;
    link[h].leases++;
    printf("the controller sends host %d lease %d: cap %d (E is %d now)\n", h, v, c, E(h));
    if
    :: D_SUM > d_before && D_SUM > limit && BROKEN(NOTHING) ->
       printf("D rose above the limit without an event\n");
       assert(false)
    :: else
    fi;
    k = 0; v = 0; d_before = 0
}

/* From before the answer leaves the host counts at phys_max, until a newer lease is shown. */
inline let_go(h) {
    if
    :: !BROKEN(UNCOUNTED) -> ledger[h].bounded = 0; ledger[h].handed = 0
    :: else
    fi;
    send_lease(h, SAFE);
    link[h].l[link[h].leases - 1].lets = 1;
    if
    :: !BROKEN(RULED_OUT) -> ledger[h].base = link[h].l[link[h].leases - 1].seq
    :: else
    fi;
    printf("the controller lets host %d go: E is %d\n", h, E(h))
}

inline forget_unretired(h) {
    i = 0;
    do
    :: i < UNRETIRED -> ledger[h].u[i].cap = 0; ledger[h].u[i].seq = 0; i++
    :: else -> break
    od;
    i = 0;
    ledger[h].count = 0
}

inline forget(h) {
    ledger[h].inc = 0; ledger[h].bounded = 0; ledger[h].accepted = 0; ledger[h].handed = 0;
    ledger[h].safe = SAFE; ledger[h].newest = 0; ledger[h].age = 0; ledger[h].silence = 0;
    ledger[h].former = 0; ledger[h].back = 0; ledger[h].backs = 0; ledger[h].base = 0; ledger[h].asks = 0;
    forget_unretired(h)
}

inline start_incarnation(h, at) {
    if
    :: ledger[h].inc -> ledger[h].former = ledger[h].former | (1 << ledger[h].inc)
    :: else
    fi;
    ledger[h].inc = link[h].r[at].inc;
    ledger[h].former = ledger[h].former & (15 - (1 << ledger[h].inc));
    highest(h);
    ledger[h].base = v;
    v = 0;
    ledger[h].safe = SAFE;
    ledger[h].handed = 0;
    if
    :: !BROKEN(NEW_INCARNATION) ->
       ledger[h].newest = 0;
       ledger[h].bounded = 0;
       forget_unretired(h)
    :: else
    fi
}

/* the fail-safe state after lease `applied` is newer than that lease */
#define RETIRES(h, at, n) \
    ((ledger[h].u[n].seq < link[h].r[at].applied || \
      (ledger[h].u[n].seq == link[h].r[at].applied && \
       (link[h].r[at].state == FAIL_SAFE || BROKEN(SAME)))) && \
     link[h].r[at].told < ledger[h].u[n].cap)

inline retire(h, at) {
    i = 0; k = 0;
    do
    :: i < ledger[h].count && RETIRES(h, at, i) -> i++
    :: i < ledger[h].count && !RETIRES(h, at, i) ->
       ledger[h].u[k].cap = ledger[h].u[i].cap;
       ledger[h].u[k].seq = ledger[h].u[i].seq;
       i++; k++
    :: else -> break
    od;
    ledger[h].count = k;
    do
    :: k < UNRETIRED -> ledger[h].u[k].cap = 0; ledger[h].u[k].seq = 0; k++
    :: else -> break
    od;
    i = 0; k = 0
}

/* j = the report is evidence */
inline is_foreign(h, at) {
    k = 0; i = 0;
    do
    :: i < ledger[h].count ->
       if
       :: ledger[h].u[i].seq == link[h].r[at].applied && link[h].r[at].told > ledger[h].u[i].cap -> k = 1
       :: else
       fi;
       i++
    :: else -> break
    od;
    i = 0;
    k = k && j && link[h].r[at].state == LEASED
}

#define IS_FORMER(h, at) ((ledger[h].former >> link[h].r[at].inc) & 1)

/* j = it is of no use: older than the newest, or of an incarnation before that does not come back */
inline is_late(h, at) {
    j = !link[h].r[at].fresh;
    if
    :: BROKEN(ORDER) -> j = 0
    :: !j && link[h].r[at].inc != ledger[h].inc && IS_FORMER(h, at) && !BROKEN(ORDER) ->
       ledger[h].backs = (ledger[h].back == link[h].r[at].inc && ledger[h].backs < BACKS ->
                          ledger[h].backs + 1 : (ledger[h].back == link[h].r[at].inc -> BACKS : 1));
       ledger[h].back = link[h].r[at].inc;
       j = ledger[h].backs < BACKS || ledger[h].silence <= D || BROKEN(NEVER_BACK)
    :: else
    fi
}

inline not_fresh(h, at) {
    i = 0;
    do
    :: i <= at -> if :: link[h].r[i].inc == link[h].r[at].inc -> link[h].r[i].fresh = 0 :: else fi; i++
    :: else -> break
    od;
    i = 0
}

inline account_report(h, at) {
    ledger[h].backs = 0;
    ledger[h].back = 0;
    ledger[h].silence = 0;
    ledger[h].age = link[h].r[at].age;
    ledger[h].asks = link[h].r[at].asks;
    ledger[h].accepted = link[h].r[at].epoch == NOW;
    if
    :: ledger[h].handed && link[h].r[at].epoch == OLD -> ledger[h].bounded = 0
    :: else
    fi;
    ledger[h].handed = ledger[h].handed && link[h].r[at].epoch == BEFORE;
    if
    :: !BROKEN(MISMATCHED) -> ledger[h].safe = LARGER(ledger[h].safe, host[h].safe)
    :: else
    fi;
    j = link[h].r[at].settled;
    is_foreign(h, at);
    v = k; k = 0;
    if
    :: j && link[h].r[at].epoch == NOW -> retire(h, at)
    :: else
    fi;
    if
    :: ledger[h].bounded && (v || link[h].r[at].told > E_CAP(h)) && !BROKEN(FOREIGN) ->
       ledger[h].bounded = 0;
       recovering = 1
    :: else
    fi;
    if
    :: !ledger[h].bounded && (j || BROKEN(BOUND_SETTLE)) && link[h].r[at].state != BOOT &&
       (link[h].r[at].epoch == NOW || BROKEN(BOUND_EPOCH) || BROKEN(FIRST)) &&
       ((ledger[h].newest && link[h].r[at].applied > ledger[h].base) || BROKEN(FIRST)) &&
       ((link[h].r[at].told <= E_CAP(h) && link[h].r[at].told <= LARGER(ledger[h].safe, ledger[h].newest)) ||
        BROKEN(FIRST)) ->
       ledger[h].bounded = 1;
       if
       :: BROKEN(FIRST) && link[h].r[at].told > E_CAP(h) ->
          ledger[h].accepted = 1; ledger[h].newest = link[h].r[at].told;
          ledger[h].u[0].cap = link[h].r[at].told; ledger[h].count = 1
       :: BROKEN(FIRST) && link[h].r[at].told <= E_CAP(h) -> ledger[h].accepted = 1
       :: else
       fi;
       printf("the controller counts host %d at cap %d from now on\n", h, E(h))
    :: else
    fi;
    if
    :: link[h].r[at].news && host[h].bad == LOST -> host[h].bad = 0
    :: else
    fi;
    j = 0; v = 0
}

/* What waits behind this report of the same incarnation is of no use any more, to this controller. */
inline hear(h, at) {
    printf("the controller hears host %d: incarnation %d, cap %d, applied %d, %d ticks old\n", h,
           link[h].r[at].inc, link[h].r[at].told, link[h].r[at].applied, link[h].r[at].age);
    is_late(h, at);
    not_fresh(h, at);
    if
    :: !j ->
       if
       :: link[h].r[at].inc != ledger[h].inc -> start_incarnation(h, at); recovering = 1
       :: else
       fi;
       account_report(h, at);
       printf("the controller: host %d is exposed by %d\n", h, E(h))
    :: else
    fi;
    j = 0;
    if
    :: !KEEP_HEARD && !BROKEN(ORDER) -> drop_heard(h)
    :: else
    fi;
    tidy(h)
}

/* A cut that makes room, in the slot of the event that takes it. */
inline cut(h) {
    if
    :: S_SUM > limit && ledger[h].bounded && ledger[h].newest > SAFE && !BROKEN(RENEWALS) ->
       if
       :: link[h].leases < LEASES -> send_lease(h, SAFE)
       :: else ->
          highest(h); v++;
          ledger[h].newest = SAFE;
          push_unretired(h, SAFE);
          v = 0
       fi;
       tidy(h)
    :: else
    fi
}
