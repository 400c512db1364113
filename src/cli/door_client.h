/* SPDX-License-Identifier: Apache-2.0 */
/* The asking side of the door (loop/door.h). */
#ifndef FLYBALL_CLI_DOOR_CLIENT_H
#define FLYBALL_CLI_DOOR_CLIENT_H

#include <jansson.h>

#include "loop/view_share.h"

/* The whole answer to a request, NUL-terminated, to be freed; NULL with errno. */
char *door_client_text(const char *path, const char *request);

/* The same as a JSON object, to be decref'd. NULL with errno, EPROTO where the answer is none. */
json_t *door_client_ask(const char *path, const char *request);

/* Maps the view that the door at `path` hands out, read-only. 0 or -errno, -EPROTO for another version. */
int door_client_view(const char *path, struct view_header *header, struct view_share *share,
                     struct view *view);

#endif
