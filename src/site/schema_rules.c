/* SPDX-License-Identifier: Apache-2.0 */
#include "site/schema_rules.h"

#define OCTET "([0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
/* neither 0.x.x.x nor multicast */
#define IPV4 "([1-9]|[1-9][0-9]|1[0-9]{2}|2[01][0-9]|22[0-3])(\\\\." OCTET "){3}"
/* the lowest bit of the first byte marks a group */
#define MAC "{\"pattern\": \"^[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}$\"}"

const struct schema_rule schema_rules[] = {
    {"node", "phases", "{\"enum\": [1, 3]}"},
    {"node", "parents", "{\"uniqueItems\": true}"},
    {"node", "",
     "{\"not\": {\"required\": [\"parent\", \"parents\"]},"
     " \"if\": {\"required\": [\"unlimited\"],"
     "  \"properties\": {\"unlimited\": {\"enum\": [\"yes\", true]}}},"
     " \"then\": {\"properties\": {\"rating\": false, \"long_time\": false, \"rating_power\": false,"
     "  \"device\": false, \"trip_unit\": false, \"short_time\": false, \"instantaneous\": false,"
     "  \"ground\": false, \"relay\": false, \"fuse\": false,"
     "  \"points\": false, \"transformer\": false, \"ups\": false, \"generator\": false, \"states\": false}},"
     " \"else\": {\"anyOf\": [{\"required\": [\"rating\"]}, {\"required\": [\"device\"]}]}}"},
    {"generator", "", "{\"minProperties\": 1}"},
    {"state", "", "{\"minProperties\": 2}"},
    {"ups", "", "{\"anyOf\": [{\"required\": [\"active\"]}, {\"required\": [\"apparent\"]}]}"},
    {"settings", "as_left", "{\"pattern\": \"^[0-9]{4}-[0-9]{2}-[0-9]{2}$\"}"},
    {"measured", "when", "{\"pattern\": \"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$\"}"},
    {"host", "",
     "{\"oneOf\": [{\"required\": [\"cord\"]}, {\"required\": [\"cords\"]}],"
     " \"dependencies\": {\"mac\": {\"properties\": {\"count\": {\"maximum\": 1}}}}}"},
    {"host", "address", "{\"pattern\": \"^" IPV4 "$\"}"},
    {"host", "mac", MAC},
    {"redundancy", "may_lose", "{\"uniqueItems\": true}"},
    {"redundancy", "",
     "{\"if\": {\"properties\": {\"scheme\": {\"const\": \"N\"}}},"
     " \"then\": {\"properties\": {\"may_lose\": {\"maxItems\": 0}}},"
     " \"else\": {\"required\": [\"may_lose\"],"
     "  \"properties\": {\"may_lose\": {\"minItems\": 1}}},"
     " \"allOf\": [{\"if\": {\"properties\": {\"scheme\": {\"const\": \"catcher\"}}},"
     "  \"then\": {\"required\": [\"catcher\"]},"
     "  \"else\": {\"properties\": {\"catcher\": false}}},"
     "  {\"if\": {\"properties\": {\"scheme\": {\"const\": \"distributed\"}}},"
     "  \"then\": {\"properties\": {\"may_lose\": {\"minItems\": 3}}}}]}"},
    {"ramp", "", "{\"minProperties\": 1}"},
    {"contract", "",
     "{\"anyOf\": [{\"required\": [\"cap\"]}, {\"required\": [\"ramp\"]}],"
     " \"oneOf\": [{\"required\": [\"node\"]}, {\"required\": [\"nodes\"]}],"
     " \"dependencies\": {\"from\": [\"to\"], \"to\": [\"from\"]}}"},
    {"shed", "", "{\"dependencies\": {\"restore_after\": [\"restore\"]}}"},
    {"port", "address", "{\"pattern\": \"^" IPV4 "(/([89]|[12][0-9]|30))?$\"}"},
    {"port", "gateway", "{\"pattern\": \"^" IPV4 "$\"}"},
    {"port", "mac", MAC},
    {0},
};
