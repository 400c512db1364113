/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lease protocol of safety.md sections 3, 5 and 10: hosts, the ledger of the newest controller, and
 * everything that may happen between them. docs/model.md says which function each step stands for.
 *
 * One process; each option of its loop is one step. Histories have no end: what only grows in the code
 * (sequences, report numbers, epochs, time) is kept here as what can still be told of it, order and ages.
 *   Sequences are numbered anew, densely, after each step that uses one (tidy).
 *   Reports stand in their channel in the order of their numbers; `fresh` is "number above the newest heard".
 *   Epochs: NOW is the newest controller's, BEFORE that of the one that handed it over, OLD any older one.
 *   Ages count to D, where an echo has expired, and no further.
 * Whoever has an OLD epoch may do anything (step `an old controller`): no ledger of his is modelled.
 *
 * Sizes and faults are macros, see `tests/model/sizes`. The rule to break is read at run time: one program
 * serves the sound protocol and all its mutants.
 */
#include "words.pml"
#include "state.pml"
#include "links.pml"
#include "host.pml"
#include "controller.pml"
#include "events.pml"

#if HOSTS == 1
#define ALL(step) step(0)
#define cut_all() cut(0)
#else
#define ALL(step) step(0); step(1)
#define cut_all() cut(0); cut(1)
#endif


/* ---- the world ---- */

#define HEARS(h, at) \
:: d_step { !calm && !dead && link[h].reports > at && (link[h].r[at].fresh || BROKEN(ORDER)) -> \
            hear(h, at); cut_all(); check() }
#define LOSES_REPORT(h, at) \
:: d_step { !calm && link[h].reports > at -> \
            k = at; drop_report(h); tidy(h); printf("a report of host %d is lost\n", h) }
#define TAKES(h, at) \
:: d_step { !calm && OBEYS(h, at) -> take_lease(h, at); tidy(h); check() }
#define LOSES_LEASE(h, at) \
:: d_step { !calm && link[h].leases > at -> \
            k = at; drop_lease(h); tidy(h); printf("a lease to host %d is lost\n", h) }
#define SENDS(h, c) \
:: d_step { !calm && !dead && ledger[h].inc && link[h].leases < LEASES && MAY_SEND(h, c) -> \
            send_lease(h, c); tidy(h); check() }
#define ZOMBIE(h, c, lasts) \
:: d_step { !calm && ACTS(h) && !host[h].gone && ZOMBIE_MAY(h) -> \
            old_controller(h, c, lasts); check() }
#define ZOMBIE_MAY(h) (host[h].epoch == OLD || BROKEN(OLD_EPOCH) || \
                       (host[h].epoch == BEFORE && BROKEN(STOPPED)))
#define MAY_BEGIN_ANEW(h) (host[h].inc < INCARNATIONS || BROKEN(INCARNATION))

#define HOST_STEPS(h) \
:: d_step { !calm && WANTS_WRITE(h) -> start_write(h); check() } \
:: d_step { !calm && host[h].writing -> finish_write(h); tidy(h); check() } \
:: d_step { !calm && ACTS(h) && !host[h].gone && link[h].reports < REPORTS -> send_report(h); check() } \
HEARS(h, 0) LOSES_REPORT(h, 0) TAKES(h, 0) LOSES_LEASE(h, 0) SECOND(h) \
SENDS(h, SAFE) SENDS_MIDDLE(h) SENDS(h, CAP_MAX) \
LEAVE(h) CRASH(h) FREEZE(h) RESET(h) MEDDLE(h) LIMITED(h) GUARDED(h) ZOMBIES(h)

#if MIDDLE
#define SENDS_MIDDLE(h) SENDS(h, MID)
#else
#define SENDS_MIDDLE(h)
#endif
#if LEAVES
#define LEAVE(h) \
:: d_step { !calm && h < LEAVES && ACTS(h) && !host[h].leaving && !host[h].gone -> host[h].leaving = 1; \
            printf("host %d: its agent is to stop, and asks to be let go\n", h) } \
:: d_step { !calm && !dead && ledger[h].inc && ledger[h].asks && link[h].leases < LEASES && FITS_PHYS(h) -> \
            let_go(h); tidy(h); check() } ZOMBIE_LETS(h)
#else
#define LEAVE(h)
#endif
#if LEAVES && RESTARTS
#define ZOMBIE_LETS(h) \
:: d_step { !calm && ACTS(h) && host[h].leaving && (host[h].epoch == OLD || BROKEN(LET_GO_OLD)) -> \
            old_controller_lets_go(h); check() }
#else
#define ZOMBIE_LETS(h)
#endif
#if CRASHES
#define CRASH(h) \
:: d_step { !calm && host[h].alive && MAY_BEGIN_ANEW(h) -> crash(h); check() } \
:: d_step { !calm && !host[h].alive -> start_agent(h); tidy(h); \
            printf("host %d: its agent starts anew, incarnation %d\n", h, host[h].inc); check() }
#else
#define CRASH(h)
#endif
#if FREEZES
#define FREEZE(h) \
:: d_step { !calm && ACTS(h) -> host[h].frozen = 1; printf("host %d: its agent is stopped\n", h) } \
:: d_step { !calm && host[h].frozen -> thaw(h); tidy(h); check() } \
:: d_step { !calm && STALLS && host[h].frozen && !host[h].writing && host[h].written != host[h].wanted -> \
            start_write(h); thaw(h); tidy(h); check() }
#else
#define FREEZE(h)
#endif
#if RESETS
#define RESET(h) :: d_step { !calm && MAY_BEGIN_ANEW(h) -> reset(h); check() }
#else
#define RESET(h)
#endif
#if MEDDLES
#define MEDDLE(h) \
:: d_step { !calm && ACTS(h) && host[h].readback && !host[h].writing -> meddle(h, CAP_MAX); check() }
#else
#define MEDDLE(h)
#endif
#if LIMITS
#define LIMITED(h) \
:: d_step { !calm && ACTS(h) && !host[h].writing && !host[h].under && host[h].written > SAFE && \
            host[h].cap == host[h].written -> limit_device(h); check() } \
:: d_step { !calm && host[h].under -> lift_limit(h); check() }
#else
#define LIMITED(h)
#endif
#if WATCHDOG
#define GUARDED(h) \
:: d_step { !calm && WATCHDOG_DUE(h) -> host[h].writing = host[h].safe; check(); \
            printf("host %d: the watchdog writes fail-safe\n", h) }
#else
#define GUARDED(h)
#endif
#if OLD_CONTROLLERS
#define ZOMBIES(h) ZOMBIE(h, SAFE, D) ZOMBIE(h, CAP_MAX, D) ZOMBIE(h, CAP_MAX, 1)
#else
#define ZOMBIES(h)
#endif

#if REPORTS == 2
#define SECOND_REPORT(h) HEARS(h, 1) LOSES_REPORT(h, 1)
#else
#define SECOND_REPORT(h)
#endif
#if LEASES == 2
#define SECOND(h) SECOND_REPORT(h) TAKES(h, 1) LOSES_LEASE(h, 1)
#else
#define SECOND(h) SECOND_REPORT(h)
#endif


inline begin(h) {
    host[h].inc = 1; host[h].alive = 1;
    ledger[h].safe = SAFE;
    host[h].safe = SAFE;
#if START_KNOWN
    /* everybody is known, and at fail-safe */
    host[h].epoch = NOW; host[h].saved = NOW;
    host[h].wanted = SAFE; host[h].written = SAFE; host[h].readback = SAFE; host[h].cap = SAFE;
    host[h].state = LEASED; host[h].leased = 1; host[h].left = D; host[h].held = A; host[h].applied = 1;
    ledger[h].inc = 1; ledger[h].bounded = 1; ledger[h].accepted = 1; ledger[h].newest = SAFE;
    ledger[h].count = 1; ledger[h].u[0].cap = SAFE; ledger[h].u[0].seq = 1;
#else
    host[h].epoch = OLD; host[h].saved = OLD;
    host[h].wanted = SAFE; host[h].cap = PHYS;
#endif
}

active proctype world()
{
    READ_BROKEN;
    d_step { ALL(begin); limit = LIMIT; recovering = !START_KNOWN }
    if
    :: MISMATCH -> d_step { host[0].safe = MID; host[0].wanted = MID;
                            printf("host 0 was set up with another fail-safe cap: 2\n") }
    :: skip
    fi;
    do
    HOST_STEPS(0)
#if HOSTS == 2
    HOST_STEPS(1)
#endif
    :: d_step { !calm && !ANY_BUSY -> ALL(pass); if :: (dead || fell) && since < 7 -> since++ :: else fi;
                printf("-- a tick passes\n"); check() }
#if RESTARTS
    :: d_step { !calm && !dead -> ALL(restart_host); recovering = 1; check();
                printf("a new controller starts with nothing in hand; the old one may live on\n") }
#endif
#if HAND_OVERS
    :: d_step { !calm && !dead -> ALL(hand_over_host); recovering = 1; check();
                printf("a new controller takes over from one that is gone, with its ledger\n") }
#endif
#if DIES
    :: d_step { !calm && !dead -> dead = 1; since = 0; printf("the controller dies for good\n") }
#endif
#if FALLS
    :: d_step { !calm && !fell && !dead -> fell = 1; since = 0; limit = FALLS; recovering = 1;
                printf("the limit falls to %d\n", FALLS); cut_all(); check() }
#endif
#if CALM
    :: d_step { !calm && !dead -> calm_down() }
    :: calm -> break
#endif
    od
}
