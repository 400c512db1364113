/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts of devices: which cores they come to, and how they are kept off some of them while a process
 * runs.
 */
#ifndef FLYBALL_RT_INTERRUPTS_H
#define FLYBALL_RT_INTERRUPTS_H

#include "rt/cores.h"
#include "rt/keeper.h"

enum { RT_INTERRUPT_NAME_BYTES = 32, RT_INTERRUPTS_CARDS = 4 };

struct rt_interrupt {
    int number;
    char name[RT_INTERRUPT_NAME_BYTES];     /* of who handles it, "" where nobody does */
    struct rt_cores allowed, comes;         /* where it may come, and where it does come */
};

/* setup: all interrupts below <root>/proc/irq, by number; `root` is "" but in tests. How many, *list then
 * belongs to the caller (free); or -errno. */
int rt_interrupts_list(const char *root, struct rt_interrupt **list);

/* Whose interrupts they are to be kept off, and whose not. */
struct rt_interrupts_wish {
    const char *root;           /* "" but in tests */
    struct rt_cores hot;
    /* interfaces whose interrupts stay where they were put; NULL ends */
    const char *card[RT_INTERRUPTS_CARDS];
};

/* One that may come to a hot core all the same. */
struct rt_interrupts_left {
    int number;
    char name[RT_INTERRUPT_NAME_BYTES];
    int error;                  /* what the kernel said; 0: a card's own, put there by somebody */
};

/* Starts as zeros. */
struct rt_interrupts {
    struct rt_keeper keeper;
    uint32_t moved;
    uint32_t left_count;
    struct rt_interrupts_left *left;
};

/* setup, before any other thread exists (forks): every interrupt that may come to a hot core, and those
 * that are requested from now on, may come to the other cores only. A keeper puts them back (rt/keeper.h).
 * An interrupt of `card` that may come to hot cores only is left there: somebody put it there. 0; or
 * -errno: nothing was changed (-EINVAL: the hot cores are all there are). */
int rt_interrupts_away(struct rt_interrupts *interrupts, const struct rt_interrupts_wish *wish);

/* setup: puts them back and waits until that stands. 0 or -errno. Harmless where nothing was moved. */
int rt_interrupts_restore(struct rt_interrupts *interrupts);

#endif
