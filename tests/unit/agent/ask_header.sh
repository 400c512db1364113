#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The header that jobs are given compiles clean as C99 and as C++, alone and with every warning an error.
# usage: ask_header.sh HEADER. Exit code 77: no compiler here.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/job.c" <<END
#include "$1"
int main(void)
{
    struct flyball_answer answer;
    int fd = flyball_ask_open("/nowhere/ask");
    if (fd >= 0)
        return flyball_ask(fd, 1, 1, 1, 1, "1", &answer) + flyball_ask_extend(fd, 1, "1", &answer) +
               flyball_ask_release(fd, "1", &answer);
    return fd == -ENOENT ? 0 : 1;
}
END
cp "$folder/job.c" "$folder/job.cc"
tried=0
if command -v cc >/dev/null; then
    for macro in _POSIX_C_SOURCE=200809L _GNU_SOURCE; do
        cc -std=c99 -D$macro -pedantic -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Werror \
            -o "$folder/job" "$folder/job.c"
        "$folder/job"
        tried=1
    done
fi
if command -v c++ >/dev/null; then
    for standard in 11 17; do
        c++ -std=c++$standard -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror -o "$folder/job" \
            "$folder/job.cc"
        "$folder/job"
        tried=1
    done
fi
[ "$tried" = 1 ] || exit 77
