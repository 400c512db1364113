/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/measure/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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
