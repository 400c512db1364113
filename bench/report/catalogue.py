# SPDX-License-Identifier: Apache-2.0
"""Which benches there are and how each is called: as a whole, and in short."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Bench:
    name: str           # in bench/bars.txt and --only
    program: str        # below the build folder, and the target that builds it
    what: str
    whole: tuple = ()   # arguments; SECONDS, SECONDS4 and ROUNDS are filled in
    short: tuple = ()
    calm: bool = False  # is put on a core of its own, in real time; others see to that themselves
    json: bool = True   # else it says by its exit code alone
    noise_exits: tuple = ()     # beside 0: frames were lost, say, on a machine that stood still
    limit_s: int = 300


RTT = ('--json', '--rounds', 'ROUNDS')
BENCHES = (
    Bench('loops', 'bench/loops', 'noise floor, echoes, flyball, what one would have otherwise, in turn',
          ('--json', '--seconds', 'SECONDS'), ('--json', '--short', '--seconds', 'SECONDS4'),
          noise_exits=(1,), limit_s=240),
    Bench('rtt', 'bench/rtt', 'a meter\'s packet in, 16 leases out, against a bare echo, in turn',
          RTT, RTT, noise_exits=(1,)),
    Bench('rtt-auth', 'bench/rtt', 'the same with authentication on both ways',
          ('--auth', *RTT), ('--auth', *RTT), noise_exits=(1,)),
    Bench('rtt-af_xdp', 'bench/rtt', 'the same on af_xdp', ('--driver', 'af_xdp', *RTT), noise_exits=(1,)),
    Bench('rtt-uring', 'bench/rtt', 'the same on io_uring', ('--driver', 'uring', *RTT),
          noise_exits=(1,)),
    Bench('pipeline', 'bench/pipeline', 'the decision in memory: 10,000 hosts, 2,000 meters',
          ('--json',), ('--json', '--no-curves'), calm=True),
    Bench('pipeline-2000', 'bench/pipeline_2000', 'the same with 2,000 hosts and 400 meters',
          ('--json',), ('--json', '--no-curves'), calm=True),
    Bench('pipeline-400', 'bench/pipeline_400', 'the same with 400 hosts and 80 meters',
          ('--json',), ('--json', '--no-curves'), calm=True),
    Bench('ledger', 'bench/ledger', 'the decision with everything on: two feeds, contingencies, tiers, gangs',
          ('--json',), ('--json',), calm=True),
    Bench('decode', 'bench/decode', 'a meter\'s message decoded by hand and by protobuf-c',
          ('--json',), ('--json',), calm=True),
    Bench('breaker', 'bench/breaker', 'one breaker\'s step: quiet, overload, fault', ('--json',), ('--json',),
          calm=True),
    Bench('measure', 'bench/measure', 'samples to readings: ns a packet, meters a core',
          ('--json',), ('--json', '--seconds', '1'), calm=True),
    Bench('lane', 'bench/lane', 'packets of every meter protocol through a lane',
          ('--json',), ('--json', '--seconds', '1'), calm=True),
    Bench('auth', 'bench/auth', 'tags: checked, refused, sealed; ns and allocations',
          ('--json',), ('--json',), calm=True),
    Bench('classes', 'bench/classes', 'classes 0.1, 0.2 and 0.5 from 45 to 65 Hz', ('--json',), ('--json',)),
    Bench('heat', 'bench/heat', 'attacks on heat, in virtual time', ('--json', '--hours', '1000'),
          ('--json', '--hours', '20')),
    Bench('loss', 'bench/loss', 'a feed lost while all is lent, in virtual time', ('--json', '--runs', '400'),
          ('--json', '--runs', '10')),
    Bench('safety', 'bench/safety', 'hours of virtual time with faults', ('--json',),
          ('--json', '--place', 'plain-20', '--hours', '1'), limit_s=1800),
    Bench('safety-speed', 'bench/safety', 'its speed alone', ('--json', '--speed'), calm=True),
    Bench('software', 'bench/rtt', 'frame in to cap frame out with tags, beside the white paper\'s budget',
          ('--auth', *RTT), ('--auth', *RTT), noise_exits=(1,)),
    Bench('wire', 'bench/wire', 'a reading in to its first lease out, by eBPF and by the sender itself; who '
          'took the time of the 10 worst moments', ('--json', '--seconds', '10'),
          ('--json', '--seconds', '3'), noise_exits=(1,), limit_s=240),
    Bench('budget', 'bench/budget', 'a flyballd in real time beside neighbours, then with one on its core: '
          'what misses its budget', ('--json', '--seconds', 'SECONDS'), ('--json', '--seconds', 'SECONDS'),
          limit_s=240),
    Bench('leaf', 'tests/system/armed_leaf_test', 'a probe armed in a leaf function spoils nothing',
          (), (), json=False),
)


def by_name(name):
    return next((bench for bench in BENCHES if bench.name == name), None)


def in_form(short):
    """Those that this form runs: without arguments of its own a bench is not in the short one."""
    return [bench for bench in BENCHES if not short or bench.short or not bench.json]


def limit_s(bench, short, seconds):
    """One that measures for SECONDS may take that thrice, beside what it takes otherwise."""
    asked = bench.short if short else bench.whole
    times = 12 if 'SECONDS4' in asked else 3 if 'SECONDS' in asked else 0
    return bench.limit_s + times * seconds


def arguments(bench, short, seconds, rounds):
    fill = {'SECONDS': str(seconds), 'SECONDS4': str(4 * seconds), 'ROUNDS': str(rounds)}
    return [fill.get(word, word) for word in (bench.short if short else bench.whole)]
