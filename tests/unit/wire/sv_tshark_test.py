#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sv_tshark_test.py SV_TOOL: tshark dissects every kind of frame that sv_encode makes without a complaint,
finds in it what was asked for, and sv_decode finds what tshark prints."""
import json
import random
import shutil
import struct
import subprocess
import sys
import tempfile

SKIP = 77
FRAMES = 200
SEED = 20260101
ORDER = (3, 4, 5, 7, 0, 1, 2, 6)        # Ia Ib Ic In Va Vb Vc Vn among VA VB VC IA IB IC VN IN
DERIVED = 1 << 13


class Frame:
    """What one frame should say."""

    def __init__(self, dice):
        self.tag = dice.choice(['-', '0x8000', '0x6005'])
        self.appid = dice.randint(0x4000, 0x7fff)
        self.name = ''.join(dice.choice('ABCxyz019_') for _ in range(dice.randint(1, 34)))
        self.revision = dice.choice([0, 1, 10000, 2**32 - 1])
        self.rate = dice.choice([4000, 4800, 12800, 14400])
        self.synch = dice.choice([0, 1, 2, 5, 127])
        self.with_rate = dice.randint(0, 1)
        self.simulated = dice.randint(0, 1)
        self.channels = dice.choice([6, 8])
        self.count = dice.choice([0, 1, self.rate - 1, dice.randrange(self.rate)])
        self.samples = [[dice.randint(-8_000_000, 8_000_000) for _ in range(self.channels)]
                        for _ in range(dice.choice([1, 2, 6, 8]))]

    def line(self):
        values = ' '.join(f'{counts[k] / (1000 if k in (3, 4, 5, 7) else 100):.3f}'
                          for counts in self.samples for k in range(self.channels))
        return (f'{self.tag} {self.appid} {self.name} {self.revision} {self.rate} {self.synch} '
                f'{self.with_rate} {self.simulated} {self.channels} {self.count} {values}\n')

    def values(self, counts):
        """The data set with its qualities: a neutral that is not measured is the sum."""
        full = list(counts)
        quality = 0
        if self.channels == 6:
            full += [sum(counts[:3]), sum(counts[3:])]
            quality = DERIVED
        return [(full[k], quality if k >= 6 else 0) for k in ORDER]

    def want(self):
        text = f'{self.appid} {self.simulated} {len(self.samples)}'
        for i, counts in enumerate(self.samples):
            data = ' '.join(f'{value}/{quality}' for value, quality in self.values(counts))
            rate = f'{self.rate} 1' if self.with_rate else '0 0'
            count = (self.count + i) % self.rate
            text += f' | {self.name} {count} {self.revision} {self.synch} {rate} {data}'
        return text


def run_tool(tool, mode, lines):
    done = subprocess.run([tool, mode], input=''.join(lines), capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def write_capture(path, frames):
    with open(path, 'wb') as out:
        out.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for number, frame in enumerate(frames):
            out.write(struct.pack('<IIII', 1751538645 + number, 0, len(frame), len(frame)) + frame)


def all_of(tree, name):
    """Every value of a field below a node, in order; a field that comes again is a list."""
    found = []
    for key, value in tree.items() if isinstance(tree, dict) else []:
        for one in value if isinstance(value, list) else [value]:
            if key == name:
                found.append(one)
            elif isinstance(one, dict):
                found += all_of(one, name)
    return found


def number(text):
    return int(text, 0)


def asdu_text(tree):
    def one(name, default='0'):
        return (all_of(tree, name) or [default])[0]
    values = [number(v) for v in all_of(tree, 'sv.meas_value')]
    qualities = [number(v) for v in all_of(tree, 'sv.meas_quality')]
    data = ' '.join(f'{value}/{quality}' for value, quality in zip(values, qualities, strict=True))
    return (f' | {one("sv.svID")} {number(one("sv.smpCnt"))} {number(one("sv.confRev"))} '
            f'{number(one("sv.smpSynch"))} {number(one("sv.smpRate"))} {number(one("sv.smpMod"))} {data}')


def pairs_to_tree(pairs):
    """Keys that come again become lists: tshark writes every ASDU under the same name."""
    tree = {}
    for key, value in pairs:
        if key in tree:
            tree[key] = (tree[key] if isinstance(tree[key], list) else [tree[key]]) + [value]
        else:
            tree[key] = value
    return tree


def dissect(capture):
    command = ['tshark', '-n', '-r', capture, '-o', 'sv.decode_data_as_phsmeas:TRUE', '-T', 'json']
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    texts = []
    for packet in json.loads(done.stdout, object_pairs_hook=pairs_to_tree):
        layers = packet['_source']['layers']
        if '_ws.malformed' in layers or all_of(layers, '_ws.expert'):
            texts.append('tshark complains: ' + str(all_of(layers, '_ws.expert.message')))
            continue
        sv = layers['sv']
        simulated = number(all_of(sv, 'sv.reserve1.s_bit')[0])
        asdus = all_of(sv, 'sv.ASDU_element')
        texts.append(f'{number(all_of(sv, "sv.appid")[0])} {simulated} '
                     f'{number(all_of(sv, "sv.noASDU")[0])}' + ''.join(asdu_text(one) for one in asdus))
    return texts


def main():
    tool = sys.argv[1]
    if not shutil.which('tshark'):
        print('skipped: no tshark on this machine (tools/setup installs it)')
        return SKIP
    dice = random.Random(SEED)
    frames = [Frame(dice) for _ in range(FRAMES)]
    hexes = run_tool(tool, 'emit', [frame.line() for frame in frames])
    read = run_tool(tool, 'read', [line + '\n' for line in hexes])
    with tempfile.NamedTemporaryFile(suffix='.pcap') as capture:
        write_capture(capture.name, [bytes.fromhex(line) for line in hexes])
        dissected = dissect(capture.name)
    wrong = 0
    for name, texts in (('tshark', dissected), ('sv_decode', read)):
        if len(texts) != len(frames):
            print(f'{name} has {len(texts)} frames of {len(frames)}')
            wrong += 1
        for i, (frame, text) in enumerate(zip(frames, texts)):
            if text != frame.want():
                wrong += 1
                print(f'frame {i}: wanted {frame.want()}\n  {name} finds {text}')
    values = sum(len(frame.samples) for frame in frames) * 8
    print(f'{len(frames)} frames of seed {SEED}, {values} values: {wrong} differ')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
