/* SPDX-License-Identifier: Apache-2.0 */
/* Threads down. */
#include <time.h>

#include "loop/ledger.h"
#include "loop/loop.h"

enum { STOP_GRACE_MS = 1500, POLL_MS = 1 };

static void rest(void)
{
    const struct timespec time = {.tv_nsec = POLL_MS * NS_PER_MS};
    nanosleep(&time, NULL);
}

static bool all_ended(const struct loop *loop)
{
    for (uint32_t i = 0; i < loop->hots; i++) {
        int state = atomic_load_explicit(&loop->hot[i].state, memory_order_acquire);
        if (state != HOT_ENDED && state != HOT_FAILED)
            return false;
    }
    return true;
}

static void stop_hots(struct loop *loop)
{
    atomic_store_explicit(&loop->path.stop, STOP_ASKED, memory_order_release);
    for (int waited_ms = 0; !all_ended(loop) && waited_ms < STOP_GRACE_MS; waited_ms += POLL_MS)
        rest();
    /* Decide may go round for ever with a port that takes nothing: then it is cut short. */
    if (!all_ended(loop))
        atomic_store_explicit(&loop->path.stop, STOP_DECIDED, memory_order_release);
    for (uint32_t i = 0; i < loop->hots; i++)
        pthread_join(loop->hot[i].thread, NULL);
    /* release: the door's thread answers meanwhile; pairs with has_stopped of the document */
    atomic_store_explicit(&loop->stopped, true, memory_order_release);
}

static void stop_thread(bool *runs, _Atomic bool *stop, pthread_t thread)
{
    if (!*runs)
        return;
    atomic_store_explicit(stop, true, memory_order_release);
    pthread_join(thread, NULL);
    *runs = false;
}

void loop_stop(struct loop *loop)
{
    /* no write of marks begins any more: whoever waits for the ledger waits for this disk, too */
    atomic_store_explicit(&loop->marks.stop, true, memory_order_release);
    spectra_desk_stop(&loop->spectra);
    stop_hots(loop);
    stop_thread(&loop->watching, &loop->watchdog.stop, loop->watchdog.thread);
    stop_thread(&loop->looking, &loop->links.stop, loop->links.thread);
    stop_thread(&loop->timing, &loop->clocks.stop, loop->clocks.thread);
    if (loop->clocks.open)
        keeper_close(&loop->clocks.keeper);
    stop_thread(&loop->marking, &loop->marks.stop, loop->marks.thread);
    marks_close(&loop->marks);
    stop_thread(&loop->keying, &loop->keys.stop, loop->keys.thread);
    stop_thread(&loop->scheduling, &loop->schedule.stop, loop->schedule.thread);
    stop_thread(&loop->answering, &loop->door.stop, loop->door.thread);
    door_close(&loop->door);
    orders_stop(&loop->orders);
    loop_ledger_close(loop);    /* whoever waits for it need not wait for the journal */
    stop_thread(&loop->draining, &loop->drain.stop, loop->drain.thread);
    keys_close(&loop->keys);
    if (loop->journal)
        loop->journal_lost = journal_finish(loop->journal);
    loop->journal = NULL;
}
