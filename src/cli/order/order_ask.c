/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/order/order_ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/door_client.h"
#include "site/site.h"

int order_door(const char *verb, const char *site_path, const char *given, char door[ORDER_DOOR_BYTES])
{
    struct site site;
    if (given) {
        snprintf(door, ORDER_DOOR_BYTES, "%s", given);
        return CLI_OK;
    }
    int error = site_load(&site, site_path, NULL, stderr);
    if (error)
        return error == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    snprintf(door, ORDER_DOOR_BYTES, "%s", site.server.door);
    site_unload(&site);
    if (door[0])
        return CLI_OK;
    fprintf(stderr, "flyball %s: %s names no door, so its daemon cannot be asked: add door: PATH to the row "
            "of servers:\n", verb, site_path);
    return CLI_CONNECT;
}

static json_t *ask(const char *verb, const char *door, const char *request)
{
    json_t *answer = door_client_ask(door, request);
    if (answer)
        return answer;
    if (errno == EPROTO)
        fprintf(stderr, "flyball %s: %s: the flyballd there knows no orders\n", verb, door);
    else
        fprintf(stderr, "flyball %s: %s: %s; is flyballd running?\n", verb, door, strerror(errno));
    return NULL;
}

static const char *text_of(const json_t *answer, const char *key)
{
    const char *text = json_string_value(json_object_get(answer, key));
    return text ? text : "";
}

int order_give(const char *verb, const char *door, const char *request)
{
    json_t *answer = ask(verb, door, request);
    if (!answer)
        return CLI_CONNECT;
    const char *verdict = text_of(answer, "verdict");
    long long number = json_integer_value(json_object_get(answer, "number"));
    int result = CLI_REFUSED;
    if (!strcmp(verdict, "taken")) {
        printf("order %lld taken\n", number);
        result = CLI_OK;
    } else if (!strcmp(verdict, "open")) {
        fprintf(stderr, "flyball %s: %s\n", verb, text_of(answer, "text"));
        result = CLI_ALARM;
    } else if (number) {
        fprintf(stderr, "flyball %s: order %lld refused (%s): %s\n", verb, number, verdict,
                text_of(answer, "text"));
    } else {
        fprintf(stderr, "flyball %s: refused: %s\n", verb, text_of(answer, "text"));
    }
    fflush(stdout);
    json_decref(answer);
    return result;
}

json_t *order_list(const char *verb, const char *door)
{
    return ask(verb, door, "orders");
}
