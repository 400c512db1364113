#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the benches and holds their figures against bench/bars.txt. Prints one TAP line per bar.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2

usage() {
    cat <<'HELP'
usage: bench/gates.sh [--long] [--moments N] [--pause S] [--missed FILE] [--only "NAME ..."]
                      [--benches DIR] [--out DIR]

  --long         100,000 rounds of rtt instead of 20,000, and always five runs of each bench; rtt also on
                 af_xdp and uring
  --moments N    how many times a bench is tried, from one up (3)
  --pause S      seconds between two of them (40)
  --missed FILE  a bench that missed a bar every time is not told of but named there, for a later --only
  --only NAMES   these benches alone
  --benches DIR  where rtt, auth, pipeline, ledger, decode, breaker and safety are (build/bench)
  --out DIR      where what each run printed stays, as bench-NAME-RUN.json (build-test)

One run of a bench that meets all its bars is enough. Where one does not, there are four more, and the median
of the five is held against the bar, figure by figure: on a shared machine single runs of the same binary
differ by a quarter and more. Such a machine has slow minutes, too, in which every run takes a quarter longer:
where the median misses a bar, all five are run again after a pause. A bar missed every time is missed; the
echo's own tail and the load stand beside every run, so that a reader can tell how much of a figure is the
machine.
rtt runs on af_packet. On af_xdp and on uring it is held to the same bars with --long; without, it runs once
there, with a quarter of the rounds: the figures are told, and a bar that one misses is named as not held.
safety plays hours of virtual time: what comes of them is the same on every machine and every time, so its
first run counts (with --long 1,300 h); only its speed is measured like the others.
A bar that only a quiet machine meets is named as NOT MET in its line where a slow one misses it every time,
and its figure is held to a second one, so that it gets no worse unseen.
Exit code: 0 every bar is met or was skipped, 1 one is not, 2 bad usage.
HELP
}

# Its first four columns are of interest here; bench/bars.txt says what each means.
bars=$(sed '/^#/d' bench/bars.txt)
# Keys that every bench's JSON carries, and how many raw histograms.
keys='["n","seed","commit","driver","duration_s"]'
declare -A histograms=([rtt]=4 [auth]=5 [pipeline]=6 [ledger]=4 [decode]=4 [breaker]=15 [safety]=1)
run_limit_s=120 hours_limit_s=900

long=0 moments=3 pause_s=40 benches=build/bench out=build-test missed='' only=''
while [ $# -gt 0 ]; do
    case $1 in
        --long) long=1; shift ;;
        --moments | --pause)
            [[ ${2:-} =~ ^[0-9]{1,3}$ ]] || { echo "bench/gates.sh: $1 wants a number" >&2; exit 2; }
            if [ "$1" = --moments ]; then moments=$2; else pause_s=$2; fi
            [ "$moments" -ge 1 ] || { echo "bench/gates.sh: --moments wants 1 or more" >&2; exit 2; }
            shift 2 ;;
        --benches | --out | --missed | --only)
            [ $# -ge 2 ] || { echo "bench/gates.sh: $1 wants a value" >&2; exit 2; }
            declare "${1#--}=$2"; shift 2 ;;
        -h | --help) usage; exit 0 ;;
        *) echo "bench/gates.sh: unknown argument '$1'" >&2; usage >&2; exit 2 ;;
    esac
done
first_runs=1 most_runs=5 rounds=20000
[ $long -eq 0 ] || first_runs=5 most_runs=5 rounds=100000
[ $long -eq 0 ] || run_limit_s=600 hours_limit_s=7200

mkdir -p "$out"
[ -n "$only" ] || rm -f "$out"/bench-*.json "$out"/bench-*.txt
[ -z "$missed" ] || : >"$missed" || exit 2
chosen() { [[ -z $only || " $only " == *" $1 "* ]]; }
line=0 failed=0
ok() { line=$((line + 1)); printf 'ok %d - %s\n' $line "$1"; }
not_ok() { line=$((line + 1)) failed=1; printf 'not ok %d - %s\n' $line "$1"; }
skip() { line=$((line + 1)); printf 'ok %d - %s # SKIP %s\n' $line "$1" "$2"; }

# Rows of that name, else of what stands before its first dash: rtt-DRIVER is rtt on another driver than the
# site's.
bars_of() {
    awk -v bench="$1" 'function say() { print $2, $3, $4 == "-" ? $3 : $4 }
        $1 == bench { say(); found = 1 }
        { row[NR] = $0 }
        END { sub(/-.*/, "", bench)
              for (i = 1; i <= NR && !found; i++) { $0 = row[i]; if ($1 == bench) say() } }' <<<"$bars"
}
plain() { local name=${1#.}; printf '%s' "${name//-./ - }"; }
within() {
    awk -v value="$1" -v bar="$2" 'BEGIN { least = sub(/^>=/, "", bar)
        exit !(least ? value + 0 >= bar + 0 : value + 0 <= bar + 0) }'
}
bar_words() { case $1 in ">="*) printf 'at least %s' "${1#>=}" ;; *) printf 'at most %s' "$1" ;; esac; }

# read_figures BENCH RUN...: what bench-BENCH-RUN.json say of every bar and of the echo alone, and if they
# have their shape. All runs at once: jq is slow to start.
declare -A known=()
read_figures() {
    local bench=$1 path rest program value file said also=() files=()
    shift
    files=("${@/#/$out/bench-$bench-}")
    [ "${bench%%-*}" != rtt ] || also=(.first.echo_us_p50 .first.echo_us_p999)
    program='inputs | input_filename as $file | (. as $all | select(($keys - ($all | keys) == []) and
        ([.. | arrays | select(length > 0 and all(.[]; type == "array" and length == 2))] |
            length >= $wanted)) | "shape yes \($file)"), '
    while read -r path rest; do
        program+="(try ($path | numbers | . * 10000 | round / 10000 |"
        program+=" \"$path \\(.) \\(\$file)\") catch empty), "
    done < <(bars_of "$bench"; for path in "${also[@]}"; do echo "$path"; done)
    said=$(jq -nr --argjson keys "$keys" --argjson wanted "${histograms[${bench%%-*}]}" "$program empty" \
        "${files[@]/%/.json}" 2>"$out/bench-$bench-jq.txt") ||
        echo "# $bench: $(tail -n 1 "$out/bench-$bench-jq.txt")"
    while read -r path value file; do
        file=${file##*/bench-}
        [ -z "$path" ] || known[${file%.json} $path]=$value
    done <<<"$said"
}
figure() { printf '%s' "${known[$1 $2]:-}"; }

# The one in the middle of an odd count of numbers.
median() { sort -g | awk '{ value[NR] = $0 } END { if (NR) print value[int((NR + 1) / 2)] }'; }

# The middle of one figure over all runs of a bench; nothing where a run lacks it.
middle() {
    local bench=$1 path=$2 runs=$3 run value values=''
    for run in $(seq "$runs"); do
        value=$(figure "$bench-$run" "$path")
        [ -n "$value" ] || return
        values+="$value"$'\n'
    done
    printf '%s' "$values" | median
}

# meets BENCH RUNS: the medians over that many runs meet all its bars.
meets() {
    local path bar rest value
    while read -r path bar rest; do
        value=$(middle "$1" "$path" "$2")
        [ -n "$value" ] && within "$value" "$bar" || return
    done < <(bars_of "$1")
}

print_run() {
    local bench=$1 run=$2 path rest said=''
    while read -r path rest; do
        said+=", $(plain "$path") $(figure "$bench-$run" "$path")"
    done < <(bars_of "$bench")
    # The echo's own tail and the load tell how much of a figure is the machine.
    [ "${bench%%-*}" != rtt ] || said+="; the echo alone: p50 $(figure "$bench-$run" .first.echo_us_p50) us,"
    [ "${bench%%-*}" != rtt ] || said+=" p99.9 $(figure "$bench-$run" .first.echo_us_p999) us"
    echo "# $bench, run $run: ${said#, }; load $(cut -d' ' -f1 /proc/loadavg) on $(nproc) cores"
}

# One run, its JSON kept.
run_bench() {
    local bench=$1 run=$2 rc=0
    shift 2
    timeout -k 5 "$run_limit_s" "$@" >"$out/bench-$bench-$run.json" 2>"$out/bench-$bench-$run.txt" || rc=$?
    [ $rc -ne 124 ] && [ $rc -ne 137 ] || echo "stopped after $run_limit_s s" >>"$out/bench-$bench-$run.txt"
    return $rc
}

shape() {
    local bench=$1
    if [ -n "$(figure "$bench-1" shape)" ]; then
        ok "$bench: the JSON carries ${keys//[\[\]\"]/} and raw histograms"
    else
        not_ok "$bench: the JSON carries ${keys//[\[\]\"]/} and raw histograms"
    fi
}

report() {
    local bench=$1 runs=$2 path bar held value of='one run'
    [ "$runs" -eq 1 ] || of="median of $runs runs"
    local slow='on a slow machine held to'
    shape "$bench"
    while read -r path bar held; do
        value=$(middle "$bench" "$path" "$runs")
        if [ -z "$value" ]; then not_ok "$bench: $(plain "$path") is missing"
        elif within "$value" "$bar"; then ok "$bench: $(plain "$path") $value, $(bar_words "$bar") ($of)"
        elif within "$value" "$held"; then
            ok "$bench: $(plain "$path") $value NOT MET, $(bar_words "$bar"); $slow $held ($of)"
        else not_ok "$bench: $(plain "$path") $value, $(bar_words "$bar") ($of)"; fi
    done < <(bars_of "$bench")
}

# has_all BENCH: its first run has every figure that a bar is for.
has_all() {
    local path rest
    while read -r path rest; do
        [ -n "$(figure "$1-1" "$path")" ] || return
    done < <(bars_of "$1")
}

# take BENCH COMMAND...: as many runs as are needed, counted in taken. 1: the medians miss a bar, 2: a run
# ended badly.
taken=0
take() {
    local bench=$1 run from=1 new
    shift
    for run in $(seq $most_runs); do
        taken=$run
        run_bench "$bench" "$run" "$@" || return 2
        [ "$run" -eq $first_runs ] || [ "$run" -eq $most_runs ] || continue
        mapfile -t new < <(seq $from "$run")
        read_figures "$bench" "${new[@]}"
        for from in "${new[@]}"; do print_run "$bench" "$from"; done
        from=$((run + 1))
        meets "$bench" "$run" && return
        [ "$run" -eq $most_runs ] || echo "# $bench: a bar is missed: four more runs, then the medians"
    done
    return 1
}

# gate BENCH COMMAND...: as many moments as are needed, then one TAP line per bar.
gate() {
    local bench=$1 moment rc
    chosen "$bench" || return
    if [ ! -x "$benches/${bench%%-*}" ]; then
        not_ok "$bench: $benches/${bench%%-*} is not built"
        return
    fi
    for moment in $(seq "$moments"); do
        rc=0
        take "$@" || rc=$?
        if [ $rc -eq 2 ]; then
            not_ok "$bench: run $taken ended badly: $(tail -n 1 "$out/bench-$bench-$taken.txt")"
            return
        fi
        [ $rc -ne 0 ] || break
        has_all "$bench" && [ "$moment" -lt "$moments" ] || break
        echo "# $bench: the medians miss a bar: again in $pause_s s, in case the machine is slow just now"
        sleep "$pause_s"
    done
    if [ $rc -ne 0 ] && [ -n "$missed" ] && has_all "$bench"; then
        echo "# $bench: the medians miss a bar: put off"
        echo "$bench" >>"$missed"
        return
    fi
    report "$bench" "$taken"
}

# once BENCH COMMAND...: its first run counts, whatever the machine does meanwhile.
once() {
    local bench=$1 run_limit_s=$hours_limit_s rc=0
    chosen "$bench" || return
    if [ ! -x "$benches/$bench" ]; then
        not_ok "$bench: $benches/$bench is not built"
        return
    fi
    run_bench "$bench" 1 "${@:2}" || rc=$?
    read_figures "$bench" 1
    print_run "$bench" 1
    [ $rc -eq 0 ] || not_ok "$bench: it left with $rc: $(tail -n 1 "$out/bench-$bench-1.txt")"
    report "$bench" 1
}

# tell DRIVER: one run of rtt on another driver than the site's, told and not held against the bars, but
# which of them it misses is said. A run that ends badly or lacks a figure fails.
tell() {
    local driver=$1 name=rtt-$1 path bar rest value said='' missing='' beyond='' rc=0
    chosen "$name" || return
    shift
    timeout -k 5 $run_limit_s "$benches/rtt" --json --driver "$driver" "$@" \
        >"$out/bench-$name-1.json" 2>"$out/bench-$name-1.txt" || rc=$?
    read_figures "$name" 1
    while read -r path bar rest; do
        value=$(figure "$name-1" "$path")
        said+=", $(plain "$path") $value"
        if [ -z "$value" ]; then missing+=" $(plain "$path")"
        elif ! within "$value" "$bar"; then beyond+=", $(plain "$path") $(bar_words "$bar")"; fi
    done < <(bars_of rtt)
    said+="; load $(cut -d' ' -f1 /proc/loadavg) on $(nproc) cores${beyond:+; not held here: ${beyond#, }}"
    if [ $rc -ne 0 ]; then not_ok "rtt on $driver: it ended badly: $(tail -n 1 "$out/bench-$name-1.txt")"
    elif [ -n "$missing" ]; then not_ok "rtt on $driver:$missing is missing"
    else ok "rtt on $driver: told, not held against a bar:${said#,}"; fi
}

# Real time on a core of its own for what runs in memory; rtt sees to that itself.
calm=()
core=$(($(nproc --all) - 1))
if taskset -c $core true 2>/dev/null; then calm+=(taskset -c $core)
else echo "# decode, breaker, pipeline and ledger are not pinned to a core: not permitted"; fi
if chrt -f 60 true 2>/dev/null; then calm+=(chrt -f 60)
else echo "# decode, breaker, pipeline and ledger run without SCHED_FIFO: not permitted"; fi

gate decode "${calm[@]}" "$benches/decode" --json
gate breaker "${calm[@]}" "$benches/breaker" --json
gate auth "${calm[@]}" "$benches/auth" --json
gate pipeline "${calm[@]}" "$benches/pipeline" --json
gate ledger "${calm[@]}" "$benches/ledger" --json
gate safety-speed "${calm[@]}" "$benches/safety" --json --speed
if [ $long -eq 1 ]; then once safety "$benches/safety" --json --long
else once safety "$benches/safety" --json; fi
if ! chosen rtt && ! chosen rtt-auth && ! chosen rtt-af_xdp && ! chosen rtt-uring; then :
elif [ "$(id -u)" -ne 0 ]; then
    skip rtt "needs root for network namespaces and packet sockets"
elif [ "$(nproc)" -lt 2 ]; then
    skip rtt "needs two cores, one for each end"
else
    gate rtt "$benches/rtt" --json --rounds $rounds
    gate rtt-auth "$benches/rtt" --json --auth --rounds $rounds
    for driver in af_xdp uring; do
        [ -x "$benches/rtt" ] || break
        if [ $long -eq 1 ]; then gate rtt-$driver "$benches/rtt" --json --driver $driver --rounds $rounds
        else tell $driver --rounds $((rounds / 4)); fi
    done
fi
echo "1..$line"
exit $failed
