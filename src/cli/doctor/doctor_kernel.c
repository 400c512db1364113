/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel itself does to a thread that wants its core for good. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor_change.h"
#include "cli/doctor/doctor_file.h"
#include "site/site.h"

#define THP "/sys/kernel/mm/transparent_hugepage/enabled"
#define THROTTLE "/proc/sys/kernel/sched_rt_runtime_us"
#define NUMA_BALANCING "/proc/sys/kernel/numa_balancing"
#define WATCHDOG "/proc/sys/kernel/watchdog"
#define FAIR_SERVER "/sys/kernel/debug/sched/fair_server/cpu%d/runtime"

static enum doctor_state not_readable(const char *what, int error, char said[DOCTOR_SAID_BYTES])
{
    snprintf(said, DOCTOR_SAID_BYTES, "%s: %s", what, strerror(-error));
    return DOCTOR_UNKNOWN;
}

enum doctor_state doctor_preempt_rt(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    char release[96], version[96];
    int64_t real_time = 0;
    int error = doctor_read(doctor, release, sizeof release, "/proc/sys/kernel/osrelease");
    if (error >= 0)
        error = doctor_read(doctor, version, sizeof version, "/proc/sys/kernel/version");
    if (error < 0)
        return not_readable("/proc/sys/kernel/version", error, said);
    /* the file is Debian's and of the patch before 6.12; since then the version says it */
    bool good = strstr(version, "PREEMPT_RT") ||
                (!doctor_read_number(doctor, &real_time, "/sys/kernel/realtime") && real_time == 1);
    snprintf(said, DOCTOR_SAID_BYTES, "the kernel is %s%s, %s", release, good ? "" : ", not PREEMPT_RT",
             version);
    return good ? DOCTOR_OK : DOCTOR_LACKS;
}

/* Whether all the loop's cores are in a list that the kernel was started with. */
static enum doctor_state all_in(const struct doctor *doctor, const char *list, const char *what,
                                char said[DOCTOR_SAID_BYTES])
{
    struct rt_cores have;
    char text[RT_CORES_BYTES];
    if (rt_cores_parse(list, &have)) {
        snprintf(said, DOCTOR_SAID_BYTES, "the kernel's list \"%.100s\" is not understood", list);
        return DOCTOR_UNKNOWN;
    }
    struct rt_cores miss = rt_cores_less(&doctor->loop, &have);
    bool good = rt_cores_empty(&miss);
    snprintf(said, DOCTOR_SAID_BYTES, "core %.150s%s %s",
             rt_cores_text(good ? &doctor->loop : &miss, text), good ? "" : ": not", what);
    return good ? DOCTOR_OK : DOCTOR_LACKS;
}

enum doctor_state doctor_isolated(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    char list[DOCTOR_TEXT_BYTES];
    int error = doctor_read(doctor, list, sizeof list, "/sys/devices/system/cpu/isolated");
    if (error < 0)
        return not_readable("/sys/devices/system/cpu/isolated", error, said);
    return all_in(doctor, list, "isolated from the scheduler", said);
}

enum doctor_state doctor_nohz_full(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    char list[DOCTOR_TEXT_BYTES];
    int error = doctor_read(doctor, list, sizeof list, "/sys/devices/system/cpu/nohz_full");
    if (error < 0) {
        snprintf(said, DOCTOR_SAID_BYTES, "the kernel is built without NO_HZ_FULL: the tick goes on");
        return DOCTOR_LACKS;
    }
    return all_in(doctor, strstr(list, "null") ? "" : list, "free of the tick", said);
}

/* The value of a word of the kernel's command line; NULL where it is not there. */
static const char *find_word(char *line, const char *key)
{
    size_t length = strlen(key);
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        if (!strncmp(word, key, length) && (word[length] == '=' || !word[length]))
            return word[length] ? word + length + 1 : "";
    return NULL;
}

enum doctor_state doctor_rcu_nocbs(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    char line[DOCTOR_TEXT_BYTES], again[DOCTOR_TEXT_BYTES];
    int error = doctor_read(doctor, line, sizeof line, "/proc/cmdline");
    if (error < 0)
        return not_readable("/proc/cmdline", error, said);
    strcpy(again, line);
    const char *list = find_word(line, "rcu_nocbs");
    if (!list)
        list = find_word(again, "nohz_full");       /* such cores are without callbacks, too */
    if (list && !strcmp(list, "all")) {
        snprintf(said, DOCTOR_SAID_BYTES, "no core runs callbacks of RCU");
        return DOCTOR_OK;
    }
    return all_in(doctor, list ? list : "", "free of RCU's callbacks", said);
}

enum doctor_state doctor_throttling(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    int64_t runtime_us, period_us = 1000000;
    int error = doctor_read_number(doctor, &runtime_us, THROTTLE);
    if (error)
        return not_readable(THROTTLE, error, said);
    doctor_read_number(doctor, &period_us, "/proc/sys/kernel/sched_rt_period_us");
    if (runtime_us < 0 || runtime_us >= period_us) {
        snprintf(said, DOCTOR_SAID_BYTES, "SCHED_FIFO is never stopped");
        return DOCTOR_OK;
    }
    if (doctor->server && doctor->server->deadline_period_ns) {
        snprintf(said, DOCTOR_SAID_BYTES,
                 "it is for SCHED_FIFO, not for SCHED_DEADLINE (scheduler: deadline)");
        return DOCTOR_OK;
    }
    bool lifted = doctor->server && doctor->server->lift_rt_throttling;
    snprintf(said, DOCTOR_SAID_BYTES, "SCHED_FIFO is stopped for %lld ms in every %lld ms%s",
             (long long)(period_us - runtime_us) / 1000, (long long)period_us / 1000,
             lifted ? "; flyballd lifts that while it runs (rt_throttling: lift)" : "");
    return lifted ? DOCTOR_OK : DOCTOR_LACKS;
}

int doctor_fix_throttling(const struct doctor *doctor)
{
    return doctor_replace(doctor, "-1", THROTTLE);
}

/* The deadline server of kernels from 6.12 on, per core. Where no other thread can be on the core it has
 * nobody to serve. */
enum doctor_state doctor_fair_server(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    char release[96];
    char ignored[DOCTOR_SAID_BYTES];
    if (doctor_read(doctor, release, sizeof release, "/proc/sys/kernel/osrelease") < 0)
        return not_readable("/proc/sys/kernel/osrelease", -ENOENT, said);
    char *dot;
    long major = strtol(release, &dot, 10), minor = *dot ? strtol(dot + 1, NULL, 10) : 0;
    if (major < 6 || (major == 6 && minor < 12)) {
        snprintf(said, DOCTOR_SAID_BYTES, "kernel %s has none", release);
        return DOCTOR_APART;
    }
    if (doctor->server && doctor->server->deadline_period_ns) {
        snprintf(said, DOCTOR_SAID_BYTES, "SCHED_DEADLINE comes before it (scheduler: deadline)");
        return DOCTOR_OK;
    }
    int core = rt_cores_next(&doctor->loop, 0);
    for (int64_t runtime_ns; core >= 0; core = rt_cores_next(&doctor->loop, core + 1)) {
        int error = doctor_read_number(doctor, &runtime_ns, FAIR_SERVER, core);
        if (!error && !runtime_ns)
            continue;
        if (doctor_isolated(doctor, ignored) == DOCTOR_OK) {
            snprintf(said, DOCTOR_SAID_BYTES, "isolated cores leave it nobody to serve");
            return DOCTOR_OK;
        }
        if (error)
            return not_readable("/sys/kernel/debug/sched/fair_server", error, said);
        snprintf(said, DOCTOR_SAID_BYTES, "core %d gives %lld ms in every second to ordinary threads", core,
                 (long long)runtime_ns / 1000000);
        return DOCTOR_LACKS;
    }
    snprintf(said, DOCTOR_SAID_BYTES, "it gives nothing of the loop's cores away");
    return DOCTOR_OK;
}

int doctor_fix_fair_server(const struct doctor *doctor)
{
    int error = 0;
    int core = rt_cores_next(&doctor->loop, 0);
    for (; core >= 0 && !error; core = rt_cores_next(&doctor->loop, core + 1))
        error = doctor_replace(doctor, "0", FAIR_SERVER, core);
    return error;
}

enum doctor_state doctor_thp(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    char text[96];
    int error = doctor_read(doctor, text, sizeof text, THP);
    if (error < 0) {
        snprintf(said, DOCTOR_SAID_BYTES, "the kernel has none");
        return DOCTOR_APART;
    }
    bool always = strstr(text, "[always]");
    snprintf(said, DOCTOR_SAID_BYTES, "transparent huge pages: %s", text);
    return always ? DOCTOR_LACKS : DOCTOR_OK;
}

int doctor_fix_thp(const struct doctor *doctor)
{
    return doctor_replace(doctor, "madvise", THP);
}

enum doctor_state doctor_swap(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    char text[DOCTOR_TEXT_BYTES];
    int error = doctor_read_all(doctor, text, sizeof text, "/proc/swaps");
    if (error < 0)
        return not_readable("/proc/swaps", error, said);
    const char *line = strchr(text, '\n');
    bool some = line && line[1];
    if (some)
        snprintf(said, DOCTOR_SAID_BYTES, "swap is on: %.*s", (int)strcspn(line + 1, " \t\n"), line + 1);
    else
        snprintf(said, DOCTOR_SAID_BYTES, "no swap is on");
    return some ? DOCTOR_LACKS : DOCTOR_OK;
}

/* A switch of the kernel that must be 0. */
static enum doctor_state must_be_off(const struct doctor *doctor, const char *path, const char *what,
                                     char said[DOCTOR_SAID_BYTES])
{
    int64_t value;
    if (doctor_read_number(doctor, &value, "%s", path)) {
        snprintf(said, DOCTOR_SAID_BYTES, "the kernel has no %s", what);
        return DOCTOR_APART;
    }
    snprintf(said, DOCTOR_SAID_BYTES, "%s is %s", what, value ? "on" : "off");
    return value ? DOCTOR_LACKS : DOCTOR_OK;
}

enum doctor_state doctor_numa_balancing(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    return must_be_off(doctor, NUMA_BALANCING, "balancing of memory between nodes", said);
}

int doctor_fix_numa_balancing(const struct doctor *doctor)
{
    return doctor_replace(doctor, "0", NUMA_BALANCING);
}

enum doctor_state doctor_lockup_watchdog(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES])
{
    char list[DOCTOR_TEXT_BYTES];
    struct rt_cores watched;
    enum doctor_state state = must_be_off(doctor, WATCHDOG, "the watchdog for lockups", said);
    if (state != DOCTOR_LACKS ||
        doctor_read(doctor, list, sizeof list, "/proc/sys/kernel/watchdog_cpumask") < 0 ||
        rt_cores_parse(list, &watched))
        return state;
    int core = rt_cores_next(&doctor->loop, 0);
    for (; core >= 0; core = rt_cores_next(&doctor->loop, core + 1))
        if (rt_cores_has(&watched, core))
            return DOCTOR_LACKS;
    snprintf(said, DOCTOR_SAID_BYTES, "the watchdog for lockups watches %.100s, not the loop's cores", list);
    return DOCTOR_OK;
}

int doctor_fix_lockup_watchdog(const struct doctor *doctor)
{
    return doctor_replace(doctor, "0", WATCHDOG);
}
