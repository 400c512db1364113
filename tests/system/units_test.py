#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The systemd units: systemd finds nothing wrong with them, and those of the agent are shut as far as they
can be. The other files for a host say what `flyball doctor` wants.

usage: units_test.py SOURCE AGENT FLYBALL FLYBALLD. Exit code 77 skips: no systemd-analyze here."""
import json
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


def check_daemon(folder, where, flyball, daemon):
    """The unit of flyballd and its slice, with programs where they are."""
    for name in ('flyball.slice', 'flyballd.service'):
        with open(f'{folder}/{name}', encoding='utf-8') as file:
            text = file.read()
        text = text.replace('/usr/sbin/flyballd', daemon).replace('/usr/bin/flyball ', f'{flyball} ')
        text = re.sub('^Documentation=.*\n', '', text, flags=re.M)
        with open(f'{where}/{name}', 'w', encoding='utf-8') as file:
            file.write(text)
    code, said = analyze('verify', f'{where}/flyball.slice', f'{where}/flyballd.service')
    assert code == 0 and 'flyball' not in said, said


def check_host_files(source, flyball):
    """A host that was set up by them lacks nothing of what they are about."""
    script = '. "$0"; echo "$GRUB_CMDLINE_LINUX"'
    told = subprocess.run(['sh', '-c', script, f'{source}/config/host/90-flyball.cfg'], check=True,
                          stdout=subprocess.PIPE, encoding='utf-8').stdout
    words = dict(word.split('=', 1) for word in told.split() if '=' in word)
    with open(f'{source}/config/host/90-flyball.conf', encoding='utf-8') as file:
        lines = [line for line in file if '=' in line and line[0] != '#']
    settings = dict(map(str.strip, line.split('=', 1)) for line in lines)
    with open(f'{source}/config/host/tuned/flyball/tuned.conf', encoding='utf-8') as file:
        tuned = dict(line.strip().split('=', 1) for line in file if '=' in line and line[0] != '#')
    assert {key: tuned[key] for key in settings} == settings, 'tuned.conf and 90-flyball.conf differ'
    with tempfile.TemporaryDirectory() as root:
        files = {'/proc/cmdline': told,
                 '/sys/devices/system/cpu/nohz_full': words['nohz_full'],
                 '/sys/devices/system/cpu/isolated': words['isolcpus'],
                 '/sys/devices/system/cpu/online': '0-3',
                 '/proc/irq/24/effective_affinity_list': words['irqaffinity'],
                 '/sys/kernel/mm/transparent_hugepage/enabled': '[' + words['transparent_hugepage'] + ']',
                 '/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages': settings['vm.nr_hugepages']}
        files.update({f'/proc/sys/{key.replace(".", "/")}': value for key, value in settings.items()})
        for path, text in files.items():
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            with open(root + path, 'w', encoding='utf-8') as file:
                file.write(text + '\n')
        done = subprocess.run([flyball, 'doctor', '--cores', '2-3', '--root', root, '--json'],
                              stdout=subprocess.PIPE, encoding='utf-8', check=False)
        states = {row['name']: row['state'] for row in json.loads(done.stdout)['checks']}
    for name in ('rt-throttling', 'isolated', 'nohz-full', 'rcu-nocbs', 'interrupts', 'numa-balancing',
                 'transparent-huge-pages', 'lockup-watchdog', 'huge-pages'):
        assert states[name] == 'ok', f'{name}: {states[name]}'


def main(source, agent, flyball, daemon):
    if not shutil.which('systemd-analyze'):
        print('skipped: no systemd-analyze')
        return 77
    agent, folder = os.path.abspath(agent), f'{source}/config/systemd'
    names = sorted(name for name in os.listdir(folder) if name.startswith('flyball-agent'))
    assert names == ['flyball-agent-ready.service', 'flyball-agent-watchdog.service',
                     'flyball-agent.service'], names
    check_relations(folder)
    check_host_files(source, os.path.abspath(flyball))
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
        check_daemon(folder, where, os.path.abspath(flyball), os.path.abspath(daemon))
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
