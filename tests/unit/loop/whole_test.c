/* SPDX-License-Identifier: Apache-2.0 */
/* The loop whole, its threads running, on ports in memory: one hot thread or several, one queue a port or
 * two, the door asked all the while. The test that a race detector is to watch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/account.h"
#include "core/core.h"
#include "frames.h"
#include "loop/loop.h"
#include "loop/verdict.h"
#include "port/ip/arp.h"

enum { FRAME_ROOM = 2048, FAR_MAC = 9, ROUNDS = 120, REPORT_EVERY = 10, ROUND_MS = 5, THROUGH_MS = 20000,
       STOPS = 15, BURST_FRAMES = 400, CUT_EVERY = 30 };

/* How the server's row differs from run to run. */
struct row {
    uint32_t queues;                /* of each port */
    int lane_core[2], decide_core;
};

struct bed {
    struct site site;
    struct loop loop;
    struct port far[PORTS_MAX];     /* the other ends: meters, hosts */
    struct frames_from meters, hosts;
    uint64_t measurements, reports, leases, strays;
    uint64_t asked, tokens;         /* requests for power ahead of time, and their answers */
    uint64_t arps[PORTS_MAX], answers;
    pthread_t asker;
    _Atomic bool stop_asking;
    uint64_t documents;
    char folder[32], ledger[64];
};

static int64_t realtime_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void rest(int ms)
{
    const struct timespec time = {.tv_nsec = ms * NS_PER_MS};
    nanosleep(&time, NULL);
}

/* The demo's site on ports in memory, asking the machine for nothing. */
static void load(struct bed *bed, const struct row *row)
{
    const char *path = getenv("FLYBALL_DEMO_SITE");
    assert_non_null(path);
    assert_int_equal(site_load(&bed->site, path, "default", stderr), 0);
    struct site_server *server = &bed->site.server;
    for (uint32_t i = 0; i < server->port_count; i++) {
        strcpy(server->port[i].driver, "synthetic");
        server->port[i].ring_frames = 1024;
        server->port[i].queues = row->queues;
        /* 198.18.0.1: no kernel has it, whoever runs beside */
        server->port[i].own.ipv4 = 0xC6120001 + i;
    }
    memcpy(server->lane_core, row->lane_core, sizeof row->lane_core);
    server->lane_cores = 2;
    server->decide_core = row->decide_core;
    server->housekeeping_core = -1;
    server->priority = 0;
    server->lock_memory = false;
    server->journal[0] = 0;
}

static struct frames_from from_far(const struct bed *bed, uint32_t port)
{
    const struct site_port *row = &bed->site.server.port[port];
    struct frames_from from = {
        .from = {.mac = {2, 0, 0, 0, 0, FAR_MAC}, .ipv4 = row->own.ipv4 + 1, .port = 9000},
        .to = {.ipv4 = row->own.ipv4, .port = row->own.port},
        .sequence = (uint64_t)realtime_ns()};
    memcpy(from.to.mac, bed->loop.port[port].mac, 6);
    return from;
}

static void open_far(struct bed *bed)
{
    for (uint32_t i = 0; i < PORTS_MAX; i++) {
        const struct site_port *row = &bed->site.server.port[i];
        struct port_config config = {.driver = "synthetic", .interface = row->interface, .mtu = row->mtu,
                                     .ring_frames = row->ring_frames, .queues = row->queues,
                                     .housekeeping_core = -1};
        assert_int_equal(port_open(&bed->far[i], &config), 0);
        for (uint32_t q = 0; q < row->queues; q++)
            assert_int_equal(port_attach(&bed->far[i], q), 0);
    }
    bed->meters = from_far(bed, 0);
    bed->hosts = from_far(bed, 1);
}

static void *ask(void *argument)
{
    struct bed *bed = argument;
    while (!atomic_load(&bed->stop_asking)) {
        char *text = NULL;
        size_t bytes = 0;
        FILE *out = open_memstream(&text, &bytes);
        loop_document(&bed->loop, out);
        fclose(out);
        if (bytes < 100 || text[0] != '{')
            abort();
        free(text);
        bed->documents++;
    }
    return NULL;
}

/* What `flyball check` says of memory is what the arena is made of, to the cache line. */
static void assert_measured(struct bed *bed)
{
    struct loop_memory m;
    assert_int_equal(loop_measure(&bed->site, &m), 0);
    assert_int_equal(m.paths + m.view + m.core + m.ring + m.queues + m.tap + m.spectra, m.total);
    size_t arena = m.total - m.spectra - bed->loop.share.bytes;
    assert_in_range(bed->loop.arena.used, arena - 63, arena);
    assert_true(m.view > bed->loop.share.bytes);
    assert_true(bed->loop.arena.bytes >= arena && m.core >= core_bytes(&bed->site.model));
    assert_in_range(m.core, core_bytes(&bed->site.model), core_bytes(&bed->site.model) + 63);
}

/* So is what is said of waves. */
static void assert_spectra_measured(const struct bed *bed)
{
    struct loop_memory m;
    assert_int_equal(loop_measure(&bed->site, &m), 0);
    assert_true(m.spectra > 0);
    assert_in_range(bed->loop.spectra.arena.used, m.spectra, m.spectra + 63);
}

/* Where one thread decides and sends, it sends first: leases of a slot that is not in the ring yet. */
static void assert_hand_known(const struct bed *bed)
{
    const struct path *path = &bed->loop.path;
    bool together = false;
    for (uint32_t i = 0; i < bed->loop.crew.threads; i++) {
        uint32_t roles = bed->loop.crew.thread[i].roles;
        together |= roles & HOT_DECIDE && roles & HOT_SEND;
    }
    assert_ptr_equal(path->egress->hand, together ? &path->decide->slot : NULL);
}

static void start(struct bed *bed, const struct row *row)
{
    memset(bed, 0, sizeof *bed);
    strcpy(bed->folder, "/dev/shm/flyball-XXXXXX");
    assert_non_null(mkdtemp(bed->folder));
    snprintf(bed->ledger, sizeof bed->ledger, "%s/ledger", bed->folder);
    struct loop_options options = {.journal = "", .door = "", .ledger = bed->ledger};
    load(bed, row);
    assert_int_equal(loop_build(&bed->loop, &bed->site, &options), 0);
    assert_measured(bed);
    /* nothing came before the ports were opened */
    for (uint32_t i = 0; i < bed->loop.path.lanes; i++)
        assert_true(bed->loop.path.lane[i].t_empty_ns > 0 &&
                    bed->loop.path.lane[i].t_poll_ns == bed->loop.path.lane[i].t_empty_ns);
    open_far(bed);
    assert_int_equal(loop_start(&bed->loop, stderr), 0);
    assert_spectra_measured(bed);
    assert_hand_known(bed);
    assert_int_equal(pthread_create(&bed->asker, NULL, ask, bed), 0);
}

/* Everybody's next frame comes by the other queue. */
static void send_one(struct bed *bed, uint32_t port, uint64_t turn, struct port_frame frame)
{
    uint32_t queue = (uint32_t)(turn % bed->site.server.port[port].queues);
    while (!port_send(&bed->far[port], queue, &frame, 1))
        rest(1);
}

/* Who asks for the port asks by every queue of it: the one thread that answers takes from all lanes. */
static void ask_arp(struct bed *bed, uint32_t port)
{
    const struct frames_from *far = port ? &bed->hosts : &bed->meters;
    uint8_t data[FRAME_ROOM];
    const struct arp arp = {.operation = ARP_REQUEST, .sender_mac = {2, 0, 0, 0, 0, FAR_MAC},
                            .sender_ipv4 = bed->site.server.port[port].own.ipv4 + 1,
                            .target_ipv4 = bed->site.server.port[port].own.ipv4};
    const struct port_frame frame = {.data = data, .length = arp_build(data, &far->from, far->to.mac, &arp)};
    for (uint32_t q = 0; q < bed->site.server.port[port].queues; q++, bed->arps[port]++)
        send_one(bed, port, q, frame);
}

/* A link that went down since it was looked at: it is found up again. */
static void cut_link(struct bed *bed, uint32_t port)
{
    atomic_fetch_add(&bed->loop.links.state[port], 1);
}

/* All leases leave by the transmit queue of one lane. */
static void take_leases(struct bed *bed)
{
    struct port_frame frame[BURST_MAX];
    const struct crew_lane *lane = &bed->loop.crew.lane[bed->loop.crew.sending_lane];
    for (uint32_t port = 0; port < PORTS_MAX; port++)
        for (uint32_t q = 0; q < bed->site.server.port[port].queues; q++)
            for (uint32_t got; (got = port_receive(&bed->far[port], q, frame, BURST_MAX)) > 0;)
                for (uint32_t i = 0; i < got; i++) {    /* IPv4; what else comes is ARP */
                    bool token =
                        frame[i].data[13] == 0 && frame[i].data[UDP_HEADERS + 5] == FRAME_TOKEN_RESPONSE;
                    uint64_t *expected = token ? &bed->tokens : &bed->leases;
                    *(port == lane->port && q == lane->queue ? expected : &bed->strays) +=
                        frame[i].data[13] == 0;
                    bed->answers += frame[i].data[13] == 6 && frame[i].data[21] == ARP_REPLY;
                }
}

static void play(struct bed *bed)
{
    const struct model *model = &bed->site.model;
    uint8_t data[FRAME_ROOM];
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        for (uint32_t i = 0; i < model->meter_count; i++, bed->measurements++) {
            bed->meters.sequence++;
            send_one(bed, 0, round + i,
                     frames_measurement(data, &bed->meters, model->meter[i].name, realtime_ns()));
        }
        for (uint32_t i = 0; round % REPORT_EVERY == 1 && i < model->host_count; i++, bed->reports++) {
            bed->hosts.sequence++;
            bed->hosts.from.ipv4 = bed->site.host_address[i].ipv4;
            send_one(bed, 1, round / REPORT_EVERY + i, frames_report(data, &bed->hosts, i, round));
        }
        for (uint32_t i = 0; round % REPORT_EVERY == 2 && i < model->host_count; i++, bed->asked++) {
            bed->hosts.sequence++;
            bed->hosts.from.ipv4 = bed->site.host_address[i].ipv4;
            send_one(bed, 1, round / REPORT_EVERY + i, frames_token_request(data, &bed->hosts, i, round));
        }
        for (uint32_t port = 0; port < PORTS_MAX; port++) {
            ask_arp(bed, port);
            if (round % CUT_EVERY == 0)
                cut_link(bed, port);
        }
        rest(ROUND_MS);
        take_leases(bed);
    }
}

/* Of all lanes of a port. */
static uint64_t frames_of(const struct bed *bed, uint32_t port)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < bed->loop.path.lanes; i++)
        if (bed->loop.crew.lane[i].port == port)
            sum += count_read(&bed->loop.path.lane[i].counters.frames);
    return sum;
}

static uint64_t accepted_of(const struct bed *bed, uint32_t port)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < bed->loop.path.lanes; i++)
        if (bed->loop.crew.lane[i].port == port)
            sum += count_read(&bed->loop.path.lane[i].counters.accepted);
    return sum;
}

static uint64_t refused_of(const struct bed *bed, uint32_t port, int refusal)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < bed->loop.path.lanes; i++)
        if (bed->loop.crew.lane[i].port == port)
            sum += count_read(&bed->loop.path.lane[i].counters.refused[refusal]);
    return sum;
}

static uint64_t waiting(const struct loop *loop)
{
    uint64_t sum = spsc_depth(&loop->normal) + spsc_depth(&loop->emergency) + spsc_depth(&loop->returns);
    for (uint32_t i = 0; i < loop->path.lanes; i++)
        sum += spsc_depth(&loop->lane_queue[i]);
    return sum;
}

/* Requests set aside and not yet answered. */
static uint64_t ip_rest(const struct bed *bed)
{
    uint64_t rest = 0;
    for (uint32_t i = 0; i < PORTS_MAX; i++)
        rest += bed->arps[i] - ip_counted(bed->loop.ip[i], IP_ARP_ANSWERED) -
                ip_counted(bed->loop.ip[i], IP_OVERFLOWED) - ip_counted(bed->loop.ip[i], IP_RATE_LIMITED);
    return rest;
}

static bool all_through(const struct bed *bed)
{
    return !waiting(&bed->loop) && frames_of(bed, 0) == bed->measurements + bed->arps[0] &&
           frames_of(bed, 1) == bed->reports + bed->asked + bed->arps[1] && ip_rest(bed) == 0;
}

/* On a busy machine the hot threads may come late: they are given time, then they must have taken
 * everything. */
static void stop(struct bed *bed)
{
    for (int i = 0; i < THROUGH_MS && !all_through(bed); i++)
        rest(1);
    loop_stop(&bed->loop);
    take_leases(bed);
}

/* What went in came out again or was counted, and no number disagrees with another. */
static void check(struct bed *bed)
{
    const struct path *path = &bed->loop.path;
    const struct core_counters *core = core_counters(bed->loop.core);
    uint64_t digests = count_read(&bed->loop.drain.slots) - count_read(&path->decide->counters.slots);

    /* from two queues, frames of one sender may be taken in another order than they were sent: it is
     * counted */
    uint64_t passed[PORTS_MAX];
    for (uint32_t i = 0; i < PORTS_MAX; i++) {
        passed[i] = refused_of(bed, i, REFUSED_REORDERED) + refused_of(bed, i, REFUSED_HELD);
        assert_true(bed->loop.crew.roaming || !refused_of(bed, i, REFUSED_HELD));
        assert_true(bed->site.server.port[i].queues > 1 || !passed[i]);
    }
    assert_int_equal(accepted_of(bed, 0) + refused_of(bed, 0, REFUSED_STALE) + passed[0], bed->measurements);
    assert_int_equal(accepted_of(bed, 1) + passed[1], bed->reports + bed->asked);
    assert_true(accepted_of(bed, 0) >= bed->measurements / 4 && accepted_of(bed, 1) >= bed->reports / 4);
    assert_int_equal(core->readings, accepted_of(bed, 0));
    uint64_t requests = 0;
    for (uint32_t i = 0; i < path->lanes; i++)
        requests += count_read(&path->lane[i].counters.token_requests);
    assert_int_equal(core->reports + requests, accepted_of(bed, 1));
    /* every request is answered, over the wire, once */
    assert_true(requests >= bed->asked / 4);
    assert_int_equal(core->tokens_granted + core->tokens_denied + core->tokens_repeated, requests);
    assert_int_equal(bed->tokens, requests);
    for (uint32_t i = 0; i < path->lanes; i++)
        assert_true(count_read(&path->lane[i].counters.frames) > 0);
    assert_int_equal(bed->strays, 0);
    uint64_t answered = 0;
    for (uint32_t i = 0; i < PORTS_MAX; i++) {
        answered += ip_counted(bed->loop.ip[i], IP_ARP_ANSWERED);
        /* down and up again, as often as somebody came to look between */
        assert_true(link_changes(&bed->loop.links, i) >= 2);
    }
    assert_int_equal(ip_rest(bed), 0);
    assert_int_equal(bed->answers, answered);
    assert_true(answered >= ROUNDS);
    assert_true(bed->leases >= core->reports);   /* every report is answered at once */
    assert_int_equal(count_read(&path->egress->counters.sent), bed->leases + bed->tokens);
    assert_int_equal(core->leases, bed->leases);
    assert_int_equal(count_read(&path->decide->counters.tap_dropped[CLASS_READING]), 0);
    assert_true(digests <= 30);
    assert_true(bed->documents > 0);
    assert_int_equal(path->egress->sent.live.count, bed->leases + bed->tokens);
    assert_int_equal(core->invariant_failures, 0);
}

/* Whatever a host was told or has told last stands in the ledger of the next controller. */
static void check_ledger(struct bed *bed)
{
    static struct slot_account kept[HOSTS_MAX];
    struct account_file file;
    struct model patient = bed->site.model;     /* however long this machine took until here */
    uint64_t epoch = 0, told = 0;
    int64_t now_ns = timebase_now_ns(&bed->loop.base);
    pid_t holder;
    patient.policy.lease_ns = 3600 * NS_PER_S;
    assert_int_equal(account_open(&file, bed->ledger, &holder), 0);
    assert_int_equal(account_read(&file, &patient, now_ns, kept, &epoch), ACCOUNT_WHOLE);
    account_close(&file);
    assert_true(epoch == bed->loop.epoch);
    for (uint32_t host = 0; host < patient.host_count; host++) {
        struct slot_account now;
        core_account(bed->loop.core, host, &now);
        assert_int_equal(kept[host].incarnation, now.incarnation);
        assert_int_equal(kept[host].report, now.report);
        assert_int_equal(kept[host].sequence, now.sequence);
        assert_int_equal(kept[host].newest_mw, now.newest_mw);
        assert_int_equal(kept[host].exposed_mw, now.exposed_mw);
        assert_int_equal(kept[host].bounded, now.bounded);
        told += now.sequence > 0;
    }
    assert_int_equal(told, patient.host_count);
}

/* Every node of the demo site has a device and a meter: from the site file to the view and the document. What
 * a start assumes of heat rises for as long as nothing is measured: on a machine that starved the whole of
 * this for seconds up to where it trips. */
static void check_heat(struct bed *bed)
{
    uint32_t told = 0, unknown = 0;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    loop_document(&bed->loop, out);
    fclose(out);
    for (const char *at = text; (at = strstr(at, "\"heat_pct\": ")); at++, told++)
        unknown += !strncmp(at, "\"heat_pct\": null", 16);
    free(text);
    assert_int_equal(told, bed->site.model.node_count);
    assert_int_equal(unknown, 0);
    int64_t took_ms = (timebase_now_ns(&bed->loop.base) - bed->loop.t_start_ns) / NS_PER_MS;
    int64_t most_ppm = took_ms > 5 * ROUNDS * ROUND_MS ? 1000000 : 999999;
    print_message("%lld ms from its start\n", (long long)took_ms);
    for (uint32_t n = 0; n < bed->site.model.node_count; n++) {
        struct core_node_view node;
        assert_true(view_read_node(&bed->loop.view, n, &node));
        assert_in_range(node.heat.heat_ppm, 1, most_ppm);
        assert_true(node.heat.admissible_ma >= bed->site.model.node[n].steady_ma);
        assert_true(node.heat.trips <= ELEMENT_ROLE_COUNT && node.heat.binds <= ELEMENT_ROLE_COUNT);
    }
}

static uint32_t count_of(struct bed *bed, const char *words)
{
    uint32_t count = 0;
    size_t bytes = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &bytes);
    loop_document(&bed->loop, out);
    fclose(out);
    for (const char *at = text; (at = strstr(at, words)); at++)
        count++;
    free(text);
    return count;
}

/* Load that meters found is told where it is and above: on the phase that has most, beside what the site file
 * has there; and where it leaves less than fail-safe caps need. */
static void check_other(struct bed *bed)
{
    static const int64_t learnt_mva[][PHASES] = {{0, 0, 0}, {1000000, 3000000, 2000000},
                                                 {60000000, 60000000, 60000000}};
    static const struct {
        const char *words;
        uint32_t count[3];
    } said[] = {
        {"\"other_learnt_a\": 0.00, \"outgrown\": false", {9, 7, 7}},
        {"\"other_a\": 1.41, \"other_learnt_a\": 11.40, \"outgrown\": false", {0, 1, 0}},
        {"\"other_a\": 2.81, \"other_learnt_a\": 11.40, \"outgrown\": false", {0, 1, 0}},
        {"\"other_a\": 1.41, \"other_learnt_a\": 227.90, \"outgrown\": true", {0, 0, 1}},
        {"\"other_learnt_a\": 227.90, \"outgrown\": false", {0, 0, 1}},
    };
    const struct model *model = &bed->site.model;
    uint32_t branch = 0;
    while (model->node[branch].kind != NODE_BRANCH)
        branch++;
    for (uint32_t i = 0; i < 3; i++) {
        residual_hand(&bed->loop.core->residual, model->node[branch].meter, learnt_mva[i],
                      timebase_now_ns(&bed->loop.base));
        view_refresh_all(&bed->loop.view, bed->loop.core);
        for (uint32_t j = 0; j < sizeof said / sizeof *said; j++)
            assert_int_equal(count_of(bed, said[j].words), said[j].count[i]);
    }
}

static void end(struct bed *bed)
{
    for (uint32_t i = 0; i < PORTS_MAX; i++)
        port_close(&bed->far[i]);
    loop_close(&bed->loop);
    unlink(bed->ledger);
    assert_int_equal(rmdir(bed->folder), 0);
    site_unload(&bed->site);
}

static void stop_asking(struct bed *bed)
{
    atomic_store(&bed->stop_asking, true);
    pthread_join(bed->asker, NULL);
}

static void run(const struct row *row, uint32_t threads)
{
    static struct bed bed;
    start(&bed, row);
    assert_int_equal(bed.loop.hots, threads);
    play(&bed);
    struct verdict verdict;
    const struct verdict_surroundings around = {0};
    verdict_make(&verdict, &bed.site.model, &bed.loop.view, &around, bed.loop.t_start_ns,
                 timebase_now_ns(&bed.loop.base));
    stop(&bed);
    stop_asking(&bed);      /* the door answers until the threads are gone, and after */
    print_message("%s; %llu documents, %llu leases, %llu frames passed others\n", verdict.words,
                  (unsigned long long)bed.documents, (unsigned long long)bed.leases,
                  (unsigned long long)(bed.measurements + bed.reports + bed.asked - accepted_of(&bed, 0) -
                                       accepted_of(&bed, 1)));
    check(&bed);
    check_heat(&bed);
    check_other(&bed);
    check_ledger(&bed);
    end(&bed);
}

/* Cores that a machine lacks: the thread says so and runs anywhere. */
enum { CORE_A = 900, CORE_B, CORE_C };

static void one_hot_thread_does_it_all(void **state)
{
    (void)state;
    run(&(struct row){1, {-1, -1}, -1}, 1);
}

static void two_hot_threads_share_the_path(void **state)
{
    (void)state;
    run(&(struct row){1, {CORE_A, CORE_A}, CORE_B}, 2);
}

static void two_queues_a_port_on_one_thread(void **state)
{
    (void)state;
    run(&(struct row){2, {-1, -1}, -1}, 1);
}

static void two_queues_a_port_on_a_thread_beside_decide(void **state)
{
    (void)state;
    run(&(struct row){2, {CORE_A, CORE_A}, CORE_B}, 2);
}

static void two_queues_a_port_on_three_threads_and_senders_that_move(void **state)
{
    (void)state;
    run(&(struct row){2, {CORE_A, CORE_B}, CORE_C}, 3);
}

static void second_start_after_a_stop_is_a_higher_epoch(void **state)
{
    (void)state;
    static struct bed bed;
    uint64_t before = 0;

    for (int turn = 0; turn < 2; turn++) {
        start(&bed, &(struct row){1, {-1, -1}, -1});
        assert_true(bed.loop.epoch > before);
        before = bed.loop.epoch;
        stop_asking(&bed);
        stop(&bed);
        end(&bed);
    }
}

/* What a port gives less of than was asked for does not stop the start, and does not stay unsaid. */
static void start_tells_what_a_port_gives_less_of(void **state)
{
    (void)state;
    static struct bed bed;
    struct loop_options options = {.journal = "", .door = ""};
    char *text = NULL;
    size_t bytes = 0;
    memset(&bed, 0, sizeof bed);
    load(&bed, &(struct row){1, {-1, -1}, -1});
    assert_int_equal(loop_build(&bed.loop, &bed.site, &options), 0);
    strcpy(bed.loop.port[1].note, "room for 166 frames, ring 32768 was asked for");
    FILE *notes = open_memstream(&text, &bytes);
    assert_int_equal(loop_start(&bed.loop, notes), 0);
    fclose(notes);
    assert_string_equal(text, "flyballd: room for 166 frames, ring 32768 was asked for\n");
    free(text);
    /* whose readings lend nothing is told to every lane, and by whoever looks at clocks */
    assert_non_null(bed.loop.clocks.doubted);
    for (uint32_t i = 0; i < bed.loop.path.lanes; i++)
        assert_ptr_equal(bed.loop.path.lane[i].doubted, bed.loop.clocks.doubted);
    loop_stop(&bed.loop);
    loop_close(&bed.loop);
    site_unload(&bed.site);
}

/* Frames still wait in every queue when the stop comes: what a lane took is decided, what was decided
 * left. */
static void stop_leaves_nothing_between_its_steps(void **state)
{
    (void)state;
    static struct bed bed;
    static const struct row rows[] = {{2, {-1, -1}, -1}, {2, {CORE_A, CORE_B}, CORE_A},
                                      {2, {CORE_A, CORE_B}, CORE_C}};
    uint8_t data[FRAME_ROOM];

    for (int turn = 0; turn < STOPS; turn++) {
        start(&bed, &rows[turn % 3]);
        stop_asking(&bed);
        for (uint64_t i = 0; i < BURST_FRAMES; i++) {
            uint32_t host = (uint32_t)(i % bed.site.model.host_count);
            bed.hosts.sequence++;
            bed.hosts.from.ipv4 = bed.site.host_address[host].ipv4;
            send_one(&bed, 1, i, frames_report(data, &bed.hosts, host, i + 1));
        }
        loop_stop(&bed.loop);
        take_leases(&bed);
        assert_int_equal(waiting(&bed.loop), 0);
        assert_int_equal(core_counters(bed.loop.core)->reports, accepted_of(&bed, 1));
        assert_int_equal(core_counters(bed.loop.core)->leases, bed.leases);
        assert_int_equal(bed.strays, 0);
        end(&bed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_hot_thread_does_it_all),
        cmocka_unit_test(two_hot_threads_share_the_path),
        cmocka_unit_test(two_queues_a_port_on_one_thread),
        cmocka_unit_test(two_queues_a_port_on_a_thread_beside_decide),
        cmocka_unit_test(two_queues_a_port_on_three_threads_and_senders_that_move),
        cmocka_unit_test(second_start_after_a_stop_is_a_higher_epoch),
        cmocka_unit_test(start_tells_what_a_port_gives_less_of),
        cmocka_unit_test(stop_leaves_nothing_between_its_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
