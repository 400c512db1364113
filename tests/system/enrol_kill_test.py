#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Enrolment by one-time token while one of both ends is killed before each write, to a disk or a network.

usage: enrol_kill_test.py FLYBALL SITE DIE_AT controller|host. After each kill the other end goes on, or
begins anew with the same token, and so may somebody else who has it: one of them has a key in the end, and
no other key of that host counts. Nothing here needs root."""
import os
import subprocess
import sys
import tempfile
import time

from enrol_test import HOST, Desk

CALLS_MAX = 100     # what is survived before is the end


class Try:
    """One token, at one place of death."""

    def __init__(self, desk, folder):
        self.desk, self.folder, self.token = desk, folder, desk.run('token', HOST, '--valid', '10min')
        os.mkdir(folder)
        self.ends = []

    def begin(self, name, wait='20s', **more):
        path = f'{self.folder}/{name}'
        if path not in self.ends:
            self.ends.append(path)
        return self.desk.begin(HOST, self.token, path, wait, **more)

    def owners(self):
        """Whose key counts."""
        living = {line for line in self.desk.lines() if f' {HOST} ' in line and not line.endswith(' revoked')}
        owners = [path for path in self.ends if os.path.exists(path)]
        own = [line for path in owners for line in self.desk.lines(path)]
        assert len(own) == len(owners) and living == set(own), (self.folder, own, living)
        return [os.path.basename(path) for path in owners]

    def close(self):
        assert self.desk.lines(self.desk.keys + '.tokens')[-1].split()[-1].startswith('used='), self.folder
        self.desk.run('revoke', HOST)


def end(process):
    out, errors = process.communicate(timeout=60)
    return process.returncode, out + errors


def kill(process):
    process.kill()
    process.communicate()


def controller(desk, preload):
    """It is served again: the host goes on; or it was killed, too, and tries again; or another is first."""
    call, deaths, firsts = 0, {}, {'host': 0, 'thief': 0}
    while call < CALLS_MAX and len(deaths) == call:
        call += 1
        for case in ('goes on', 'again', 'thief'):
            one = Try(desk, f'{desk.folder}/{call}-{case}')
            desk.serve(LD_PRELOAD=preload, FLYBALL_DIE_AT=str(call))
            host = one.begin('host')
            died = wait_for_either(desk.server, host)
            if not died:
                kill(desk.server)
                assert end(host)[0] == 0 and one.owners() == ['host'], one.folder
                one.close()
                break
            deaths[call] = True
            if case != 'goes on':
                kill(host)
            desk.serve()
            stolen = case == 'thief' and end(one.begin('thief', '2s'))[0] == 0
            if case == 'thief':
                firsts['thief' if stolen else 'host'] += 1
            if case != 'goes on':
                host = one.begin('host', '2s' if stolen else '20s')
            result, said = end(host)
            assert (result == 0) != stolen, (one.folder, stolen, result, said)
            assert one.owners() == ['thief' if stolen else 'host'], (one.folder, one.owners(), said)
            kill(desk.server)
            one.close()
    print(f'{len(deaths)} places of death, each three times; with two who had the token: {firsts}')
    # the lock, three files at four calls each, two answers
    assert 15 <= len(deaths) < CALLS_MAX and all(firsts.values()), (deaths, firsts)


def wait_for_either(server, host):
    """True: the server died before the host had its key."""
    stop = time.monotonic() + 60
    while server.poll() is None and host.poll() is None:
        assert time.monotonic() < stop
        time.sleep(0.01)
    time.sleep(0.2 if server.poll() is None else 0)     # it may die of what the host does not wait for
    return server.poll() is not None


def host(desk, preload):
    """The same command with the same token goes on where it was."""
    desk.serve()
    call, deaths, kept = 0, 0, 0
    while call < CALLS_MAX and deaths == call:
        call += 1
        one = Try(desk, f'{desk.folder}/{call}')
        result, said = end(one.begin('host', LD_PRELOAD=preload, FLYBALL_DIE_AT=str(call)))
        if result:
            assert result == -9, said
            deaths += 1
            kept += os.path.exists(f'{one.folder}/host.enrolling')
            if not os.path.exists(f'{one.folder}/host'):
                result, said = end(one.begin('host'))
                assert result == 0, (one.folder, said)
        assert one.owners() == ['host'], one.folder
        assert os.listdir(one.folder).count('host.enrolling') == 0, os.listdir(one.folder)
        one.close()
    print(f'{deaths} places of death, after {kept} of them something was begun')
    # two datagrams, one file at four calls, its name and folder
    assert 8 <= deaths < CALLS_MAX and kept > 1, (deaths, kept)


def main():
    with tempfile.TemporaryDirectory(prefix='flyball-enrol-kill-') as folder:
        desk = Desk(sys.argv[1], sys.argv[2], folder)
        try:
            kill(desk.server)
            {'controller': controller, 'host': host}[sys.argv[4]](desk, sys.argv[3])
        finally:
            desk.server.kill()
            desk.server.wait()


if __name__ == '__main__':
    main()
