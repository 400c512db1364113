#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pure.sh LIBRARY: the library may need nothing from outside but memcpy, memcmp, memmove and memset, which
# compilers call on their own as well, and in hardened builds the stack protector.
set -eu
defined=$(nm --defined-only -g "$1" | awk 'NF == 3 { print $3 }')
strange=$(nm -u "$1" | awk '$1 == "U" { print $2 }' | sort -u | while read -r name; do
    case $name in
    memcpy | memcmp | memmove | memset | __stack_chk_fail | _GLOBAL_OFFSET_TABLE_) ;;
    *) echo "$defined" | grep -qx "$name" || echo "$name" ;;
    esac
done)
[ -z "$strange" ] || { echo "$1 is not pure, it needs:" $strange; exit 1; }
