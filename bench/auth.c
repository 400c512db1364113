/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tag costs: the primitives that libcrypto has, at the sizes of a lease, a report and a reading, with
 * a key set anew for every tag, as on a wire where every frame has another peer, and how often each asks for
 * memory; then what it costs to check and seal a frame by src/auth, and to refuse one.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "bench/report.h"
#include "wire/frame.h"

enum { BATCH = 64, BATCHES = 2000, WARM = 200, PEERS = 1024, FRAME_BYTES = 200 };

static const uint32_t sizes[] = {80, 200, 700};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static const struct subject {
    const char *name, *mac, *parameter, *value;
    uint32_t key_bytes;
    bool nonce;                 /* of 12 bytes: a repeated one gives the key's hash away */
} subjects[] = {
    {"siphash_2_4_128", "SIPHASH", NULL, NULL, 16, false},
    {"cmac_aes_128", "CMAC", OSSL_MAC_PARAM_CIPHER, "AES-128-CBC", 16, false},
    {"hmac_sha256", "HMAC", OSSL_MAC_PARAM_DIGEST, "SHA256", 16, false},
    {"blake2s", "BLAKE2SMAC", NULL, NULL, 16, false},
    {"gmac_aes_128", "GMAC", OSSL_MAC_PARAM_CIPHER, "AES-128-GCM", 16, true},
};

static uint64_t allocations;

static void *count_malloc(size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    allocations++;
    return malloc(bytes);
}

static void *count_realloc(void *memory, size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    allocations++;
    return realloc(memory, bytes);
}

static void count_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

static EVP_MAC_CTX *open_subject(const struct subject *subject)
{
    char value[16] = "";
    OSSL_PARAM parameters[2] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, subject->mac, NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    if (context && subject->parameter) {
        snprintf(value, sizeof value, "%s", subject->value);
        parameters[0] = OSSL_PARAM_construct_utf8_string(subject->parameter, value, 0);
        if (!EVP_MAC_CTX_set_params(context, parameters)) {
            EVP_MAC_CTX_free(context);
            return NULL;
        }
    }
    return context;
}

/* One tag; `turn` makes another key, and another nonce where there is one. */
static bool tag_once(EVP_MAC_CTX *context, const struct subject *subject, const uint8_t *data, uint32_t bytes,
                     uint64_t turn, uint8_t tag[64])
{
    uint8_t key[32] = {0}, nonce[12] = {0};
    size_t tag_bytes = 0;
    memcpy(key, &turn, sizeof turn);
    memcpy(nonce, &turn, sizeof turn);
    const OSSL_PARAM with_nonce[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_IV, nonce, sizeof nonce),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_init(context, key, subject->key_bytes, subject->nonce ? with_nonce : NULL) &&
           EVP_MAC_update(context, data, bytes) && EVP_MAC_final(context, tag, &tag_bytes, 64);
}

static void measure_size(struct bench_report *report, EVP_MAC_CTX *context, const struct subject *subject,
                         uint32_t bytes)
{
    static uint8_t data[2048];
    struct histogram took = {0};
    uint8_t tag[64];
    uint64_t before = 0, turn = 0;
    char name[32];
    for (uint32_t batch = 0; batch < WARM + BATCHES; batch++) {
        if (batch == WARM)
            before = allocations;
        int64_t start_ns = bench_now_ns();
        for (uint32_t i = 0; i < BATCH; i++)
            if (!tag_once(context, subject, data, bytes, ++turn, tag))
                abort();
        int64_t each_ns = (bench_now_ns() - start_ns) / BATCH;
        if (batch >= WARM)
            histogram_record(&took, (uint64_t)each_ns);
    }
    snprintf(name, sizeof name, "bytes_%u", bytes);
    bench_open(report, name);
    bench_number(report, "ns_p50", (double)histogram_quantile(&took, 0.5));
    bench_number(report, "ns_p99", (double)histogram_quantile(&took, 0.99));
    bench_number(report, "allocations_per_tag", (double)(allocations - before) / (BATCH * BATCHES));
    bench_close(report);
}

static void measure_subject(struct bench_report *report, const struct subject *subject)
{
    EVP_MAC_CTX *context = open_subject(subject);
    bench_open(report, subject->name);
    for (uint32_t i = 0; i < SIZES && context; i++)
        measure_size(report, context, subject, sizes[i]);
    bench_text(report, "nonce", subject->nonce ? "needed: a repeated one breaks it" : "none");
    bench_close(report);
    EVP_MAC_CTX_free(context);
}

static const char *name_of(const void *names, uint32_t index)
{
    return (const char *)names + (size_t)index * NAME_BYTES;
}

/* What can become of a frame. */
enum fate { FATE_TRUE, FATE_TAG, FATE_KEY, FATE_BARE, FATE_SEALED, FATES };

static const struct { const char *name; int verdict; } fates[FATES] = {
    {"accepted", ACCEPTED}, {"wrong_tag", REFUSED_TAG}, {"unknown_key", REFUSED_KEY},
    {"bare", REFUSED_BARE}, {"sealed", ACCEPTED}};

struct frames {
    struct auth controller, hosts;
    uint8_t data[PEERS][FRAME_BYTES];
};

static int fill(struct frames *frames, enum fate fate)
{
    for (uint32_t host = 0; host < PEERS; host++) {
        uint8_t *data = frames->data[host];
        struct frame frame = {.kind = FRAME_REPORT, .sender = host, .sequence = 1 + host,
                              .body_bytes = FRAME_BYTES - FRAME_HEADER_BYTES};
        memset(data, (int)host, FRAME_BYTES);
        if (!frame_encode(data, &frame) || auth_seal(&frames->hosts.user[0], host, data, FRAME_BYTES))
            return -1;
        if (fate == FATE_TAG)
            data[FRAME_BYTES - 1] ^= 1;
        if (fate == FATE_KEY)
            frame_set_key(data, 65535);
        if (fate == FATE_BARE || fate == FATE_SEALED)
            frame_encode(data, &frame);
    }
    return 0;
}

static int one(struct frames *frames, enum fate fate, uint32_t host)
{
    uint8_t *data = frames->data[host];
    struct frame frame;
    if (fate == FATE_SEALED) {
        frame_set_key(data, 0);
        frame_set_tag(data, (const uint8_t[FRAME_TAG_BYTES]){0});
        return auth_seal(&frames->controller.user[0], host, data, FRAME_BYTES) ? -1 : ACCEPTED;
    }
    int refused = frame_decode(data, FRAME_BYTES, &frame);
    return refused ? refused : auth_check(&frames->controller.user[0], host, data, &frame);
}

static int measure_fate(struct bench_report *report, struct frames *frames, enum fate fate)
{
    struct histogram took = {0};
    char key[32];
    if (fill(frames, fate))
        return -1;
    uint64_t before = allocations;
    for (uint32_t batch = 0; batch < BATCHES; batch++) {
        int64_t start_ns = bench_now_ns();
        for (uint32_t i = 0; i < BATCH; i++)
            if (one(frames, fate, (batch * BATCH + i) * 7919 % PEERS) != fates[fate].verdict)
                return -1;
        histogram_record(&took, (uint64_t)((bench_now_ns() - start_ns) / BATCH));
    }
    bench_open(report, fates[fate].name);
    bench_number(report, "ns_p50", (double)histogram_quantile(&took, 0.5));
    bench_number(report, "ns_p99", (double)histogram_quantile(&took, 0.99));
    bench_number(report, "allocations", (double)(allocations - before));
    snprintf(key, sizeof key, "%s_ns", fates[fate].name);
    bench_histogram(report, key, &took);
    bench_close(report);
    return 0;
}

static int open_frames(struct frames *frames, char (*name)[NAME_BYTES], struct auth_keys *keys)
{
    const struct auth_names names = {.hosts = PEERS, .host = name_of, .names = name};
    keys->count = PEERS;
    for (uint32_t i = 0; i < PEERS; i++) {
        snprintf(name[i], NAME_BYTES, "h%u", i);
        keys->row[i] = (struct auth_row){.who = AUTH_HOST, .id = 1, .not_before_s = INT64_MIN,
                                         .not_after_s = INT64_MAX};
        memcpy(keys->row[i].name, name[i], NAME_BYTES);
        memcpy(keys->row[i].up, &i, sizeof i);
        memcpy(keys->row[i].down, &i, sizeof i);
    }
    if (auth_open(&frames->controller, AUTH_CONTROLLER, &names, 1) ||
        auth_open(&frames->hosts, AUTH_PEER, &names, 1) ||
        auth_publish(&frames->controller, keys, 0) || auth_publish(&frames->hosts, keys, 0))
        return -1;
    auth_look(&frames->controller.user[0]);
    auth_look(&frames->hosts.user[0]);
    return 0;
}

int main(int argc, char **argv)
{
    static struct frames frames;
    static char name[PEERS][NAME_BYTES];
    static struct auth_row row[PEERS];
    struct auth_keys keys = {.row = row};
    bool json = argc == 2 && !strcmp(argv[1], "--json");
    if (argc > 2 || (argc == 2 && !json))
        return fputs("usage: auth [--json]\n", stderr), 2;
    if (!CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free))
        return fputs("auth: libcrypto's memory cannot be counted\n", stderr), 1;
    int64_t start_ns = bench_now_ns();
    struct bench_report report;
    bench_begin(&report, json, "auth");
    bench_text(&report, "driver", OpenSSL_version(OPENSSL_VERSION));
    bench_count(&report, "seed", 0);    /* nothing here is random */
    bench_count(&report, "n", (uint64_t)BATCH * BATCHES);
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
        measure_subject(&report, &subjects[i]);
    int error = open_frames(&frames, name, &keys);
    for (int fate = 0; fate < FATES && !error; fate++)
        error = measure_fate(&report, &frames, (enum fate)fate);
    bench_number(&report, "duration_s", (double)(bench_now_ns() - start_ns) / 1e9);
    bench_end(&report);
    auth_close(&frames.controller);
    auth_close(&frames.hosts);
    if (error)
        fputs("auth: a frame was not judged as it should be\n", stderr);
    return error ? 1 : 0;
}
