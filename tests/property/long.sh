#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# long.sh SOURCE BUILD: every program of this folder with --long, on all cores where it can take them; hours.
# Says each one's last line; leaves with 1 where one fails.
set -u
source=$1 programs=$2/tests/property code=0
for program in age breaker cluster handover heat ledger lease liar measure pace specimen takeover watchdog \
    waterfill graph; do
    case $program in
        handover) set -- "$source/config/demo-2n/site.yaml" "$source/config/demo-2n/workload.yaml" ;;
        graph) set -- --jobs "$(nproc)" ;;
        *) set -- ;;
    esac
    if said=$("$programs/${program}_property" "$@" --long); then
        printf 'ok %s\n' "$(printf '%s\n' "$said" | tail -n 1)"
    else
        printf '%s\nnot ok %s_property\n' "$said" "$program"
        code=1
    fi
done
exit $code
