/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of domain.md 1.3 by hand, in long double, for tests of core/breaker: what site/curve compiles
 * from a site file stands in its own tests. Amperes and seconds. */
#ifndef FLYBALL_TESTS_BREAKER_STOCK_H
#define FLYBALL_TESTS_BREAKER_STOCK_H

#include <stdbool.h>

#include "core/breaker.h"

enum { STOCK_CURVES = 8 };

struct stock {
    struct breaker breaker;
    struct breaker_curve curve[STOCK_CURVES];
    uint32_t curve_count;
    struct breaker_state state;
};

/* Seconds to trip at M times unit; `what` is the caller's. */
typedef long double stock_time(const void *what, long double multiple);

/* Rates that are nowhere below 1 / time on the way between points. */
void stock_curve(struct breaker_curve *curve, stock_time *time, const void *what);

/* Elements; each returns the one it added. */
struct breaker_element *stock_image(struct stock *stock, double pickup_a, double tau_s);
struct breaker_element *stock_travel(struct stock *stock, enum breaker_element_role role, double pickup_a,
                                     double unit_a, stock_time *time, const void *what);
struct breaker_element *stock_definite(struct stock *stock, enum breaker_element_role role, double pickup_a,
                                       double delay_s);
struct breaker_element *stock_peak(struct stock *stock, double pickup_a);

/* One current on all phases. */
struct breaker_load stock_load(double current_a);

/* A curve of IEC 60255-151 or C37.112: dial (k / (M^alpha - 1) + c), M held at 20. */
struct stock_inverse { long double k, c, alpha, dial; };
long double stock_inverse_s(const void *inverse, long double multiple);

/* I^2 t: `seconds` at `amperes`, with M = 1 at `unit_a`. Above seam_a the time is `beyond` times as long;
 * flat from flat_a on. 0 = no such place. */
struct stock_square { long double unit_a, seconds, amperes, seam_a, beyond, flat_a; };
long double stock_square_s(const void *square, long double multiple);

/* BR800 and MN3000: long-time as a timer, as an image, or both; short-time, instantaneous, ground. */
enum { STOCK_TIMER = 1, STOCK_IMAGE = 2 };
void stock_br800(struct stock *stock, bool fast, int thermal);
void stock_mn3000(struct stock *stock, bool fast, int thermal);

#endif
