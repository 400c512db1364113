#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Somebody in the hosts' namespace who has no key: records what passes, and sends an agent what can be made
of it, from the controller's own address.

usage: tagged_attack.py record FILE SECONDS
       tagged_attack.py send RECORDING[,RECORDING...] KINDS FRAMES_PER_S SECONDS AGENT CONTROLLER
A recording is JSON: {"down": [hex, ...], "up": [...]}. AGENT and CONTROLLER are IPv4 addresses, KINDS names
of KINDS below with commas. Prints how many of each kind the kernel took, as JSON."""
import json
import os
import random
import socket
import struct
import sys
import time

PORT, HEADER, MAGIC = 7002, 40, b'FLY1'
REPORT, LEASE, CLAIM = 2, 3, 4
AT_KIND, AT_KEY, AT_TAG = 5, 6, 24
ETHERNET, IP_UDP, BURST = 14, 28, 20


def record(path, seconds):
    kept = {'down': [], 'up': []}
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as wire:
        wire.settimeout(0.1)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                data = wire.recv(2048)[ETHERNET + IP_UDP:]
            except TimeoutError:
                continue
            if data[:4] == MAGIC and len(data) > HEADER and data[AT_KIND] in (REPORT, LEASE, CLAIM):
                kept['up' if data[AT_KIND] == REPORT else 'down'].append(data.hex())
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(kept, file)


def with_bytes(data, at, new):
    return data[:at] + new + data[at + len(new):]


def flipped(data):
    bit = random.randrange(8 * AT_TAG, 8 * len(data))
    return with_bytes(data, bit // 8, bytes([data[bit // 8] ^ 1 << bit % 8]))


# What becomes of a recording: of what was sent down, but for those that begin with up.
KINDS = {
    'replay': lambda data: data,
    'flip': flipped,
    'wrong_key': lambda data: with_bytes(data, AT_TAG, os.urandom(16)),
    'unknown_id': lambda data: with_bytes(data, AT_KEY, struct.pack('<H', 999)),
    'bare': lambda data: with_bytes(with_bytes(data, AT_KEY, bytes(2)), AT_TAG, bytes(16)),
    'noise': lambda data: os.urandom(len(data)),
    'up_reflected': lambda data: data,
    'up_disguised': lambda data: with_bytes(data, AT_KIND, bytes([LEASE])),
    'stranger': lambda data: data,
}


def datagram(payload, controller, agent):
    """An IPv4 and UDP header before it; the kernel fills in what is 0."""
    udp = struct.pack('!HHHH', PORT, PORT, 8 + len(payload), 0)
    ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_UDP, 0,
                     socket.inet_aton(controller), socket.inet_aton(agent))
    return ip + udp + payload


def send(recordings, kinds, per_s, seconds, agent, controller):
    kept = {'down': [], 'up': []}
    for path in recordings.split(','):
        with open(path, encoding='utf-8') as file:
            for way, frames in json.load(file).items():
                kept[way] += [bytes.fromhex(frame) for frame in frames]
    sent = dict.fromkeys(kinds.split(','), 0)
    order, total = list(sent), int(per_s) * int(seconds)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as forged, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        began = time.monotonic()
        for i in range(total):
            kind = order[i % len(order)]
            data = KINDS[kind](random.choice(kept['up' if kind.startswith('up') else 'down']))
            if kind == 'stranger':
                plain.sendto(data, (agent, PORT))
            else:
                forged.sendto(datagram(data, controller, agent), (agent, 0))
            sent[kind] += 1
            ahead_s = began + (i + 1) / int(per_s) - time.monotonic()
            if i % BURST == 0 and ahead_s > 0:
                time.sleep(ahead_s)
    print(json.dumps(sent))


if __name__ == '__main__':
    if sys.argv[1] == 'record':
        record(sys.argv[2], float(sys.argv[3]))
    else:
        send(*sys.argv[2:])
