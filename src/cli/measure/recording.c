/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/measure/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

int recording_slurp(const char *path, char **text, size_t *bytes)
{
    FILE *file = fopen(path, "re");
    size_t room = 1 << 16, have = 0;
    int rc = 0;

    if (!file)
        return -errno;
    *text = malloc(room);
    while (*text && (have += fread(*text + have, 1, room - 1 - have, file)) == room - 1) {
        char *more = room < RECORDING_BYTES_MAX ? realloc(*text, 2 * room) : NULL;

        if (!more)
            break;
        *text = more;
        room *= 2;
    }
    if (ferror(file))
        rc = -EIO;
    else if (!*text)
        rc = -ENOMEM;
    else if (have == room - 1 || have >= RECORDING_BYTES_MAX)
        rc = room < RECORDING_BYTES_MAX ? -ENOMEM : -EFBIG;
    fclose(file);
    if (rc) {
        free(*text);
        *text = NULL;
        return rc;
    }
    (*text)[have] = '\0';
    *bytes = have;
    return 0;
}

int recording_room(struct recording *recording, uint64_t *room)
{
    uint64_t wanted = *room ? *room * 2 : 4096;

    if (recording->rows < *room)
        return 0;
    void *value = realloc(recording->value, wanted * sizeof *recording->value);

    if (value)
        recording->value = value;
    void *number = realloc(recording->number, wanted * sizeof *recording->number);

    if (number)
        recording->number = number;
    if (!value || !number)
        return -ENOMEM;
    *room = wanted;
    return 0;
}

void recording_free(struct recording *recording)
{
    free(recording->value);
    free(recording->number);
    recording->value = NULL;
    recording->number = NULL;
}

static int read_csv(struct recording *recording, const char *path)
{
    char *text = NULL;
    size_t bytes = 0;
    int rc = recording_slurp(path, &text, &bytes);

    if (!rc && strlen(text) != bytes) {
        snprintf(recording->what, sizeof recording->what, "not text: a zero byte");
        rc = -EINVAL;
    }
    if (!rc)
        rc = recording_csv(recording, text);
    free(text);
    return rc;
}

int recording_read(struct recording *recording, const char *path, const uint32_t *wanted,
                   uint32_t wanted_count)
{
    return recording_is_comtrade(path) ? recording_comtrade(recording, path, wanted, wanted_count)
                                       : read_csv(recording, path);
}

int recording_tell(const struct recording *recording, const char *path, int rc)
{
    if (rc == -EINVAL && recording->what[0] && recording->line)
        fprintf(stderr, "%s:%llu: error: %s\n", path, (unsigned long long)recording->line, recording->what);
    else if (rc == -EINVAL && recording->what[0])
        fprintf(stderr, "%s: error: %s\n", path, recording->what);
    else
        fprintf(stderr, "%s: error: cannot be read: %s\n", path, strerror(-rc));
    return rc == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
}
