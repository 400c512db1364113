#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prolog of Slurm (slurm.conf: Prolog=, with PrologFlags=Alloc): asks for the power of a job on this host
# before it starts. Denied for WAIT_S seconds, the job goes back to the queue by `scontrol requeue`, and the
# exit code is 0: any other would drain this node (Slurm's Prolog and Epilog Guide). Only where that fails,
# and STRICT=yes, is it 1: the node drains, and somebody looks.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
POWER=10kW LENGTH=10min WAIT_S=10 STRICT=no FLYBALL=/usr/bin/flyball SCONTROL=/usr/bin/scontrol
SOCKET=/run/flyball-agent/ask
settings=$(dirname "$0")/flyball.conf
# shellcheck source=/dev/null
[ -r "$settings" ] && . "$settings"
job=${SLURM_JOB_ID:?the job id that Slurm sets}
if [[ ${SLURM_JOB_COMMENT:-} =~ flyball=([0-9.]+[kM]?W) ]]; then
    POWER=${BASH_REMATCH[1]}
fi

say() {
    echo "flyball prolog: job $job: $*" >&2
    logger -t flyball-prolog "job $job: $*" 2>/dev/null || true
}

# Exit code of one try, no longer than what is left: 0 granted, 5 denied, anything else: nobody to ask.
try() {
    timeout -k 1 "$1" "$FLYBALL" ask "$POWER" --for "$LENGTH" --job "$job" --socket "$SOCKET" 2>&1
}

# The job does not run here now.
give_back() {
    if timeout -k 1 5 "$SCONTROL" requeue "$job"; then
        say "requeued: $*"
        exit 0
    fi
    say "cannot be requeued, $([ "$STRICT" = yes ] && echo "and may not run" || echo "so it runs"): $*"
    [ "$STRICT" = yes ] && exit 1
    exit 0
}

SECONDS=0
while :; do
    left=$((WAIT_S - SECONDS))
    answer=$(try $((left > 0 ? left : 1)))
    code=$?
    [ $code -eq 0 ] && exit 0
    [ $((SECONDS + 1)) -ge "$WAIT_S" ] && break
    sleep 1
done
[ $code -eq 5 ] && give_back "$answer"
[ "$STRICT" = yes ] && give_back "nobody answers: $answer"
say "nobody answers, so it runs: $answer"
exit 0
