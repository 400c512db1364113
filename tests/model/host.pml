/* SPDX-License-Identifier: Apache-2.0 */
/* The host: core/holder.c, its devices, and the watchdog beside it. */

inline want_fail_safe(h) {
    host[h].leased = 0;
    host[h].left = 0;
    host[h].wanted = host[h].safe
}

inline took_hold(h) {
    host[h].state = (host[h].leased -> LEASED : FAIL_SAFE);
    host[h].held = 0
}

inline start_agent(h) {
    host[h].alive = 1;
    host[h].frozen = 0;
    host[h].inc = (BROKEN(INCARNATION) && host[h].inc -> host[h].inc : host[h].inc + 1);
    if
    :: BROKEN(EPOCH) -> host[h].saved = OLD
    :: else
    fi;
    host[h].epoch = host[h].saved;
    host[h].applied = 0;
    host[h].written = 0;
    host[h].readback = 0;
    host[h].held = 0;
    host[h].mine = 0;
    host[h].leaving = 0;
    host[h].back = host[h].gone;
    host[h].gone = 0;
    host[h].state = BOOT;
    want_fail_safe(h)
}

#define ACTS(h) (host[h].alive && !host[h].frozen)
#define WANTS_WRITE(h) (ACTS(h) && !host[h].writing && !host[h].under && \
                        (host[h].written != host[h].wanted || !host[h].readback || \
                         host[h].readback > host[h].wanted))

inline start_write(h) {
    host[h].writing = host[h].wanted;
    host[h].mine = 1;
    printf("host %d begins to write cap %d\n", h, host[h].writing)
}

inline finish_write(h) {
    if
    :: host[h].writing < host[h].cap -> host[h].linger = LARGER(host[h].linger, host[h].cap)
    :: else
    fi;
    host[h].cap = host[h].writing;
    host[h].writing = 0;
    if :: host[h].bad -> host[h].bad = CUT :: else fi;
    printf("host %d: the write of cap %d returns\n", h, host[h].cap);
    if
    :: host[h].alive && host[h].mine ->
       host[h].written = host[h].cap;
       host[h].readback = host[h].cap;
       if
       :: host[h].written == host[h].wanted -> took_hold(h)
       :: host[h].written != host[h].wanted && !BROKEN(HELD) -> host[h].held = 0
       :: else
       fi
    :: else
    fi;
    host[h].mine = 0
}

/* in force on the device, as far as the agent knows, or about to be */
inline tell(h) {
    if
    :: !host[h].readback -> v = LARGER(CAP_MAX, host[h].writing * host[h].mine)
    :: BROKEN(IN_FLIGHT) -> v = host[h].readback
    :: else ->
       v = LARGER(host[h].readback, host[h].writing * host[h].mine);
       if
       :: !HOLDS(h) -> v = LARGER(v, host[h].wanted)
       :: else
       fi
    fi
}

#define SETTLED(h) (BROKEN(IN_FLIGHT) -> host[h].readback != 0 : \
                    HOLDS(h) && (BROKEN(SETTLE) || host[h].held >= A))

inline send_report(h) {
    tell(h);
    k = link[h].reports;
    link[h].r[k].inc = host[h].inc;
    link[h].r[k].epoch = host[h].epoch;
    link[h].r[k].settled = SETTLED(h);
    link[h].r[k].told = v;
    link[h].r[k].state = host[h].state;
    link[h].r[k].age = 0;
    link[h].r[k].fresh = 1;
    link[h].r[k].news = host[h].bad == LOST;
    link[h].r[k].asks = host[h].leaving;
    link[h].r[k].applied = host[h].applied;
    link[h].reports++;
    printf("host %d reports: incarnation %d, cap %d, state %d, applied %d, settled %d, epoch %d\n", h,
           host[h].inc, v, host[h].state, host[h].applied, link[h].r[k].settled, host[h].epoch);
    k = 0; v = 0
}

/* Own limits are wanted; whatever else comes for this incarnation is too late. */
inline go(h) {
    want_fail_safe(h);
    host[h].wanted = PHYS;
    host[h].gone = 1;
    host[h].leaving = 0;
    host[h].applied = 0;
    printf("host %d is let go\n", h)
}

/* What it would refuse changes nothing, so it is no step. */
#define IN_TIME(h, at) (link[h].l[at].age < D || BROKEN(EXPIRED) || \
                        (link[h].l[at].lets -> BROKEN(AGREED_LATE) : link[h].l[at].cap < host[h].wanted))
#define OBEYS(h, at) \
    (ACTS(h) && !host[h].gone && link[h].leases > at && \
     (link[h].l[at].inc == host[h].inc || BROKEN(INCARNATION)) && \
     (link[h].l[at].epoch > host[h].epoch || \
      (link[h].l[at].epoch == host[h].epoch && \
       (link[h].l[at].seq > host[h].applied || \
        (BROKEN(SEQUENCE) && link[h].l[at].seq != host[h].applied)))) && \
     (link[h].l[at].epoch > host[h].saved || IN_TIME(h, at)))

inline take_lease(h, at) {
    if
    :: link[h].l[at].epoch > host[h].saved && !BROKEN(EPOCH) ->
       host[h].saved = link[h].l[at].epoch;
       printf("host %d makes the epoch of the new controller durable\n", h)
    :: else ->
       host[h].epoch = link[h].l[at].epoch;
       host[h].applied = link[h].l[at].seq;
       host[h].wanted = link[h].l[at].cap;
       if
       :: BROKEN(RECEIPT) || BROKEN(EXPIRED) -> host[h].left = D; host[h].leased = 1
       :: link[h].l[at].age < D && !BROKEN(RECEIPT) && !BROKEN(EXPIRED) ->
          host[h].left = D - link[h].l[at].age;
          host[h].leased = 1
       :: else
       fi;
       if
       :: HOLDS(h) -> host[h].state = (host[h].leased -> LEASED : FAIL_SAFE)
       :: else
       fi;
       printf("host %d obeys lease %d: cap %d, %d ticks left\n", h, link[h].l[at].seq, host[h].wanted,
              host[h].left);
       if
       :: link[h].l[at].lets ->
          go(h);
          if
          :: dead && since >= D + A ->
             printf("host %d is let go D + A after the controller died\n", h);
             assert(false)
          :: else
          fi
       :: else
       fi
    fi
}
