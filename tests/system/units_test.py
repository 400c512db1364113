#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The systemd units of the agent: systemd finds nothing wrong with them, and they are shut as far as they can
be.

usage: units_test.py SOURCE AGENT. Exit code 77 skips: no systemd-analyze here."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

EXPOSURE_MOST = 2.5


def analyze(*arguments):
    done = subprocess.run(['systemd-analyze', *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding='utf-8')
    return done.returncode, done.stdout


def relations(folder, name):
    """Relation -> the units that it names."""
    with open(f'{folder}/{name}', encoding='utf-8') as file:
        pairs = [line.split('=', 1) for line in file.read().splitlines() if re.match('[A-Z][A-Za-z]+=', line)]
    return {key: [unit for other, value in pairs if other == key for unit in value.split()]
            for key, _ in pairs}


def check_relations(folder):
    """Job daemons wait for fail-safe at boot, and nothing ends them when an agent or a watchdog ends."""
    jobs = {'slurmd.service', 'kubelet.service'}
    ready = relations(folder, 'flyball-agent-ready.service')
    assert set(ready['RequiredBy']) == jobs <= set(ready['Before'])
    assert 'flyball-agent.service' in ready['After'] and 'flyball-agent.service' in ready['Wants']
    assert ready['ExecStart'] == ['/usr/sbin/flyball-agent', 'ready', '/etc/flyball/agent.conf']
    assert ready['Type'] == ['oneshot'] and ready['RemainAfterExit'] == ['yes']
    binding = {'Requires', 'Requisite', 'BindsTo', 'PartOf', 'RequiredBy', 'Conflicts', 'PropagatesStopTo'}
    assert binding & set(ready) == {'RequiredBy'}, ready
    for name in ('flyball-agent.service', 'flyball-agent-watchdog.service'):
        assert not binding & set(relations(folder, name)), name


def main(source, agent):
    if not shutil.which('systemd-analyze'):
        print('skipped: no systemd-analyze')
        return 77
    agent, folder = os.path.abspath(agent), f'{source}/config/systemd'
    names = sorted(name for name in os.listdir(folder) if name.startswith('flyball-agent'))
    assert names == ['flyball-agent-ready.service', 'flyball-agent-watchdog.service',
                     'flyball-agent.service'], names
    check_relations(folder)
    with tempfile.TemporaryDirectory() as where:
        for name in names:
            with open(f'{folder}/{name}', encoding='utf-8') as file:
                text = file.read()
            # where it is not installed: neither its path nor its manual page is there
            text = text.replace('/usr/sbin/flyball-agent', agent)
            text = re.sub('^Documentation=.*\n', '', text, flags=re.M)
            with open(f'{where}/{name}', 'w', encoding='utf-8') as file:
                file.write(text)
        for name in names:
            code, said = analyze('verify', f'{where}/{name}')
            assert code == 0 and name not in said, said
            code, said = analyze('security', '--offline=yes', f'{where}/{name}')
            exposure = float(re.search(r'Overall exposure level for \S+: ([\d.]+)', said).group(1))
            print(f'{name}: exposure {exposure}')
            assert exposure <= EXPOSURE_MOST, said
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
