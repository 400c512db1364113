/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/start_note.h"

#include <errno.h>
#include <string.h>

void start_note(FILE *notes, const char *who, const char *what, int error)
{
    if (error < 0)
        fprintf(notes, "flyballd: %s%s: %s; going on without\n", who, what, strerror(-error));
}

void start_note_ports(const struct loop *loop, FILE *notes)
{
    for (uint32_t i = 0; i < loop->ports; i++)
        if (loop->port[i].note[0])
            fprintf(notes, "flyballd: %s\n", loop->port[i].note);
}

void start_note_hot(const struct hot *hot, FILE *notes)
{
    bool deadline = hot->period_ns != 0;
    if (hot->pin_error == -EINVAL)
        fprintf(notes,
                "flyballd: %s not pinned: this machine has no core %d (cores of the server's row), or it "
                "is not given to us; going on without\n",
                hot->name, hot->core);
    else if (deadline && hot->pin_error == -EBUSY)
        fprintf(notes,
                "flyballd: %s not pinned to its core: the kernel takes a thread of SCHED_DEADLINE there only "
                "with rt_throttling: lift, or in a cpuset that is exclusive; going on without\n",
                hot->name);
    else
        start_note(notes, hot->name, " not pinned to its core", hot->pin_error);
    start_note(notes, hot->name, deadline ? " not SCHED_DEADLINE" : " not SCHED_FIFO", hot->scheduler_error);
}
