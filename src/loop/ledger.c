/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/ledger.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_NS = 1000000 };      /* between two looks whether the one before has ended */

static void name_file(struct loop *loop)
{
    const struct loop_options *options = &loop->options;
    const char *path = options->ledger ? options->ledger : "";
    if (!strcmp(path, "none"))
        return;
    if (path[0])
        snprintf(loop->ledger_path, sizeof loop->ledger_path, "%s", path);
    else if (options->door && options->door[0])
        snprintf(loop->ledger_path, sizeof loop->ledger_path, "%s.ledger", options->door);
}

static int held(struct loop *loop, pid_t holder)
{
    snprintf(loop->error, sizeof loop->error,
             "ledger %s: another flyballd (process %d) holds it; --take-over waits until that has ended",
             loop->ledger_path, (int)holder);
    return -EADDRINUSE;
}

static const char *words_of(int error)
{
    switch (error) {
    case -ENOTSUP:
        return "not in memory; /run is, on most machines";
    case -EPERM:
        return "not ours alone";
    default:
        return strerror(-error);
    }
}

/* Stop signals are blocked in every thread (flyballd.c takes them): here they are only looked at. */
static bool is_stopped(void)
{
    sigset_t pending;
    return !sigpending(&pending) && (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT));
}

static int wait_for(struct loop *loop)
{
    const struct timespec rest = {.tv_nsec = LOOK_NS};
    int error = -EWOULDBLOCK;
    pid_t holder;
    while (error == -EWOULDBLOCK) {
        nanosleep(&rest, NULL);
        error = is_stopped() ? -EINTR : account_open(&loop->account, loop->ledger_path, &holder);
    }
    return error;
}

int loop_ledger_open(struct loop *loop, FILE *notes)
{
    pid_t holder;
    name_file(loop);
    if (!loop->ledger_path[0])
        return 0;
    int error = account_open(&loop->account, loop->ledger_path, &holder);
    if (error == -EWOULDBLOCK && loop->options.take_over) {
        fprintf(notes, "flyballd: ready; waits for process %d to end\n", (int)holder);
        fflush(notes);
        error = wait_for(loop);
    }
    if (error == -EWOULDBLOCK)
        return held(loop, holder);
    if (error == -EINTR) {
        snprintf(loop->error, sizeof loop->error, "stopped while it waited to take over");
        return error;
    }
    if (!error)
        return 0;
    fprintf(notes, "flyballd: ledger %s: %s; going on without: every start claims every host anew\n",
            loop->ledger_path, words_of(error));
    loop->ledger_path[0] = 0;
    return 0;
}

static void free_handed(struct loop *loop)
{
    free(loop->handed);
    free(loop->records);
    loop->handed = NULL;
    loop->records = NULL;
}

/* Heat, permits and feeds, as far as they are about this very site. */
static int read_records(struct loop *loop)
{
    const struct model *model = &loop->site->model;
    if (loop->account_state != ACCOUNT_WHOLE || !account_has_records(&loop->account, model))
        return 0;
    loop->records = calloc(model->meter_count + 1, sizeof *loop->records);
    if (!loop->records)
        return -ENOMEM;
    for (uint32_t i = 0; i <= model->meter_count; i++)
        decide_read_record(&loop->account, i, model->meter_count, &loop->records[i]);
    return 0;
}

/* Which agents the session of the controller before is good for. */
static int keep_incarnations(struct loop *loop)
{
    uint32_t hosts = loop->site->model.host_count;
    if (!loop->session_before)
        return 0;
    loop->incarnation_before = calloc(hosts + 1, sizeof *loop->incarnation_before);
    for (uint32_t host = 0; host < hosts && loop->incarnation_before; host++)
        loop->incarnation_before[host] = loop->handed[host].incarnation;
    return loop->incarnation_before ? 0 : -ENOMEM;
}

int loop_ledger_read(struct loop *loop)
{
    const struct model *model = &loop->site->model;
    uint64_t epoch;
    if (loop->account.fd < 0)
        return 0;
    loop->handed = calloc(model->host_count + 1, sizeof *loop->handed);
    if (!loop->handed)
        return -ENOMEM;
    loop->account_state = account_read(&loop->account, model, loop->t_start_ns, loop->handed, &epoch);
    /* a clock that was set back must not make every host refuse us */
    if (epoch >= loop->epoch)
        loop->epoch = epoch + 1;
    loop->session_before = loop->account_state == ACCOUNT_WHOLE ? account_session(&loop->account) : 0;
    int error = keep_incarnations(loop);
    if (!error)
        error = read_records(loop);
    if (!error)
        error = account_begin(&loop->account, model, loop->epoch);
    if (!error)
        account_set_session(&loop->account, loop->keys.session);
    if (error)
        snprintf(loop->error, sizeof loop->error, "ledger %s: %s", loop->ledger_path, strerror(-error));
    return error;
}

/* What was read has aged since: the core was set up meanwhile, and ports opened. */
static bool grow_older(struct loop *loop, int64_t now_ns)
{
    const struct model *model = &loop->site->model;
    if (!loop->handed || loop->account_state != ACCOUNT_WHOLE)
        return false;
    for (uint32_t host = 0; host < model->host_count; host++)
        loop->handed[host].age_ns += now_ns - loop->t_start_ns;
    loop->ledger_age_ns = loop->handed[0].age_ns;
    if (loop->ledger_age_ns > model->policy.lease_ns)
        loop->account_state = ACCOUNT_OLD;
    return loop->account_state == ACCOUNT_WHOLE;
}

/* A meter that was late before is late now, though it is the first reading that we hear; of one whose clock
 * has just stepped nobody knew how late it is. */
static void resume_ages(struct loop *loop, int64_t now_ns)
{
    for (uint32_t i = 0; i < loop->site->model.meter_count; i++)
        if (loop->records[i].floor_ns == INT64_MIN)
            age_doubt(&loop->path.lane[0].age[i], now_ns);
        else if (loop->records[i].floor_ns != INT64_MAX)
            age_resume(&loop->path.lane[0].age[i], loop->records[i].floor_ns, now_ns);
}

void loop_ledger_take_over(struct loop *loop)
{
    int64_t now_ns = timebase_now_ns(&loop->base);
    bool whole = grow_older(loop, now_ns);
    for (uint32_t i = 0; i < loop->path.lanes && whole; i++) {
        struct trust *trust = &loop->path.lane[i].trust;
        trust->before = loop->session_before;
        trust->before_incarnation = loop->incarnation_before;
        trust->before_until_ns = now_ns + loop->site->model.policy.lease_ns;
    }
    if (whole && loop->records)
        resume_ages(loop, now_ns);
    decide_take_over(loop->path.decide, loop->handed, whole ? loop->site->model.host_count : 0,
                     whole ? loop->records : NULL, now_ns);
    free_handed(loop);
}

void loop_ledger_close(struct loop *loop)
{
    free_handed(loop);
    free(loop->incarnation_before);
    loop->incarnation_before = NULL;
    account_close(&loop->account);
}
