/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host on which nothing lacks, as a tree of files; each of its files spoilt in turn must be noticed by the
 * check that is about it and by no other. What --fix mends is mended, and --undo puts back what was there.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/doctor/doctor_change.h"
#include "cli/doctor/doctor_file.h"
#include "site/site.h"

#define CPU2 "/sys/devices/system/cpu/cpu2"
#define CORES "core 2-3"

static const struct { const char *path, *text; } good_host[] = {
    {"/proc/sys/kernel/osrelease", "6.12.9-rt1-amd64\n"},
    {"/proc/sys/kernel/version", "#1 SMP PREEMPT_RT\n"},
    {"/sys/devices/system/cpu/isolated", "2-3\n"},
    {"/sys/devices/system/cpu/nohz_full", "2-3\n"},
    {"/sys/devices/system/cpu/online", "0-3\n"},
    {"/proc/cmdline", "quiet isolcpus=managed_irq,domain,2-3 rcu_nocbs=2-3 nosmt\n"},
    {"/proc/sys/kernel/sched_rt_runtime_us", "-1\n"},
    {"/proc/sys/kernel/sched_rt_period_us", "1000000\n"},
    {"/sys/kernel/debug/sched/fair_server/cpu2/runtime", "0\n"},
    {"/sys/kernel/debug/sched/fair_server/cpu3/runtime", "0\n"},
    {"/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"},
    {"/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"},
    {"/proc/sys/kernel/numa_balancing", "0\n"},
    {"/proc/sys/kernel/watchdog", "1\n"},
    {"/proc/sys/kernel/watchdog_cpumask", "0-1\n"},
    {"/proc/cpuinfo", "processor : 0\nflags : fpu tsc\nbugs : hypervisor\n"},
    {CPU2 "/topology/thread_siblings_list", "2\n"},
    {"/sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "3\n"},
    {CPU2 "/cpufreq/scaling_governor", "performance\n"},
    {"/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "performance\n"},
    {CPU2 "/cpuidle/state0/latency", "0\n"},
    {CPU2 "/cpuidle/state0/disable", "0\n"},
    {CPU2 "/cpuidle/state1/latency", "133\n"},
    {CPU2 "/cpuidle/state1/disable", "1\n"},
    {"/proc/irq/24/effective_affinity_list", "0-1\n"},
    {"/proc/irq/24/smp_affinity_list", "0-1\n"},
    {"/proc/71/comm", "ptp4l\n"},
    {"/proc/71/status", "Name:\tptp4l\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\nMems_allowed:\t1\n"},
    {"/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "200\n"},
    {"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "300\n"},
    {"/sys/class/net/ens1/queues/rx-0/x", ""},
    {"/sys/class/net/ens1/queues/rx-1/x", ""},
    {"/sys/bus/pci/devices/0000:01:00.0/class", "0x020000\n"},
    {"/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"},
    {"/sys/class/ptp/ptp0/clock_name", "ice\n"},
};

/* One file that is not as it should be, what must be noticed, and a part of what is said. */
static const struct spoilt { const char *check, *path, *text, *said; } spoilt_hosts[] = {
    {"preempt-rt", "/proc/sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC\n",
     "6.12.9-rt1-amd64, not PREEMPT_RT"},
    {"isolated", "/sys/devices/system/cpu/isolated", "2\n", "core 3: not isolated"},
    {"isolated", "/sys/devices/system/cpu/isolated", "\n", CORES ": not isolated"},
    {"nohz-full", "/sys/devices/system/cpu/nohz_full", "(null)\n", CORES ": not free of the tick"},
    {"nohz-full", "/sys/devices/system/cpu/nohz_full", NULL, "built without NO_HZ_FULL"},
    {"rcu-nocbs", "/proc/cmdline", "quiet rcu_nocbs=2\n", "core 3: not free of RCU's callbacks"},
    {"rcu-nocbs", "/proc/cmdline", "quiet rcu_nocbs_poll\n", CORES ": not free of RCU's callbacks"},
    {"rt-throttling", "/proc/sys/kernel/sched_rt_runtime_us", "950000\n", "50 ms in every 1000 ms"},
    {"transparent-huge-pages", "/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n",
     "[always]"},
    {"swap", "/proc/swaps", "Filename\tType\n/dev/sda3 partition 8 0 -2\n", "swap is on: /dev/sda3"},
    {"numa-balancing", "/proc/sys/kernel/numa_balancing", "1\n", "is on"},
    {"lockup-watchdog", "/proc/sys/kernel/watchdog_cpumask", "0-3\n", "lockups is on"},
    {"bare-metal", "/proc/cpuinfo", "processor : 0\nflags : fpu hypervisor tsc\nbugs :\n", "virtual machine"},
    {"smt-sibling", CPU2 "/topology/thread_siblings_list", "2,6\n", "core 2 shares its pipelines with 6"},
    {"governor", CPU2 "/cpufreq/scaling_governor", "powersave\n", "core 2: governor powersave"},
    {"idle-states", CPU2 "/cpuidle/state1/disable", "0\n", "core 2 may sleep in , 133 us deep"},
    {"interrupts", "/proc/irq/24/effective_affinity_list", "3\n",
     "1 interrupt comes to the loop's cores: 24"},
    {"irqbalance", "/proc/90/comm", "irqbalance\n", "irqbalance runs, process 90"},
    {"huge-pages", "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "127\n",
     "127 free pages of 2 MiB, 128 wanted"},
    {"queues", "/sys/class/net/ens1/queues/rx-1/x", NULL, "ens1 has 1 receive queue, the site wants 2"},
    {"clock-source", "/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n", "hpet"},
    {"ptp-apart", "/proc/71/status", "Name:\tptp4l\nCpus_allowed_list:\t0-3\n",
     "ptp4l, process 71, may run on the loop's cores: 0-3"},
    {"ptp4l", "/proc/71/comm", "chronyd\n", "ptp4l does not run"},
    {"ptp-clock", "/sys/class/ptp/ptp0/clock_name", NULL, "no card here has a clock"},
};

struct room {
    char root[64];
    struct site_server server;
    struct doctor doctor;
    struct doctor_finding found[DOCTOR_CHECKS_MAX];
};

static void write_file(const struct room *room, const char *path, const char *text)
{
    char whole[DOCTOR_PATH_BYTES];
    snprintf(whole, sizeof whole, "%s%s", room->root, path);
    for (char *slash = strchr(whole + strlen(room->root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        assert_true(!mkdir(whole, 0755) || errno == EEXIST);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void read_file(const struct room *room, const char *path, char text[256])
{
    assert_true(doctor_read_all(&room->doctor, text, 256, path) >= 0);
}

/* The file and its folder: some checks count folders. */
static void remove_file(const struct room *room, const char *path)
{
    char whole[DOCTOR_PATH_BYTES];
    snprintf(whole, sizeof whole, "%s%s", room->root, path);
    assert_int_equal(unlink(whole), 0);
    *strrchr(whole, '/') = 0;
    assert_true(!rmdir(whole) || errno == ENOTEMPTY || errno == EEXIST);
}

static void link_driver(const struct room *room, const char *device, const char *driver)
{
    char whole[DOCTOR_PATH_BYTES];
    snprintf(whole, sizeof whole, "%s%s", room->root, device);
    unlink(whole);
    assert_int_equal(symlink(driver, whole), 0);
}

/* The configuration of a card: a power capability, and MSI-X behind it with so many vectors; 0: none. */
static void write_card(const struct room *room, unsigned vectors)
{
    char whole[DOCTOR_PATH_BYTES];
    uint8_t config[256] = {[6] = 0x10, [0x34] = 0x40, [0x40] = 1};
    write_file(room, "/sys/bus/pci/devices/0000:01:00.0/config", "");
    snprintf(whole, sizeof whole, "%s/sys/bus/pci/devices/0000:01:00.0/config", room->root);
    if (vectors) {
        config[0x41] = 0x70;
        config[0x70] = 0x11;
        config[0x72] = (uint8_t)(vectors - 1);
        config[0x73] = (uint8_t)((vectors - 1) >> 8 | 0x80);
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(config, sizeof config, 1, file), 1);
    assert_int_equal(fclose(file), 0);
}

static int open_room(void **state)
{
    struct room *room = calloc(1, sizeof *room);
    assert_non_null(room);
    strcpy(room->root, "/tmp/flyball-doctor-XXXXXX");
    assert_non_null(mkdtemp(room->root));
    room->server = (struct site_server){.port_count = 2, .memory_mib = 256, .decide_core = 2, .lane_cores = 1,
                                        .lane_core = {3}};
    room->server.port[0] = (struct site_port){.driver = "af_xdp", .interface = "ens1", .queues = 2};
    room->server.port[1] = (struct site_port){.driver = "pci", .interface = "0000:01:00.0", .queues = 1};
    room->doctor = (struct doctor){.root = room->root, .server = &room->server};
    assert_int_equal(rt_cores_parse("2-3", &room->doctor.loop), 0);
    assert_int_equal(rt_cores_parse("0-1", &room->doctor.others), 0);
    for (size_t i = 0; i < sizeof good_host / sizeof *good_host; i++)
        write_file(room, good_host[i].path, good_host[i].text);
    write_file(room, "/sys/class/net/ens1/device/class", "");
    link_driver(room, "/sys/class/net/ens1/device/driver", "/sys/bus/pci/drivers/ice");
    link_driver(room, "/sys/bus/pci/devices/0000:01:00.0/driver", "/sys/bus/pci/drivers/vfio-pci");
    write_card(room, 64);
    *state = room;
    return 0;
}

static int close_room(void **state)
{
    struct room *room = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", room->root);
    assert_int_equal(system(command), 0);
    free(room);
    return 0;
}

static const struct doctor_finding *finding(const struct room *room, const char *name)
{
    for (uint32_t i = 0; doctor_table[i].name; i++)
        if (!strcmp(doctor_table[i].name, name))
            return &room->found[i];
    fail_msg("there is no check %s", name);
    return NULL;
}

/* The same host with a veth in the place of its first card. */
static void a_veth_behind_a_loop_in_real_time_is_told(void **state)
{
    struct room *room = *state;
    const struct doctor_finding *found = finding(room, "softirqs");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_APART);       /* not in real time */
    room->server.priority = 80;
    strcpy(room->server.port[0].interface, "veth0");
    write_file(room, "/sys/class/net/veth0/threaded", "0\n");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_OK);          /* its cores are isolated */
    write_file(room, "/sys/devices/system/cpu/isolated", "\n");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_LACKS);
    assert_non_null(strstr(found->said, "veth0 has no card and no NAPI thread"));
    write_file(room, "/sys/class/net/veth0/threaded", "1\n");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_OK);
    write_file(room, "/sys/class/net/veth0/threaded", "0\n");
    write_file(room, "/sys/class/net/veth0/device/class", "");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_OK);          /* a card */
    room->doctor.server = NULL;
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_APART);
}

static void nothing_lacks_on_a_good_host(void **state)
{
    struct room *room = *state;
    uint32_t lacking = doctor_look(&room->doctor, room->found), ok = 0;
    for (uint32_t i = 0; doctor_table[i].name; i++) {
        if (room->found[i].state == DOCTOR_LACKS)
            print_error("%s: %s\n", doctor_table[i].name, room->found[i].said);
        ok += room->found[i].state == DOCTOR_OK;
    }
    assert_int_equal(lacking, 0);
    /* only the count of interrupts by the firmware is not to be had in a tree of files */
    assert_int_equal(finding(room, "smi")->state, DOCTOR_UNKNOWN);
    assert_int_equal(ok, 24);
}

static void each_defect_is_noticed_by_its_check(void **state)
{
    struct room *room = *state;
    for (size_t i = 0; i < sizeof spoilt_hosts / sizeof *spoilt_hosts; i++) {
        const struct spoilt *spoilt = &spoilt_hosts[i];
        void *fresh;
        open_room(&fresh);
        room = fresh;
        if (spoilt->text)
            write_file(room, spoilt->path, spoilt->text);
        else
            remove_file(room, spoilt->path);
        doctor_look(&room->doctor, room->found);
        const struct doctor_finding *found = finding(room, spoilt->check);
        if (found->state != DOCTOR_LACKS || !strstr(found->said, spoilt->said))
            fail_msg("%s with %s: %s: %s", spoilt->check, spoilt->path, doctor_state_name(found->state),
                     found->said);
        for (uint32_t check = 0; doctor_table[check].name; check++)
            if (&room->found[check] != found && room->found[check].state == DOCTOR_LACKS)
                fail_msg("%s spoilt, and %s says: %s", spoilt->path, doctor_table[check].name,
                         room->found[check].said);
        close_room(&fresh);
    }
}

static void nobody_is_served_on_an_isolated_core(void **state)
{
    struct room *room = *state;
    const struct doctor_finding *found = finding(room, "fair-server");
    write_file(room, "/sys/kernel/debug/sched/fair_server/cpu3/runtime", "50000000\n");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_OK);
    write_file(room, "/sys/devices/system/cpu/isolated", "2\n");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_LACKS);
    assert_string_equal(found->said, "core 3 gives 50 ms in every second to ordinary threads");
    write_file(room, "/proc/sys/kernel/osrelease", "6.1.0-56-rt-amd64\n");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_APART);
    write_file(room, "/proc/sys/kernel/osrelease", "6.12.0\n");
    remove_file(room, "/sys/kernel/debug/sched/fair_server/cpu3/runtime");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_UNKNOWN);
}

static void what_the_daemon_lifts_does_not_lack(void **state)
{
    struct room *room = *state;
    write_file(room, "/proc/sys/kernel/sched_rt_runtime_us", "950000\n");
    room->server.lift_rt_throttling = true;
    doctor_look(&room->doctor, room->found);
    assert_int_equal(finding(room, "rt-throttling")->state, DOCTOR_OK);
    assert_non_null(strstr(finding(room, "rt-throttling")->said, "flyballd lifts that"));
}

static void ports_are_looked_at(void **state)
{
    struct room *room = *state;
    link_driver(room, "/sys/class/net/ens1/device/driver", "/sys/bus/pci/drivers/ice");
    doctor_look(&room->doctor, room->found);
    assert_string_equal(finding(room, "card")->said, "ens1: ice; 0000:01:00.0: vfio-pci");
    strcpy(room->server.port[0].interface, "ens9");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(finding(room, "card")->state, DOCTOR_LACKS);
    assert_string_equal(finding(room, "card")->said, "ens9: not on this host; 0000:01:00.0: vfio-pci");
    room->doctor.server = NULL;
    doctor_look(&room->doctor, room->found);
    assert_int_equal(finding(room, "card")->state, DOCTOR_APART);
    assert_int_equal(finding(room, "queues")->state, DOCTOR_APART);
}

static void queues_of_a_card_of_dpdk_are_judged_by_its_interrupts(void **state)
{
    struct room *room = *state;
    const struct doctor_finding *found = finding(room, "queues");
    struct site_port *port = &room->server.port[1];
    room->server.port[0] = *port;
    room->server.port_count = 1;
    port = &room->server.port[0];
    port->queues = 4;
    write_card(room, 1024);
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_OK);
    assert_string_equal(found->said, "0000:01:00.0 has interrupts for up to 1024 queues, the site wants 4");
    write_card(room, 3);
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_LACKS);
    write_card(room, 0);
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_LACKS);
    assert_string_equal(found->said, "0000:01:00.0 has interrupts for 1 queue, the site wants 4");
    port->queues = 1;
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_OK);
    write_file(room, "/sys/bus/pci/devices/0000:01:00.0/config", "what an ordinary user may see");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_UNKNOWN);
}

static void a_deadline_wants_its_core_and_a_share_that_may_be_had(void **state)
{
    struct room *room = *state;
    const struct doctor_finding *found = finding(room, "deadline");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_APART);
    room->server.deadline_runtime_ns = 940000;
    room->server.deadline_period_ns = 1000000;
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_OK);
    write_file(room, "/proc/sys/kernel/sched_rt_runtime_us", "950000\n");
    write_file(room, "/sys/kernel/debug/sched/fair_server/cpu3/runtime", "50000000\n");
    write_file(room, "/sys/devices/system/cpu/isolated", "\n");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_LACKS);
    assert_string_equal(found->said, "the kernel takes it on all cores only, not pinned to its own");
    /* neither of these stops such a thread */
    assert_int_equal(finding(room, "rt-throttling")->state, DOCTOR_OK);
    assert_int_equal(finding(room, "fair-server")->state, DOCTOR_OK);
    room->server.deadline_runtime_ns = 960000;
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_LACKS);
    assert_string_equal(found->said, "960 us of every 1000 us are more than the kernel gives away");
    room->server.lift_rt_throttling = true;
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_OK);
}

static void what_the_daemon_moves_does_not_lack_but_what_stays_does(void **state)
{
    struct room *room = *state;
    const struct doctor_finding *found = finding(room, "interrupts");
    write_file(room, "/proc/irq/24/effective_affinity_list", "3\n");
    write_file(room, "/proc/irq/24/nvme0q3/x", "");
    room->server.interrupts_away = true;
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_OK);
    assert_string_equal(found->said, "1 interrupt comes to the loop's cores: 24 nvme0q3; flyballd moves them "
                        "while it runs (interrupts: away)");
    write_file(room, "/proc/88/comm", "flyballd\n");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_LACKS);
    assert_string_equal(found->said, "1 interrupt comes to the loop's cores and did not let flyballd move "
                        "them: 24 nvme0q3");
    for (int number = 30; number < 40; number++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/irq/%d/smp_affinity_list", number);
        write_file(room, path, "2-3\n");
    }
    room->server.interrupts_away = false;
    doctor_look(&room->doctor, room->found);
    assert_string_equal(found->said,
                        "11 interrupts come to the loop's cores: 24 nvme0q3, 30, 31, 32, 33, 34, ...");
}

static void interrupts_by_the_firmware_are_counted_since_the_start_too(void **state)
{
    struct room *room = *state;
    const struct doctor_finding *found = finding(room, "smi");
    char count[0x34 + 9] = {0};
    memset(count, 'x', 0x34);
    count[0x34] = 12;
    write_file(room, "/dev/cpu/2/msr", "");
    char whole[DOCTOR_PATH_BYTES];
    snprintf(whole, sizeof whole, "%s/dev/cpu/2/msr", room->root);
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(count, 0x34 + 8, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    write_file(room, "/proc/uptime", "7200.31 14000.00\n");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(found->state, DOCTOR_OK);
    assert_string_equal(found->said, "0 within 1000 ms, 12 since power on, 6.0 an hour if none were before "
                        "the kernel started");
    /* more of them while it looks, as soon as the machine lets them come */
    pid_t child = fork();
    while (!child) {
        count[0x34]++;
        file = fopen(whole, "r+");
        if (!file || fwrite(count, 0x34 + 8, 1, file) != 1 || fclose(file))
            _exit(1);
        usleep(50000);
    }
    for (int i = 0; i < 20 && found->state != DOCTOR_LACKS; i++)
        doctor_look(&room->doctor, room->found);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(found->state, DOCTOR_LACKS);
    assert_int_not_equal(strncmp(found->said, "0 within", 8), 0);
}

/* All that can be mended at once, then all put back. */
static void what_is_mended_can_be_put_back(void **state)
{
    static const struct { const char *check, *path, *bad, *mended; } row[] = {
        {"rt-throttling", "/proc/sys/kernel/sched_rt_runtime_us", "950000", "-1"},
        {"fair-server", "/sys/kernel/debug/sched/fair_server/cpu3/runtime", "50000000", "0"},
        {"governor", CPU2 "/cpufreq/scaling_governor", "powersave", "performance"},
        {"numa-balancing", "/proc/sys/kernel/numa_balancing", "1", "0"},
        {"lockup-watchdog", "/proc/sys/kernel/watchdog", "1", "0"},
        {"interrupts", "/proc/irq/24/smp_affinity_list", "2-3", "0-1"},
        {"huge-pages", "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "30", "138"},
    };
    struct room *room = *state;
    char text[256];
    write_file(room, "/run/x", "");
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        write_file(room, row[i].path, row[i].bad);
    write_file(room, "/sys/devices/system/cpu/isolated", "\n");
    write_file(room, "/proc/sys/kernel/watchdog_cpumask", "0-3\n");
    write_file(room, "/proc/irq/24/effective_affinity_list", "2-3\n");
    write_file(room, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "20\n");
    write_file(room, "/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
    doctor_look(&room->doctor, room->found);
    assert_int_equal(doctor_open_notes(&room->doctor), 0);
    doctor_mend(&room->doctor, room->found);
    /* again: the notes keep what was there first */
    assert_int_equal(doctor_fix_throttling(&room->doctor), 0);
    fclose(room->doctor.undo);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        read_file(room, row[i].path, text);
        assert_string_equal(text, row[i].mended);
    }
    read_file(room, "/sys/kernel/mm/transparent_hugepage/enabled", text);
    assert_string_equal(text, "madvise");
    /* what a kernel would change with it stays as it was here: that counts as tried in vain */
    assert_int_equal(finding(room, "governor")->fixed, 1);
    assert_int_equal(finding(room, "rt-throttling")->fixed, 1);
    assert_int_equal(finding(room, "interrupts")->fixed, 0);
    assert_int_equal(finding(room, "isolated")->fixed, 0);
    FILE *told = tmpfile();
    assert_non_null(told);
    assert_int_equal(doctor_undo(room->root, told), 0);
    fclose(told);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        read_file(room, row[i].path, text);
        assert_string_equal(text, row[i].bad);
    }
    read_file(room, "/sys/kernel/mm/transparent_hugepage/enabled", text);
    assert_string_equal(text, "always");
    assert_int_equal(doctor_undo(room->root, stdout), -ENOENT);
}

static void without_a_note_nothing_is_changed(void **state)
{
    struct room *room = *state;
    char text[256];
    write_file(room, "/proc/sys/kernel/sched_rt_runtime_us", "950000");
    room->doctor.undo = fopen("/dev/null", "r");
    assert_non_null(room->doctor.undo);
    doctor_look(&room->doctor, room->found);
    doctor_mend(&room->doctor, room->found);
    fclose(room->doctor.undo);
    read_file(room, "/proc/sys/kernel/sched_rt_runtime_us", text);
    assert_string_equal(text, "950000");
    assert_int_equal(finding(room, "rt-throttling")->fixed, -EIO);
}

/* What the kernel refuses leaves no note; what cannot be put back keeps its own, and no other. */
static void notes_are_of_what_was_changed(void **state)
{
    struct room *room = *state;
    char text[256], path[DOCTOR_PATH_BYTES];
    write_file(room, "/run/x", "");
    assert_int_equal(doctor_open_notes(&room->doctor), 0);
    assert_int_equal(doctor_replace(&room->doctor, "0", "/proc/nothing"), -ENOENT);
    snprintf(path, sizeof path, "%s/proc/stuck", room->root);
    assert_int_equal(symlink("/dev/full", path), 0);
    snprintf(path, sizeof path, "%s/proc/long", room->root);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < DOCTOR_TEXT_BYTES; i++)
        fputc('1', file);
    fclose(file);
    assert_int_equal(doctor_replace(&room->doctor, "0", "/proc/long"), -EOVERFLOW);
    read_file(room, DOCTOR_NOTES, text);
    assert_string_equal(text, "");
    write_file(room, "/proc/kept", "7\n");
    write_file(room, "/proc/gone", "8\n");
    assert_int_equal(doctor_replace(&room->doctor, "1", "/proc/kept"), 0);
    assert_int_equal(doctor_replace(&room->doctor, "1", "/proc/gone"), 0);
    fputs("/proc/stuck\t9\n", room->doctor.undo);
    fclose(room->doctor.undo);
    remove_file(room, "/proc/gone");
    FILE *told = tmpfile();
    assert_int_equal(doctor_undo(room->root, told), 1);
    fclose(told);
    read_file(room, DOCTOR_NOTES, text);
    assert_string_equal(text, "/proc/stuck\t9\n");
    read_file(room, "/proc/kept", text);
    assert_string_equal(text, "7");
}

static void a_root_too_long_is_refused(void **state)
{
    char root[2 * DOCTOR_PATH_BYTES], text[16];
    struct doctor doctor = {.root = root};
    (void)state;
    memset(root, 'x', sizeof root - 1);
    root[sizeof root - 1] = 0;
    assert_int_equal(doctor_read(&doctor, text, sizeof text, "/proc/cmdline"), -ENAMETOOLONG);
    assert_int_equal(doctor_open_notes(&doctor), -ENAMETOOLONG);
    assert_int_equal(doctor_undo(root, stdout), -ENAMETOOLONG);
}

static void lists_of_cores(void **state)
{
    static const char *const good[][2] = {{"", "none"}, {"0", "0"}, {"3,1,0", "0-1,3"}, {"0-2,7", "0-2,7"},
                                          {"managed_irq,domain,4-5", "4-5"}, {"1023", "1023"}};
    static const char *const bad[] = {"1-", "3-1", "1024", "1,,2", "2x", "0-9999999999", ",1"};
    struct rt_cores cores;
    char text[RT_CORES_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(rt_cores_parse(good[i][0], &cores), 0);
        assert_string_equal(rt_cores_text(&cores, text), good[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(rt_cores_parse(bad[i], &cores), -EINVAL);
    memset(&cores, 0x55, sizeof cores);
    assert_true(strlen(rt_cores_text(&cores, text)) < 2500);
    assert_string_equal(text + strlen(text) - 10, ",1020,1022");
}

static void words_name_the_cores(void **state)
{
    struct room *room = *state;
    char *text;
    size_t length;
    write_file(room, "/sys/devices/system/cpu/isolated", "\n");
    doctor_look(&room->doctor, room->found);
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    doctor_print_text(out, &room->doctor, room->found, false);
    doctor_print_json(out, &room->doctor, room->found);
    fclose(out);
    assert_non_null(strstr(text, "for a loop on core 2-3 of the row"));
    assert_non_null(strstr(text, "mend   isolcpus=managed_irq,domain,2-3 on the kernel's command line"));
    assert_non_null(strstr(text, "1 lacking, 23 ok, 1 unknown, 2 do not apply"));
    assert_non_null(strstr(text, "\"mend\": \"isolcpus=managed_irq,domain,2-3 on"));
    assert_non_null(strstr(text, "irqaffinity=0-1 on the command line"));
    assert_null(strstr(text, "CORES "));
    assert_null(strstr(text, "OTHERS"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_lacks_on_a_good_host, open_room, close_room),
        cmocka_unit_test_setup_teardown(a_veth_behind_a_loop_in_real_time_is_told, open_room, close_room),
        cmocka_unit_test_setup_teardown(each_defect_is_noticed_by_its_check, open_room, close_room),
        cmocka_unit_test_setup_teardown(nobody_is_served_on_an_isolated_core, open_room, close_room),
        cmocka_unit_test_setup_teardown(what_the_daemon_lifts_does_not_lack, open_room, close_room),
        cmocka_unit_test_setup_teardown(ports_are_looked_at, open_room, close_room),
        cmocka_unit_test_setup_teardown(queues_of_a_card_of_dpdk_are_judged_by_its_interrupts, open_room,
                                        close_room),
        cmocka_unit_test_setup_teardown(a_deadline_wants_its_core_and_a_share_that_may_be_had, open_room,
                                        close_room),
        cmocka_unit_test_setup_teardown(what_the_daemon_moves_does_not_lack_but_what_stays_does, open_room,
                                        close_room),
        cmocka_unit_test_setup_teardown(interrupts_by_the_firmware_are_counted_since_the_start_too, open_room,
                                        close_room),
        cmocka_unit_test_setup_teardown(what_is_mended_can_be_put_back, open_room, close_room),
        cmocka_unit_test_setup_teardown(without_a_note_nothing_is_changed, open_room, close_room),
        cmocka_unit_test_setup_teardown(notes_are_of_what_was_changed, open_room, close_room),
        cmocka_unit_test(a_root_too_long_is_refused),
        cmocka_unit_test(lists_of_cores),
        cmocka_unit_test_setup_teardown(words_name_the_cores, open_room, close_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
