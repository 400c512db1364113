#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program that makes stand-ins for devices and tells them what to do: what it makes, what it refuses.

    standin_test.py PROGRAM
"""
import os
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = sys.argv.pop()
WAIT_S = 60


def standin(*words):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=WAIT_S, check=False)
    return done.returncode, done.stdout, done.stderr


def fields(line):
    return dict(word.split('=') for word in line.split())


def number(path):
    with open(path, encoding='ascii') as file:
        text = file.read()
    return int(text) if text else None      # being written at this moment


def wait_for(what):
    end = time.monotonic() + WAIT_S
    while not what():
        if time.monotonic() > end:
            raise AssertionError('nothing happened in time')
        time.sleep(0.005)


class Gpus(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix='flyball-standin-')
        self.file = os.path.join(self.folder.name, 'gpus')
        self.assertEqual(standin('gpus', self.file, '3')[0], 0)

    def tearDown(self):
        self.folder.cleanup()

    def show(self):
        code, out, _ = standin('show', self.file)
        self.assertEqual(code, 0)
        return [fields(line) for line in out.splitlines()]

    def test_what_is_told_is_shown(self):
        self.assertEqual([gpu['enforced_mw'] for gpu in self.show()], ['700000'] * 3)
        self.assertEqual(standin('set', self.file, '1', 'foreign_mw', '250000')[0], 0)
        self.assertEqual([gpu['enforced_mw'] for gpu in self.show()], ['700000', '250000', '700000'])
        self.assertEqual(standin('set', self.file, 'all', 'foreign_mw', '300000')[0], 0)
        self.assertEqual([gpu['enforced_mw'] for gpu in self.show()], ['300000'] * 3)
        self.assertEqual(standin('driver', self.file, 'load')[0], 0)

    def test_a_record_that_is_there_stays(self):
        standin('set', self.file, '2', 'foreign_mw', '222000')
        self.assertEqual(standin('gpus', self.file, '1')[0], 0)
        self.assertEqual([gpu['enforced_mw'] for gpu in self.show()], ['700000', '700000', '222000'])

    def test_what_is_wrong_is_named(self):
        other = os.path.join(self.folder.name, 'other')
        with open(other, 'w', encoding='ascii') as file:
            file.write('something else\n')
        for words, said in [(('set', self.file, '3', 'lost', '1'), '3: no such GPU'),
                            (('set', self.file, '0', 'found', '1'), 'found: nothing that a GPU can be told'),
                            (('set', self.file, '0', 'lost', 'yes'), 'yes: not a number'),
                            (('gpus', self.file, '25'), '25: 0 to 24 GPUs'),
                            (('driver', self.file, 'mend'), 'mend: load or unload'),
                            (('show', other), 'is not a record of simulated GPUs'),
                            (('tree', self.folder.name, '9', '0'), 'at most 8'),
                            (('show',), 'standin gpus FILE N')]:
            with self.subTest(words=words):
                code, out, err = standin(*words)
                self.assertEqual((code, out), (2, ''))
                self.assertIn(said, err)


class Tree(unittest.TestCase):
    def test_a_tree_is_played(self):
        with tempfile.TemporaryDirectory(prefix='flyball-standin-') as root:
            with subprocess.Popen([PROGRAM, 'tree', root, '1', '1', '200000'], stdout=subprocess.PIPE,
                                  text=True) as playing:
                try:
                    self.assertEqual(playing.stdout.readline(), 'ready\n')
                    self.play(root)
                finally:
                    playing.kill()

    def play(self, root):
        gpu = os.path.join(root, 'class/hwmon/hwmon0')
        cap, average = os.path.join(gpu, 'power1_cap'), os.path.join(gpu, 'power1_average')
        energy = os.path.join(root, 'class/powercap/intel-rapl:0/energy_uj')
        wait_for(lambda: number(average) == 750000000)
        for watts, becomes in [(600, 600), (300, 750), (600, 600), (450, 450)]:
            with open(cap, 'w', encoding='ascii') as file:
                file.write(f'{watts}000000\n')
            wait_for(lambda: number(average) == becomes * 1000000)
            self.assertEqual(number(cap), becomes * 1000000)
        before = number(energy) or 0
        wait_for(lambda: (number(energy) or 0) > before)


if __name__ == '__main__':
    unittest.main(verbosity=2)
