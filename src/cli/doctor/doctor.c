/* SPDX-License-Identifier: Apache-2.0 */
/* flyball doctor: what this host lacks for hard real time, why it matters, how to mend and undo it. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/doctor/doctor_change.h"
#include "cli/doctor/doctor_file.h"
#include "site/site.h"

struct arguments {
    const char *site, *server, *cores, *root;
    bool json, all, fix, undo;
};

static int usage(const char *text)
{
    fprintf(stderr, "flyball doctor: %s; see flyball doctor --help\n", text);
    return CLI_USAGE;
}

static int parse(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"server", required_argument, NULL, 's'}, {"cores", required_argument, NULL, 'c'},
        {"root", required_argument, NULL, 'r'},   {"json", no_argument, NULL, 'j'},
        {"all", no_argument, NULL, 'a'},          {"fix", no_argument, NULL, 'f'},
        {"undo", no_argument, NULL, 'u'},         {NULL, 0, NULL, 0}};
    int option;
    optind = 1;
    arguments->root = "";
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's': arguments->server = optarg; break;
        case 'c': arguments->cores = optarg; break;
        case 'r': arguments->root = strcmp(optarg, "/") ? optarg : ""; break;
        case 'j': arguments->json = true; break;
        case 'a': arguments->all = true; break;
        case 'f': arguments->fix = true; break;
        case 'u': arguments->undo = true; break;
        default: return CLI_USAGE;
        }
    }
    if (argc > optind + 1)
        return usage("one site file at most");
    arguments->site = argv[optind];
    if (arguments->server && !arguments->site)
        return usage("--server is a row of a site file: give that");
    if (arguments->undo && (arguments->fix || arguments->site || arguments->cores))
        return usage("--undo goes alone");
    return CLI_OK;
}

static void take_cores_of_row(const struct site_server *server, struct rt_cores *cores)
{
    rt_cores_add(cores, server->decide_core);
    for (uint32_t i = 0; i < server->lane_cores; i++)
        rt_cores_add(cores, server->lane_core[i]);
}

/* What somebody isolated is meant for the loop; else the last core, as the demo has it. */
static void guess_cores(struct doctor *doctor, const struct rt_cores *online)
{
    char list[DOCTOR_TEXT_BYTES];
    doctor->guessed = true;
    if (doctor_read(doctor, list, sizeof list, "/sys/devices/system/cpu/isolated") > 0 &&
        !rt_cores_parse(list, &doctor->loop) && !rt_cores_empty(&doctor->loop))
        return;
    memset(&doctor->loop, 0, sizeof doctor->loop);
    int last = rt_cores_next(online, 0);
    for (int core = last; core >= 0; core = rt_cores_next(online, core + 1))
        last = core;
    rt_cores_add(&doctor->loop, last);
}

static int find_cores(const struct arguments *arguments, struct doctor *doctor)
{
    if (doctor->server)
        take_cores_of_row(doctor->server, &doctor->loop);
    if (arguments->cores && (rt_cores_parse(arguments->cores, &doctor->loop) ||
                             rt_cores_empty(&doctor->loop))) {
        fprintf(stderr, "flyball doctor: --cores wants a list like 2,4-5 of cores below %d, not '%s'\n",
                RT_CORES, arguments->cores);
        return CLI_USAGE;
    }
    char list[DOCTOR_TEXT_BYTES];
    struct rt_cores online;
    int error = doctor_read(doctor, list, sizeof list, "/sys/devices/system/cpu/online");
    if (error < 0 || rt_cores_parse(list, &online) || rt_cores_empty(&online)) {
        fprintf(stderr, "flyball doctor: %s/sys/devices/system/cpu/online: %s\n", doctor->root,
                error < 0 ? strerror(-error) : "not a list of cores");
        return CLI_CONNECT;
    }
    if (rt_cores_empty(&doctor->loop))
        guess_cores(doctor, &online);
    doctor->others = rt_cores_less(&online, &doctor->loop);
    return CLI_OK;
}

static int open_notes(const struct arguments *arguments, struct doctor *doctor)
{
    int error = arguments->fix ? doctor_open_notes(doctor) : 0;
    if (error)
        fprintf(stderr, "flyball doctor: %s" DOCTOR_NOTES ": %s; nothing was changed\n", arguments->root,
                strerror(-error));
    return error ? CLI_CONNECT : CLI_OK;
}

static int undo(const struct arguments *arguments)
{
    int failed = doctor_undo(arguments->root, stdout);
    if (failed == -ENOENT)
        puts("nothing was changed by --fix since this host started, or all was put back");
    else if (failed < 0)
        fprintf(stderr, "flyball doctor: %s" DOCTOR_NOTES ": %s\n", arguments->root, strerror(-failed));
    return failed == -ENOENT || !failed ? CLI_OK : failed > 0 ? CLI_ALARM : CLI_CONNECT;
}

static int examine(const struct arguments *arguments, struct doctor *doctor)
{
    struct doctor_finding found[DOCTOR_CHECKS_MAX] = {0};
    int error = find_cores(arguments, doctor);
    if (!error)
        error = open_notes(arguments, doctor);
    if (error)
        return error;
    uint32_t lacking = doctor_look(doctor, found);
    if (doctor->undo) {
        doctor_mend(doctor, found);
        fclose(doctor->undo);
        lacking = 0;
        for (uint32_t i = 0; doctor_table[i].name; i++)
            lacking += found[i].state == DOCTOR_LACKS;
    }
    if (arguments->json)
        doctor_print_json(stdout, doctor, found);
    else
        doctor_print_text(stdout, doctor, found, arguments->all);
    return lacking ? CLI_ALARM : CLI_OK;
}

static int run_doctor(int argc, char **argv)
{
    struct arguments arguments = {0};
    int result = parse(argc, argv, &arguments);
    if (result || arguments.undo)
        return result ? result : undo(&arguments);
    struct doctor doctor = {.root = arguments.root};
    struct site *site = NULL;
    if (arguments.site) {
        site = calloc(1, sizeof *site);
        int error = site ? site_load_unmeasured(site, arguments.site, arguments.server, stderr) : -ENOMEM;
        if (error) {
            free(site);
            return error == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
        }
        doctor.server = &site->server;
    }
    result = examine(&arguments, &doctor);
    if (site)
        site_unload(site);
    free(site);
    return result;
}

const struct cli_verb cli_doctor = {
    .name = "doctor",
    .arguments = "[SITE [--server NAME]] [--cores LIST] [--all] [--json] [--fix | --undo] [--root DIR]",
    .summary = "what this host lacks for hard real time, why it matters, how to mend and undo it",
    .help =
        "SITE says which cores the loop has, how much memory and which ports; --server which row of it.\n"
        "--cores LIST  the loop's cores, where there is no site yet; else what is isolated, or the last one\n"
        "--all         tell why and how of what is well, too\n"
        "--fix         mend what can be mended safely while the host runs; what was there is noted first\n"
        "--undo        put back what --fix replaced since the host started\n"
        "--root DIR    look below DIR instead of /\n"
        "Exit code: 0 nothing lacks, 1 something does, 2 usage, 3 the kernel's files cannot be read or\n"
        "notes not written, 4 bad site file.\n",
    .run = run_doctor,
};
