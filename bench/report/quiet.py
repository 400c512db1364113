# SPDX-License-Identifier: Apache-2.0
"""Real-time throttling is lifted while benches run. A process of its own puts the old value back as soon as
this one is gone, for whatever reason: a signal handler could not promise that."""
import os
import signal
import subprocess

from . import host

LIFTED = '-1'


class Throttling:
    """What became of it stands in `said`, for the report."""

    def __init__(self, file=host.THROTTLING):
        self.file, self.lifeline, self.keeper = file, None, None
        self.before = host.first_line(file)
        self.said = 'not told by this kernel' if not self.before else f'{self.before} us, left as it was'

    def __enter__(self):
        if self.before and self.before != LIFTED and os.access(self.file, os.W_OK):
            self.start_keeper()
            try:
                write(self.file, LIFTED)
                self.said = f'{self.before} us, lifted while benches ran'
            except OSError as error:
                self.said = f'{self.before} us; cannot be lifted: {error.strerror}'
        return self

    def start_keeper(self):
        end, self.lifeline = os.pipe()
        self.keeper = os.fork()
        if self.keeper == 0:
            os.close(self.lifeline)
            keep(end, self.file, self.before)
        os.close(end)

    def __exit__(self, *_):
        if self.lifeline is not None:
            os.close(self.lifeline)
            os.waitpid(self.keeper, 0)
            self.lifeline = None


def keep(end, file, before):
    """The keeper: never returns. What somebody else has set meanwhile is left."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        while os.read(end, 1):
            pass
        if host.first_line(file) == LIFTED:
            write(file, before)
    finally:
        os._exit(0)


def write(file, words):
    with open(file, 'w', encoding='utf-8') as out:
        out.write(words)


def calm_prefix():
    """Words before a bench that put it on the last core, in real time, as far as that is permitted; and what
    is not."""
    core = max(os.sched_getaffinity(0))
    prefix, not_permitted = [], []
    for words, what in ((['taskset', '-c', str(core)], f'a core of its own ({core})'),
                        (['chrt', '-f', '60'], 'SCHED_FIFO')):
        try:
            done = subprocess.run([*words, 'true'], capture_output=True, timeout=20, check=False)
            permitted = done.returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            permitted = False
        if permitted:
            prefix += words
        else:
            not_permitted.append(what)
    return prefix, not_permitted
