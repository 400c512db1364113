/* SPDX-License-Identifier: Apache-2.0 */
/* flyball meter: sends what meters send. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/meter/meter_options.h"
#include "cli/meter/meter_plant.h"
#include "cli/meter/meter_replay.h"
#include "cli/meter/meter_run.h"

static int complain(const char *what)
{
    fprintf(stderr, "flyball meter: %s\n", what);
    return CLI_USAGE;
}

static int wave_row(void *of, uint32_t meter, uint64_t n, double t_s, double row[SAMPLES_CHANNELS_MAX])
{
    meter_wave_row(of, meter, n, t_s, 1, row);
    return 0;
}

/* A packet goes one way: where it can go follows from its protocol. */
static int check_way(const struct meter_options *o, const struct meter_packer *by)
{
    if (by->ethernet && o->interface && o->capture)
        return complain("one of --interface and --capture");
    if (by->ethernet && (o->to || o->from))
        return complain("this protocol goes in Ethernet frames: --interface or --capture, not --to");
    if (!by->ethernet && o->interface)
        return complain("this protocol goes over UDP: --to, not --interface");
    if (by->ethernet ? !o->interface == !o->capture : !o->to)
        return complain(by->ethernet ? "where to? --interface NAME or --capture FILE"
                                     : "where to? --to ADDRESS:PORT");
    if (o->capture && !(o->seconds > 0) && !o->count && (!o->recording || o->again))
        return complain("a capture wants an end: --seconds or --count");
    if (o->start_ns && !o->capture)
        return complain("--start is for --capture: else packets leave in the time of this machine");
    return 0;
}

static int open_way(const struct meter_options *o, const struct meter_packer *by, struct meter_link *link)
{
    if (o->capture)
        return meter_link_capture(link, o->capture, by->ethernet ? NULL : o->to, o->from);
    return by->ethernet ? meter_link_interface(link, o->interface) : meter_link_udp(link, o->to, o->from);
}

static void tell(const struct meter_options *o, const struct meter_run *run)
{
    FILE *out = o->capture && !strcmp(o->capture, "-") ? stderr : stdout;

    if (o->json)
        fprintf(out,
                "{\"protocol\": \"%s\", \"meters\": %u, \"samples_per_s\": %.10g, \"block\": %u, "
                "\"blocks\": %" PRIu64 ", \"sent\": %" PRIu64 ", \"refused\": %" PRIu64 ", "
                "\"unmade\": %" PRIu64 ", \"late\": %" PRIu64 ", \"latest_ms\": %.3f, \"seconds\": %.3f}\n",
                run->pack->by->name, run->pack->ask.meters,
                run->pack->rate_hz, run->pack->block, run->blocks, run->sent, run->link->refused,
                run->pack->unmade, run->late,
                (double)run->latest_ns * 1e-6, (double)run->took_ns * 1e-9);
    else
        fprintf(out,
                "%" PRIu64 " packets of %u meters in %.1f s, %" PRIu64 " refused, %" PRIu64
                " late by more than 1 ms, the latest by %.3f ms\n", run->sent, run->pack->ask.meters,
                (double)run->took_ns * 1e-9, run->link->refused, run->late, (double)run->latest_ns * 1e-6);
}

/* Where nothing at all got out, that is no run. */
static int finish(const struct meter_options *o, const struct meter_run *run)
{
    if (!run->sent && run->link->refused)
        fprintf(stderr, "flyball meter: nothing was sent: %s\n", strerror(-run->link->error));
    else if (!run->sent && run->pack->unmade)
        fputs("flyball meter: nothing was sent: the protocol has no form for what was asked for\n", stderr);
    else
        tell(o, run);
    return run->sent || !(run->link->refused || run->pack->unmade) ? CLI_OK : CLI_CONNECT;
}

static int send_from(const struct meter_options *o, struct meter_pack *pack,
                     const struct meter_source *source)
{
    struct meter_link link = {.fd = -1};
    struct meter_run run = {.pack = pack, .source = *source, .link = &link, .seconds = o->seconds,
                            .count = o->count, .paced = !o->capture, .start_ns = o->start_ns};
    int rc = open_way(o, pack->by, &link);

    if (rc) {
        fprintf(stderr, "flyball meter: %s\n", link.why);
        meter_link_close(&link);
        return rc == -EINVAL ? CLI_USAGE : CLI_CONNECT;
    }
    rc = meter_run(&run);
    int closed = meter_link_close(&link);

    if (!rc && !closed)
        return finish(o, &run);
    fprintf(stderr, "flyball meter: %s\n", closed ? link.why : strerror(-rc));
    return CLI_CONNECT;
}

/* Orders of current, as the waveform was asked for. */
static void name_harmonics(struct meter_options *o)
{
    o->ask.harmonics = 50;
    o->ask.harmonic_pct[0] = 100;
    for (uint32_t k = 0; k < o->wave.parts; k++)
        if (o->wave.part[k].current && o->wave.part[k].order <= o->ask.harmonics)
            o->ask.harmonic_pct[o->wave.part[k].order - 1] += 100 * o->wave.part[k].share;
}

/* Where 16 bits end, where nobody says: well beyond what is known to come. */
static void set_ends(struct meter_options *o, double volts_most, double amperes_most)
{
    o->ask.nominal_hz = o->ask.frequency_hz < 55 ? 50 : 60;
    o->ask.volts_full = o->ask.volts_full > 0 ? o->ask.volts_full : 2 * volts_most + 1;
    o->ask.amperes_full = o->ask.amperes_full > 0 ? o->ask.amperes_full : 3.5 * amperes_most + 1;
}

static int pack_and_send(struct meter_options *o, const struct meter_packer *by, struct meter_replay *replay,
                         struct meter_source *source)
{
    struct meter_pack pack;
    int rc = meter_pack_init(&pack, by, &o->ask);

    if (!rc && replay) {
        rc = meter_replay_begin(replay, pack.rate_hz, source);
        snprintf(pack.why, sizeof pack.why, "so slow a rate cannot be made of the recording's");
    }
    rc = rc ? complain(rc == -EINVAL ? pack.why : strerror(-rc)) : send_from(o, &pack, source);
    meter_pack_finish(&pack);
    return rc;
}

static int send_wave(struct meter_options *o, const struct meter_packer *by)
{
    struct meter_source source = {.of = &o->wave, .row = wave_row};
    int rc = meter_wave_init(&o->wave);

    o->wave.seed = o->seed;
    o->ask.frequency_hz = o->wave.frequency_hz;
    o->ask.declared_v = o->wave.voltage_v;
    set_ends(o, 1.5 * o->wave.voltage_v, 1.5 * (o->wave.current_a + 1));
    name_harmonics(o);
    rc = rc ? complain(strerror(-rc)) : pack_and_send(o, by, NULL, &source);
    meter_wave_finish(&o->wave);
    return rc;
}

static int send_recording(struct meter_options *o, const struct meter_packer *by)
{
    struct meter_replay replay = {.again = o->again};
    struct meter_source source;
    int rc = meter_replay_open(&replay, o->recording, o->channel, o->channels);

    if (rc) {
        rc = recording_tell(&replay.recording, o->recording, rc);
    } else {
        o->ask.frequency_hz = replay.recording.line_hz > 0 ? replay.recording.line_hz : o->wave.frequency_hz;
        o->ask.declared_v = o->wave.voltage_v;
        set_ends(o, replay.volts_most, replay.amperes_most);
        rc = pack_and_send(o, by, &replay, &source);
    }
    meter_replay_finish(&replay);
    return rc;
}

static int send_plant(struct meter_options *o, const struct meter_packer *by)
{
    struct meter_plant *plant = calloc(1, sizeof *plant);
    struct meter_source source;
    int rc = plant ? meter_plant_open(plant, o->site, o->workload, o->seed, o->ask.meters, stderr) : -ENOMEM;

    if (rc) {
        rc = rc == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    } else {
        plant->frequency_hz = o->ask.frequency_hz = o->wave.frequency_hz;
        o->ask.meters = plant->meters;
        o->ask.site = plant->site.model.meter;
        o->ask.declared_v = plant->volts_most;
        set_ends(o, 1.5 * plant->volts_most, 3 * plant->amperes_most);
        meter_plant_begin(plant, &source);
        rc = pack_and_send(o, by, NULL, &source);
    }
    if (plant)
        meter_plant_finish(plant);
    free(plant);
    return rc;
}

static int run_meter(int argc, char **argv)
{
    struct meter_options o = {
        .seed = 0, .wave = {.voltage_v = 277.128129, .current_a = 600, .frequency_hz = 60, .lag_deg = 15},
        .ask = {.first = 1, .name = "meter-#", .vlan = -1, .synch = SV_SYNCH_GLOBAL, .config_every_s = 10}};

    if (meter_options_read(&o, argc, argv))
        return CLI_USAGE;
    const struct meter_packer *by = meter_packer_named(o.protocol);

    if (!by)
        return complain("--protocol is raw, sv, c37118 or upmu");
    if (check_way(&o, by))
        return CLI_USAGE;
    if (o.site)
        return send_plant(&o, by);
    o.seed = o.seed ? o.seed : 1;
    o.ask.meters = o.ask.meters ? o.ask.meters : 1;
    return o.recording ? send_recording(&o, by) : send_wave(&o, by);
}

const struct cli_verb cli_meter = {
    .name = "meter",
    .arguments = "--protocol NAME --to ADDRESS:PORT | --interface NAME | --capture FILE [OPTIONS]",
    .summary = "send what meters send: waveforms that are made, recordings, or a plant",
    .help = "  --protocol NAME    raw (samples), sv (sampled values in Ethernet frames), c37118, upmu\n"
            "  --to ADDRESS:PORT  where UDP goes; --from ADDRESS: whence\n"
            "  --interface NAME   where frames go; --vlan ID: with a tag\n"
            "  --capture FILE     to a file instead, as fast as it goes; of UDP with --to\n"
            "  --meters N         so many; --first N: number of the first, 1\n"
            "  --name TEXT        of a meter; '#' stands for its number\n"
            "  --rate HZ          samples a second; readings a second\n"
            "  --block N          samples in a packet\n"
            "  --seconds S        then it ends; --count N: after so many packets of each meter\n"
            "  --start NS         of a capture: time of the first sample, Unix; else now\n"
            "  --seed N           of noise\n"
            "  --json             what was sent, as one JSON object\n"
            "  --recording FILE   CSV or COMTRADE instead of a waveform, at the protocol's rate;\n"
            "                     --again: over and over; --channels N,...: as for flyball measure\n"
            "  --plant SITE --workload FILE   what flows at the meters of a site that is played\n"
            "  --clock NAME       none, local, global: what the meter says of its clock\n"
            "  --neutral          send the neutral, too\n"
            "  --cfg3             c37118: CFG-3 instead of CFG-2; --cfg-every S: again after so long, 10\n"
            "  --volts-full V, --amperes-full A   where 16 bits end\n\n"
            "The waveform:\n"
            "  --voltage V, --current A, --frequency HZ, --lag DEGREES   per phase; 277.1, 600, 60, 15\n"
            "  --harmonic v5,2,30 5th of volts, 2 %, 30 degrees; i for amperes\n"
            "  --noise PERCENT, --unbalance PERCENT\n"
            "  --sag 1,0.1,70     at 1 s for 0.1 s to 70 %\n"
            "  --step 1,1.65,0.008  at 1 s to 1.65 times the current, over 8 ms\n"
            "  --swing 2,20       twice a second the current swings by 20 % either way\n",
    .run = run_meter,
};
