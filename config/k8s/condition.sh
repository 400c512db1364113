#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Writes the condition FlyballPower of a Kubernetes node, from the history that flyball-agent keeps of the
# host: True while leases hold, False at fail-safe or at boot, Unknown where the agent says nothing any more.
# usage: condition.sh NODE HOST [once]. Needs curl, and a service account that may patch nodes/status.
set -u
node=${1:?the name of the node}
host=${2:?the name of the host in the site file}
account=${ACCOUNT:-/var/run/secrets/kubernetes.io/serviceaccount}
api=${API:-https://${KUBERNETES_SERVICE_HOST:-}:${KUBERNETES_SERVICE_PORT:-443}}
flyball=${FLYBALL:-/usr/bin/flyball}
history=${HISTORY:-/var/lib/flyball-agent/history}
every_s=${EVERY_S:-10} silent_ms=${SILENT_MS:-3000}

# "STATUS REASON message" of this moment.
look() {
    local told state age_ns
    if ! told=$(timeout 5 "$flyball" host "$host" --file "$history" --last 1s --json 2>&1); then
        echo "Unknown NoHistory ${told//[^a-zA-Z0-9 .,:\/-]/ }"
        return
    fi
    state=$(grep -o '"state": "[a-z-]*"' <<<"$told" | tail -1 | cut -d'"' -f4)
    age_ns=$(grep -o '"age_ns": -\{0,1\}[0-9]*' <<<"$told" | head -1 | cut -d' ' -f2)
    if [ $((age_ns / 1000000)) -gt "$silent_ms" ]; then
        echo "Unknown AgentSilent the newest sample is $((age_ns / 1000000000)) s old"
    elif [ "$state" = leased ]; then
        echo "True Leased power is leased to this host"
    else
        echo "False FailSafe no lease: this host is held at its fail-safe cap"
    fi
}

now() {
    date -u +%Y-%m-%dT%H:%M:%SZ
}

patch() {
    curl --silent --show-error --fail --output /dev/null --max-time 5 --cacert "$account/ca.crt" \
        --header "Authorization: Bearer $(cat "$account/token")" --request PATCH \
        --header 'Content-Type: application/strategic-merge-patch+json' --data "$1" \
        "$api/api/v1/nodes/$node/status"
}

was='' since=''
while :; do
    read -r status reason message <<<"$(look)"
    [ "$status" = "$was" ] || since=$(now)
    condition="{\"type\": \"FlyballPower\", \"status\": \"$status\", \"reason\": \"$reason\",
        \"message\": \"$message\", \"lastHeartbeatTime\": \"$(now)\", \"lastTransitionTime\": \"$since\"}"
    if patch "{\"status\": {\"conditions\": [$condition]}}"; then
        was=$status
        code=0
    else
        echo "flyball condition: $node: the API server does not take it; again in $every_s s" >&2
        was=''
        code=1
    fi
    [ "${3:-}" = once ] && exit $code
    sleep "$every_s"
done
