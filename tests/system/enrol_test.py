#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Enrolment by one-time token over loopback, with the programs that an operator has.

usage: enrol_test.py FLYBALL SITE. SITE is the demo's; its copy gets keys. Nothing here needs root."""
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

HOST, OTHER, PATIENCE_S = 'a1-01', 'a1-02', 60


class Desk:
    """A site with a key file that lacks HOST's key, and who serves tokens there."""

    def __init__(self, flyball, site, folder):
        self.flyball, self.folder = flyball, folder
        self.site, self.keys = folder + '/site.yaml', folder + '/keys'
        with open(site, encoding='utf-8') as file:
            text = file.read()
        for old, new in [('auth: none', 'auth: required'),
                         ('  - name: default\n', f'  - name: default\n    keys: {self.keys}\n')]:
            assert old in text, f'the demo site has no "{old}" any more'
            text = text.replace(old, new)
        with open(self.site, 'w', encoding='utf-8') as file:
            file.write(text)
        self.run('make')
        lines = [line for line in self.lines() if f' {HOST} ' not in line]
        with open(self.keys, 'w', encoding='utf-8') as file:
            file.write('\n'.join(lines) + '\n')
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(('127.0.0.1', 0))
            self.port = free.getsockname()[1]
        self.server = subprocess.Popen(
            [flyball, 'keys', 'serve-enrol', self.site, '--file', self.keys, '--server', 'default',
             '--listen', f'127.0.0.1:{self.port}'], stdout=subprocess.PIPE, encoding='utf-8')
        assert self.server.stdout.readline().startswith('answers at')

    def run(self, verb, *words):
        done = subprocess.run([self.flyball, 'keys', verb, self.site, *words, '--file', self.keys, '--server',
                               'default'], capture_output=True, encoding='utf-8')
        assert done.returncode == 0, (verb, words, done.returncode, done.stderr)
        return done.stdout.strip()

    def lines(self, path=''):
        with open(path or self.keys, encoding='utf-8') as file:
            return [line for line in file.read().splitlines() if not line.startswith('#')]

    def enrol(self, name, token, path, wait='20s'):
        return subprocess.run([self.flyball, 'keys', 'enrol', name, '--controller', f'127.0.0.1:{self.port}',
                               '--file', path, '--wait', wait], input=token + '\n', capture_output=True,
                              encoding='utf-8')

    def end(self):
        self.server.send_signal(signal.SIGTERM)
        text, _ = self.server.communicate(timeout=PATIENCE_S)
        assert self.server.returncode == 0, text
        return json.loads(text.splitlines()[-1])


def check_key(desk, path):
    own = desk.lines(path)
    theirs = [line for line in desk.lines() if f' {HOST} ' in line]
    assert len(own) == 1 and own == theirs, (own, theirs)
    for name in (path, desk.keys, desk.keys + '.tokens'):
        assert stat.S_IMODE(os.stat(name).st_mode) == 0o600, name


def check_unanswered(desk, tokens):
    """Who guesses hears nothing: neither garbage nor a hello with a known id."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as guess:
        guess.connect(('127.0.0.1', desk.port))
        known = bytes.fromhex(tokens[-1].split()[1])
        for data in (b'', b'hello', os.urandom(80), b'FLE1\1\0\0\0' + os.urandom(72),
                     b'FLE1\1\0\0\0' + known + os.urandom(64), b'FLE1\3\0\0\0' + known + os.urandom(32)):
            guess.send(data)
        guess.settimeout(1)
        try:
            raise AssertionError(f'{len(guess.recv(2048))} bytes came back')
        except socket.timeout:
            pass


def check_without_keys(desk, token):
    """A file of keys that is away for a moment costs no token, and is not replaced by one row."""
    os.rename(desk.keys, desk.keys + '.away')
    refused = desk.enrol(HOST, token, desk.folder + '/none', '2s')
    assert refused.returncode == 3 and not os.path.exists(desk.keys), refused
    os.rename(desk.keys + '.away', desk.keys)
    assert not desk.lines(desk.keys + '.tokens')[0].endswith(' used')


def enrol_one(desk):
    path, token = desk.folder + '/key', desk.run('token', HOST, '--valid', '10min')
    assert len(token) == 32 and token not in ''.join(desk.lines(desk.keys + '.tokens'))
    refused = desk.enrol(OTHER, token, desk.folder + '/none', '2s')
    assert refused.returncode == 3 and 'another host' in refused.stderr, refused
    check_without_keys(desk, token)
    done = desk.enrol(HOST, token, path)
    assert done.returncode == 0, done
    check_key(desk, path)
    assert desk.lines(desk.keys + '.tokens')[0].endswith(' used')
    again = desk.enrol(HOST, token, desk.folder + '/none', '2s')
    assert again.returncode == 3, again
    there = desk.enrol(HOST, token, path, '1s')
    assert there.returncode == 5 and 'is there already' in there.stderr, there


def main():
    with tempfile.TemporaryDirectory(prefix='flyball-enrol-') as folder:
        desk = Desk(sys.argv[1], sys.argv[2], folder)
        try:
            enrol_one(desk)
            late = desk.run('token', OTHER, '--valid', '1s')
            time.sleep(2.1)
            expired = desk.enrol(OTHER, late, folder + '/none', '2s')
            assert expired.returncode == 3, expired
            wrong = desk.enrol(OTHER, '0' * 32, folder + '/none', '2s')
            assert wrong.returncode == 3, wrong
            desk.run('token', OTHER, '--valid', '10min')
            time.sleep(1.5)
            check_unanswered(desk, desk.lines(desk.keys + '.tokens'))
            assert not os.path.exists(folder + '/none')
            fates = desk.end()
        finally:
            desk.server.kill()
            desk.server.wait()
        print(json.dumps(fates))
        assert fates['enrolled'] == 1 and fates['failed'] > 0, fates
        for fate in ('answered', 'malformed', 'unknown', 'forged', 'spent', 'expired'):
            assert fates[fate] > 0, (fate, fates)


if __name__ == '__main__':
    main()
