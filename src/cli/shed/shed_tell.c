/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/shed/shed_tell.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/door_client.h"
#include "loop/door.h"
#include "loop/view_words.h"
#include "rt/clock.h"

/* A turn takes 20 ms, and no more than this with a state file whose lock is waited for. */
#define TURN_NS NS_PER_S

void shed_tell_saw(struct shed_teller *teller, int64_t now_ns)
{
    pthread_mutex_lock(&teller->lock);
    teller->saw_ns = now_ns;
    pthread_mutex_unlock(&teller->lock);
}

bool shed_tell_listens(struct shed_teller *teller, int64_t now_ns)
{
    pthread_mutex_lock(&teller->lock);
    bool listens = teller->saw_ns && now_ns - teller->saw_ns <= TURN_NS;
    pthread_mutex_unlock(&teller->lock);
    return listens;
}

/* One request. The epoch of who answered, 0 where nobody did. */
static uint64_t ask(struct shed_teller *teller, const char *request)
{
    json_t *answer = door_client_ask(teller->door, request);
    if (!answer)
        return 0;
    uint64_t epoch = (uint64_t)json_integer_value(json_object_get(answer, "epoch"));
    const char *text = json_string_value(json_object_get(answer, "text"));
    bool taken = json_is_true(json_object_get(answer, "taken"));
    pthread_mutex_lock(&teller->lock);
    snprintf(teller->refused, sizeof teller->refused, "%s", taken || !text ? "" : text);
    teller->epoch = epoch;
    teller->answered_ns = clock_monotonic_ns();
    pthread_mutex_unlock(&teller->lock);
    json_decref(answer);
    return epoch;
}

static uint64_t tell_entry(struct shed_teller *teller, const struct shed_entry *entry)
{
    char request[DOOR_REQUEST_BYTES];
    snprintf(request, sizeof request, "shed\tnode=%s\tstate=%s\ttries=%u\twall_s=%lld\tend=%s", entry->node,
             view_words_shed(entry->state), entry->tries, (long long)entry->wall_s, entry->end);
    return ask(teller, request);
}

/* A copy, so that nobody waits while the door is asked. NULL: none, or out of memory. */
static struct shed_entry *copy(struct shed_teller *teller, uint32_t *count, uint64_t *version)
{
    pthread_mutex_lock(&teller->lock);
    struct shed_entry *entry = teller->count ? calloc(teller->count, sizeof *entry) : NULL;
    *count = entry ? teller->count : 0;
    *version = teller->version;
    if (entry)
        memcpy(entry, teller->entry, teller->count * sizeof *entry);
    pthread_mutex_unlock(&teller->lock);
    return entry;
}

static bool wait_for_news(struct shed_teller *teller, uint64_t version)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    int error = 0;
    pthread_mutex_lock(&teller->lock);
    while (!teller->stop && teller->version == version && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&teller->news, &teller->lock, &until);
    bool stop = teller->stop;
    pthread_mutex_unlock(&teller->lock);
    return !stop;
}

static void *run(void *argument)
{
    struct shed_teller *teller = argument;
    uint64_t told_version = 0, told_epoch = 0, version;
    do {
        uint32_t count;
        bool listens = shed_tell_listens(teller, clock_monotonic_ns());
        uint64_t epoch = ask(teller, listens ? "shed\tbeat" : "counters");
        struct shed_entry *entry = copy(teller, &count, &version);
        bool told = epoch && listens;
        for (uint32_t i = 0; told && i < count && (version != told_version || epoch != told_epoch); i++)
            told = tell_entry(teller, &entry[i]) == epoch;
        if (told) {
            told_version = version;
            told_epoch = epoch;
        }
        free(entry);
    } while (wait_for_news(teller, version));
    return NULL;
}

int shed_tell_start(struct shed_teller *teller, const char *door)
{
    pthread_condattr_t how;
    *teller = (struct shed_teller){.door = door};
    pthread_mutex_init(&teller->lock, NULL);
    pthread_condattr_init(&how);
    pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    pthread_cond_init(&teller->news, &how);
    pthread_condattr_destroy(&how);
    int error = pthread_create(&teller->thread, NULL, run, teller);
    teller->runs = !error;
    return -error;
}

void shed_tell_stop(struct shed_teller *teller)
{
    if (!teller->runs)
        return;
    pthread_mutex_lock(&teller->lock);
    teller->stop = true;
    pthread_cond_signal(&teller->news);
    pthread_mutex_unlock(&teller->lock);
    pthread_join(teller->thread, NULL);
    free(teller->entry);
}

void shed_tell(struct shed_teller *teller, const struct shed_book *book)
{
    pthread_mutex_lock(&teller->lock);
    if (book->count > teller->room) {
        struct shed_entry *larger = realloc(teller->entry, book->room * sizeof *larger);
        teller->entry = larger ? larger : teller->entry;
        teller->room = larger ? book->room : teller->room;
    }
    teller->count = book->count < teller->room ? book->count : teller->room;
    if (teller->count)
        memcpy(teller->entry, book->entry, teller->count * sizeof *teller->entry);
    teller->version++;
    pthread_cond_signal(&teller->news);
    pthread_mutex_unlock(&teller->lock);
}

uint64_t shed_tell_epoch(struct shed_teller *teller, int64_t *answered_ns, char refused[160])
{
    pthread_mutex_lock(&teller->lock);
    uint64_t epoch = teller->epoch;
    *answered_ns = teller->answered_ns;
    memcpy(refused, teller->refused, sizeof teller->refused);
    pthread_mutex_unlock(&teller->lock);
    return epoch;
}
