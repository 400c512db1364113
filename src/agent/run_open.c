/* SPDX-License-Identifier: Apache-2.0 */
/* All that a running agent needs, opened before it says that it is there: what a machine runs out of later
 * changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/roster.h"
#include "agent/run_inside.h"
#include "msg/model.h"

enum { SOCKET_BYTES = 256 * 1024, WATT_MW = 1000 };

static int fail(struct run *run, int error, const char *what, const char *why)
{
    fprintf(run->out, "flyball-agent: %s: %s\n", what, *why ? why : strerror(-error));
    return error;
}

static struct sockaddr_in address_of(const struct config_address *address)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(address->port),
                                .sin_addr.s_addr = htonl(address->ipv4)};
}

static int open_socket(struct run *run)
{
    const struct sockaddr_in own = address_of(&run->config.listen);
    const int on = 1, bytes = SOCKET_BYTES;
    run->controller = address_of(&run->config.controller);
    run->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (run->socket < 0)
        return fail(run, -errno, "socket", "");
    setsockopt(run->socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(run->socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (bind(run->socket, (const struct sockaddr *)&own, sizeof own))
        return fail(run, -errno, "the address to listen on", "");
    return 0;
}

static int open_events(struct run *run)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);        /* of every thread: they come later */
    run->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    run->signal_fd = signalfd(-1, &stop, SFD_NONBLOCK | SFD_CLOEXEC);
    if (run->wake_fd < 0 || run->signal_fd < 0)
        return fail(run, -errno, "event descriptors", "");
    return 0;
}

static int open_word(struct run *run)
{
    int error = word_open(&run->word, run->config.run, WORD_AGENT);
    if (error == -EBUSY)
        return fail(run, error, run->config.run, "another flyball-agent runs here");
    if (error == -EINVAL)
        return fail(run, error, run->config.run,
                    "is not in memory: `run` wants a folder on tmpfs, such as one below /run");
    if (error == -EBADMSG)
        return fail(run, error, run->config.run, "word-2 there is not a word of this version");
    return error ? fail(run, error, run->config.run, "") : 0;
}

static int open_saver(struct run *run)
{
    int error = saver_open(&run->saver, run->config.state, run->wake_fd);
    return error ? fail(run, error, run->config.state, "") : 0;
}

static int list_devices(struct run *run)
{
    char why[ACT_WHY_BYTES] = "";
    int error = roster_fill(&run->config, why);
    run->devices = run->config.device_count;
    if (error)
        return fail(run, error, run->config.actuator, why);
    roster_tell(run->word.word, &run->config);
    hands_init(&run->hands);
    return 0;
}

static int check_range(struct run *run, const struct act_device *device)
{
    const struct agent_config *agent = &run->config.agent;
    const struct { const char *name; int64_t cap_mw; } part[] = {
        {"cap_min", agent->cap_min_mw}, {"fail_safe", agent->holder.fail_safe_mw},
        {"cap_max", agent->holder.cap_max_mw}};
    if (!(device->features & ACT_SETTABLE))
        return fail(run, -EINVAL, device->identity, "its cap cannot be set");
    for (uint32_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        char why[256];
        int64_t cap_mw = part[i].cap_mw / run->devices;
        if (cap_mw >= device->min_mw && cap_mw <= device->max_mw)
            continue;
        snprintf(why, sizeof why, "%s over %u devices is %" PRId64 " W for each; this one takes %" PRId64
                 " W to %" PRId64 " W", part[i].name, run->devices, cap_mw / WATT_MW,
                 device->min_mw / WATT_MW, device->max_mw / WATT_MW);
        return fail(run, -EINVAL, device->identity, why);
    }
    return 0;
}

static int open_worker(struct run *run, const struct act_driver *driver, uint32_t i)
{
    const struct config *config = &run->config;
    char why[ACT_WHY_BYTES] = "";
    struct worker_place place = {
        .hands = &run->hands, .driver = driver, .place = config->place,
        .fail_safe_mw = config->agent.holder.fail_safe_mw / run->devices,
        .look_every_ns = config->agent.holder.report_ns < 100 * NS_PER_MS ? config->agent.holder.report_ns
                                                                          : 100 * NS_PER_MS,
        .smoothing = config->agent.smoothing, .word = run->word.word, .wake_fd = run->wake_fd};
    memcpy(place.identity, config->device[i], ACT_IDENTITY_BYTES);
    int error = worker_open(&run->worker[i], &place, why);
    if (error)
        return fail(run, error, config->device[i], why);
    uint32_t device = run->worker[i].hand.device;
    if (device != INDEX_NONE)
        return check_range(run, &run->worker[i].hand.act.device[device]);
    fprintf(run->out, "flyball-agent: device %u of %u%s%s is not there; it counts as lost until it is\n",
            i + 1, run->devices, *config->device[i] ? ", " : "", config->device[i]);
    return 0;
}

/* What each device has where nobody writes: what phys_max is about. Not known of one that is not there, or
 * whose driver does not tell it. */
static int64_t own_limit_mw(const struct worker *worker)
{
    if (worker->hand.device == INDEX_NONE)
        return 0;
    const struct act_device *device = &worker->hand.act.device[worker->hand.device];
    bool settable = device->default_mw >= device->min_mw && device->default_mw <= device->max_mw;
    return settable ? device->default_mw : 0;
}

static int note_own_limits(struct run *run)
{
    struct agent_config *agent = &run->config.agent;
    int64_t sum_mw = 0;
    char why[128];
    for (uint32_t i = 0; i < run->devices; i++) {
        agent->holder.own_mw[i] = own_limit_mw(&run->worker[i]);
        sum_mw += agent->holder.own_mw[i];
    }
    int64_t wall_mw = agent_wall_mw(agent, sum_mw);
    if (!agent->let_go || wall_mw <= agent->holder.phys_max_mw)
        return 0;
    snprintf(why, sizeof why, "is on, and the devices' own limits are %" PRId64 " W at the wall; phys_max is "
             "%" PRId64 " W", wall_mw / WATT_MW, agent->holder.phys_max_mw / WATT_MW);
    return fail(run, -EINVAL, "let_go", why);
}

static int open_devices(struct run *run)
{
    const struct act_driver *driver = act_find(run->config.actuator);
    int error = list_devices(run);
    for (uint32_t i = 0; i < run->devices && !error; i++)
        error = open_worker(run, driver, i);
    return error ? error : note_own_limits(run);
}

static int start_threads(struct run *run)
{
    int error = saver_start(&run->saver);
    if (!error)
        error = keyring_start(&run->keyring);
    for (uint32_t i = 0; i < run->devices && !error; i++)
        error = worker_start(&run->worker[i]);
    if (!error)
        error = supply_watch_start(&run->supplies, &run->config.supplies, run->config.place.root);
    if (!error)
        error = ballast_start(&run->ballast, run->config.agent.ballast_mw, run->config.ballast_threads);
    if (!error)
        error = ballast_meter_start(&run->ballast_meter, &run->ballast, &run->config.place);
    return error ? fail(run, error, "threads", "") : 0;
}

/* Fail-safe is ordered here; the disk has not been asked for anything yet. */
static void begin(struct run *run)
{
    struct agent_hooks hooks = run_hooks;
    hooks.user = run;
    agent_init(&run->agent, &run->config.agent, &hooks);
    keyring_look(&run->keyring);
    agent_auth(&run->agent, keyring_user(&run->keyring), 0);
    int64_t before_ns = word_monotonic_ns(), boottime_ns = word_boottime_ns(), now_ns = word_monotonic_ns();
    agent_clock(&run->agent, before_ns, boottime_ns, now_ns);
    const struct agent_birth birth = {.incarnation = hooks.incarnation(run), .silent = true};
    run->now_ns = run->came_ns = run->began_ns = now_ns;
    run->boottime_ns = boottime_ns;
    agent_start(&run->agent, &birth, now_ns);
}

int run_open(struct run *run, const struct config *config, FILE *out)
{
    *run = (struct run){.config = *config, .out = out, .socket = -1, .wake_fd = -1, .signal_fd = -1,
                        .word.lock = -1, .notify.fd = -1};
    int error = notify_open(&run->notify);
    if (error)
        return fail(run, error, "NOTIFY_SOCKET", "");
    if ((error = keyring_open(&run->keyring, &run->config, out)) || (error = open_events(run)) ||
        (error = open_word(run)) || (error = open_saver(run)) ||
        (error = open_devices(run)) || (error = open_socket(run)) || (error = start_threads(run)))
        return error;
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
        fprintf(out, "flyball-agent: memory is not locked: %s; going on\n", strerror(errno));
    begin(run);
    fprintf(out, "flyball-agent: %s, host %u, %u devices by %s, fail-safe %" PRId64 " W\n",
            config->host, config->agent.holder.host, run->devices, config->actuator,
            config->agent.holder.fail_safe_mw / WATT_MW);
    return 0;
}

bool run_close(struct run *run)
{
    int64_t until_ns = word_monotonic_ns() + NS_PER_S;
    bool all = !run->saver.thread || saver_stop(&run->saver, until_ns);
    for (uint32_t i = 0; i < run->devices; i++)
        all &= !run->worker[i].thread || worker_stop(&run->worker[i], until_ns);
    all &= jobs_close(&run->jobs);
    all &= supply_watch_stop(&run->supplies);
    all &= ballast_meter_stop(&run->ballast_meter);
    ballast_stop(&run->ballast);
    all &= keyring_close(&run->keyring, word_monotonic_ns() + NS_PER_S);
    if (!all)
        return false;
    word_close(&run->word);
    notify_close(&run->notify);
    const int open_fd[] = {run->socket, run->wake_fd, run->signal_fd};
    for (uint32_t i = 0; i < sizeof open_fd / sizeof open_fd[0]; i++) {
        if (open_fd[i] >= 0)
            close(open_fd[i]);
    }
    return true;
}
