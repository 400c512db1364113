# SPDX-License-Identifier: Apache-2.0
"""bench/run: builds, quiets what it may, runs every bench, writes one report."""
import argparse
import dataclasses
import datetime
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

from . import bars, catalogue, findings, host, page, quiet, running, words

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
ROUNDS_A_SECOND = 600       # of rtt, with the pauses between them


class Refused(Exception):
    """Bad use: what and where."""


def whole_number(text):
    number = int(text)
    if not 1 <= number <= 100000:
        raise argparse.ArgumentTypeError(f'{text}: from 1 to 100000')
    return number


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog='bench/run', description='Runs every bench and writes one report: text, JSON, HTML.',
        epilog='Exit code: 0 every bar is met or cannot be said here; 1 a bar is missed, or a bench '
               'failed, in a way that no noise explains; 2 bad use; 3 nothing could be built or written.')
    parser.add_argument('--short', action='store_true', help='minutes instead of an hour')
    parser.add_argument('--seconds', type=whole_number, metavar='N',
                        help='for each bench that measures as long as it is told (20; whole form 120); '
                        'loops has many contenders and takes four times that in the short form')
    parser.add_argument('--minutes', type=whole_number, metavar='N', help='the same in minutes')
    parser.add_argument('--json', metavar='FILE', help='with raw histograms; - for standard output')
    parser.add_argument('--html', metavar='FILE', help='one page, nothing else is needed to read it')
    parser.add_argument('--text', metavar='FILE', help='what else goes to the terminal')
    parser.add_argument('--only', metavar='BENCH,...', help='these alone; --only list names them')
    parser.add_argument('--no-build', action='store_true', help='take what is there')
    parser.add_argument('--build', metavar='DIR', default='build', help='the build folder (build)')
    return parser.parse_args(arguments)


def chosen(options):
    """The benches of this run, or Refused."""
    if not options.only:
        return catalogue.in_form(options.short)
    found = []
    for name in options.only.split(','):
        bench = catalogue.by_name(name)
        if not bench:
            raise Refused(f'--only {name}: no such bench; there are '
                          f'{", ".join(bench.name for bench in catalogue.BENCHES)}')
        found.append(bench)
    return found


def check(options):
    if options.seconds and options.minutes:
        raise Refused('--seconds and --minutes: one of them')
    for flag in ('json', 'html', 'text'):
        path = getattr(options, flag)
        folder = os.path.dirname(path or '') or '.'
        if path and path != '-' and (not os.path.isdir(folder) or os.path.isdir(path)):
            raise Refused(f'--{flag} {path}: no file can be written there')
    if not os.path.isdir(options.build):
        raise Refused(f'--build {options.build}: no such folder; meson setup {options.build}')
    if not os.path.isfile(f'{options.build}/build.ninja'):
        raise Refused(f'--build {options.build}: {options.build}/build.ninja is not there')


def targets(build, benches):
    """Those that this build folder knows: a bench of another commit may be none of them."""
    known = host.said_by('ninja', '-C', build, '-t', 'targets', 'all')
    names = {line.split(':')[0] for line in known.splitlines()}
    wanted = {bench.program for bench in benches} | {'src/cli/flyball'}
    return sorted(wanted & names)


def build_all(build, benches):
    """'' or what went wrong."""
    names = targets(build, benches)
    if not names:
        return f'{build}: ninja knows none of the benches'
    done = subprocess.run(['ninja', '-C', build, *names], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if done.returncode == 0:
        return ''
    place = done.stdout.find('FAILED')
    return f'ninja -C {build} failed:\n' + done.stdout[max(0, place):][:3000]


def measured(options, benches, note):
    """Every bench in turn, as the report keeps it."""
    seconds = options.seconds or (options.minutes or 0) * 60 or (20 if options.short else 120)
    prefix, not_permitted = quiet.calm_prefix()
    rows = {}
    with quiet.Throttling() as throttling:
        for bench in benches:
            arguments = catalogue.arguments(bench, options.short, seconds, seconds * ROUNDS_A_SECOND)
            note(f'{bench.name}: {bench.what}')
            bench = dataclasses.replace(bench, limit_s=catalogue.limit_s(bench, options.short, seconds))
            rows[bench.name] = running.run(bench, options.build, arguments, prefix if bench.calm else ())
            note(f'{bench.name}: {rows[bench.name]["state"]}, {rows[bench.name]["took_s"]:.1f} s '
                 f'{rows[bench.name]["why"]}'.rstrip())
    settings = {'rt_throttling': throttling.said, 'benches_in_memory': ' '.join(prefix) or 'as called',
                'not_permitted': not_permitted, 'seconds': seconds}
    return rows, settings


def absent(report, bench):
    """Why a bar's bench has no result."""
    row = report['benches'].get(bench)
    if row:
        return f'{row["state"]}: {row["why"]}'
    return 'not asked for' if report['only'] else f'not in the {report["form"]} form'


def judged(report):
    floor = findings.floor_of(report)
    machine = {'virtual': report['machine']['virtual'], 'cores': report['machine']['cores'],
               'floor': floor and {key: floor[key] for key in ('lost_share', 'p999_us')},
               'load_before': report['settings']['load_before'][0]}
    return [bars.judge(bar, findings.result_of(report, bar.bench), report['form'], machine,
                       absent(report, bar.bench)) for bar in bars.standard()]


def everything(options, benches, note):
    started, begin = datetime.datetime.now(datetime.timezone.utc), time.monotonic()
    load_before = host.load()
    lacks, lacks_why = host.lacks(options.build)
    rows, settings = measured(options, benches, note)
    report = {
        'report': 'flyball bench/run', 'format': 1, 'form': 'short' if options.short else 'whole',
        'only': options.only or '', 'started': started.isoformat(timespec='seconds'),
        'took_s': round(time.monotonic() - begin, 1), 'machine': host.machine(), 'lacks': lacks,
        'lacks_why': lacks_why,
        'settings': {**settings, 'load_before': load_before, 'load_after': host.load()},
        'built': host.built(SOURCE, options.build), 'benches': rows}
    return report | {'bars': judged(report)}


def write_all(options, report):
    said = words.terminal(report)
    for path, make in ((options.json, lambda: json.dumps(report, ensure_ascii=False) + '\n'),
                       (options.html, lambda: page.page(report)), (options.text, lambda: said)):
        if path and path != '-':
            with open(path, 'w', encoding='utf-8') as file:
                file.write(make())
        elif path:
            sys.stdout.write(make())
    if '-' not in (options.json, options.html, options.text) and not options.text:
        sys.stdout.write(said)


def exit_code(report):
    return 1 if any(row['fails'] for row in report['bars']) or words.troubles(report) else 0


def alone(build):
    """Two at a time would measure each other. The lock goes with the process."""
    lock = open(f'{build}/.bench-run.lock', 'w', encoding='utf-8')
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Refused(f'--build {build}: another bench/run measures there') from None
    return lock


def stop(number, _):
    raise KeyboardInterrupt(number)


def main(arguments):
    options = parse(arguments)

    def note(said):
        print(f'bench/run: {said}', file=sys.stderr, flush=True)
    try:
        if options.only == 'list':
            print('\n'.join(f'{bench.name:14}{bench.what}' for bench in catalogue.BENCHES))
            return 0
        check(options)
        benches = chosen(options)
        lock = alone(options.build)
    except (Refused, bars.BadTable) as error:
        note(error)
        return 2
    signal.signal(signal.SIGTERM, stop)
    with lock:
        if not options.no_build:
            note(f'building {len(benches)} benches in {options.build}')
            wrong = build_all(options.build, benches)
            if wrong:
                note(wrong)
                return 3
        try:
            report = everything(options, benches, note)
            write_all(options, report)
        except KeyboardInterrupt:
            note('stopped; what was changed is put back')
            return 130
        except OSError as error:
            note(f'{error.filename}: {error.strerror}')
            return 3
    return exit_code(report)
