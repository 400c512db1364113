/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of cores, as the kernel writes them: "0-2,7". */
#ifndef FLYBALL_RT_CORES_H
#define FLYBALL_RT_CORES_H

#include <stdbool.h>
#include <stdint.h>

/* a list of every other core takes 2450 bytes */
enum { RT_CORES = 1024, RT_CORES_BYTES = 4096 };

struct rt_cores { uint64_t bits[RT_CORES / 64]; };

/* any: "0-2,7" to a set. Words that are no number ("managed_irq", "N") are left out. 0, or -EINVAL. */
int rt_cores_parse(const char *text, struct rt_cores *cores);

/* any: a set to "0-2,7"; "none". Every set has room. */
const char *rt_cores_text(const struct rt_cores *cores, char text[RT_CORES_BYTES]);

/* any */
bool rt_cores_has(const struct rt_cores *cores, int core);
/* any: outside of 0 to RT_CORES - 1 nothing is added. */
void rt_cores_add(struct rt_cores *cores, int core);
/* any */
bool rt_cores_empty(const struct rt_cores *cores);
/* any: what is in `a` and not in `b`. */
struct rt_cores rt_cores_less(const struct rt_cores *a, const struct rt_cores *b);
/* any: true when some core is in both. */
bool rt_cores_meet(const struct rt_cores *a, const struct rt_cores *b);
/* any: the smallest core at or above `core`, or -1. */
int rt_cores_next(const struct rt_cores *cores, int core);

#endif
