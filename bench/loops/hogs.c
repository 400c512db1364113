/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/hogs.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/thread.h"

static _Noreturn void compute_on(int core)
{
    volatile uint64_t sum = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    rt_pin(core);
    raise(SIGSTOP);
    for (;;)
        sum = sum * 3 + 1;
}

int hogs_open(struct hogs *hogs)
{
    for (int core = 0; core < HOGS; core++) {
        pid_t pid = fork();
        if (pid == 0)
            compute_on(core);
        if (pid < 0)
            return -errno;
        hogs->pid[core] = pid;
    }
    return 0;
}

void hogs_close(struct hogs *hogs)
{
    for (int i = 0; i < HOGS; i++) {
        if (!hogs->pid[i])
            continue;
        kill(hogs->pid[i], SIGKILL);
        waitpid(hogs->pid[i], NULL, 0);
    }
}

void hogs_let(struct hogs *hogs, bool compute)
{
    for (int i = 0; i < HOGS; i++)
        if (hogs->pid[i])
            kill(hogs->pid[i], compute ? SIGCONT : SIGSTOP);
}
