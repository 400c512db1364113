/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/decimal.h"

enum { DIGITS_MAX = 19, INTEGER_DIGITS_MAX = 18, POWER_EXACT = 22, POWER_WHOLE = 19, EXPONENT_MAX = 300 };

/* What the digits say, before it is a double: mantissa * 10^exponent. */
struct decimal {
    uint64_t mantissa;
    int32_t exponent;
    uint32_t digits;            /* that count: behind leading zeros */
    bool negative, any, point;
};

struct text {
    const uint8_t *at, *end;
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct text trimmed(const uint8_t *text, uint32_t bytes)
{
    struct text in = {text, text + bytes};

    while (in.at < in.end && is_blank(*in.at))
        in.at++;
    while (in.at < in.end && is_blank(in.end[-1]))
        in.end--;
    return in;
}

static bool read_sign(struct text *in)
{
    bool negative = in->at < in->end && *in->at == '-';

    if (in->at < in->end && (*in->at == '-' || *in->at == '+'))
        in->at++;
    return negative;
}

/* Digits beyond those that a mantissa holds move its exponent and are dropped. */
static void take_digit(struct decimal *number, uint8_t digit)
{
    number->any = true;
    if (number->digits == DIGITS_MAX) {
        number->exponent += !number->point;
        return;
    }
    number->mantissa = number->mantissa * 10 + digit;
    number->digits += number->mantissa != 0;
    number->exponent -= number->point;
}

static void read_digits(struct text *in, struct decimal *number)
{
    for (; in->at < in->end; in->at++) {
        if (*in->at >= '0' && *in->at <= '9')
            take_digit(number, (uint8_t)(*in->at - '0'));
        else if (*in->at == '.' && !number->point)
            number->point = true;
        else
            return;
    }
}

static bool read_exponent(struct text *in, struct decimal *number)
{
    int32_t exponent = 0;

    if (in->at == in->end)
        return true;
    if (*in->at != 'e' && *in->at != 'E')
        return false;
    in->at++;
    bool negative = read_sign(in);
    const uint8_t *first = in->at;
    for (; in->at < in->end && *in->at >= '0' && *in->at <= '9'; in->at++)
        if (exponent < 10 * EXPONENT_MAX)
            exponent = exponent * 10 + *in->at - '0';
    number->exponent += negative ? -exponent : exponent;
    return in->at == in->end && in->at > first;
}

static double power_of_ten(int32_t exponent)
{
    static const double exact[POWER_EXACT + 1] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    };
    return exact[exponent];
}

/* mantissa / 10^places, correctly rounded: long division to 64 bits of quotient, what is left over is sticky
 * below them. The conversion from 64 bits rounds once, ties to even. */
static double divided(uint64_t mantissa, int32_t places)
{
    uint64_t divisor = 1, rest, quotient = 0;
    double scale = 1;

    for (int32_t i = 0; i < places; i++)
        divisor *= 10;
    rest = mantissa % divisor;
    quotient = mantissa / divisor;
    while (quotient < UINT64_C(1) << 62) {
        bool over = rest >> 63;
        rest <<= 1;
        bool one = over || rest >= divisor;
        rest -= one ? divisor : 0;
        quotient = quotient << 1 | one;
        scale *= 0.5;
        if (!quotient && !rest)
            return 0;
    }
    return (double)(quotient | (rest != 0)) * scale;
}

static double scaled(double value, int32_t exponent)
{
    for (; exponent > POWER_EXACT; exponent -= POWER_EXACT)
        value *= power_of_ten(POWER_EXACT);
    for (; exponent < -POWER_EXACT; exponent += POWER_EXACT)
        value /= power_of_ten(POWER_EXACT);
    return exponent < 0 ? value / power_of_ten(-exponent) : value * power_of_ten(exponent);
}

static double magnitude(const struct decimal *number)
{
    if (number->mantissa <= UINT64_C(1) << 53)      /* both exact: one rounding */
        return scaled((double)number->mantissa, number->exponent);
    if (number->exponent < 0 && number->exponent >= -POWER_WHOLE)
        return divided(number->mantissa, -number->exponent);
    return scaled((double)number->mantissa, number->exponent);
}

bool decimal_double(const uint8_t *text, uint32_t bytes, double *value)
{
    struct text in = trimmed(text, bytes);
    struct decimal number = {.negative = read_sign(&in)};

    read_digits(&in, &number);
    if (!number.any || !read_exponent(&in, &number))
        return false;
    int32_t top = number.exponent + (int32_t)number.digits;
    if (number.mantissa && (top > EXPONENT_MAX || top < -EXPONENT_MAX))
        return false;
    double size = number.mantissa ? magnitude(&number) : 0;
    *value = number.negative ? -size : size;
    return true;
}

bool decimal_integer(const uint8_t *text, uint32_t bytes, int64_t *value)
{
    struct text in = trimmed(text, bytes);
    struct decimal number = {.negative = read_sign(&in)};

    read_digits(&in, &number);
    if (!number.any || number.point || in.at != in.end || number.digits > INTEGER_DIGITS_MAX)
        return false;
    *value = number.negative ? -(int64_t)number.mantissa : (int64_t)number.mantissa;
    return true;
}
