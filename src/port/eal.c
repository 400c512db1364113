/* SPDX-License-Identifier: Apache-2.0 */
#include "port/eal.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include "port/driver.h"

enum { ARGUMENTS_MAX = 64, ARGUMENT_TEXT = 2048 };

/* The one piece of process-wide state here, because DPDK's own is process-wide: rte_eal_init works once, so
 * somebody has to remember that it ran. Guarded by `lock`; `first_error` by the lock of the log stream that
 * writes it. */
static struct {
    pthread_mutex_t lock;
    bool tried;
    int outcome;                /* of that one try */
    pthread_key_t thread;       /* its destructor gives an adopted thread's place back */
    FILE *log;
    char first_error[128];
} eal = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct command {
    char *argument[ARGUMENTS_MAX + 1];
    int count;
    char text[ARGUMENT_TEXT];
    size_t used;
};

static void add(struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct command *command, const char *format, ...)
{
    size_t room = sizeof command->text - command->used;
    if (command->count == ARGUMENTS_MAX)
        return;
    va_list words;
    va_start(words, format);
    int length = vsnprintf(command->text + command->used, room, format, words);
    va_end(words);
    if (length < 0 || (size_t)length >= room)
        return;
    command->argument[command->count++] = command->text + command->used;
    command->used += (size_t)length + 1;
}

static void add_extra(struct command *command, const char *extra)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%s", extra);
    char *rest = copy;
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        if (word[0])
            add(command, "%s", word);
}

/* One logical core that floats over `cores`. EAL puts its control threads on the complement of its logical
 * cores within the starter's affinity; that complement is empty here, and then they share the same set. */
static void add_cores(struct command *command, const cpu_set_t *cores)
{
    char list[512] = "";
    size_t used = 0;
    for (int core = 0; core < CPU_SETSIZE && used < sizeof list - 8; core++)
        if (CPU_ISSET(core, cores))
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%d", used ? "," : "", core);
    add(command, "--lcores=0@(%s)", list);
}

/* An allow list with nobody on it: EAL probes no card by itself, and each that a port names is added to the
 * list when it is opened. No machine has this address: a PCI domain's last. */
#define NOBODY "ffff:ff:1f.7"

static bool names_device(const char *extra)
{
    return extra && (strstr(extra, "-a ") || strstr(extra, "--allow") || strstr(extra, "-a="));
}

static void compose(struct command *command, const struct port_config *config, enum eal_addresses addresses,
                    const cpu_set_t *cores)
{
    add(command, "flyball");
    add_cores(command, cores);
    add(command, "--file-prefix=flyball-%d", (int)getpid());
    add(command, "--no-telemetry");
    add(command, "--no-shconf");
    add(command, "--log-level=error");
    add(command, "--iova-mode=%s", addresses == EAL_PHYSICAL ? "pa" : "va");
    add(command, "-m");
    add(command, "%u", config->memory_mib);
    add(command, config->hugepages ? "--in-memory" : "--no-huge");  /* --no-huge refuses --in-memory */
    if (!names_device(config->eal_extra))
        add(command, "--allow=" NOBODY);
    if (config->eal_extra)
        add_extra(command, config->eal_extra);
    command->argument[command->count] = NULL;
}

/* The first line since the last look is kept: it is nearest to the cause, the rest are callers giving up. */
static ssize_t keep_first_line(void *cookie, const char *text, size_t bytes)
{
    (void)cookie;
    size_t length = bytes;
    while (length && (text[length - 1] == '\n' || text[length - 1] == ' '))
        length--;
    if (length >= sizeof eal.first_error)
        length = sizeof eal.first_error - 1;
    if (length && !eal.first_error[0]) {
        memcpy(eal.first_error, text, length);
        eal.first_error[length] = '\0';
    }
    return (ssize_t)bytes;
}

void eal_first_error(char *words, size_t bytes)
{
    if (!eal.log) {
        snprintf(words, bytes, "%s", "");
        return;
    }
    flockfile(eal.log);
    snprintf(words, bytes, "%s", eal.first_error);
    eal.first_error[0] = '\0';
    funlockfile(eal.log);
}

/* libbpf and libxdp, where the AF_XDP driver brought them, would write to the terminal. They are not linked
 * here, so they are asked for by name and found only if loaded. Their levels: 0 is a warning, more is
 * chatter. */
__attribute__((format(printf, 2, 0))) static int keep_warning(int level, const char *format, va_list words)
{
    return level == 0 ? vfprintf(eal.log, format, words) + fflush(eal.log) : 0;
}

typedef void *set_print_fn(int (*print)(int level, const char *format, va_list words));

static void hush(const char *library, const char *setter)
{
    void *handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
    set_print_fn *set_print = NULL;
    if (!handle)
        return;
    *(void **)&set_print = dlsym(handle, setter);
    if (set_print)
        set_print(keep_warning);
    dlclose(handle);
}

static void *run_init(void *argument)
{
    struct command *command = argument;
    int rc = rte_eal_init(command->count, command->argument) < 0 ? -(rte_errno ? rte_errno : EIO) : 0;
    /* Empty without shared configuration, but it would stay behind for ever. */
    (void)rmdir(rte_eal_get_runtime_dir());
    if (rc)
        return (void *)(intptr_t)rc;
    hush("libbpf.so.1", "libbpf_set_print");
    hush("libxdp.so.1", "libxdp_set_print");
    return NULL;
}

/* rte_eal_init makes its caller one of DPDK's threads, moves it, and every thread it starts inherits its
 * scheduling class: so it runs on a thread of its own, of ordinary class, that lives on the housekeeping core
 * and ends. */
static int init_elsewhere(struct command *command, const cpu_set_t *cores)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *outcome = NULL;
    pthread_attr_init(&attributes);
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setaffinity_np(&attributes, sizeof *cores, cores);
    int rc = pthread_create(&thread, &attributes, run_init, command);
    pthread_attr_destroy(&attributes);
    if (rc)
        return -rc;
    pthread_join(thread, &outcome);
    return (int)(intptr_t)outcome;
}

static void give_thread_back(void *unused)
{
    (void)unused;
    rte_thread_unregister();
}

static int start_once(const struct port_config *config, enum eal_addresses addresses)
{
    struct command command = {.count = 0};
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores))
        return -errno;
    if (config->housekeeping_core >= 0) {
        CPU_ZERO(&cores);
        CPU_SET((unsigned)config->housekeeping_core, &cores);
    }
    int rc = pthread_key_create(&eal.thread, give_thread_back);
    if (rc)
        return -rc;
    eal.log = fopencookie(&eal, "w", (cookie_io_functions_t){.write = keep_first_line});
    if (!eal.log)
        return -ENOMEM;
    rte_openlog_stream(eal.log);
    compose(&command, config, addresses, &cores);
    return init_elsewhere(&command, &cores);
}

int eal_start(struct port *port, const struct port_config *config, enum eal_addresses addresses)
{
    if (config->housekeeping_core >= sysconf(_SC_NPROCESSORS_CONF))
        return port_fail(port, -EINVAL, "housekeeping core %d: this machine has no such core",
                         config->housekeeping_core);
    pthread_mutex_lock(&eal.lock);
    if (!eal.tried)
        eal.outcome = start_once(config, addresses);
    eal.tried = true;
    int rc = eal.outcome;
    pthread_mutex_unlock(&eal.lock);
    if (!rc)
        return 0;
    char words[128];
    eal_first_error(words, sizeof words);
    return port_fail(port, rc, "DPDK did not start (%s) %s", strerror(-rc), words);
}

bool eal_is_running(void)
{
    pthread_mutex_lock(&eal.lock);
    bool running = eal.tried && !eal.outcome;
    pthread_mutex_unlock(&eal.lock);
    return running;
}

bool eal_is_physical(void)
{
    return rte_eal_iova_mode() == RTE_IOVA_PA;
}

int eal_adopt_thread(void)
{
    if (rte_lcore_id() != LCORE_ID_ANY)
        return 0;
    if (rte_thread_register())
        return -rte_errno;
    /* Any value but NULL makes the destructor run at the thread's end. */
    return -pthread_setspecific(eal.thread, &eal);
}
