/* SPDX-License-Identifier: Apache-2.0 */
/* flyball agent-config: what flyball-agent on one host needs to know of the site. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "site/read/quantity.h"
#include "site/site.h"

static uint32_t find_host(const struct site *site, const char *name)
{
    for (uint32_t h = 0; h < site->model.host_count; h++)
        if (!strcmp(site->model.host[h].name, name))
            return h;
    return INDEX_NONE;
}

static void print_address(const char *key, const struct site_address *address)
{
    printf("%s = %u.%u.%u.%u:%u\n", key, address->ipv4 >> 24, address->ipv4 >> 16 & 255,
           address->ipv4 >> 8 & 255, address->ipv4 & 255, address->port);
}

/* Exactly: in the finest unit, for what a person would write may be rounded. */
static void print_mw(const char *key, int64_t mw)
{
    if (mw % 1000)
        printf("%s = %lld mW\n", key, (long long)mw);
    else
        printf("%s = %lld W\n", key, (long long)(mw / 1000));
}

static void print_ns(const char *key, int64_t ns)
{
    if (ns % NS_PER_MS)
        printf("%s = %lld ns\n", key, (long long)ns);
    else
        printf("%s = %lld ms\n", key, (long long)(ns / NS_PER_MS));
}

static void print_config(const struct site *site, const char *path, uint32_t h)
{
    const struct model_host *host = &site->model.host[h];
    const struct model_host_type *type = &site->model.type[host->type];
    const struct site_server *server = &site->server;
    printf("# flyball-agent(8) on %s, from %s by `flyball agent-config`.\n\n", host->name, path);
    printf("host = %s\nid = %u\n", host->name, h);
    print_address("controller", &server->port[server->port_count - 1].own);
    print_address("listen", &site->host_address[h]);
    printf("\n# caps are sums over the host's devices\n");
    print_mw("fail_safe", host->fail_safe_mw);
    print_mw("cap_min", type->cap_min_mw);
    print_mw("cap_max", type->cap_max_mw);
    print_mw("phys_max", type->phys_max_mw);
    print_ns("lease", site->model.policy.lease_ns);
    print_ns("report", site->model.policy.report_ns);
    print_ns("actuation", type->actuation_ns);
    printf(
        "\n# what it draws at the wall: its devices' draw by the efficiency of its supplies, and the base\n");
    print_mw("base", type->base_max_mw);
    printf("efficiency = %u ppm\n", site->type_efficiency_ppm[host->type]);
    printf("\n# how caps are set here; `flyball-agent probe` tells what there is\n"
           "actuator = nvml\nwatchdog = required\n");
    if (site->model.policy.let_go)
        printf("\n# at its end it asks for the devices' own limits\nlet_go = on\n");
    if (site->auth.hosts)
        printf("\n# mode 0600: what `flyball keys host %s %s` prints\nkeys = /etc/flyball/key\n", path,
               host->name);
}

static int run_site(const struct site *site, const char *path, const char *name)
{
    uint32_t host = find_host(site, name);
    if (host == INDEX_NONE) {
        fprintf(stderr, "flyball agent-config: %s has no host '%s'\n", path, name);
        return CLI_USAGE;
    }
    if (!site->server.port_count) {
        fprintf(stderr, "flyball agent-config: %s has no servers: section, so nothing that the agent could "
                "report to\n", path);
        return CLI_CONFIG;
    }
    print_config(site, path, host);
    return fflush(stdout) ? CLI_CONNECT : CLI_OK;
}

static int agent_config(int argc, char **argv)
{
    struct site site;
    const char *server = argc == 5 && !strcmp(argv[3], "--server") ? argv[4] : NULL;
    if (argc != 3 && !server) {
        fputs("flyball agent-config: a SITE and a HOST are needed; see `flyball agent-config --help`\n",
              stderr);
        return CLI_USAGE;
    }
    int error = site_load_unmeasured(&site, argv[1], server, stderr);
    if (error)
        return error == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    int result = run_site(&site, argv[1], argv[2]);
    site_unload(&site);
    return result;
}

const struct cli_verb cli_agent_config = {
    .name = "agent-config",
    .arguments = "SITE HOST [--server NAME]",
    .summary = "print the configuration of flyball-agent on one host",
    .help =
        "Prints what flyball-agent(8) on HOST needs to know of the site, as its configuration: its number,\n"
        "the controller's address, its caps, the times of leases and how its draw at the wall is worked "
        "out.\n"
        "What only the host knows (its actuator and devices, folders) is left to be looked over "
        "there.\n\n"
        "  --server NAME   row of the site's `servers:` that is its controller\n\n"
        "Exit: 0 ok, 2 usage or no such host, 3 the file cannot be read, 4 the site has errors.\n",
    .run = agent_config,
};
