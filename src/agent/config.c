/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_keys.h"

enum { FINDINGS_MAX = 100, RANGE_BYTES = 96 };

struct reader {
    struct config *config;
    const char *path;
    FILE *report;
    uint32_t line, column, findings;
    uint32_t given[CONFIG_KEYS_MAX];   /* line where each key stands, 0 = nowhere */
};

__attribute__((format(printf, 2, 3))) static void fault(struct reader *reader, const char *format, ...)
{
    va_list list;
    if (reader->findings++ >= FINDINGS_MAX)
        return;
    fprintf(reader->report, "%s:%u:%u: error: ", reader->path, reader->line, reader->column);
    va_start(list, format);
    vfprintf(reader->report, format, list);
    va_end(list);
    fputc('\n', reader->report);
}

static const char *range_of(const struct config_row *row, char text[RANGE_BYTES])
{
    char least[32], most[32];
    if (row->kind == CONFIG_COUNT)
        snprintf(text, RANGE_BYTES, "a whole number from %" PRId64 " to %" PRId64, row->least, row->most);
    else
        snprintf(text, RANGE_BYTES, "%s from %s to %s", quantity_noun(row->quantity),
                 quantity_write(row->quantity, row->least, least, sizeof least),
                 quantity_write(row->quantity, row->most, most, sizeof most));
    return text;
}

static void take_number(struct reader *reader, const struct config_row *row, const char *value)
{
    char text[RANGE_BYTES];
    int64_t number = 0;
    char *end = NULL;
    enum quantity_fault wrong = QUANTITY_OK;
    if (row->kind == CONFIG_COUNT) {
        number = strtoll(value, &end, 10);
        wrong = isdigit((unsigned char)*value) && !*end ? QUANTITY_OK : QUANTITY_NOT_NUMBER;
    } else {
        wrong = quantity_parse(row->quantity, value, &number);
    }
    if (wrong == QUANTITY_NO_UNIT || wrong == QUANTITY_WRONG_UNIT)
        fault(reader, "%s '%s' wants a unit: %s", row->name, value, quantity_units(row->quantity));
    else if (wrong == QUANTITY_TOO_FINE)
        fault(reader, "%s '%s' is finer than %s", row->name, value, quantity_base_unit(row->quantity));
    else if (wrong || number < row->least || number > row->most)
        fault(reader, "%s '%s' is not %s", row->name, value, range_of(row, text));
    else if (row->kind == CONFIG_COUNT)
        memcpy((char *)reader->config + row->at, &(uint32_t){(uint32_t)number}, sizeof(uint32_t));
    else
        memcpy((char *)reader->config + row->at, &number, sizeof number);
}

static void take_text(struct reader *reader, const struct config_row *row, const char *value, char *to,
                      size_t room)
{
    if (strlen(value) >= room)
        fault(reader, "%s is longer than %zu characters", row->name, room - 1);
    else if (row->kind == CONFIG_PATH && *value && *value != '/')
        fault(reader, "%s '%s' is not a path from the root, such as /var/lib/flyball-agent", row->name,
              value);
    else
        memcpy(to, value, strlen(value) + 1);
}

static void take_device(struct reader *reader, const struct config_row *row, const char *value)
{
    struct config *config = reader->config;
    for (uint32_t i = 0; i < config->device_count; i++) {
        if (!strcmp(config->device[i], value)) {
            fault(reader, "device '%s' is given twice", value);
            return;
        }
    }
    if (config->device_count == HOST_DEVICES_MAX)
        fault(reader, "more than %d devices", HOST_DEVICES_MAX);
    else
        take_text(reader, row, value, config->device[config->device_count++], ACT_IDENTITY_BYTES);
}

static void take_supply(struct reader *reader, const char *value)
{
    struct supply_set *set = &reader->config->supplies;
    for (uint32_t i = 0; i < set->count; i++) {
        if (!strcmp(set->name[i], value)) {
            fault(reader, "psu '%s' is given twice", value);
            return;
        }
    }
    if (!supply_is_name(value))
        fault(reader, "psu '%s' is not the name of a device of hwmon, such as 3-0058 or 3-0058/2", value);
    else if (set->count == SUPPLIES_MAX)
        fault(reader, "more than %d supplies", SUPPLIES_MAX);
    else
        strncpy(set->name[set->count++], value, SUPPLY_NAME_BYTES - 1);
}

static void take_address(struct reader *reader, const struct config_row *row, const char *value)
{
    char host[INET_ADDRSTRLEN] = "", *end = NULL;
    struct in_addr ipv4;
    const char *colon = strrchr(value, ':');
    unsigned long port = colon && isdigit((unsigned char)colon[1]) ? strtoul(colon + 1, &end, 10) : 0;
    if (colon && (size_t)(colon - value) < sizeof host)
        memcpy(host, value, (size_t)(colon - value));
    if (!port || port > UINT16_MAX || *end || inet_pton(AF_INET, host, &ipv4) != 1) {
        fault(reader, "%s '%s' is not an IPv4 address and a port, such as 203.0.113.1:7002", row->name,
              value);
        return;
    }
    const struct config_address address = {.ipv4 = ntohl(ipv4.s_addr), .port = (uint16_t)port};
    memcpy((char *)reader->config + row->at, &address, sizeof address);
}

static void take_actuator(struct reader *reader, const struct config_row *row, const char *value)
{
    char known[128] = "";
    for (uint32_t i = 0; act_drivers[i]; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", act_drivers[i]->name);
    }
    if (act_find(value))
        take_text(reader, row, value, reader->config->actuator, sizeof reader->config->actuator);
    else
        fault(reader, "actuator '%s' is not one of %s", value, known);
}

static void take(struct reader *reader, const struct config_row *row, const char *value)
{
    switch (row->kind) {
    case CONFIG_TEXT:
    case CONFIG_PATH: take_text(reader, row, value, (char *)reader->config + row->at, row->bytes); break;
    case CONFIG_ADDRESS: take_address(reader, row, value); break;
    case CONFIG_COUNT:
    case CONFIG_QUANTITY: take_number(reader, row, value); break;
    case CONFIG_ACTUATOR: take_actuator(reader, row, value); break;
    case CONFIG_DEVICE: take_device(reader, row, value); break;
    case CONFIG_SUPPLY: take_supply(reader, value); break;
    case CONFIG_SWITCH:
        if (strcmp(value, "on") && strcmp(value, "off"))
            fault(reader, "%s '%s' is neither 'on' nor 'off'", row->name, value);
        *((bool *)((char *)reader->config + row->at)) = !strcmp(value, "on");
        break;
    case CONFIG_REQUIRED:
        if (strcmp(value, "required") && strcmp(value, "none"))
            fault(reader, "%s '%s' is neither 'required' nor 'none'", row->name, value);
        reader->config->agent.watchdog_required = !strcmp(value, "required");
        break;
    }
}

const char *config_key(uint32_t i)
{
    return config_rows[i].name;
}

static char *trimmed(char *text)
{
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

static void take_pair(struct reader *reader, char *line, char *equals)
{
    char *value = trimmed(equals + 1);
    *equals = '\0';
    char *key = trimmed(line);
    uint32_t i = 0;
    while (config_rows[i].name && strcmp(config_rows[i].name, key))
        i++;
    reader->column = (uint32_t)(key - line) + 1;
    if (!config_rows[i].name) {
        fault(reader, "unknown key '%s'; flyball-agent(8) lists them", key);
    } else if (reader->given[i] && config_rows[i].kind != CONFIG_DEVICE &&
               config_rows[i].kind != CONFIG_SUPPLY) {
        fault(reader, "%s stands in line %u already", key, reader->given[i]);
    } else {
        reader->given[i] = reader->line;
        reader->column = (uint32_t)(value - line) + 1;
        if (*value)
            take(reader, &config_rows[i], value);
        else
            fault(reader, "%s has no value", key);
    }
}

static void take_line(struct reader *reader, char *line)
{
    char *comment = strchr(line, '#');
    if (comment)
        *comment = '\0';
    char *begin = line + strspn(line, " \t\r\n");
    char *equals = strchr(line, '=');
    reader->column = (uint32_t)(begin - line) + 1;
    if (!*begin)
        return;
    if (equals)
        take_pair(reader, line, equals);
    else
        fault(reader, "no 'key = value': '%s'", trimmed(begin));
}

static int read_lines(struct reader *reader, FILE *file)
{
    char line[CONFIG_LINE_BYTES];
    while (fgets(line, sizeof line, file)) {
        reader->line++;
        reader->column = 1;
        if (strlen(line) + 1 == sizeof line && line[sizeof line - 2] != '\n') {
            fault(reader, "longer than %d characters", CONFIG_LINE_BYTES - 2);
            return -EINVAL;
        }
        take_line(reader, line);
    }
    return ferror(file) ? -EIO : 0;
}

/* What the file leaves out, and what it must not. */
static void fill_in(struct reader *reader)
{
    reader->line = reader->line ? reader->line : 1;
    reader->column = 1;
    for (uint32_t i = 0; config_rows[i].name; i++) {
        if (reader->given[i])
            continue;
        if (!config_rows[i].fallback)
            fault(reader, "%s is missing", config_rows[i].name);
        else if (*config_rows[i].fallback)
            take(reader, &config_rows[i], config_rows[i].fallback);
    }
}

/* Where one of two keys stands, the second if it does. */
static void point_at(struct reader *reader, const char *first, const char *second)
{
    for (uint32_t i = 0; config_rows[i].name; i++) {
        bool named = !strcmp(config_rows[i].name, first) || !strcmp(config_rows[i].name, second);
        if (named && reader->given[i])
            reader->line = reader->given[i];
    }
}

static void check_order(struct reader *reader, const char *low, int64_t low_mw, const char *high,
                        int64_t high_mw)
{
    char less[32], more[32];
    if (low_mw <= high_mw)
        return;
    point_at(reader, low, high);
    fault(reader, "%s %s is above %s %s", low, quantity_write(QUANTITY_POWER, low_mw, less, sizeof less),
          high, quantity_write(QUANTITY_POWER, high_mw, more, sizeof more));
}

/* It is at the wall, as in the site file; caps are sums over devices. */
static void check_phys_max(struct reader *reader)
{
    const struct agent_config *agent = &reader->config->agent;
    int64_t least_mw = agent_wall_mw(agent, agent->cap_min_mw);
    char less[32], more[32];
    if (least_mw <= agent->holder.phys_max_mw)
        return;
    point_at(reader, "phys_max", "phys_max");
    fault(reader, "phys_max %s is below what cap_min allows at the wall, %s",
          quantity_write(QUANTITY_POWER, agent->holder.phys_max_mw, less, sizeof less),
          quantity_write(QUANTITY_POWER, least_mw, more, sizeof more));
}

static void check_relations(struct reader *reader)
{
    const struct config *config = reader->config;
    const struct holder_config *holder = &config->agent.holder;
    char longest[32];
    check_order(reader, "cap_min", config->agent.cap_min_mw, "fail_safe", holder->fail_safe_mw);
    check_order(reader, "fail_safe", holder->fail_safe_mw, "cap_max", holder->cap_max_mw);
    check_phys_max(reader);
    check_order(reader, "dry_min", config->place.dry_min_mw, "dry_max", config->place.dry_max_mw);
    if (config->devices && config->device_count && config->devices != config->device_count) {
        point_at(reader, "device", "devices");
        fault(reader, "devices is %u, and %u are listed", config->devices, config->device_count);
    }
    if (holder->report_ns * 6 <= config->lease_ns)
        return;
    point_at(reader, "lease", "report");
    fault(reader, "report is longer than a sixth of lease, %s",
          quantity_write(QUANTITY_TIME, config->lease_ns / 6, longest, sizeof longest));
}

int config_load(struct config *config, const char *path, FILE *report)
{
    struct reader reader = {.config = config, .path = path, .report = report};
    *config = (struct config){0};
    FILE *file = fopen(path, "re");
    int error = file ? read_lines(&reader, file) : -errno;
    if (file)
        fclose(file);
    if (error && error != -EINVAL) {
        fprintf(report, "%s: %s\n", path, strerror(-error));
        return error;
    }
    fill_in(&reader);
    if (!reader.findings)
        check_relations(&reader);
    config->agent.raise_mw_per_s *= 1000;       /* ramps are read in W/s */
    config->agent.smooth.ramp_up_mw_per_s *= 1000;
    config->agent.smooth.ramp_down_mw_per_s *= 1000;
    config->agent.holder.devices = config->device_count;
    return reader.findings ? -EINVAL : 0;
}
