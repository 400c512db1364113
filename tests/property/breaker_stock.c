/* SPDX-License-Identifier: Apache-2.0 */
#include "breaker_stock.h"

#include <math.h>
#include <string.h>

enum { LOOKS = 16 };

static long double rate_of(stock_time *time, const void *what, long double multiple)
{
    long double seconds = time(what, multiple);

    return isinf(seconds) ? 0 : 0x1p70L * 1e-9L / seconds;
}

static long double multiple_of(int point)
{
    return ldexpl(1 + (point % CURVE_STEPS) / (long double)CURVE_STEPS, point / CURVE_STEPS);
}

/* The most that the true rate is above the chord of a segment, over a part of it. Where the rate is not
 * straight the part is halved: a jump is found to 2^-24 of a look, a kink as well. */
struct segment { stock_time *time; const void *what; long double from, to, rate_from, rate_to; };

static long double excess(const struct segment *segment, long double start, long double end, int depth)
{
    long double middle = (start + end) / 2, width = segment->to - segment->from;
    long double rise = (segment->rate_to - segment->rate_from) / width;
    long double at_start = rate_of(segment->time, segment->what, start);
    long double at_middle = rate_of(segment->time, segment->what, middle);
    long double at_end = rate_of(segment->time, segment->what, end);
    long double most = fmaxl(at_middle - segment->rate_from - rise * (middle - segment->from),
                             at_end - segment->rate_from - rise * (end - segment->from));

    if (depth > 0 && fabsl(at_start + at_end - 2 * at_middle) > 1e-4L * at_end)
        most = fmaxl(most, fmaxl(excess(segment, start, middle, depth - 1),
                                 excess(segment, middle, end, depth - 1)));
    return most;
}

void stock_curve(struct breaker_curve *curve, stock_time *time, const void *what)
{
    long double rate[CURVE_POINTS], lift[CURVE_POINTS] = {0}, highest = 0;

    for (int k = 0; k < CURVE_POINTS; k++)
        rate[k] = rate_of(time, what, multiple_of(k));
    for (int k = 0; k + 1 < CURVE_POINTS; k++) {
        struct segment segment = {time, what, multiple_of(k), multiple_of(k + 1), rate[k], rate[k + 1]};
        long double look = (segment.to - segment.from) / LOOKS;

        for (int i = 0; i < LOOKS; i++) {
            long double above = 1.01L * excess(&segment, segment.from + i * look,
                                               segment.from + (i + 1) * look, 24);

            lift[k] = fmaxl(lift[k], above);
            lift[k + 1] = fmaxl(lift[k + 1], above);
        }
    }
    for (int k = 0; k < CURVE_POINTS; k++) {
        highest = fmaxl(highest, ceill((rate[k] + lift[k]) * (1 + 1e-9L)));
        curve->rate[k] = (int64_t)highest;
    }
}

static struct breaker_element *add(struct stock *stock, enum breaker_law law, enum breaker_element_role role,
                                   double pickup_a)
{
    struct breaker_element *element = &stock->breaker.element[stock->breaker.element_count++];

    *element = (struct breaker_element){.law = (uint8_t)law, .role = (uint8_t)role};
    element->pickup_ma = llround(pickup_a * 1000);
    element->unit_ma = element->pickup_ma;
    element->fast_above_ma = INT64_MAX;
    return element;
}

struct breaker_element *stock_image(struct stock *stock, double pickup_a, double tau_s)
{
    struct breaker_element *element = add(stock, BREAKER_IMAGE, ELEMENT_LONG_TIME, pickup_a);

    element->heat_ns = element->heat_fast_ns = element->cool_ns = llround(tau_s * 1e9);
    return element;
}

struct breaker_element *stock_travel(struct stock *stock, enum breaker_element_role role, double pickup_a,
                                     double unit_a, stock_time *time, const void *what)
{
    struct breaker_element *element = add(stock, BREAKER_TRAVEL, role, pickup_a);

    element->unit_ma = llround(unit_a * 1000);
    element->curve = stock->curve_count;
    stock_curve(&stock->curve[stock->curve_count++], time, what);
    return element;
}

static long double definite_s(const void *delay, long double multiple)
{
    (void)multiple;
    return *(const long double *)delay;
}

struct breaker_element *stock_definite(struct stock *stock, enum breaker_element_role role, double pickup_a,
                                       double delay_s)
{
    long double delay = delay_s;

    return stock_travel(stock, role, pickup_a, pickup_a, definite_s, &delay);
}

struct breaker_element *stock_peak(struct stock *stock, double pickup_a)
{
    return add(stock, BREAKER_PEAK, ELEMENT_INSTANTANEOUS, pickup_a);
}

struct breaker_load stock_load(double current_a)
{
    int64_t ma = llround(current_a * 1000);

    return (struct breaker_load){.current_ma = {ma, ma, ma}};
}

long double stock_inverse_s(const void *what, long double multiple)
{
    const struct stock_inverse *inverse = what;
    long double power = powl(fminl(multiple, 20), inverse->alpha) - 1;

    return power > 0 ? inverse->dial * (inverse->k / power + inverse->c) : INFINITY;
}

long double stock_square_s(const void *what, long double multiple)
{
    const struct stock_square *square = what;
    long double amperes = multiple * square->unit_a;
    long double counted = square->flat_a > 0 ? fminl(amperes, square->flat_a) : amperes;
    long double seconds = square->seconds * powl(square->amperes / counted, 2);

    /* The place of the seam itself is known to a millionth only. */
    return square->seam_a > 0 && amperes > square->seam_a * (1 + 1e-6L) ? seconds * square->beyond : seconds;
}

void stock_br800(struct stock *stock, bool fast, int thermal)
{
    double pickup_a = fast ? 840 : 900, trip = pow(pickup_a / 800, 2);
    struct stock_square square = {pickup_a, fast ? 7.2L : 8, 4800, 4800, fast ? 0.8L / 0.9L : 1, 0};

    memset(stock, 0, sizeof *stock);
    if (thermal & STOCK_TIMER)
        stock_travel(stock, ELEMENT_LONG_TIME, pickup_a, pickup_a, stock_square_s, &square);
    if (thermal & STOCK_IMAGE)
        stock_image(stock, pickup_a, (fast ? 7.2 : 8) / log(36 / (36 - trip)));
    stock_definite(stock, ELEMENT_SHORT_TIME, fast ? 4464 : 4800, fast ? 0.09 : 0.1);
    stock_peak(stock, fast ? 7200 : 8000);
}

void stock_mn3000(struct stock *stock, bool fast, int thermal)
{
    double pickup_a = fast ? 3150 : 3375, trip = pow(pickup_a / 3000, 2), short_a = fast ? 11160 : 12000;
    struct stock_square square = {pickup_a, fast ? 10.8L : 12, 18000, 18000, fast ? 0.8L / 0.9L : 1, 0};
    struct stock_square stage = {short_a, fast ? 0.255L : 0.3L, 30000, 18000, fast ? 0.8L / 0.85L : 1, 30000};

    memset(stock, 0, sizeof *stock);
    if (thermal & STOCK_TIMER)
        stock_travel(stock, ELEMENT_LONG_TIME, pickup_a, pickup_a, stock_square_s, &square);
    if (thermal & STOCK_IMAGE)
        stock_image(stock, pickup_a, (fast ? 10.8 : 12) / log(36 / (36 - trip)));
    stock_travel(stock, ELEMENT_SHORT_TIME, short_a, short_a, stock_square_s, &stage);
    stock_peak(stock, fast ? 32400 : 36000);
    stock_definite(stock, ELEMENT_GROUND, fast ? 1116 : 1200, fast ? 0.27 : 0.3)->residual = 1;
}
