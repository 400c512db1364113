/* SPDX-License-Identifier: Apache-2.0 */
/* flyball sim: a site under the controller in virtual time, and all that may befall it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/sim/show.h"

static int write_json(const struct sim_run *run, const struct sim_shrunk *shrunk)
{
    const char *path = run->options->json;
    bool to_stdout = !strcmp(path, "-");
    FILE *out = to_stdout ? stdout : fopen(path, "we");
    if (!out) {
        fprintf(stderr, "flyball sim: %s: %s\n", path, strerror(errno));
        return CLI_CONNECT;
    }
    bool failed = sim_json(run, shrunk, out) != 0;
    fputc('\n', out);
    failed = failed || ferror(out);
    if (!to_stdout)
        failed = fclose(out) || failed;
    if (failed)
        fprintf(stderr, "flyball sim: %s could not be written whole\n", path);
    return failed ? CLI_CONNECT : CLI_OK;
}

/* Before hours are played: is it a file that can be written? */
static int try_json(const char *path)
{
    if (!path || !strcmp(path, "-"))
        return CLI_OK;
    FILE *out = fopen(path, "ae");
    if (out && !fclose(out))
        return CLI_OK;
    fprintf(stderr, "flyball sim: %s: %s\n", path, strerror(errno));
    return CLI_CONNECT;
}

/* A history that a command can hold; false where none was found. */
static bool shorten(struct sim_run *run, struct sim_shrunk *shrunk)
{
    fprintf(stderr,
            "flyball sim: looking for a shorter history that fails so, in up to %d runs (--no-shrink: "
            "without)\n",
            SIM_SHRINK_RUNS);
    if (sim_shrink(run, shrunk))
        fputs("flyball sim: no memory to shorten the history\n", stderr);
    else if (shrunk->history.count > SIM_FAULTS_MAX)
        fprintf(stderr, "flyball sim: %u faults are left after %u runs: no shorter command\n",
                shrunk->history.count, shrunk->runs);
    else
        return true;
    history_finish(&shrunk->history);
    return false;
}

static int tell(struct sim_run *run)
{
    bool to_stdout = run->options->json && !strcmp(run->options->json, "-");
    FILE *words = to_stdout ? stderr : stdout;
    struct sim_shrunk shrunk;
    int result = CLI_OK;
    sim_show(run, words);
    fflush(words);
    bool shortened = run->broken && !run->options->no_shrink && shorten(run, &shrunk);
    if (shortened)
        sim_show_shrunk(run, &shrunk, words);
    if (run->options->json)
        result = write_json(run, shortened ? &shrunk : NULL);
    if (shortened)
        history_finish(&shrunk.history);
    return result ? result : run->broken ? CLI_ALARM : CLI_OK;
}

static int sim(int argc, char **argv)
{
    struct sim_options options;
    struct sim_run run;
    int result = sim_parse(argc, argv, &options);
    if (result)
        return result;
    if (options.list) {
        sim_show_list(stdout);
        return CLI_OK;
    }
    result = sim_open(&run, &options);
    if (!result)
        result = try_json(options.json);
    if (!result) {
        int error = sim_run_whole(&run);
        if (error)
            fprintf(stderr, "flyball sim: the run: %s\n", strerror(-error));
        result = error ? CLI_CONNECT : tell(&run);
    }
    sim_close(&run);
    return result;
}

const struct cli_verb cli_sim = {
    .name = "sim",
    .arguments = "SITE --scenario NAME | --random [--faults LEVEL] [--seed N] [--hours H] | --fault TEXT ...",
    .summary = "run a site under the controller in virtual time, while things go wrong",
    .help =
        "Steps hosts, wires, breakers, meters, the network and the controller's own pipeline in virtual "
        "time,\n"
        "plays what goes wrong, and judges the run by the plant's truth. The same command, the same run.\n\n"
        "  --scenario NAME|N     a numbered scenario; its bounds are of a site of its own, on any other "
        "site\n"
        "                        it is judged by trips, guard hits and short exposures alone\n"
        "  --list                the scenarios\n"
        "  --random              faults drawn by the seed\n"
        "  --faults LEVEL        none, some (the default), many, hostile\n"
        "  --fault TEXT          one more fault, as the output shows them; repeatable. With --scenario:\n"
        "                        instead of its own\n"
        "  --workload FILE       what hosts want; without it a workload is made for the site\n"
        "  --trace DIR           hosts want what measured power says: one CSV a workload, header "
        "t_s,power_w\n"
        "  --stagger TIME        each host's copy of a trace is so much later than that of the host before\n"
        "  --scale SHARE|FACTOR  share of phys_max at which a trace's highest row lies (95%), or a factor\n"
        "  --seed N              of demand, hardware, network and faults; default: the workload's own\n"
        "  --hours H             virtual hours; or\n"
        "  --duration TIME       default: as the workload or scenario says, else 6 min\n"
        "  --only LIST           of the faults drawn keep these numbers only: 3,17,40-45, or none\n"
        "  --until TIME          end there; faults are drawn for the whole duration\n"
        "  --no-shrink           of a run that fails show no shorter history\n"
        "  --server NAME         row of the site's `servers:`\n"
        "  --json FILE|-         one JSON object; with `-` the words go to standard error\n\n"
        "Exit: 0 all bounds hold, 1 something tripped or a bound is broken, 2 usage, 3 a file, 4 the site "
        "or\n"
        "workload file has errors.\n",
    .run = sim,
};
