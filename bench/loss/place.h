/* SPDX-License-Identifier: Apache-2.0 */
/* Random sites whose reserve is lent: every scheme with a loss to survive, in the words of a site file. */
#ifndef FLYBALL_BENCH_LOSS_PLACE_H
#define FLYBALL_BENCH_LOSS_PLACE_H

#include "sim/random.h"
#include "site/site.h"

/* X(symbol, name) */
#define LOSS_SCHEMES(X) \
    X(LOSS_2N, "2N") \
    X(LOSS_N_PLUS_1, "N+1") \
    X(LOSS_DISTRIBUTED, "distributed") \
    X(LOSS_CATCHER, "catcher")

enum loss_scheme {
#define LOSS_SCHEME_SYMBOL(symbol, name) symbol,
    LOSS_SCHEMES(LOSS_SCHEME_SYMBOL)
#undef LOSS_SCHEME_SYMBOL
    LOSS_SCHEME_COUNT
};

/* X(symbol, name): what protects every feed */
#define LOSS_DEVICES(X) \
    X(LOSS_SCHNEIDER, "electronic, Schneider") \
    X(LOSS_ABB, "electronic, ABB") \
    X(LOSS_TIMER, "electronic, no memory") \
    X(LOSS_DEFINITE, "short-time just above the load") \
    X(LOSS_THERMAL_MAGNETIC, "thermal-magnetic") \
    X(LOSS_RELAY, "relay") \
    X(LOSS_UPS, "UPS")

enum loss_device {
#define LOSS_DEVICE_SYMBOL(symbol, name) symbol,
    LOSS_DEVICES(LOSS_DEVICE_SYMBOL)
#undef LOSS_DEVICE_SYMBOL
    LOSS_DEVICE_COUNT
};

enum { PLACE_TEXT_BYTES = 16384 };

struct place {
    enum loss_scheme scheme;
    enum loss_device device;
    uint32_t blocks;                    /* feeds that hosts hang on, f0 .. */
    char text[PLACE_TEXT_BYTES];
};

const char *loss_scheme_name(enum loss_scheme scheme);
const char *loss_device_name(enum loss_device device);

/* setup: scheme, device and figures from `random`. */
void place_draw(struct place *place, struct random *random);

/* setup: 0, or what site_load says; what is wrong goes to stderr. */
int place_load(const struct place *place, struct site *site);

#endif
