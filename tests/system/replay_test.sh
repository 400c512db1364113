#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# replay_test.sh SOURCE BUILD: journals of three seeded histories replay exactly with this build's flyball,
# and give the same digests with every compiler. The programs are in FLYBALL_* variables.
set -euo pipefail
source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

journals=()
for seed in 1 3 11; do
    journal=$work/history-$seed.journal
    echo "seed $seed: $("$FLYBALL_HISTORY" "$journal" $seed 12)"
    "$FLYBALL_CLI" replay "$journal" | head -n 1
    journals+=("$journal")
done
"$source/tests/system/replay_compilers.sh" "$source" "$build" "${journals[@]}"
