/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's file: what is read, and what every kind of mistake is told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/config.h"

static const char whole[] =
    "# a comment\n"
    "host = a1-03\n"
    "id = 2   # a comment, too\n"
    "controller = 203.0.113.1:7002\n"
    "listen=203.0.113.13:7002\n"
    "fail_safe = 1.6kW\n"
    "phys_max = 10.3 kW\n"
    "cap_min = 800 W\n"
    "cap_max = 8 kW\n"
    "actuation = 120 ms\n"
    "actuator = dry\n";

struct found {
    int result;
    struct config config;
    char said[2048];
};

/* The file `text` with `more` behind it. */
static struct found load(const char *text, const char *more)
{
    static char path[] = "/dev/shm/flyball-config-XXXXXX";
    struct found found;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(dprintf(fd, "%s%s", text, more), strlen(text) + strlen(more));
    close(fd);
    memset(found.said, 0, sizeof found.said);
    FILE *report = fmemopen(found.said, sizeof found.said, "w");
    found.result = config_load(&found.config, path, report);
    fclose(report);
    unlink(path);
    for (char *at; (at = strstr(found.said, path));)        /* its name is of no interest */
        memmove(at, at + strlen(path), strlen(at + strlen(path)) + 1);
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    return found;
}

static void what_is_left_out_is_filled_in(void **state)
{
    (void)state;
    struct found found = load(whole, "");
    const struct config *config = &found.config;
    assert_int_equal(found.result, 0);
    assert_string_equal(found.said, "");
    assert_string_equal(config->host, "a1-03");
    assert_int_equal(config->agent.holder.host, 2);
    assert_int_equal(config->controller.ipv4, 0xCB007101);
    assert_int_equal(config->listen.port, 7002);
    assert_int_equal(config->agent.holder.fail_safe_mw, 1600000);
    assert_int_equal(config->agent.holder.cap_max_mw, 8000000);
    assert_int_equal(config->agent.cap_min_mw, 800000);
    assert_int_equal(config->agent.holder.actuation_ns, 120 * NS_PER_MS);
    assert_int_equal(config->lease_ns, NS_PER_S);
    assert_int_equal(config->agent.holder.report_ns, 100 * NS_PER_MS);
    assert_int_equal(config->agent.efficiency_ppm, PPM);
    assert_string_equal(config->state, "/var/lib/flyball-agent");
    assert_string_equal(config->run, "/run/flyball-agent");
    assert_true(config->agent.watchdog_required);
    assert_int_equal(config->device_count, 0);
    assert_string_equal(config->keys, "");
}

static void every_key_can_be_given(void **state)
{
    (void)state;
    struct found found =
        load(whole, "lease = 2 s\nreport = 250 ms\nraise_rate = 2 kW/s\nraise_every = 50 ms\n"
                    "device = dry-1\ndevice = dry-0\nbase = 1.5 kW\n"
                    "efficiency = 96 %\nwatchdog = none\nstate = /a\nrun = /b\n"
                    "sysfs = /d\ndry_devices = 4\ndry_min = 1 W\ndry_max = 2 W\n"
                    "dry_file = /e\nkeys = /f\nsmoothing = on\nramp_up = 4 kW/s\nramp_down = 2 kW/s\n"
                    "hysteresis = 250 ms\npsu = 3-0058\npsu = 3-0059/2\n");
    const struct config *config = &found.config;
    assert_string_equal(found.said, "");
    assert_int_equal(found.result, 0);
    assert_int_equal(config->agent.raise_mw_per_s, 2000000);
    assert_int_equal(config->agent.raise_every_ns, 50 * NS_PER_MS);
    assert_int_equal(config->device_count, 2);
    assert_int_equal(config->agent.holder.devices, 2);
    assert_string_equal(config->device[1], "dry-0");
    assert_int_equal(config->agent.efficiency_ppm, 960000);
    assert_false(config->agent.watchdog_required);
    assert_int_equal(config->place.dry_devices, 4);
    assert_string_equal(config->place.root, "/d");
    assert_string_equal(config->keys, "/f");
    assert_int_equal(config->supplies.count, 2);
    assert_string_equal(config->supplies.name[1], "3-0059/2");
    assert_true(config->agent.smoothing);
    assert_int_equal(config->agent.smooth.ramp_up_mw_per_s, 4000000);
    assert_int_equal(config->agent.smooth.ramp_down_mw_per_s, 2000000);
    assert_int_equal(config->agent.smooth.hysteresis_ns, 250 * NS_PER_MS);
}

static const struct { const char *line, *said; } mistakes[] = {
    {"volts = 3", ":12:1: error: unknown key 'volts'"},
    {"  volts = 3", ":12:3: error: unknown key 'volts'"},
    {"nonsense", ":12:1: error: no 'key = value': 'nonsense'"},
    {"psu = 3-0058/x", ":12:7: error: psu '3-0058/x' is not the name of a device of hwmon"},
    {"psu = a\npsu = a", ":13:7: error: psu 'a' is given twice"},
    {"psu=1\npsu=2\npsu=3\npsu=4\npsu=5\npsu=6\npsu=7\npsu=8\npsu=9", ":20:5: error: more than 8 supplies"},
    {"smoothing = yes", ":12:13: error: smoothing 'yes' is neither 'on' nor 'off'"},
    {"ramp_up = 4 kW", ":12:11: error: ramp_up '4 kW' wants a unit"},
    {"base =", ":12:7: error: base has no value"},
    {"base = 1500", ":12:8: error: base '1500' wants a unit: W, kW or MW"},
    {"base = 15 kg", ":12:8: error: base '15 kg' wants a unit: W, kW or MW"},
    {"base = much", ":12:8: error: base 'much' is not a power from 0mW to 1MW"},
    {"base = 2 MW", ":12:8: error: base '2 MW' is not a power from 0mW to 1MW"},
    {"base = -1 W", ":12:8: error: base '-1 W' is not a power from 0mW to 1MW"},
    {"base = 0.0001 W", ":12:8: error: base '0.0001 W' is finer than 1 mW"},
    {"host = other", ":12:1: error: host stands in line 2 already"},
    {"dry_devices = 17", ":12:15: error: dry_devices '17' is not a whole number from 1 to 16"},
    {"dry_devices = 1x", ":12:15: error: dry_devices '1x' is not a whole number from 1 to 16"},
    {"dry_devices = 99999999999999999999", "is not a whole number from 1 to 16"},
    {"efficiency = 40 %", ":12:14: error: efficiency '40 %' is not a percentage from 50% to 100%"},
    {"watchdog = no", ":12:12: error: watchdog 'no' is neither 'required' nor 'none'"},
    {"state = var/lib", ":12:9: error: state 'var/lib' is not a path from the root"},
    {"device = a\ndevice = a", ":13:10: error: device 'a' is given twice"},
    {"report = 200 ms", ":12:1: error: report is longer than a sixth of lease, 166.666ms"},
    {"lease = 500 ms", ":12:1: error: report is longer than a sixth of lease, 83.333ms"},
    {"dry_min = 800 W", ":12:1: error: dry_min 800W is above dry_max 700W"},
};

static void each_mistake_is_told_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct found found = load(whole, mistakes[i].line);
        if (found.result != -EINVAL || !strstr(found.said, mistakes[i].said))
            fail_msg("'%s': %d, %s", mistakes[i].line, found.result, found.said);
    }
}

static const struct { const char *from, *to, *said;
} swaps[] = {
    {"controller = 203.0.113.1:7002", "controller = 203.0.113.1",
     ":4:14: error: controller '203.0.113.1' is not"},
    {"controller = 203.0.113.1:7002", "controller = host:7002",
     "'host:7002' is not an IPv4 address and a port"},
    {"controller = 203.0.113.1:7002", "controller = 203.0.113.1:0", "is not an IPv4 address and a port"},
    {"controller = 203.0.113.1:7002", "controller = 203.0.113.1:70020", "is not an IPv4 address and a port"},
    {"controller = 203.0.113.1:7002", "controller = 203.0.113.1:70x", "is not an IPv4 address and a port"},
    {"id = 2 ", "id = 10240 ", ":3:6: error: id '10240' is not a whole number from 0 to 10239"},
    {"actuator = dry", "actuator = nvidia", ":11:12: error: actuator 'nvidia' is not one of "},
    {"id = 2 ", "", ":11:1: error: id is missing"},
    {"fail_safe = 1.6kW", "fail_safe = 9 kW", ":9:1: error: fail_safe 9kW is above cap_max 8kW"},
    {"fail_safe = 1.6kW", "fail_safe = 700 W", ":8:1: error: cap_min 800W is above fail_safe 700W"},
    {"cap_max = 8 kW", "cap_max = 11 kW", ":9:1: error: cap_max 11kW is above phys_max 10.3kW"},
};

static void each_relation_that_does_not_hold_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof swaps / sizeof swaps[0]; i++) {
        char text[sizeof whole + 64];
        const char *at = strstr(whole, swaps[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, swaps[i].to,
                 at + strlen(swaps[i].from));
        struct found found = load(text, "");
        if (found.result != -EINVAL || !strstr(found.said, swaps[i].said))
            fail_msg("'%s': %d, %s", swaps[i].to, found.result, found.said);
    }
}

static void what_is_too_long_is_refused(void **state)
{
    (void)state;
    char line[CONFIG_LINE_BYTES + 64];
    memset(line, 'x', sizeof line);
    memcpy(line, "state = /", 9);
    line[sizeof line - 1] = '\0';
    struct found found = load(whole, line);
    assert_int_equal(found.result, -EINVAL);
    assert_non_null(strstr(found.said, ":12:1: error: longer than 510 characters"));
    line[CONFIG_PATH_BYTES + 16] = '\0';
    found = load(whole, line);
    assert_non_null(strstr(found.said, ":12:9: error: state is longer than 255 characters"));
    memcpy(line, "device = ", 9);
    line[9 + ACT_IDENTITY_BYTES] = '\0';
    found = load(whole, line);
    assert_non_null(strstr(found.said, ":12:10: error: device is longer than 95 characters"));
}

static void a_file_that_is_not_there_is_told(void **state)
{
    (void)state;
    struct config config;
    char said[256] = "";
    FILE *report = fmemopen(said, sizeof said, "w");
    assert_int_equal(config_load(&config, "/dev/shm/none/such", report), -ENOENT);
    fclose(report);
    assert_string_equal(said, "/dev/shm/none/such: No such file or directory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_out_is_filled_in),
        cmocka_unit_test(every_key_can_be_given),
        cmocka_unit_test(each_mistake_is_told_with_its_place),
        cmocka_unit_test(each_relation_that_does_not_hold_is_told),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
