/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/latency/latency_target.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

pid_t target_of_door(const char *door)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ucred peer;
    socklen_t bytes = sizeof peer;
    if (strlen(door) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, door);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    pid_t found = 0;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes))
        found = -errno;
    close(fd);
    if (found)
        return found;
    return peer.pid > 0 ? peer.pid : -ESRCH;    /* 0: of another namespace */
}

static int only_core(pid_t tid)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (sched_getaffinity(tid, sizeof cores, &cores) || CPU_COUNT(&cores) != 1)
        return -1;
    int core = 0;
    while (!CPU_ISSET(core, &cores))
        core++;
    return core;
}

/* Field 39 of stat; the name in field 2 may hold blanks. */
static int last_core(pid_t pid, pid_t tid)
{
    char path[96], text[1024] = "";
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)tid);
    FILE *file = fopen(path, "r");
    if (!file)
        return -1;
    char *read = fgets(text, sizeof text, file);
    fclose(file);
    char *at = read ? strrchr(text, ')') : NULL;
    for (int field = 2; at && field < 39; field++)
        at = strchr(at + 1, ' ');
    return at ? atoi(at) : -1;
}

static void read_name(pid_t pid, pid_t tid, char name[TARGET_NAME_BYTES])
{
    char path[96];
    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", (int)pid, (int)tid);
    name[0] = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return;
    if (fgets(name, TARGET_NAME_BYTES, file))
        name[strcspn(name, "\n")] = 0;
    fclose(file);
}

/* loop/crew.c gives these names. */
static int is_hot(const char *name)
{
    if (!strncmp(name, "fb-lane-", 8))
        return name[8] && !name[8 + strspn(name + 8, "0123456789")];
    return !strcmp(name, "fb-hot") || !strcmp(name, "fb-decide");
}

static void add_thread(struct target *target, pid_t tid)
{
    struct target_thread *thread = &target->thread[target->threads];
    if (target->threads == TARGET_THREADS_MAX)
        return;
    read_name(target->pid, tid, thread->name);
    if (!is_hot(thread->name))
        return;
    thread->tid = tid;
    thread->core = only_core(tid);
    if (thread->core < 0)
        thread->core = last_core(target->pid, tid);
    target->threads += thread->core >= 0;
}

int target_open(struct target *target, pid_t pid)
{
    char path[64];
    *target = (struct target){.pid = pid};
    snprintf(target->program, sizeof target->program, "/proc/%d/exe", (int)pid);
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    if (!folder)
        return -ESRCH;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        if (entry->d_name[0] != '.')
            add_thread(target, (pid_t)atoi(entry->d_name));
    closedir(folder);
    return access(target->program, R_OK) ? -errno : 0;
}
