/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/roster.h"
#include "agent/watch_inside.h"

enum { STACK_BYTES = 256 * 1024, WATT_MW = 1000 };

static int fail(struct watch *watch, int error, const char *what, const char *why)
{
    fprintf(watch->out, "flyball-agent watch: %s: %s\n", what, *why ? why : strerror(-error));
    return error;
}

static int open_word(struct watch *watch)
{
    int error = word_open(&watch->word, watch->config.run, WORD_WATCHDOG);
    if (error == -EBUSY)
        return fail(watch, error, watch->config.run, "another watchdog runs here");
    if (error == -EINVAL)
        return fail(watch, error, watch->config.run,
                    "is not in memory: `run` wants a folder on tmpfs, such as one below /run");
    if (error == -EBADMSG)
        return fail(watch, error, watch->config.run, "word-2 there is not a word of this version");
    return error ? fail(watch, error, watch->config.run, "") : 0;
}

static int list_devices(struct watch *watch)
{
    char why[ACT_WHY_BYTES] = "";
    int error = roster_fill(&watch->config, why);
    watch->devices = watch->config.device_count;
    hands_init(&watch->hands);
    return error ? fail(watch, error, watch->config.actuator, why) : 0;
}

static int open_devices(struct watch *watch)
{
    const struct act_driver *driver = act_find(watch->config.actuator);
    int error = list_devices(watch);
    for (uint32_t i = 0; i < watch->devices && !error; i++) {
        struct watch_device *device = &watch->device[i];
        char why[ACT_WHY_BYTES] = "";
        device->word = watch->word.word;
        device->fail_safe_mw = watch->config.agent.holder.fail_safe_mw / watch->devices;
        device->lock = &watch->lock;
        device->changed = &watch->changed;
        device->stop = &watch->stop;
        error = hand_open(&device->hand, &watch->hands, driver, &watch->config.place,
                          watch->config.device[i], why);
        if (error)
            return fail(watch, error, watch->config.device[i], why);
    }
    return error;
}

static int open_signals(struct watch *watch)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    watch->signal_fd = signalfd(-1, &stop, SFD_NONBLOCK | SFD_CLOEXEC);
    return watch->signal_fd < 0 ? fail(watch, -errno, "event descriptors", "") : 0;
}

static int start_threads(struct watch *watch)
{
    pthread_attr_t stack;
    int error = 0;
    pthread_mutex_init(&watch->lock, NULL);
    pthread_cond_init(&watch->changed, NULL);
    pthread_attr_init(&stack);
    pthread_attr_setstacksize(&stack, STACK_BYTES);
    for (uint32_t i = 0; i < watch->devices && !error; i++)
        error = pthread_create(&watch->device[i].thread, &stack, watch_thread, &watch->device[i]);
    pthread_attr_destroy(&stack);
    return error ? fail(watch, -error, "threads", "") : 0;
}

int watch_open(struct watch *watch, const struct config *config, FILE *out)
{
    *watch = (struct watch){.config = *config, .out = out, .signal_fd = -1, .word.lock = -1,
                            .notify.fd = -1};
    int error = notify_open(&watch->notify);
    if (error)
        return fail(watch, error, "NOTIFY_SOCKET", "");
    if ((error = open_signals(watch)) || (error = open_word(watch)) || (error = open_devices(watch)) ||
        (error = start_threads(watch)))
        return error;
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
        fprintf(out, "flyball-agent watch: memory is not locked: %s; going on\n", strerror(errno));
    fprintf(out, "flyball-agent watch: %s, %u devices by %s, fail-safe %" PRId64 " W\n", config->host,
            watch->devices, config->actuator, config->agent.holder.fail_safe_mw / WATT_MW);
    notify_say(&watch->notify, "READY=1");
    return 0;
}

bool watch_close(struct watch *watch)
{
    struct timespec until = {.tv_sec = word_monotonic_ns() / NS_PER_S + 1};
    bool all = true;
    pthread_mutex_lock(&watch->lock);
    watch->stop = true;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    for (uint32_t i = 0; i < watch->devices; i++) {
        bool ended = !watch->device[i].thread ||
                     !pthread_clockjoin_np(watch->device[i].thread, NULL, CLOCK_MONOTONIC, &until);
        if (ended)
            hand_close(&watch->device[i].hand);
        all &= ended;
    }
    if (!all)
        return false;
    word_close(&watch->word);
    notify_close(&watch->notify);
    if (watch->signal_fd >= 0)
        close(watch->signal_fd);
    return true;
}
