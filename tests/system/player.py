#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records frames that leave an interface of this network namespace for a UDP port, or sends them again.

usage: player.py record INTERFACE PORT SECONDS FILE | play INTERFACE FRAMES_PER_S FILE. Prints how many."""
import pickle
import socket
import sys
import time

ALL, OUTGOING, UDP = 3, 4, 17


def record(interface, port, seconds, path):
    frames, end = [], time.monotonic() + float(seconds)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL)) as raw:
        raw.bind((interface, ALL))
        raw.settimeout(0.1)
        while time.monotonic() < end:
            try:
                frame, (_, _, kind, *_) = raw.recvfrom(2048)
            except socket.timeout:
                continue
            if kind == OUTGOING and frame[23] == UDP and frame[36:38] == int(port).to_bytes(2, 'big'):
                frames.append(frame)
    with open(path, 'wb') as file:
        pickle.dump(frames, file)
    return len(frames)


def play(interface, rate, path):
    with open(path, 'rb') as file:
        frames = pickle.load(file)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((interface, 0))
        for frame in frames:
            raw.send(frame)
            time.sleep(1 / float(rate))
    return len(frames)


if __name__ == '__main__':
    print({'record': record, 'play': play}[sys.argv[1]](*sys.argv[2:]))
