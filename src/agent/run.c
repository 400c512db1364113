/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/run_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "ring/arena.h"

#define BEAT_NS (100 * NS_PER_MS)
#define WATCHDOG_MISSING_NS NS_PER_S
#define STOP_WITHIN_NS (2 * NS_PER_S)
#define LEAVE_WITHIN_NS (2 * NS_PER_S)
/* Where fail-safe is not read back for so long, whoever looks for the reason wants the history. */
#define JOBS_WITHIN_NS (5 * NS_PER_S)

static void send_datagram(void *user, const uint8_t *data, uint32_t bytes)
{
    struct run *run = user;
    ssize_t sent = sendto(run->socket, data, bytes, MSG_DONTWAIT, (const struct sockaddr *)&run->controller,
                          sizeof run->controller);
    run->send_failures += sent < 0;
}

/* Bounds first: the worker may be on its way already. */
static void order_write(void *user, uint32_t device, int64_t cap_mw)
{
    struct run *run = user;
    const struct act_smooth smooth = agent_smooth(&run->agent);
    worker_smooth(&run->worker[device], &smooth);
    worker_bound(&run->worker[device], holder_part_mw(&run->agent.holder, device));
    worker_order(&run->worker[device], cap_mw, run->came_ns);
}

static void save_epoch(void *user, uint64_t epoch)
{
    saver_want(&((struct run *)user)->saver, epoch);
}

static void store_word(void *user, int64_t boottime_ns)
{
    atomic_store_explicit(&((struct run *)user)->word.word->deadline_ns, boottime_ns, memory_order_release);
}

static uint64_t new_incarnation(void *user)
{
    struct run *run = user;
    uint64_t random = 0;
    while (!random)
        if (getrandom(&random, sizeof random, 0) != sizeof random)
            random = 0;
    atomic_store(&run->word.word->incarnation, random);
    return random;
}

static void take_answer(void *user, const struct token_response *response)
{
    struct run *run = user;
    if (atomic_load_explicit(&run->jobs_there, memory_order_acquire))
        jobs_answered(&run->jobs, response);
}

const struct agent_hooks run_hooks = {
    .send = send_datagram,
    .write = order_write,
    .save_epoch = save_epoch,
    .word = store_word,
    .incarnation = new_incarnation,
    .answered = take_answer,
};

static void look_at_clocks(struct run *run)
{
    int64_t before_ns = word_monotonic_ns();
    run->boottime_ns = word_boottime_ns();
    run->now_ns = run->came_ns = word_monotonic_ns();
    agent_clock(&run->agent, before_ns, run->boottime_ns, run->now_ns);
}

/* When the kernel took the datagram in, by MONOTONIC: what it says is UTC. */
static int64_t arrival_ns(struct msghdr *header, int64_t now_ns)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control)) {
        struct timespec stamp, utc;
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SO_TIMESTAMPNS)
            continue;
        memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
        clock_gettime(CLOCK_REALTIME, &utc);
        int64_t age_ns = (utc.tv_sec - stamp.tv_sec) * NS_PER_S + utc.tv_nsec - stamp.tv_nsec;
        return age_ns > 0 && age_ns < NS_PER_S ? word_monotonic_ns() - age_ns : now_ns;
    }
    return now_ns;
}

static void receive(struct run *run)
{
    struct run_inbox *inbox = &run->inbox;
    for (uint32_t i = 0; i < RUN_BURST; i++) {
        inbox->vector[i] = (struct iovec){inbox->data[i], DATAGRAM_MAX};
        inbox->message[i].msg_hdr = (struct msghdr){
            .msg_name = &inbox->from[i], .msg_namelen = sizeof inbox->from[i],
            .msg_iov = &inbox->vector[i], .msg_iovlen = 1,
            .msg_control = inbox->control[i], .msg_controllen = RUN_CONTROL_BYTES};
    }
    int count = recvmmsg(run->socket, inbox->message, RUN_BURST, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        if (inbox->from[i].sin_addr.s_addr != run->controller.sin_addr.s_addr) {
            run->agent.counter[AGENT_RECEIVED]++;
            run->agent.counter[AGENT_NOT_MINE]++;
            continue;
        }
        run->came_ns = arrival_ns(&inbox->message[i].msg_hdr, run->now_ns);
        agent_receive(&run->agent, inbox->data[i], inbox->message[i].msg_len, run->now_ns);
    }
    run->came_ns = run->now_ns;
}

static void take_news(struct run *run, uint32_t device)
{
    struct worker_news news;
    if (!worker_take(&run->worker[device], &news))
        return;
    if (news.written) {
        agent_kept(&run->agent, device, news.readback.kept_mw);
        agent_written(&run->agent, device, news.written_rc, news.applied_mw, news.readback.enforced_mw,
                      run->now_ns);
    }
    if (news.seen) {
        agent_kept(&run->agent, device, news.look.kept_mw);
        agent_seen(&run->agent, device, news.seen_rc, news.look.enforced_mw, run->now_ns);
    }
    if (news.sampled)
        agent_sampled(&run->agent, device, &news.sample, run->now_ns);
    if (news.smoothed)
        agent_smoothed(&run->agent, device, news.smooth_rc);
}

static void begin_to_stop(struct run *run)
{
    run->stopping = true;
    run->stop_by_ns = word_monotonic_ns() + STOP_WITHIN_NS;
    notify_say(&run->notify, "STOPPING=1");
}

/* What earlier runs left: from now on this one speaks. Without a good epoch it ends, at fail-safe. */
static void remember(struct run *run, const struct saver_news *news)
{
    if (news->read_error) {
        fprintf(run->out, "flyball-agent: %s: %s\n", run->saver.path,
                news->read_error == -EBADMSG ? "is not an epoch; it must not be lost: see flyball-agent(8)"
                                             : strerror(-news->read_error));
        run->error = news->read_error;
        begin_to_stop(run);
        return;
    }
    if (news->numbers_error)
        fprintf(run->out, "flyball-agent: %s/numbers: %s; frames are numbered by the clock: if that was set "
                "back, they count as old\n", run->config.state, strerror(-news->numbers_error));
    fprintf(run->out, "flyball-agent: epoch %" PRIu64 " was read; reports begin\n", news->saved);
    agent_remember(&run->agent, news->saved, news->first, run->now_ns);
}

static void look_at_disk(struct run *run)
{
    struct saver_news news;
    if (!saver_take(&run->saver, &news))
        return;
    if (run->agent.silent)
        remember(run, &news);
    agent_epoch_saved(&run->agent, news.saved, run->now_ns);
    if (news.error != run->disk_error)
        fprintf(run->out,
                news.error ? "flyball-agent: the epoch cannot be saved, newer ones are not obeyed: %s\n"
                           : "flyball-agent: the epoch is saved again%.0s\n", strerror(-news.error));
    run->disk_error = news.error;
}

static void look_at_supplies(struct run *run)
{
    uint16_t inputs;
    bool known = supply_watch_newest(&run->supplies, run->now_ns, &inputs);
    agent_psu(&run->agent, known, (uint8_t)run->config.supplies.count, inputs, run->now_ns);
}

/* Each side sees that the other lives. */
static void beat(struct run *run)
{
    struct word *word = run->word.word;
    atomic_store_explicit(&word->agent_beat_ns, run->boottime_ns, memory_order_release);
    int64_t beat_ns = atomic_load_explicit(&word->watchdog_beat_ns, memory_order_relaxed);
    run->watchdog_there = beat_ns && run->boottime_ns - beat_ns < WATCHDOG_MISSING_NS;
    agent_watchdog(&run->agent, run->watchdog_there, atomic_load(&word->watchdog_writes), run->now_ns);
    notify_alive(&run->notify, run->now_ns);
}

static void turn(struct run *run)
{
    keyring_look(&run->keyring);
    look_at_clocks(run);
    beat(run);
    receive(run);
    for (uint32_t i = 0; i < run->devices; i++)
        take_news(run, i);
    look_at_disk(run);
    look_at_supplies(run);
    if (atomic_load_explicit(&run->jobs_there, memory_order_acquire))
        jobs_turn(&run->jobs, &run->agent, run->now_ns, run->boottime_ns,
              atomic_load_explicit(&run->word.word->watchdog_beat_ns, memory_order_relaxed));
    agent_turn(&run->agent, run->now_ns);
    ballast_set(&run->ballast, agent_fill_mw(&run->agent, run->now_ns), run->now_ns,
                run->agent.holder.deadline_ns);
    const struct act_smooth smooth = agent_smooth(&run->agent);
    for (uint32_t i = 0; i < run->devices; i++) {
        worker_bound(&run->worker[i], holder_part_mw(&run->agent.holder, i));
        worker_smooth(&run->worker[i], &smooth);
    }
    if (!run->ready && run->agent.holder.state != HOST_BOOT) {
        run->ready = true;
        notify_say(&run->notify, "READY=1\nSTATUS=fail-safe caps are read back");
        fprintf(run->out, "flyball-agent: ready: fail-safe caps are read back\n");
    }
    run_say(run);
}

/* Who asks a second time waits for no controller. */
static void take_signal(struct run *run, uint32_t number)
{
    if (run->stopping)
        return;
    if (number != SIGTERM || run->leaving || !agent_leave(&run->agent, word_monotonic_ns())) {
        begin_to_stop(run);
        return;
    }
    notify_say(&run->notify, "STOPPING=1");
    run->leaving = true;
    run->leave_by_ns = word_monotonic_ns() + LEAVE_WITHIN_NS;
}

static void look_for_an_answer(struct run *run)
{
    if (!run->leaving || (!run->agent.holder.let_go && run->now_ns < run->leave_by_ns))
        return;
    fputs(run->agent.holder.let_go ? "flyball-agent: the controller agrees: own limits are put back\n"
                                   : "flyball-agent: the controller does not let this host go: fail-safe\n",
          run->out);
    begin_to_stop(run);
}

static void sleep_until_due(struct run *run)
{
    struct pollfd from[] = {{.fd = run->socket, .events = POLLIN}, {.fd = run->wake_fd, .events = POLLIN},
                            {.fd = run->signal_fd, .events = POLLIN}};
    int64_t wait_ns = agent_due_ns(&run->agent) - word_monotonic_ns();
    wait_ns = wait_ns < 0 ? 0 : wait_ns > BEAT_NS ? BEAT_NS : wait_ns;
    struct timespec wait = {.tv_nsec = wait_ns};
    if (ppoll(from, 3, &wait, NULL) <= 0)
        return;
    uint64_t woken;
    struct signalfd_siginfo info;
    if (from[1].revents && read(run->wake_fd, &woken, sizeof woken) < 0)
        return;
    if (from[2].revents && read(run->signal_fd, &info, sizeof info) == sizeof info)
        take_signal(run, info.ssi_signo);
}

/* No lease is obeyed any more, every device goes to fail-safe, and the watchdog stays armed until it is read
 * back; where the host was let go, each to its own limit, and the watchdog leaves it alone. */
static void wind_down(struct run *run)
{
    look_at_clocks(run);
    agent_stop(&run->agent, run->now_ns);
    while (run->now_ns < run->stop_by_ns && !agent_is_done(&run->agent)) {
        look_at_clocks(run);
        beat(run);
        for (uint32_t i = 0; i < run->devices; i++)
            take_news(run, i);
        agent_turn(&run->agent, run->now_ns);
        sleep_until_due(run);
    }
}

static void *loop(void *user)
{
    struct run *run = user;
    pthread_setname_np(pthread_self(), "fb-agent");
    arena_seal_thread();
    while (!run->stopping) {
        turn(run);
        look_for_an_answer(run);
        if (!run->stopping)
            sleep_until_due(run);
    }
    wind_down(run);
    return NULL;
}

/* What jobs and people see waits for fail-safe: its files may lie on a disk that hangs. The loop goes on
 * meanwhile, so this may take as long as it does. */
static void open_jobs(struct run *run, pthread_t thread)
{
    int64_t until_ns = word_monotonic_ns() + JOBS_WITHIN_NS;
    struct timespec look;
    do {
        int64_t look_ns = word_monotonic_ns() + BEAT_NS;
        look = (struct timespec){.tv_sec = look_ns / NS_PER_S, .tv_nsec = look_ns % NS_PER_S};
        if (!pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &look)) {
            run->ended = true;
            return;
        }
    } while (!atomic_load(&run->ready) && word_monotonic_ns() < until_ns);
    jobs_open(&run->jobs, &run->config, run->wake_fd, run->out);
    atomic_store_explicit(&run->jobs_there, true, memory_order_release);
}

int run_loop(struct run *run)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, loop, run);
    if (error)
        return -error;
    open_jobs(run, thread);
    if (!run->ended)
        error = pthread_join(thread, NULL);
    return error ? -error : run->error;
}
