/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/probes.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Beside this program: BUILD/bench/loops and BUILD/src/cli/flyball. */
static int find_flyball(char *path, size_t bytes)
{
    ssize_t length = readlink("/proc/self/exe", path, bytes - 1);
    if (length <= 0)
        return -errno;
    path[length] = 0;
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(path, '/');
        if (slash)
            *slash = 0;
    }
    size_t used = strlen(path);
    snprintf(path + used, bytes - used, "/src/cli/flyball");
    return access(path, X_OK) ? -errno : 0;
}

static void keep_line(char *why, size_t bytes, const char *line)
{
    snprintf(why, bytes, "%.150s", line);
    why[strcspn(why, "\n\"\\")] = 0;
}

int probes_arm(struct probes *probes, int seconds, char *why, size_t bytes)
{
    char path[PATH_MAX], command[PATH_MAX + 160], line[512];
    int error = find_flyball(path, sizeof path);
    probes->says = NULL;
    if (error) {
        snprintf(why, bytes, "there is no src/cli/flyball beside this program's folder");
        return error;
    }
    snprintf(command, sizeof command, "exec chrt -o 0 '%s' latency --pid %d --for %ds --json 2>&1 >/dev/null",
             path, (int)getpid(), seconds);
    probes->says = popen(command, "re");
    while (probes->says && fgets(line, sizeof line, probes->says)) {
        if (strstr(line, "watching process"))
            return 0;
        keep_line(why, bytes, line);
    }
    probes_end(probes);
    return -EIO;
}

void probes_end(struct probes *probes)
{
    char line[512];
    while (probes->says && fgets(line, sizeof line, probes->says))
        continue;
    if (probes->says)
        pclose(probes->says);
    probes->says = NULL;
}
