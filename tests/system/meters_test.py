#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Meters that send raw samples, sampled values and synchrophasors to flyballd, over namespaces: `flyball
meter`, and where something has to be broken, senders of this test.

usage: meters_test.py CASE [DRIVER], with the paths of daemon_test.py. Exit 77 skips: not root."""
import json
import math
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from daemon_test import CLI, DAEMON, Bed, ask, finish, skip
from ip_test import METERS, PEER_MAC, Wire, await_that, change, standing_in

VOLTS, AMPERES, LAG, HERTZ = 277.0, 120.0, 0.3, 60.0
WATTS = 3 * VOLTS * AMPERES * math.cos(LAG)
RAW_NUMBER, RAW_HZ, RAW_SAMPLES, V_LSB, A_LSB = 17, 8000, 32, 0.02, 0.0125
SVID, APPID, SV_HZ, SV_ASDUS = b'flyballMU01', 0x4001, 4000, 8
PMU_ID, PMU_HZ = 101, 50
TO = ('--to', f'{METERS}:7001')
# Noise, for no two cycles of a meter are the same; it adds 2e-8 to an rms.
WAVE = ('--voltage', str(VOLTS), '--current', str(AMPERES), '--frequency', str(HERTZ),
        '--lag', str(math.degrees(LAG)), '--noise', '0.02')
SV = ('--interface', 'eth0', '--vlan', '0', '--name', SVID.decode(), '--rate', str(SV_HZ),
      '--block', str(SV_ASDUS))
PMU = (*TO, '--first', str(PMU_ID), '--rate', str(PMU_HZ), '--cfg-every', '1')
RAW = (*TO, '--first', str(RAW_NUMBER), '--rate', str(RAW_HZ), '--block', str(RAW_SAMPLES))
# Of the fundamental, percent; of amperes, which swing by 5 % twice a second.
HARMONIC_V, HARMONIC_A, SWING_HZ, SWING = {5: 3.0}, {5: 6.0, 7: 4.0}, 2.0, 0.05
SETTLE_S, LATE_S = 30, 0.05


def crc_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC_TABLE = crc_table()


def crc_32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = CRC_TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


def wave(channel, t_s, fifth=0.0):
    """The value of VA VB VC IA IB IC at a moment, with something that no two cycles have in common."""
    beside = math.sqrt(2) * (1 + 4e-4 * math.sin(2 * math.pi * 171.39 * t_s))
    angle = 2 * math.pi * (HERTZ * t_s - channel % 3 / 3)
    if channel < 3:
        return beside * VOLTS * math.cos(angle)
    return beside * AMPERES * (math.cos(angle - LAG) + fifth * math.cos(5 * (angle - LAG)))


class Raw:
    """32 samples each 4 ms. All of a second is made before: a busy machine has no time for it later."""
    each_ns = RAW_SAMPLES * 10**9 // RAW_HZ

    def __init__(self, fifth=0.0):
        self.bodies = [self.body(i * RAW_SAMPLES / RAW_HZ, fifth) for i in range(RAW_HZ // RAW_SAMPLES)]

    def body(self, t0_s, fifth):
        values = []
        for sample in range(RAW_SAMPLES):
            t_s = t0_s + sample / RAW_HZ
            values += [round(wave(channel, t_s, fifth) / (V_LSB if channel < 3 else A_LSB))
                       for channel in range(6)]
        return struct.pack(f'<{len(values)}h', *values)

    def packet(self, number, t0_ns):
        head = struct.pack('<4sBBBBIIqIff', b'UPM1', 1, 1, 6, RAW_SAMPLES, RAW_NUMBER, number, t0_ns,
                           10**12 // RAW_HZ, V_LSB, A_LSB)
        body = self.bodies[t0_ns % 10**9 // self.each_ns]
        return head + struct.pack('<I', crc_32c(head + bytes(4) + body)) + body


class Sampled:
    """Frames of 8 ASDUs of another configuration than before; smpCnt begins with each second."""
    each_ns = SV_ASDUS * 10**9 // SV_HZ

    def __init__(self, revision):
        self.frames = [self.frame(revision, first) for first in range(0, SV_HZ, SV_ASDUS)]

    def asdu(self, revision, count, t_s):
        data = b''
        for channel in (3, 4, 5, None, 0, 1, 2, None):
            value = 0 if channel is None else wave(channel, t_s) * (1000 if channel >= 3 else 100)
            data += struct.pack('!iI', round(value), 0)
        body = b'\x80' + bytes([len(SVID)]) + SVID + b'\x82\x02' + struct.pack('!H', count)
        body += b'\x83\x04' + struct.pack('!I', revision) + b'\x85\x01\x02' + b'\x87\x40' + data
        return b'\x30' + bytes([len(body)]) + body

    def packet(self, _, t0_ns):
        return self.frames[t0_ns % 10**9 // self.each_ns]

    def frame(self, revision, first):
        parts = b''.join(self.asdu(revision, first + i, (first + i) / SV_HZ) for i in range(SV_ASDUS))
        body = b'\x80\x01' + bytes([SV_ASDUS]) + b'\xa2\x82' + struct.pack('!H', len(parts)) + parts
        apdu = b'\x60\x82' + struct.pack('!H', len(body)) + body
        return (bytes.fromhex('010ccd040001') + PEER_MAC + bytes.fromhex('8100800088ba') +
                struct.pack('!HHHH', APPID, 8 + len(apdu), 0, 0) + apdu)


class Sender(threading.Thread):
    """Sends what is due by the clock. After a pause of this machine what is too late to count is left out, as
    by a meter whose buffer is short."""

    def __init__(self, maker, send):
        super().__init__(daemon=True)
        self.maker, self.send = maker, send
        self.twice = self.leave_out = 0
        self.sent = 0
        self.stopped = False

    def run(self):
        number = 0
        at_ns = (time.time_ns() // 10**9 + 1) * 10**9
        while not self.stopped:
            wait_s = (at_ns + self.maker.each_ns - time.time_ns()) / 1e9
            if wait_s > 0:
                time.sleep(wait_s)
            elif wait_s < -LATE_S:
                late = int(-wait_s * 1e9) // self.maker.each_ns
                number, at_ns = number + late, at_ns + late * self.maker.each_ns
            packet = self.maker.packet(number, at_ns)
            number += 1
            at_ns += self.maker.each_ns
            if self.leave_out:
                self.leave_out -= 1
                continue
            for _ in range(2 if self.twice else 1):
                self.send(packet)
                self.sent += 1
            self.twice -= self.twice > 0

    def stop(self):
        self.stopped = True
        self.join()


def datagrams(namespace):
    with standing_in(namespace):
        own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own.connect((METERS, 7001))
    return own


def sends(bed, protocol, *options):
    """flyball meter, where the meters are."""
    sender = subprocess.Popen(['ip', 'netns', 'exec', f'flyball-meters-{bed.suffix}', CLI, 'meter',
                               '--protocol', protocol, '--json', *WAVE, *options],
                              stdout=subprocess.PIPE, encoding='utf-8')
    bed.running.append(sender)
    return sender


def has_sent(sender):
    sender.send_signal(signal.SIGINT)
    said, _ = sender.communicate(timeout=30)
    assert sender.returncode == 0, said
    return json.loads(said)['sent']


def meter(bed, name):
    return next(row for row in ask(bed.door, b'status')['meters'] if row['id'] == name)


def reads_true(bed, name):
    row = meter(bed, name)
    young = row['age_ms'] is not None and row['age_ms'] < 100
    close = abs(row['power_w'] / WATTS - 1) < 5e-3 and abs(row['current_a'] / AMPERES - 1) < 3e-3
    return row if young and close and abs(row['voltage_v'] / VOLTS - 1) < 2e-3 else None


def lane(bed):
    return ask(bed.door, b'status')['counters']['lanes'][0]


def refused(bed, name):
    return lane(bed)['refused'][name]


PLACES = {'m-rack-a1': f'protocol: raw, number: {RAW_NUMBER}, rate: {RAW_HZ}, frequency: 60Hz, '
                       'address: 198.51.100.2',
          'm-rack-b1': f'protocol: sv, appid: {APPID:#x}, svid: {SVID.decode()}, rate: {SV_HZ}, '
                       'frequency: 60Hz',
          'm-rack-a2': f'protocol: c37118, number: {PMU_ID}, period: 20ms'}
NODES = {'m-rack-a1': 'rack-a1', 'm-rack-b1': 'rack-b1', 'm-rack-a2': 'rack-a2'}


def give_protocols(bed, names):
    for name in names:
        old = f'id: {name}, node: {NODES[name]}, period: 16ms,'
        change(bed, (old, f'id: {name}, node: {NODES[name]}, {PLACES[name]},'))
    if 'm-rack-a2' in names:        # phasors are no rms: nothing is lent on them
        node = ('id: rack-a2, kind: rack, parent: branch-a, phases: 3, volts: 480V, device: tap-150, '
                'fault: 8kA,\n     ')
        change(bed, (node + 'oversubscribe: yes', node + 'oversubscribe: no'))


def case_read(driver):
    """What each protocol brings is shown as it was sent; losses, repeats and changes are told by name."""
    with Bed('mtrs', mode='shadow', driver=driver) as bed:
        give_protocols(bed, PLACES)
        daemon = bed.start()
        wire, own = Wire('flyball-meters-mtrs'), datagrams('flyball-meters-mtrs')
        raw = Sender(Raw(), own.send)
        raw.start()
        sampled, phasors = sends(bed, 'sv', *SV), sends(bed, 'c37118', *PMU)
        for name in PLACES:
            row = await_that(lambda name=name: reads_true(bed, name), SETTLE_S)
            print(f'{name}: {row["power_w"]:.1f} W of {WATTS:.1f}, {row["current_a"]} A, '
                  f'{row["voltage_v"]} V')
        before = refused(bed, 'duplicate')
        raw.twice = 3
        await_that(lambda: refused(bed, 'duplicate') == before + 3)
        raw.leave_out = 2
        await_that(lambda: not raw.leave_out)
        accepted = lane(bed)['blocks']
        await_that(lambda: lane(bed)['blocks'] > accepted + 100, SETTLE_S)
        await_that(lambda: reads_true(bed, 'm-rack-a1'), SETTLE_S)
        assert refused(bed, 'config_changed') == 0
        sent = [has_sent(sampled)]
        other = Sender(Sampled(revision=2), wire.send)
        other.start()
        await_that(lambda: refused(bed, 'config_changed') > 10, SETTLE_S)
        await_that(lambda: meter(bed, 'm-rack-b1')['age_ms'] > 300)
        await_that(lambda: reads_true(bed, 'm-rack-a1') and reads_true(bed, 'm-rack-a2'), SETTLE_S)
        sent.append(has_sent(phasors))
        for sender in (raw, other):
            sender.stop()
            sent.append(sender.sent)
        shown = lane(bed)
        print(f'sent {sent}; blocks {shown["blocks"]}, unsure '
              f'{shown["unsure"]}; refused { {name: n for name, n in shown["refused"].items() if n} }')
        _, summary = bed.stop(daemon)
        print(f'decoded {summary["latency_us"].get("decoded_meters")}')


FIFTH = 0.1
ASKED = '''
alerts:
  - {id: harmonics, meter: m-rack-a1, when: thd_current > 8% and power > 60kW for 200ms}
  - {id: vars, meter: m-rack-a1, when: reactive > 20kvar and displacement_factor < 0.96 and load_factor > 0.9}
  - {id: neutral, meter: m-rack-a1, when: current_neutral > 60A}
'''


def alert(bed, name):
    return next(row for row in ask(bed.door, b'status')['alerts'] if row['id'] == name)


def case_alerts():
    """Alerts on what is measured here, from nothing but raw samples; a replay decides the same."""
    with Bed('mtra', mode='shadow') as bed:
        give_protocols(bed, ['m-rack-a1'])
        with open(bed.site, 'a', encoding='utf-8') as file:
            file.write(ASKED)
        daemon = bed.start('--journal', bed.journal)
        traffic = bed.traffic(300)      # hosts to decide about
        own = datagrams('flyball-meters-mtra')
        plain, distorted = Raw(), Raw(FIFTH)
        sender = Sender(plain, own.send)
        sender.start()
        await_that(lambda: alert(bed, 'vars')['now'] == 1, SETTLE_S)
        assert alert(bed, 'harmonics')['raised'] == 0 and alert(bed, 'neutral')['raised'] == 0
        cycles = await_that(lambda: meter(bed, 'm-rack-a1')['cycles'])
        var = VOLTS * AMPERES * math.sin(LAG)
        assert all(abs(value / var - 1) < 5e-3 for value in cycles['reactive_var']), cycles
        assert abs(cycles['total_displacement_factor'] - math.cos(LAG)) < 1e-3, cycles
        sender.maker = distorted
        await_that(lambda: alert(bed, 'harmonics')['now'] == 1, SETTLE_S)
        thd = alert(bed, 'harmonics')['values'][0]
        assert thd['quantity'] == 'thd_current' and 8 < float(thd['value'].removesuffix('%')) < 10.1, thd
        sender.maker = plain
        await_that(lambda: alert(bed, 'harmonics')['now'] == 0, SETTLE_S)
        await_that(lambda: lane(bed)['blocks'] > 4 * RAW_HZ // RAW_SAMPLES, SETTLE_S)
        sender.stop()
        finish(traffic, early=True)
        _, summary = bed.stop(daemon)
        raised = summary['counters']['core']['alerts_raised']
        assert raised >= 2, summary['counters']['core']
        replays(bed)


def rss(shares):
    return math.sqrt(sum(share**2 for share in shares.values()))


def spectrum_of(bed):
    """Of whole windows alone: behind a pause of this machine one is young."""
    spectrum = meter(bed, 'm-rack-a1')['spectrum']
    return spectrum if spectrum and not spectrum['young'] and spectrum['age_ms'] < 1000 else None


def check_spectrum(spectrum):
    """While amperes swing, a window's end is up to a tenth of the fundamental beside its beginning: some
    hundredths of a percent of every order, which add to what is there."""
    print(f'spectrum: {spectrum}')
    assert abs(spectrum['frequency_hz'] - HERTZ) < 0.02
    for phase in range(3):
        assert abs(spectrum['thd_voltage_percent'][phase] - rss(HARMONIC_V)) < 0.02
        assert abs(spectrum['thd_current_percent'][phase] - rss(HARMONIC_A)) < 0.3
        for name, shares, within in (('voltage', HARMONIC_V, 0.02), ('current', HARMONIC_A, 0.25)):
            worst = max(shares, key=shares.get)
            assert spectrum[f'worst_{name}_order'][phase] == worst
            assert abs(spectrum[f'worst_{name}_percent'][phase] - shares[worst]) < within
        # K: of squares of currents by squares of their orders, against the sum of the squares
        squares = {1: 1, **{order: (share / 100)**2 for order, share in HARMONIC_A.items()}}
        wanted = sum(square * order**2 for order, square in squares.items()) / sum(squares.values())
        assert abs(spectrum['k_factor'][phase] - wanted) < 0.03


def check_swing(bed):
    """A minute has to be heard. Pauses of this machine cost values, on which it then holds the one before."""
    swing = await_that(lambda: meter(bed, 'm-rack-a1')['swing'], 120)
    print(f'swing: {swing}')
    both = sum(HARMONIC_V[order] * HARMONIC_A[order] / 1e4 for order in HARMONIC_V if order in HARMONIC_A)
    watts = WATTS + 3 * VOLTS * AMPERES * both
    assert abs(swing['peak_hz'] - SWING_HZ) < 0.05
    assert abs(swing['peak_w'] / (watts * SWING / math.sqrt(2)) - 1) < 0.05 + swing['held_percent'] / 100
    assert abs(swing['mean_w'] / watts - 1) < 0.01
    steepest = watts * SWING * 2        # from the mean of a second to that of the next: two whole swings each
    assert swing['ramp_up_w_per_s'] < steepest
    areas = next(band for band in swing['bands'] if band['from_hz'] == 1)
    assert areas['share_percent'] > 90, areas


def replays(bed):
    done = subprocess.run([CLI, 'replay', bed.journal, '--json'], capture_output=True, encoding='utf-8',
                          timeout=120, check=False)
    said = json.loads(done.stdout)
    print(f'replay: {said}')
    assert done.returncode == 0 and said['exact'] and said['seconds'] >= 2, said
    assert said['decisions'] > 100 and not said['missing'], said


def case_live():
    """Harmonics that were sent are in the status and in flyball status, and in the journal, which replays
    exactly; with FLYBALL_TEST_LONG, for which a minute has to be heard, how power swings, too."""
    with Bed('mtrl') as bed:
        give_protocols(bed, ['m-rack-a1'])
        daemon = bed.start('--journal', bed.journal)
        traffic = bed.traffic(300)      # hosts to decide about; what it sends as m-rack-a1 is refused
        parts = [(kind, order, share) for kind, shares in (('v', HARMONIC_V), ('i', HARMONIC_A))
                 for order, share in shares.items()]
        words = [word for part in parts for word in ('--harmonic', '{}{},{}'.format(*part))]
        sender = sends(bed, 'raw', *RAW, '--swing', f'{SWING_HZ},{100 * SWING}', *words)
        check_spectrum(await_that(lambda: spectrum_of(bed), SETTLE_S))
        if os.environ.get('FLYBALL_TEST_LONG'):
            check_swing(bed)
        await_that(lambda: lane(bed)['blocks'] > 4 * RAW_HZ // RAW_SAMPLES, SETTLE_S)
        print(f'sent {has_sent(sender)}; blocks {lane(bed)["blocks"]}')
        finish(traffic, early=True)
        bed.stop(daemon)
        replays(bed)


def case_refused():
    """Sampled values need a port that carries more than UDP: flyball check and flyballd say so."""
    with Bed('mtru', driver='uring') as bed:
        give_protocols(bed, ['m-rack-b1'])
        for command in ([CLI, 'check', bed.site], [DAEMON, bed.site, '--summary', bed.summary]):
            done = subprocess.run(command, capture_output=True, encoding='utf-8', timeout=60, check=False)
            said = done.stdout + done.stderr
            assert done.returncode == 4, said
            assert 'carries UDP alone, and a meter sends sampled values' in said, said


def main():
    if os.geteuid():
        skip('needs root to make network namespaces')
    cases = {name[5:]: case for name, case in globals().items() if name.startswith('case_')}
    cases[sys.argv[1]](*sys.argv[2:])
    print(f'meters {sys.argv[1]} holds')


if __name__ == '__main__':
    main()
