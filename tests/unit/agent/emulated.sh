#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A foreign flyball-agent through its emulator: check, probe, and agent and watchdog until fail-safe caps are
# read back and the agent has ended by itself.
# usage: emulated.sh AGENT EMULATOR...
set -euo pipefail
agent=$1
shift
run=("$@" "$agent")
[ -d /dev/shm ] || { echo "no file system in memory at /dev/shm"; exit 77; }
folder=$(mktemp -d)
memory=$(mktemp -d -p /dev/shm flyball-emulated-XXXXXX)
watchdog='' agent_is=''
finish() {
    for process in $watchdog $agent_is; do
        kill -KILL "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    rm -rf "$folder" "$memory"
}
trap finish EXIT
mkdir "$folder/state"
cat >"$folder/agent.conf" <<CONF
host = emulated
id = 0
controller = 127.0.0.1:9
listen = 127.0.0.1:$((20000 + $$ % 20000))
fail_safe = 800 W
phys_max = 5 kW
cap_min = 400 W
cap_max = 2800 W
actuation = 120 ms
actuator = dry
dry_devices = 4
dry_file = $memory/devices
state = $folder/state
run = $memory
CONF
"${run[@]}" check "$folder/agent.conf"
"${run[@]}" probe dry | head -n 20
"${run[@]}" watch "$folder/agent.conf" 2>"$folder/watch.out" &
watchdog=$!
"${run[@]}" run "$folder/agent.conf" "$folder/summary.json" 2>"$folder/run.out" &
agent_is=$!
for _ in $(seq 600); do
    grep -q 'ready: fail-safe caps are read back' "$folder/run.out" && break
    sleep 0.1
done
cat "$folder/run.out" "$folder/watch.out"
grep -q 'ready: fail-safe caps are read back' "$folder/run.out"
# each device: 200 W
for device in 0 1 2 3; do
    [ "$(od -An -t d8 -j $((8 + 48 * device)) -N 8 "$memory/devices" | tr -d ' ')" = 200000 ]
done
kill -TERM "$agent_is"
wait "$agent_is"
agent_is=''
cat "$folder/summary.json"
grep -q '"ready": true.*"writes_failed": 0,' "$folder/summary.json"
