# SPDX-License-Identifier: Apache-2.0
"""One bench run: what it printed, or why there is nothing."""
import json
import os
import signal
import subprocess
import time

from . import histogram, host

SKIPPED = 77
STOP_S = 10     # for a bench to take its network away when it is told to stop


def end_group(process):
    """Of a process that is the first of its own group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            return process.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            break
    return process.communicate()


def last_words(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else 'no word'


def call(command, limit_s):
    """(exit code or None where it was stopped, standard output, standard error)"""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, said = process.communicate(timeout=limit_s)
        code = process.returncode
    except subprocess.TimeoutExpired:
        out, said = end_group(process)
        code = None
    except BaseException:
        end_group(process)
        raise
    return code, out.decode('utf-8', 'replace'), said.decode('utf-8', 'replace')


def no_number(word):
    raise ValueError(f'{word} is no number of JSON')


def parsed(bench, text):
    """(result, '') or (None, what is wrong with it)."""
    try:
        result = json.loads(text, parse_constant=no_number)
    except ValueError as error:
        return None, f'it printed no JSON: {error}'
    if not isinstance(result, dict):
        return None, 'it printed JSON, but no object'
    if result.get('bench') != os.path.basename(bench.program):
        return None, f'it says it is bench {result.get("bench")!r}'
    wrong = next(histogram.disagreements(result), None)
    return (None, f'it contradicts itself: {wrong}') if wrong else (result, '')


def outcome(bench, code, out, said):
    """(state, why, result)"""
    if code is None:
        return 'stopped', f'stopped after {bench.limit_s} s: {last_words(said)}', None
    if code == SKIPPED:
        return 'skipped', last_words(said or out), None
    if not bench.json:
        why = '' if code == 0 else f'left with {code}: {last_words(said or out)}'
        return ('ran' if code == 0 else 'failed'), why, {'passed': int(code == 0)}
    result, wrong = parsed(bench, out) if out.strip() else (None, '')
    if code == 0 and result is None:
        return 'nonsense', wrong or 'it printed nothing', None
    if code in bench.noise_exits and result is not None:
        return 'ran', f'left with {code}: {last_words(said)}', result
    if code != 0:
        how = f'ended by signal {-code}' if code < 0 else f'left with {code}'
        return 'failed', f'{how}: {last_words(said)}', result
    return 'ran', '', result


def run(bench, build, arguments, prefix=()):
    """What the report keeps of one bench."""
    program = os.path.join(build, bench.program)
    row = {'what': bench.what, 'command': [program, *arguments], 'state': 'missing', 'why': '',
           'result': None, 'took_s': 0.0, 'load_before': host.load()[0], 'load_after': host.load()[0]}
    if not os.access(program, os.X_OK):
        return row | {'why': f'{program} is not built'}
    row['command'] = [*prefix, *row['command']]
    start = time.monotonic()
    try:
        code, out, said = call(row['command'], bench.limit_s)
    except OSError as error:
        return row | {'state': 'failed', 'why': f'{program}: {error.strerror}'}
    state, why, result = outcome(bench, code, out, said)
    return row | {'state': state, 'why': f'{program}: {why}' if why else '', 'result': result,
                  'took_s': round(time.monotonic() - start, 2), 'load_after': host.load()[0]}
