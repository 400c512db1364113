/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs at the socket, by the header that they are given, with a controller in a thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "agent/ask_service.h"
#include "agent/flyball_ask.h"

enum { NOBODY = 65534, WAIT_MS = 30000 };
#define KW INT64_C(1000000)

/* The loop of an agent and the controller behind it. */
struct scene {
    char folder[64], path[96], why[ASK_SOCKET_WHY_BYTES];
    struct ask_service *service;
    pthread_t loop;
    _Atomic bool stop, silent;
    _Atomic uint64_t epoch;
    _Atomic int64_t room_mw, reserved_mw;
    _Atomic uint32_t heard;
};

static void rest(void)
{
    const struct timespec rest = {.tv_nsec = 1000000};
    nanosleep(&rest, NULL);
}

static void *run_loop(void *argument)
{
    struct scene *scene = argument;
    struct token_request request;
    for (; !scene->stop; rest()) {
        ask_service_state(scene->service, scene->epoch, 0);
        while (ask_service_request(scene->service, &request)) {
            scene->heard++;
            bool granted = request.amount_mw <= scene->room_mw;
            const struct token_response response = {
                .request = request.request, .reason = granted ? TOKEN_GRANTED : TOKEN_POOL_EMPTY,
                .alternative_mw = scene->room_mw, .retry_after_ns = 100 * NS_PER_MS};
            if (granted)
                scene->reserved_mw = request.amount_mw;
            if (!scene->silent)
                ask_service_answered(scene->service, &response);
        }
    }
    return NULL;
}

static int begin(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    snprintf(scene->folder, sizeof scene->folder, "/tmp/ask.XXXXXX");
    if (!mkdtemp(scene->folder) || chmod(scene->folder, 0755))
        return -1;
    snprintf(scene->path, sizeof scene->path, "%s/ask", scene->folder);
    scene->epoch = 1;
    scene->room_mw = 20 * KW;
    scene->service = aligned_alloc(64, (sizeof *scene->service + 63) / 64 * 64);
    const struct ask_config config = {.path = scene->path, .group = "", .host = 3, .most_mw = 30 * KW,
                                      .number = 5, .loop_fd = -1};
    if (ask_service_open(scene->service, &config, scene->why) || ask_service_start(scene->service))
        return -1;
    *state = scene;
    return pthread_create(&scene->loop, NULL, run_loop, scene);
}

static int end(void **state)
{
    struct scene *scene = *state;
    scene->stop = true;
    pthread_join(scene->loop, NULL);
    ask_service_close(scene->service);
    free(scene->service);
    rmdir(scene->folder);
    free(scene);
    return 0;
}

static int connected(const struct scene *scene)
{
    int fd = flyball_ask_open(scene->path);
    assert_true(fd >= 0);
    return fd;
}

/* A machine that stands still for a second makes the controller seem away: asked again then. */
static struct flyball_answer ask(int fd, int64_t watts, const char *job)
{
    struct flyball_answer answer;
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(flyball_ask(fd, watts, 600000, 0, 1, job, &answer), 0);
        if (answer.outcome != FLYBALL_AWAY)
            break;
    }
    return answer;
}

static void wait_for_reserved(struct scene *scene, int64_t reserved_mw)
{
    for (uint32_t i = 0; i < WAIT_MS && scene->reserved_mw != reserved_mw; i++)
        rest();
    assert_int_equal(scene->reserved_mw, reserved_mw);
}

static void a_job_asks_is_granted_extends_and_releases(void **state)
{
    struct scene *scene = *state;
    struct flyball_answer answer;
    int fd = connected(scene);
    answer = ask(fd, 12000, "7");
    assert_int_equal(answer.outcome, FLYBALL_GRANTED);
    assert_int_equal(answer.amount_w, 12000);
    assert_string_equal(answer.job, "7");
    assert_true(answer.for_ms > 500000 && answer.for_ms <= 600000);
    wait_for_reserved(scene, 12 * KW);
    do
        assert_int_equal(flyball_ask_extend(fd, 900000, "7", &answer), 0);
    while (answer.outcome == FLYBALL_AWAY);
    assert_int_equal(answer.outcome, FLYBALL_GRANTED);
    assert_true(answer.for_ms > 800000);
    assert_int_equal(flyball_ask_release(fd, "7", &answer), 0);
    assert_int_equal(answer.outcome, FLYBALL_RELEASED);
    wait_for_reserved(scene, 0);
    assert_int_equal(flyball_ask_release(fd, "7", &answer), 0);
    assert_int_equal(answer.outcome, FLYBALL_UNKNOWN);
    flyball_ask_close(fd);
}

static void a_denial_says_why_and_what_else(void **state)
{
    struct scene *scene = *state;
    int fd = connected(scene);
    struct flyball_answer answer = ask(fd, 25000, "7");
    assert_int_equal(answer.outcome, FLYBALL_DENIED);
    assert_string_equal(answer.reason, "pool_empty");
    assert_int_equal(answer.alternative_w, 20000);
    assert_int_equal(answer.retry_after_ms, 100);
    answer = ask(fd, 31000, "7");
    assert_int_equal(answer.outcome, FLYBALL_DENIED);
    assert_string_equal(answer.reason, "host_limit");
    assert_int_equal(answer.alternative_w, 30000);
    flyball_ask_close(fd);
}

static void without_a_controller_the_answer_comes_all_the_same(void **state)
{
    struct scene *scene = *state;
    struct flyball_answer answer;
    int fd = connected(scene);
    scene->silent = true;
    assert_int_equal(flyball_ask(fd, 1000, 60000, 0, 1, "7", &answer), 0);
    assert_int_equal(answer.outcome, FLYBALL_AWAY);
    assert_int_equal(answer.retry_after_ms, 1000);
    scene->silent = false;
    assert_int_equal(ask(fd, 1000, "7").outcome, FLYBALL_GRANTED);
    flyball_ask_close(fd);
}

static void a_newer_controller_is_told_of_what_was_granted(void **state)
{
    struct scene *scene = *state;
    int fd = connected(scene);
    assert_int_equal(ask(fd, 5000, "7").outcome, FLYBALL_GRANTED);
    assert_int_equal(ask(fd, 6000, "8").outcome, FLYBALL_GRANTED);
    scene->reserved_mw = 0;
    scene->epoch = 2;
    wait_for_reserved(scene, 11 * KW);
    flyball_ask_close(fd);
}

static void who_hangs_up_while_he_waits_is_granted_nothing(void **state)
{
    struct scene *scene = *state;
    static const char line[] = "ask 5kW for 60s job 7";
    int fd = connected(scene);
    scene->silent = true;
    assert_int_equal(send(fd, line, strlen(line), 0), strlen(line));
    for (uint32_t i = 0; i < WAIT_MS && !scene->heard; i++)
        rest();
    flyball_ask_close(fd);
    scene->silent = false;
    wait_for_reserved(scene, 0);
    fd = connected(scene);
    char text[256];
    assert_int_equal(flyball_ask_line(fd, "status", text, sizeof text), 0);
    assert_string_equal(text, "status total_mw=0 epoch=1\n");
    flyball_ask_close(fd);
}

/* ---- who may what ---- */

/* In the child: its own exit code, no cmocka. */
static int as_nobody(const struct scene *scene)
{
    struct flyball_answer answer;
    char text[1024];
    if (setgid(NOBODY) || setuid(NOBODY))
        return 2;
    int fd = flyball_ask_open(scene->path);
    if (fd < 0 || flyball_ask(fd, 1000, 60000, 0, 1, "7", &answer) || answer.outcome != FLYBALL_REFUSED ||
        !strstr(answer.text, "job 7 is not yours, you belong to "))
        return 3;
    if (flyball_ask_release(fd, "7", &answer) || answer.outcome != FLYBALL_REFUSED)
        return 4;
    do
        if (flyball_ask(fd, 1000, 60000, 0, 0, NULL, &answer))
            return 5;
    while (answer.outcome == FLYBALL_AWAY);
    if (answer.outcome != FLYBALL_GRANTED)
        return 6;
    if (flyball_ask_line(fd, "status", text, sizeof text) || strstr(text, "job=7 ") ||
        !strstr(text, " priority=1 "))
        return 7;
    return flyball_ask_release(fd, NULL, &answer) || answer.outcome != FLYBALL_RELEASED ? 8 : 0;
}

static int crowd_of_nobody(const struct scene *scene)
{
    struct flyball_answer answer;
    int fd[ASK_CLIENTS_OF_USER + 1], in = 0;
    if (setgid(NOBODY) || setuid(NOBODY))
        return 2;
    for (int i = 0; i <= ASK_CLIENTS_OF_USER; i++) {
        fd[i] = flyball_ask_open(scene->path);
        if (fd[i] < 0)
            return 3;
        in += !flyball_ask_release(fd[i], NULL, &answer) && answer.outcome == FLYBALL_UNKNOWN;
    }
    return in == ASK_CLIENTS_OF_USER ? 0 : 4;
}

static void assert_child_is_content(const struct scene *scene, int (*run)(const struct scene *))
{
    int status;
    pid_t child = fork();
    if (!child)
        _exit(run(scene));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_user_asks_for_his_own_job_alone_and_never_first(void **state)
{
    struct scene *scene = *state;
    if (geteuid())
        skip();
    int fd = connected(scene);
    assert_int_equal(ask(fd, 5000, "7").outcome, FLYBALL_GRANTED);
    assert_child_is_content(scene, as_nobody);
    flyball_ask_close(fd);
}

static void one_user_cannot_take_all_places(void **state)
{
    if (geteuid())
        skip();
    assert_child_is_content(*state, crowd_of_nobody);
}

static void who_comes_when_all_places_are_taken_gets_that_of_the_most_silent(void **state)
{
    struct scene *scene = *state;
    struct flyball_answer answer;
    int fd[ASK_CLIENTS_MAX + 1];
    for (uint32_t i = 0; i <= ASK_CLIENTS_MAX; i++) {
        fd[i] = connected(scene);
        assert_int_equal(flyball_ask_release(fd[i], "x", &answer), 0);
    }
    assert_int_not_equal(flyball_ask_release(fd[0], "x", &answer), 0);
    assert_int_equal(flyball_ask_release(fd[1], "x", &answer), 0);
    for (uint32_t i = 0; i <= ASK_CLIENTS_MAX; i++)
        flyball_ask_close(fd[i]);
}

static void what_is_not_understood_is_refused_and_changes_nothing(void **state)
{
    struct scene *scene = *state;
    char line[400], text[256];
    uint64_t seed = 7;
    int fd = connected(scene);
    for (uint32_t i = 0; i < 2000; i++) {
        size_t bytes = 1 + i % (sizeof line - 1);
        for (size_t k = 0; k < bytes; k++) {
            seed = seed * 6364136223846793005 + 1442695040888963407;
            line[k] = (char)(seed >> 40);
        }
        assert_int_equal(send(fd, line, bytes, 0), bytes);
        ssize_t got = recv(fd, text, sizeof text - 1, 0);
        assert_true(got > 0);
        text[got] = 0;
        assert_int_equal(strncmp(text, "refused ", 8), 0);
    }
    assert_int_equal(ask(fd, 1000, "7").outcome, FLYBALL_GRANTED);
    flyball_ask_close(fd);
}

/* ---- the path ---- */

static void a_socket_left_by_a_crash_is_replaced_and_nothing_else_is(void **state)
{
    struct scene *scene = *state;
    struct ask_socket second;
    char path[112];
    assert_int_equal(ask_socket_open(&second, scene->path, "", scene->why), -EADDRINUSE);
    snprintf(path, sizeof path, "%s/file", scene->folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    assert_int_equal(ask_socket_open(&second, path, "", scene->why), -EEXIST);
    unlink(path);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    assert_int_equal(ask_socket_open(&second, path, "", scene->why), 0);
    ask_socket_close(&second);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(ask_socket_open(&second, path, "no-such-group-here", scene->why), -ENOENT);
    assert_non_null(strstr(scene->why, "no-such-group-here"));
}

#define IN_A_SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_SCENE(a_job_asks_is_granted_extends_and_releases),
        IN_A_SCENE(a_denial_says_why_and_what_else),
        IN_A_SCENE(without_a_controller_the_answer_comes_all_the_same),
        IN_A_SCENE(a_newer_controller_is_told_of_what_was_granted),
        IN_A_SCENE(who_hangs_up_while_he_waits_is_granted_nothing),
        IN_A_SCENE(a_user_asks_for_his_own_job_alone_and_never_first),
        IN_A_SCENE(one_user_cannot_take_all_places),
        IN_A_SCENE(who_comes_when_all_places_are_taken_gets_that_of_the_most_silent),
        IN_A_SCENE(what_is_not_understood_is_refused_and_changes_nothing),
        IN_A_SCENE(a_socket_left_by_a_crash_is_replaced_and_nothing_else_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
