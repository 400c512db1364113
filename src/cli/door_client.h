/* SPDX-License-Identifier: Apache-2.0 */
/* The asking side of the door (loop/door.h). */
#ifndef FLYBALL_CLI_DOOR_CLIENT_H
#define FLYBALL_CLI_DOOR_CLIENT_H

#include <jansson.h>

#include "loop/view_share.h"

enum { DOOR_CLIENT_PATH_BYTES = 108 };

/* The door that was given, or that of the site file (where `given` is NULL). CLI_OK or an exit code, told on
 * standard error under the name of the verb. */
int door_client_find(const char *verb, const char *site, const char *given,
                     char door[DOOR_CLIENT_PATH_BYTES]);

/* The answer to a request as text, to be freed, and as a JSON object in *document, to be decref'd. NULL: told
 * why. */
char *door_client_told(const char *verb, const char *door, const char *request, json_t **document);

/* The whole answer to a request, NUL-terminated, to be freed; NULL with errno. */
char *door_client_text(const char *path, const char *request);

/* The same as a JSON object, to be decref'd. NULL with errno, EPROTO where the answer is none. */
json_t *door_client_ask(const char *path, const char *request);

/* Maps the view that the door at `path` hands out, read-only. 0 or -errno, -EPROTO for another version. */
int door_client_view(const char *path, struct view_header *header, struct view_share *share,
                     struct view *view);

#endif
