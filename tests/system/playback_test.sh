#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A capture played to flyballd through port driver pcap: every host that reported in it finds its answer in
# the capture out. No root, no network. Usage: playback_test.sh SOURCE FLYBALLD PLAYBACK
set -euo pipefail
source=$1 flyballd=$2 playback=$3
folder=$(mktemp -d)
daemon=''
finish() {
    [ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
count() { "$playback" read "$folder/site.yaml" "$folder/out.pcap"; }

hosts=16
files=$folder/in.pcap:$folder/out.pcap
sed -e "s|driver: af_packet, interface: fb-hosts|driver: pcap, interface: \"$files\"|" \
    -e "s|cores: {.*}|cores: {housekeeping: 0}|; s|priority: 80|priority: 0|" \
    -e "s|lock_memory: yes|lock_memory: no|" \
    -e "s|rt_throttling: lift|rt_throttling: leave|" \
    -e "s|memory: 256MiB|memory: 256MiB\n    door: $folder/door|" \
    "$source/bench/rtt.yaml" >"$folder/site.yaml"
grep -q 'driver: pcap' "$folder/site.yaml"
"$playback" write "$folder/site.yaml" "$folder/in.pcap"

"$flyballd" "$folder/site.yaml" --summary "$folder/summary.json" >"$folder/said" 2>&1 &
daemon=$!
found=0 leases=0 others=0
for _ in $(seq 100); do
    sleep 0.1
    if ! kill -0 "$daemon" 2>/dev/null; then
        cat "$folder/said"
        exit 1
    fi
    # while it is written its end may be half a frame
    [ ! -s "$folder/out.pcap" ] || read -r found leases others < <(count) || true
    [ "$found" -ne $hosts ] || break
done
kill -TERM "$daemon"
wait "$daemon"
daemon=''
read -r found leases others < <(count)
echo "$found of $hosts hosts found $leases leases in the capture out; $others other frames"
accepted=$(jq '[.counters.lanes[].accepted] | add' "$folder/summary.json")
echo "accepted: $accepted frames of the capture"
[ "$found" -eq $hosts ] && [ "$accepted" -eq $((hosts + 3)) ]

# A capture that breaks off is refused by name and place, and the daemon does not start.
size=$(stat -c %s "$folder/in.pcap")
truncate -s $((size - 1)) "$folder/in.pcap"
if "$flyballd" "$folder/site.yaml" >"$folder/said" 2>&1; then
    echo "a broken capture was taken"
    exit 1
fi
cat "$folder/said"
grep -q "port pcap .*/in.pcap: frame 19 at byte .* is cut off by the end of the file" "$folder/said"
