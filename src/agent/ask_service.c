/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ask_service.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "rt/thread.h"

#define LOOK_NS NS_PER_S

int ask_service_open(struct ask_service *service, const struct ask_config *config,
                     char why[ASK_SOCKET_WHY_BYTES])
{
    memset(service, 0, sizeof *service);
    service->wake_fd = -1;
    service->loop_fd = config->loop_fd;
    int error = ask_socket_open(&service->socket, config->path, config->group, why);
    if (error)
        return error;
    service->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (service->wake_fd < 0) {
        error = -errno;
        ask_socket_close(&service->socket);
        snprintf(why, ASK_SOCKET_WHY_BYTES, "event descriptor: %s", strerror(-error));
        return error;
    }
    ask_init(&service->desk, config->host, config->most_mw, config->number);
    spsc_init(&service->requests, service->request, sizeof service->request[0], ASK_QUEUE);
    spsc_init(&service->answers, service->answer, sizeof service->answer[0], ASK_QUEUE);
    return 0;
}

/* Full or interrupted: the other side has something to see already, and looks every second anyway. */
static void wake(int fd)
{
    const uint64_t one = 1;
    if (fd >= 0 && write(fd, &one, sizeof one) < 0)
        return;
}

/* ---- the loop's half ---- */

bool ask_service_request(struct ask_service *service, struct token_request *request)
{
    const struct token_request *waiting = service->wake_fd >= 0 ? spsc_peek(&service->requests) : NULL;
    if (!waiting)
        return false;
    *request = *waiting;
    spsc_release(&service->requests);
    return true;
}

void ask_service_answered(struct ask_service *service, const struct token_response *response)
{
    struct token_response *place = service->wake_fd >= 0 ? spsc_claim(&service->answers) : NULL;
    if (!place)
        return;
    *place = *response;
    spsc_publish(&service->answers);
    wake(service->wake_fd);
}

void ask_service_state(struct ask_service *service, uint64_t epoch, uint64_t falls)
{
    /* Relaxed: this thread alone writes them, and each stands for itself. */
    if (service->wake_fd < 0 || (atomic_load_explicit(&service->epoch, memory_order_relaxed) == epoch &&
                                 atomic_load_explicit(&service->falls, memory_order_relaxed) == falls))
        return;
    atomic_store_explicit(&service->epoch, epoch, memory_order_relaxed);
    atomic_store_explicit(&service->falls, falls, memory_order_relaxed);
    wake(service->wake_fd);
}

/* ---- the thread's half ---- */

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void take_state(struct ask_service *service, int64_t now_ns)
{
    uint64_t falls = atomic_load_explicit(&service->falls, memory_order_relaxed);
    if (falls != service->falls_seen)
        ask_unheard(&service->desk, now_ns);
    service->falls_seen = falls;
    ask_epoch(&service->desk, atomic_load_explicit(&service->epoch, memory_order_relaxed), now_ns);
}

static void take_answers(struct ask_service *service, int64_t now_ns)
{
    const struct token_response *response;
    while ((response = spsc_peek(&service->answers)) != NULL) {
        ask_answered(&service->desk, response, now_ns);
        spsc_release(&service->answers);
    }
}

/* What finds no room is sent again by the desk. */
static void pass_requests(struct ask_service *service, int64_t now_ns)
{
    struct token_request request;
    bool any = false;
    while (ask_next(&service->desk, now_ns, &request)) {
        struct token_request *place = spsc_claim(&service->requests);
        if (!place)
            break;
        *place = request;
        spsc_publish(&service->requests);
        any = true;
    }
    if (any)
        wake(service->loop_fd);
}

static void rest(struct ask_service *service, int64_t now_ns)
{
    struct pollfd from[ASK_POLLS + 1];
    uint32_t count = ask_socket_polls(&service->socket, from, now_ns);
    int64_t wait_ns = ask_due_ns(&service->desk);
    wait_ns = wait_ns < now_ns ? 0 : wait_ns - now_ns > LOOK_NS ? LOOK_NS : wait_ns - now_ns;
    struct timespec wait = {.tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S};
    from[count++] = (struct pollfd){.fd = service->wake_fd, .events = POLLIN};
    if (ppoll(from, count, &wait, NULL) <= 0 || !from[count - 1].revents)
        return;
    uint64_t woken;
    if (read(service->wake_fd, &woken, sizeof woken) < 0)
        return;
}

static void *serve(void *argument)
{
    struct ask_service *service = argument;
    /* Acquire, partner: the release in ask_service_close. */
    while (!atomic_load_explicit(&service->stop, memory_order_acquire)) {
        int64_t now_ns = monotonic_ns();
        take_state(service, now_ns);
        take_answers(service, now_ns);
        ask_socket_turn(&service->socket, &service->desk, now_ns);
        pass_requests(service, now_ns);
        ask_socket_deliver(&service->socket, &service->desk);
        rest(service, monotonic_ns());
    }
    return NULL;
}

int ask_service_start(struct ask_service *service)
{
    int error = service->wake_fd < 0 ? 0 : rt_spawn(&service->thread, "ask", serve, service);
    service->running = service->wake_fd >= 0 && !error;
    return error;
}

void ask_service_close(struct ask_service *service)
{
    if (service->wake_fd < 0)
        return;
    /* Release, partner: the acquire in serve. */
    atomic_store_explicit(&service->stop, true, memory_order_release);
    wake(service->wake_fd);
    if (service->running)
        pthread_join(service->thread, NULL);
    service->running = false;
    ask_socket_close(&service->socket);
    close(service->wake_fd);
    service->wake_fd = -1;
}
