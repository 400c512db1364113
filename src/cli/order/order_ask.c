/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/order/order_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/door_client.h"

static json_t *ask(const char *verb, const char *door, const char *request)
{
    json_t *answer = NULL;
    free(door_client_told(verb, door, request, &answer));
    if (!answer || !json_object_get(answer, "error"))
        return answer;
    fprintf(stderr, "flyball %s: %s: the flyballd there knows no orders\n", verb, door);
    json_decref(answer);
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
