/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/quiet.h"

#include <errno.h>
#include <string.h>

#include "rt/idle.h"
#include "rt/thread.h"
#include "site/site.h"

static void lift_throttling(struct quiet *quiet, FILE *notes)
{
    int error = rt_throttle_lift(&quiet->throttle, RT_THROTTLE_FILE);
    if (error < 0)
        fprintf(notes, "flyballd: RT throttling not lifted: %s; going on without\n", strerror(-error));
}

static void hold_awake(struct quiet *quiet, FILE *notes)
{
    quiet->awake = rt_idle_hold(RT_IDLE_FILE, 0);
    if (quiet->awake < 0)
        fprintf(notes, "flyballd: cores not kept awake: " RT_IDLE_FILE ": %s; going on without\n",
                strerror(-quiet->awake));
}

/* All of them in one line: there may be dozens. */
static void tell_left(const struct rt_interrupts *interrupts, const struct rt_cores *hot, FILE *notes)
{
    char text[RT_CORES_BYTES];
    fprintf(notes, "flyballd: %u interrupts keep away from core %s while it runs", interrupts->moved,
            rt_cores_text(hot, text));
    for (uint32_t i = 0; i < interrupts->left_count; i++) {
        const struct rt_interrupts_left *left = &interrupts->left[i];
        fprintf(notes, "%s%d (%s: %s)", i ? ", " : "; not ", left->number, left->name,
                left->error ? strerror(-left->error) : "of a port's card, put there by somebody");
    }
    fputc('\n', notes);
}

static void move_interrupts(struct quiet *quiet, const struct site_server *server, FILE *notes)
{
    struct rt_interrupts_wish wish = {.root = ""};
    rt_cores_add(&wish.hot, server->decide_core);
    for (uint32_t i = 0; i < server->lane_cores; i++)
        rt_cores_add(&wish.hot, server->lane_core[i]);
    for (uint32_t i = 0; i < server->port_count; i++)
        wish.card[i] = server->port[i].interface;
    int error = rt_interrupts_away(&quiet->interrupts, &wish);
    if (error)
        fprintf(notes, "flyballd: interrupts not moved: %s; going on without\n",
                error == -EINVAL ? "the loop has every core" : strerror(-error));
    else
        tell_left(&quiet->interrupts, &wish.hot, notes);
}

void quiet_begin(struct quiet *quiet, const struct site_server *server, FILE *notes)
{
    *quiet = (struct quiet){.awake = -1};
    if (server->lift_rt_throttling)
        lift_throttling(quiet, notes);
    if (server->interrupts_away)
        move_interrupts(quiet, server, notes);
    if (server->hold_awake)
        hold_awake(quiet, notes);
    int error = rt_sharp_timers();
    if (error)
        fprintf(notes, "flyballd: timers joined over 50 us: %s; going on without\n", strerror(-error));
}

void quiet_end(struct quiet *quiet, FILE *notes)
{
    rt_idle_release(quiet->awake);
    int error = rt_interrupts_restore(&quiet->interrupts);
    if (error)
        fprintf(notes, "flyballd: not all interrupts put back: %s\n", strerror(-error));
    error = rt_throttle_restore(&quiet->throttle);
    if (error)
        fprintf(notes, "flyballd: RT throttling not put back to %ld: %s\n", quiet->throttle.runtime_us,
                strerror(-error));
}
