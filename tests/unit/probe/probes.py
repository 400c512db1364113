#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that hold probes: every point of src/probe/points.h is there, on x86-64 as a 1-byte and an aligned
5-byte nop with the same arguments, and no function that holds one uses the bytes below its stack pointer.

usage: probes.py --good|--bad PROGRAM POINT...: --bad wants such a function to be found."""
import re
import subprocess
import sys

NOTE = re.compile(r'Provider: (\w+)\s+Name: (\w+)\s+Location: (0x[0-9a-f]+),.*\s+Arguments: (.*)')
FUNCTION = re.compile(r'^([0-9a-f]+) <([^>]+)>:$')
LINE = re.compile(r'^\s*([0-9a-f]+):\t(.*)$')
BELOW = re.compile(r'-0x[0-9a-f]+\(%rsp[,)]')


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def notes(program):
    """(provider, name) -> set of (place, arguments)."""
    found = {}
    for provider, name, place, arguments in NOTE.findall(output('readelf', '-n', '-W', program)):
        found.setdefault((provider, name), set()).add((int(place, 16), arguments.strip()))
    return found


def functions(program):
    """(name, {address: instruction}) of each."""
    name, body = None, {}
    for line in output('objdump', '-d', '--no-show-raw-insn', program).splitlines():
        if start := FUNCTION.match(line):
            if name:
                yield name, body
            name, body = start[2], {}
        elif place := LINE.match(line):
            body[int(place[1], 16)] = place[2]
    if name:
        yield name, body


def check_pairs(found, names):
    for name in names:
        small, large = found.get(('flyball', name), set()), found.get(('flyball5', name), set())
        if not small:
            yield f'no probe {name}'
        elif len(small) != len(large):
            yield f'{name}: {len(small)} places of one byte, {len(large)} of five'
        for (at, arguments), (at5, arguments5) in zip(sorted(small), sorted(large)):
            if at5 % 8 or not at < at5 <= at + 8 or arguments != arguments5:
                yield f'{name} at {at:#x} and {at5:#x}: {arguments} | {arguments5}'
            if '(' in arguments:
                yield f'{name}: an argument in memory: {arguments}'


def check(program, names):
    found = notes(program)
    yield from check_pairs(found, names)
    places = {at for rows in found.values() for at, _ in rows}
    seen = set()
    for name, body in functions(program):
        held = places & set(body)
        seen |= held
        if held and any(BELOW.search(text) for text in body.values()):
            yield f'{name} holds a probe and writes below its stack pointer'
        for at in held:
            if not body[at].startswith('nop'):
                yield f'{name}: no nop at {at:#x} but {body[at]}'
    if seen != places:
        yield f'{len(places - seen)} places lie in no function'


def main():
    findings = list(check(sys.argv[2], sys.argv[3:]))
    print(*findings, sep='\n')
    if sys.argv[1] == '--bad':
        return 0 if len(findings) == 1 and 'below its stack pointer' in findings[0] else 1
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
