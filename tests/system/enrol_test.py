#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Enrolment by one-time token over loopback, with the programs that an operator has.

usage: enrol_test.py FLYBALL AGENT SITE once|replay|agent. SITE is the demo's; its copy gets keys.
Nothing here needs root."""
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
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
        self.serve()

    def serve(self, **more):
        """`more` goes into its environment."""
        self.server = subprocess.Popen(
            [self.flyball, 'keys', 'serve-enrol', self.site, '--file', self.keys, '--server', 'default',
             '--listen', f'127.0.0.1:{self.port}'], stdout=subprocess.PIPE, encoding='utf-8',
            env={**os.environ, **more})
        assert self.server.stdout.readline().startswith('answers at')

    def run(self, verb, *words):
        done = subprocess.run([self.flyball, 'keys', verb, self.site, *words, '--file', self.keys, '--server',
                               'default'], capture_output=True, encoding='utf-8')
        assert done.returncode == 0, (verb, words, done.returncode, done.stderr)
        return done.stdout.strip()

    def lines(self, path=''):
        with open(path or self.keys, encoding='utf-8') as file:
            return [line for line in file.read().splitlines() if not line.startswith('#')]

    def begin(self, name, token, path, wait='20s', port=0, **more):
        host = subprocess.Popen([self.flyball, 'keys', 'enrol', name, '--controller',
                                 f'127.0.0.1:{port or self.port}', '--file', path, '--wait', wait],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                encoding='utf-8', env={**os.environ, **more})
        host.stdin.write(token + '\n')
        host.stdin.flush()
        return host

    def enrol(self, name, token, path, wait='20s', port=0, **more):
        host = self.begin(name, token, path, wait, port, **more)
        out, errors = host.communicate()
        return subprocess.CompletedProcess(host.args, host.returncode, out, errors)

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
    assert ' used=' not in desk.lines(desk.keys + '.tokens')[0]


def enrol_one(desk):
    path, token = desk.folder + '/key', desk.run('token', HOST, '--valid', '10min')
    assert len(token) == 32 and token not in ''.join(desk.lines(desk.keys + '.tokens'))
    refused = desk.enrol(OTHER, token, desk.folder + '/none', '2s')
    assert refused.returncode == 3 and 'another host' in refused.stderr, refused
    check_without_keys(desk, token)
    done = desk.enrol(HOST, token, path)
    assert done.returncode == 0, done
    check_key(desk, path)
    assert ' used=' in desk.lines(desk.keys + '.tokens')[0]
    again = desk.enrol(HOST, token, desk.folder + '/none', '2s')
    assert again.returncode == 3, again
    nowhere = desk.enrol(HOST, token, desk.folder + '/missing/key', '1s')
    assert nowhere.returncode == 3 and 'the token is not spent' in nowhere.stderr, nowhere
    there = desk.enrol(HOST, token, path, '1s')
    assert there.returncode == 5 and 'is there already' in there.stderr, there


class Between:
    """Stands between a host and the controller, records what the host says, and says it again."""

    def __init__(self, desk):
        self.desk, self.heard, self.replays, self.stop = desk, [], [], False
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(('127.0.0.1', 0))
        self.front.settimeout(0.1)
        self.port = self.front.getsockname()[1]
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back:
            back.connect(('127.0.0.1', self.desk.port))
            back.settimeout(1)
            while not self.stop:
                try:
                    data, host = self.front.recvfrom(2048)
                except socket.timeout:
                    continue
                self.heard.append(data)
                if self.replays is not None:
                    self.pass_on(back, data, host)

    def pass_on(self, back, data, host):
        """What was recorded goes before it; of the answers, the one to the host goes back to it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.connect(('127.0.0.1', self.desk.port))
            other.settimeout(5)
            for old in self.replays:
                other.send(old)
                other.recv(2048)        # taken for true, and answered
        try:
            back.send(data)
            self.front.sendto(back.recv(2048), host)
        except socket.timeout:
            pass

    def end(self):
        self.stop = True
        self.thread.join()
        self.front.close()


def replay(desk):
    """Hellos recorded of earlier tries with the same token, said again before each datagram of the host, shut
    it out of nothing."""
    between, token = Between(desk), desk.run('token', HOST, '--valid', '10min')
    try:
        between.replays = None      # nothing is passed on: the host tries in vain
        for _ in range(3):
            failed = desk.enrol(HOST, token, desk.folder + '/key', '1s', between.port)
            assert failed.returncode == 3 and 'no answer' in failed.stderr, failed
        hellos = sorted(set(between.heard))
        assert len(hellos) == 3, hellos
        time.sleep(1.5)             # the controller looks at its tokens once a second
        between.replays = hellos
        done = desk.enrol(HOST, token, desk.folder + '/key', '20s', between.port)
        assert done.returncode == 0, done
    finally:
        between.end()
    check_key(desk, desk.folder + '/key')
    fates = desk.end()
    print(json.dumps(fates))
    assert fates['enrolled'] == 1 and fates['answered'] >= 7, fates     # 3 before hello and confirm, and 1


def once(desk):
    enrol_one(desk)
    late = desk.run('token', OTHER, '--valid', '1s')
    time.sleep(2.1)
    expired = desk.enrol(OTHER, late, desk.folder + '/none', '2s')
    assert expired.returncode == 3, expired
    wrong = desk.enrol(OTHER, '0' * 32, desk.folder + '/none', '2s')
    assert wrong.returncode == 3, wrong
    desk.run('token', OTHER, '--valid', '10min')
    time.sleep(1.5)
    check_unanswered(desk, desk.lines(desk.keys + '.tokens'))
    assert not os.path.exists(desk.folder + '/none')
    fates = desk.end()
    print(json.dumps(fates))
    assert fates['enrolled'] == 1 and fates['failed'] > 0, fates
    for fate in ('answered', 'malformed', 'unknown', 'forged', 'spent', 'expired'):
        assert fates[fate] > 0, (fate, fates)


def agent(desk):
    """The same with what a host has: the agent's binary and its file, which names host and key file."""
    program, path, conf = sys.argv[2], desk.folder + '/key', desk.folder + '/agent.conf'
    made = subprocess.run([desk.flyball, 'agent-config', desk.site, HOST, '--server', 'default'],
                          capture_output=True, encoding='utf-8', check=True)
    plain = [line for line in made.stdout.splitlines() if not line.split('#')[0].startswith('keys')]

    def enrol(token, *words, keys=f'keys = {path}'):
        with open(conf, 'w', encoding='utf-8') as file:
            file.write('\n'.join([*plain, keys]) + '\n')
        return subprocess.run([program, 'enrol', conf, *words], input=token + '\n', capture_output=True,
                              encoding='utf-8')

    place, token = f'127.0.0.1:{desk.port}', desk.run('token', HOST, '--valid', '10min')
    for words, keys, code, said in [((place,), '', 4, 'keys: missing'),
                                    (('nowhere',), f'keys = {path}', 2, 'no address'),
                                    ((place,), f'keys = {desk.folder}/missing/key', 3, 'is not spent')]:
        refused = enrol(token, *words, keys=keys)
        assert refused.returncode == code and said in refused.stderr, refused
    garbled = enrol('x' + token, place)
    assert garbled.returncode == 2 and '32 hexadecimal digits' in garbled.stderr, garbled
    done = enrol(token, place)
    assert done.returncode == 0 and f'of {HOST}, good as soon' in done.stdout, done
    check_key(desk, path)
    checked = subprocess.run([program, 'check', conf], capture_output=True, encoding='utf-8')
    assert checked.returncode == 0 and 'frames with tags' in checked.stdout, checked
    there = enrol(token, place)
    assert there.returncode == 5 and 'is there already' in there.stderr, there
    assert desk.end()['enrolled'] == 1


def main():
    with tempfile.TemporaryDirectory(prefix='flyball-enrol-') as folder:
        desk = Desk(sys.argv[1], sys.argv[3], folder)
        try:
            {'once': once, 'replay': replay, 'agent': agent}[sys.argv[4]](desk)
        finally:
            desk.server.kill()
            desk.server.wait()


if __name__ == '__main__':
    main()
