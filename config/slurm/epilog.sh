#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Epilog of Slurm (slurm.conf: Epilog=): what was kept for a job on this host is free again. It ends by
# itself, too, so nothing that goes wrong here matters: the exit code is 0, any other would drain this node.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
FLYBALL=/usr/bin/flyball SOCKET=/run/flyball-agent/ask
settings=$(dirname "$0")/flyball.conf
# shellcheck source=/dev/null
[ -r "$settings" ] && . "$settings"
timeout -k 1 5 "$FLYBALL" ask --release --job "${SLURM_JOB_ID:-0}" --socket "$SOCKET" >/dev/null 2>&1 || true
exit 0
