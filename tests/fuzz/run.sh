#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes the decoders of src/wire, meters and recordings too, the readers of CSV files and of conditions, the
# network layer of src/port/ip, answers of ptp4l, and a lane and an agent behind true tags, under ASan and
# UBSan from valid seeds, and proves that it would notice.
#
#   tests/fuzz/run.sh [--seconds N] [--coverage] [--build]
#
#   --seconds N   time for all targets together, canary apart (default 60)
#   --build       compiles what the others need, and no more
#   --coverage    then replays the corpus and asks for at least 90 % of the lines of every file
#                 of src/wire, src/port/ip, the conditions and ptp_message
#
# Exit 1 on a finding, when the canary lives, or when coverage is below the bar. Needs clang, meson and, for
# coverage, llvm-profdata and llvm-cov of the same version. Findings stay in build-fuzz/findings.
set -eu

seconds=60
coverage=no
only_build=no
bar=90
while [ $# -gt 0 ]; do
    case "$1" in
    --seconds) seconds=$2; shift 2 ;;
    --coverage) coverage=yes; shift ;;
    --build) only_build=yes; shift ;;
    *) sed -n '3,16s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
done

root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build-fuzz
covered=$root/build-fuzz-coverage
targets="upmu cap frame csv ip lane agent meter comtrade when ptp"
clang=$(command -v clang-14 || command -v clang)
failed=0

# configure FOLDER COMPILER_FLAGS LINKER_FLAGS [MESON OPTION...]: once; then only rebuilds what changed.
configure() {
    folder=$1; flags=$2; link=$3; shift 3
    mkdir -p "$folder"
    [ -f "$folder/build.ninja" ] ||
        CC=$clang meson setup "$folder" "$root" -Dfuzz=true -Dbuildtype=debugoptimized -Db_lundef=false \
            -Dc_args="$flags" -Dc_link_args="$link" "$@" >"$folder/build.log" 2>&1 ||
        { tail -5 "$folder/build.log"; exit 1; }
    ninja -j2 -C "$folder" fuzz >"$folder/build.log" 2>&1 || { tail -30 "$folder/build.log"; exit 1; }
}

# Until the canary is dead the others prove nothing.
check_canary() {
    log=$build/canary.log
    rm -rf "$build/corpus/canary-found"
    mkdir -p "$build/corpus/canary-found"
    if timeout 60 "$build/tests/fuzz/fuzz_canary" -max_total_time=30 -print_final_stats=1 \
            -artifact_prefix="$build/findings/canary-" "$build/corpus/canary-found" "$build/corpus/frame" \
            >"$log" 2>&1; then
        echo "canary: ALIVE: a planted read past the end went unnoticed for 30 s"
        failed=1
        canary=alive
    elif grep -q 'heap-buffer-overflow' "$log"; then
        canary=found
        echo "canary: found after $(sed -n 's/^stat::number_of_executed_units: //p' "$log") inputs"
    else
        echo "canary: failed for another reason:"; tail -5 "$log"
        failed=1
    fi
    rm -f "$build"/findings/canary-*
}

# New inputs are kept in a folder of the run, so the next run starts where this one ended. Runs beside
# others: leaves how many inputs there were, and with 1 on a finding.
fuzz() {
    log=$build/$1.log
    echo 0 >"$build/$1.runs"
    mkdir -p "$build/corpus/$1-found"
    if "$build/tests/fuzz/fuzz_$1" -max_total_time="$2" -max_len=4096 -timeout=5 -print_final_stats=1 \
            -artifact_prefix="$build/findings/$1-" "$build/corpus/$1-found" "$build/corpus/$1" \
            >"$log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
        echo "$runs" >"$build/$1.runs"
        echo "$1: $runs inputs in $2 s, no finding"
    else
        echo "$1: FINDING"
        grep -E 'differ.c|ERROR|SUMMARY|runtime error|Test unit' "$log" | head -10
        return 1
    fi
}

# As many at a time as there are cores, each as long as it would run alone.
fuzz_all() {
    total=0
    pids=
    for target in $targets; do
        fuzz "$target" $(((seconds + 10) / 11)) &
        pids="$pids $!"
        # shellcheck disable=SC2086 # a list of words
        set -- $pids
        if [ $# -ge "$(nproc)" ]; then
            wait "$1" || failed=1
            shift
            pids=$*
        fi
    done
    for pid in $pids; do wait "$pid" || failed=1; done
    for target in $targets; do total=$((total + $(cat "$build/$target.runs"))); done
}

build_for_coverage() {
    export LLVM_PROFILE_FILE=/dev/null      # what the compiler checks of meson would leave behind
    configure "$covered" "-fprofile-instr-generate -fcoverage-mapping" \
        "-fprofile-instr-generate"
}

# measure_coverage: line coverage of each file with a decoder in it, from the corpus that fuzzing left.
measure_coverage() {
    build_for_coverage
    objects=
    for target in $targets; do
        LLVM_PROFILE_FILE=$covered/$target.profraw "$covered/tests/fuzz/fuzz_$target" -runs=0 \
            "$build/corpus/$target-found" "$build/corpus/$target" >"$covered/$target.log" 2>&1
        objects="$objects -object $covered/tests/fuzz/fuzz_$target"
    done
    llvm-profdata-14 merge -o "$covered/all.profdata" "$covered"/*.profraw
    # shellcheck disable=SC2086 # a list of words
    llvm-cov-14 report ${objects# -object} -instr-profile="$covered/all.profdata" >"$covered/report.txt"
    awk -v bar=$bar '$1 ~ /^\.\.\/src\/((wire|port\/ip)\/|site\/read\/when|time\/ptp_message)/ {
            sub(/.*\//, "", $1)
            printf "  %-14s %4d lines, %3d missed\n", $1, $8, $9
            if ($8 - $9 < $8 * bar / 100) low = 1
            all += $8; missed += $9
        } END { printf "%.1f %%\n", all ? 100 * (all - missed) / all : 0; exit low || !all }' \
        "$covered/report.txt" >"$covered/lines.txt" || { echo "coverage: a file is below $bar %"; failed=1; }
    grep lines "$covered/lines.txt"
    lines=$(tail -1 "$covered/lines.txt")
}

mkdir -p "$build"
configure "$build" "-fno-sanitize-recover=all" "" -Db_sanitize=address,undefined
if [ $only_build = yes ]; then
    build_for_coverage
    exit 0
fi
mkdir -p "$build/findings"
"$build/tests/fuzz/seed" "$build/corpus"
canary=broken
check_canary
fuzz_all
lines="not measured"
[ $coverage = no ] || measure_coverage
[ $failed = 0 ] && verdict=ok || verdict=FAILED
echo "fuzz $verdict: $total inputs to $targets in $seconds s, canary $canary, line coverage $lines"
exit $failed
