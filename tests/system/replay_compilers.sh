#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# replay_compilers.sh SOURCE BUILD JOURNAL...: the same journals give the same digests whatever compiled the
# core: gcc and clang, -O0 and -O3, for x86-64-v1 and for v3. Each variant is compiled with the flags of
# BUILD but for those; a variant compiled from the same bytes before is kept in $FLYBALL_REPLAY_CACHE, or in
# BUILD. Exit codes: 0 all agree, 1 they do not, 77 a compiler is missing.
set -euo pipefail
source=$(realpath "$1") build=$(realpath "$2")
shift 2

for compiler in gcc clang jq; do
    command -v $compiler >/dev/null || { echo "skipped: no $compiler here"; exit 77; }
done

# What BUILD says to every file of core about dialect and floating point; the rest is not about digests.
mapfile -t flags < <(jq -r '[.[] | select(.file | endswith("src/core/ledger.c"))][0].command // ""' \
    "$build/compile_commands.json" | tr ' ' '\n' | grep -E '^-(std=|ffp-|fno-fast|ffast-math|D_GNU_SOURCE)')
[ ${#flags[@]} -gt 0 ] || { echo "no flags found in $build/compile_commands.json" >&2; exit 1; }
files=("$source"/src/core/*.c "$source"/src/record/{crc32c,journal_alert,journal_model,journal_read}.c
    "$source"/tests/system/{meter_digest,replay_digests}.c)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Everything that a variant is made of.
key=$({ gcc --version; clang --version; printf '%s\n' "${flags[@]}"; cat "$0" "${files[@]}"
    find "$source"/src -name '*.h' -print0 | sort -z | xargs -0 cat; } | sha256sum | cut -c1-32)
cache=${FLYBALL_REPLAY_CACHE:-$build/replay-variants}
kept=$cache/$key
mkdir -p "$kept"
exec 9>"$cache/lock"
flock 9
for old in "$cache"/*/; do
    [ "$old" -ef "$kept" ] || rm -rf "$old"
done

# compile NAME COMPILER FLAG...
compile() {
    local name=$1 compiler=$2
    shift 2
    [ ! -x "$kept/$name" ] || return 0
    "$compiler" "${flags[@]}" "$@" -I"$source/src" -o "$kept/$name.new" "${files[@]}" -lm
    mv "$kept/$name.new" "$kept/$name"
}

has_v3() {
    local wanted
    for wanted in avx2 bmi1 bmi2 f16c fma abm movbe; do
        grep -qm1 "^flags.*\\b$wanted\\b" /proc/cpuinfo || return
    done
}

variants=()
for compiler in gcc clang; do
    variants+=("$compiler-O0-v1 $compiler -O0 -march=x86-64" "$compiler-O3-v1 $compiler -O3 -march=x86-64")
    variants+=("$compiler-O3-v3 $compiler -O3 -march=x86-64-v3")
done

building=()
for variant in "${variants[@]}"; do
    # shellcheck disable=SC2086
    compile $variant & building+=($!)
    [ $((${#building[@]} % $(nproc))) -ne 0 ] || wait "${building[-1]}"
done
for pid in "${building[@]}"; do wait "$pid"; done
cp "$kept"/* "$work"
flock -u 9

"$work/gcc-O0-v1" "$@" >"$work/wanted"
seconds=$(grep -c '^second' "$work/wanted" || true)
[ "$seconds" -gt 0 ] || { echo "no second is closed in these journals: nothing to compare"; exit 1; }
wrong=0
for variant in "${variants[@]}"; do
    name=${variant%% *}
    if [[ $variant == *v3* ]] && ! has_v3; then
        echo "$name: compiled, not run: this processor is not x86-64-v3"
        continue
    fi
    "$work/$name" "$@" >"$work/said"
    if cmp -s "$work/wanted" "$work/said"; then
        echo "$name: same"
    else
        echo "$name: other digests than gcc-O0-v1"
        diff "$work/wanted" "$work/said" | head -n 4 || true
        wrong=1
    fi
done

if ! grep -q '^heat .* of [1-9]' "$work/wanted"; then
    echo "no device of these journals has a curve"
    wrong=1
fi
if grep '^meter ' "$work/wanted" | grep -v 'flags ff$'; then
    echo "a meter was not shown everything that may be wrong with a window"
    wrong=1
fi
# A check that cannot fail is none.
"$work/gcc-O3-v1" --deaf 0 "$@" >"$work/said" || true
if cmp -s "$work/wanted" "$work/said"; then
    echo "the reports of host 0 left out: the same digests, which cannot be"
    wrong=1
fi
echo "$seconds seconds of $# journals, $(grep '^measure' "$work/wanted")"
exit $wrong
