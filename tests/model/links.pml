/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that are only compared, and channels that lose, repeat, reorder and delay. */

/* ---- numbers ---- */

#define OLDER(field) if :: field > v -> field-- :: else fi
#define SEEN(field) if :: field == v -> j = 1 :: field > v -> k = 1 :: else fi

/* Sequences are only compared: dense numbers in the same order tell as much. */
inline tidy(h) {
    v = 1;
    do
    :: j = 0; k = 0;
       SEEN(host[h].applied); SEEN(ledger[h].base);
       i = 0; do :: i < UNRETIRED -> SEEN(ledger[h].u[i].seq); i++ :: else -> break od;
       i = 0; do :: i < LEASES -> SEEN(link[h].l[i].seq); i++ :: else -> break od;
       i = 0; do :: i < REPORTS -> SEEN(link[h].r[i].applied); i++ :: else -> break od;
       if
       :: j -> v++
       :: !j && k ->
          OLDER(host[h].applied); OLDER(ledger[h].base);
          i = 0; do :: i < UNRETIRED -> OLDER(ledger[h].u[i].seq); i++ :: else -> break od;
          i = 0; do :: i < LEASES -> OLDER(link[h].l[i].seq); i++ :: else -> break od;
          i = 0; do :: i < REPORTS -> OLDER(link[h].r[i].applied); i++ :: else -> break od
       :: else -> break
       fi
    od;
    i = 0; j = 0; k = 0; v = 0
}

/* v = the highest sequence in use */
#define HIGHEST(field) if :: field > v -> v = field :: else fi
inline highest(h) {
    v = 0;
    HIGHEST(host[h].applied); HIGHEST(ledger[h].base);
    i = 0; do :: i < UNRETIRED -> HIGHEST(ledger[h].u[i].seq); i++ :: else -> break od;
    i = 0; do :: i < LEASES -> HIGHEST(link[h].l[i].seq); i++ :: else -> break od;
    i = 0; do :: i < REPORTS -> HIGHEST(link[h].r[i].applied); i++ :: else -> break od;
    i = 0
}

/* ---- channels: ordered lists, but anything in them may be taken, again and again, or be lost ---- */

inline clear_report(h, at) {
    link[h].r[at].inc = 0; link[h].r[at].epoch = 0; link[h].r[at].settled = 0; link[h].r[at].told = 0;
    link[h].r[at].state = 0; link[h].r[at].age = 0; link[h].r[at].fresh = 0; link[h].r[at].news = 0;
    link[h].r[at].asks = 0; link[h].r[at].applied = 0
}

/* takes report k out, those behind it move up */
inline drop_report(h) {
    do
    :: k + 1 < link[h].reports ->
       link[h].r[k].inc = link[h].r[k + 1].inc; link[h].r[k].epoch = link[h].r[k + 1].epoch;
       link[h].r[k].settled = link[h].r[k + 1].settled; link[h].r[k].told = link[h].r[k + 1].told;
       link[h].r[k].state = link[h].r[k + 1].state; link[h].r[k].age = link[h].r[k + 1].age;
       link[h].r[k].fresh = link[h].r[k + 1].fresh; link[h].r[k].news = link[h].r[k + 1].news;
       link[h].r[k].asks = link[h].r[k + 1].asks; link[h].r[k].applied = link[h].r[k + 1].applied;
       k++
    :: else -> break
    od;
    link[h].reports--;
    clear_report(h, link[h].reports);
    k = 0
}

/* to a controller that stays, those with numbers not above the newest heard are nothing */
inline drop_heard(h) {
    i = link[h].reports;
    do
    :: i > 0 -> i--; if :: !link[h].r[i].fresh -> k = i; drop_report(h) :: else fi
    :: else -> break
    od
}

inline clear_lease(h, at) {
    link[h].l[at].inc = 0; link[h].l[at].epoch = 0; link[h].l[at].cap = 0; link[h].l[at].age = 0;
    link[h].l[at].lets = 0; link[h].l[at].seq = 0
}

inline drop_lease(h) {
    do
    :: k + 1 < link[h].leases ->
       link[h].l[k].inc = link[h].l[k + 1].inc; link[h].l[k].epoch = link[h].l[k + 1].epoch;
       link[h].l[k].cap = link[h].l[k + 1].cap; link[h].l[k].age = link[h].l[k + 1].age;
       link[h].l[k].lets = link[h].l[k + 1].lets; link[h].l[k].seq = link[h].l[k + 1].seq;
       k++
    :: else -> break
    od;
    link[h].leases--;
    clear_lease(h, link[h].leases);
    k = 0
}
