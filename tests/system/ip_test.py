#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flyballd owning its address: the kernel's ping and ARP, raw frames and links that fall, over namespaces.

usage: ip_test.py CASE [DRIVER], with the paths of daemon_test.py. Exit 77 skips: not root, or no ping."""
import contextlib
import ctypes
import os
import shutil
import socket
import struct
import subprocess
import sys
import time

from daemon_test import SOURCE, Bed, ask, finish, read, skip

METERS, HOSTS = '198.51.100.1', '203.0.113.1'
METERS_MAC, PEER_MAC = bytes.fromhex('02f1ba110001'), bytes.fromhex('02f1ba110002')
OTHER_MAC = bytes.fromhex('02f1ba1100ee')
EVERYBODY = b'\xff' * 6
ECHO_PER_S, ECHO_BURST = 100, 20        # msg/limits.h
CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def standing_in(namespace):
    """Sockets that this thread makes inside belong there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open('/proc/self/ns/net', encoding='ascii') as home:
        with open(f'/run/netns/{namespace}', encoding='ascii') as there:
            assert libc.setns(there.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        try:
            yield
        finally:
            assert libc.setns(home.fileno(), CLONE_NEWNET) == 0


class Wire:
    """A raw socket on eth0 of a peer's namespace."""

    def __init__(self, namespace):
        with standing_in(namespace):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            # PACKET_AUXDATA: what the kernel takes out of a frame, a tag above all, is told beside it
            self.socket.setsockopt(263, 8, 1)
            self.socket.bind(('eth0', 0x0003))

    def send(self, frame):
        self.socket.send(frame)

    def frames(self, seconds):
        """(frame with its tag put back) as they come, sent by the port, for that long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                data, beside, _, address = self.socket.recvmsg(65536, 1024)
            except TimeoutError:
                return
            if address[2] == socket.PACKET_OUTGOING:
                continue
            for level, kind, value in beside:
                status, *_, tci, tpid = struct.unpack('IIIHHHH', value[:20])
                if level == 263 and kind == 8 and status & 0x10:
                    data = data[:12] + struct.pack('!HH', tpid if status & 0x40 else 0x8100, tci) + data[12:]
            yield data

    def first(self, seconds, wanted):
        return next((frame for frame in self.frames(seconds) if wanted(frame)), None)


def ipv4(text):
    return socket.inet_aton(text)


def arp(operation, sender_mac, sender, target, to=EVERYBODY, tci=None):
    tag = b'' if tci is None else struct.pack('!HH', 0x8100, tci)
    body = struct.pack('!HHBBH', 1, 0x0800, 6, 4, operation) + sender_mac + ipv4(sender) + bytes(6)
    body += ipv4(target)
    return (to + sender_mac + tag + b'\x08\x06' + body).ljust(60, b'\0')


def ports(bed):
    return ask(bed.door, b'status')['counters']['lanes']


def counted(bed, name, port=0):
    return ports(bed)[port]['ip'][name]


def await_that(what, seconds=5.0):
    end = time.monotonic() + seconds
    while not (got := what()):
        assert time.monotonic() < end, 'it did not come about'
        time.sleep(0.05)
    return got


def inside(bed, role, *command, check=True):
    done = subprocess.run(['ip', 'netns', 'exec', f'flyball-{role}-{bed.suffix}', *command],
                          capture_output=True, encoding='utf-8')
    assert done.returncode == 0 or not check, f'{command}: {done.stdout}{done.stderr}'
    return done.stdout


def change(bed, *changes):
    text = read(bed.site)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    with open(bed.site, 'w', encoding='utf-8') as file:
        file.write(text)


def drive(bed, driver):
    change(bed, ('driver: af_packet', f'driver: {driver}'))
    if driver == 'af_xdp':      # its frames lie there
        change(bed, ('memory: 64MiB', 'memory: 256MiB'))


def case_ping(driver):
    """Kernels find the port by ARP and are answered by it, up to its MTU; what is counted agrees."""
    if not shutil.which('ping'):
        skip('no ping here')
    with Bed('ipin') as bed:
        drive(bed, driver)
        daemon = bed.start()
        for role, address, size in (('meters', METERS, 56), ('hosts', HOSTS, 1472), ('hosts', HOSTS, 0)):
            options = f'-c 3 -i 0.2 -W 2 -M do -s {size}'.split()
            said = inside(bed, role, 'ping', *options, address)
            print(said.splitlines()[-2])
            assert '3 received' in said and '0% packet loss' in said
        known = inside(bed, 'meters', 'ip', 'neighbour', 'show', METERS)
        print(known.strip())
        assert METERS_MAC.hex(':') in known
        await_that(lambda: counted(bed, 'announced') == 3)
        meters, hosts = (port['ip'] for port in ports(bed))
        assert meters['echo_answered'] == 3 and hosts['echo_answered'] == 6
        assert meters['arp_answered'] >= 1
        assert all(port['refused']['not_ours'] == 0 and port['aside'] > 0 for port in ports(bed))
        assert all(port['frames'] == port['accepted'] + sum(port['refused'].values()) + port['aside']
                   for port in ports(bed))
        bed.stop(daemon)


def with_sum(data, at):
    """`data` with its ones' complement checksum at that place."""
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    total = (total & 0xFFFF) + (total >> 16)
    return data[:at] + struct.pack('!H', ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) + data[at + 2:]


def echo_request(number):
    message = with_sum(struct.pack('!BBHHH', 8, 0, 0, 7, number & 0xFFFF) + b'flyball!' * 7, 2)
    header = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(message), 0, 0x4000, 64, 1, 0)
    header = with_sum(header + ipv4('198.51.100.2') + ipv4(METERS), 10)
    return METERS_MAC + PEER_MAC + b'\x08\x00' + header + message


def case_flood(driver):
    """A flood of echo requests is answered up to the rate and no further; readings and reports all count."""
    with Bed('iflo') as bed:
        drive(bed, driver)
        daemon = bed.start()
        wire = Wire('flyball-meters-iflo')
        traffic = bed.traffic(5)
        time.sleep(1)
        before = counted(bed, 'echo_answered')
        began, sent = time.monotonic(), 0
        while time.monotonic() - began < 3:
            for _ in range(64):
                wire.send(echo_request(sent))
                sent += 1
            time.sleep(0.001)
        took_s = time.monotonic() - began
        played = finish(traffic)
        time.sleep(0.2)
        meters, hosts = ports(bed)
        ip, answered = meters['ip'], meters['ip']['echo_answered'] - before
        print(f'{sent} echo requests in {took_s:.2f} s: {answered} answered, {ip["rate_limited"]} beyond the '
              f'rate, {ip["overflowed"]} without a place; {played}; readings {meters["accepted"]}, '
              f'reports {hosts["accepted"]}')
        assert sent > 20 * ECHO_PER_S
        assert 0.8 * ECHO_PER_S * took_s <= answered <= ECHO_PER_S * took_s + ECHO_BURST + 1
        assert answered + ip['rate_limited'] + ip['overflowed'] + meters['port']['lost'] >= sent
        assert hosts['accepted'] == played['reports'] and played['accepted'] > 100
        stale = meters['refused']['stale']
        # on a machine that is busy with others a reading may come late; none may be missing
        assert meters['accepted'] + stale == played['measurements'] and stale <= played['measurements'] // 20
        assert sum(meters['refused'].values()) == stale
        bed.stop(daemon)


def case_vlan(driver):
    """Only frames of the port's VLAN are taken; what leaves carries its id, and priority 5."""
    with Bed('ivla') as bed:
        drive(bed, driver)
        change(bed, ('role: meters,', 'role: meters, vlan: 100,'))
        wire = Wire('flyball-meters-ivla')
        daemon = bed.start()
        announced = wire.first(3, lambda frame: frame[12:14] == b'\x81\x00')
        assert announced and announced[14:18] == b'\xa0\x64\x08\x06', announced
        for tci, ours in ((None, False), (0, False), (101, False), (100, True), (0xF064, True)):
            before = ports(bed)[0]['refused']['not_ours']
            wire.send(arp(1, PEER_MAC, '198.51.100.2', METERS, tci=tci))
            answer = wire.first(1, lambda frame: frame[16:18] == b'\x08\x06' and frame[25:26] == b'\x02')
            refused = ports(bed)[0]['refused']['not_ours'] - before
            print(f'tag {tci}: {"answered" if answer else "not ours"}')
            assert bool(answer) == ours and refused == (not ours)
            assert not answer or (answer[12:16] == b'\x81\x00\xa0\x64' and answer[26:32] == METERS_MAC)
        bed.stop(daemon)


def tag_by_kernel(bed):
    """From here on the kernel of the meters' namespace tags what leaves eth0 and untags what comes."""
    clang = shutil.which('clang-14') or shutil.which('clang')
    if not clang:
        skip('no clang to make the program that tags')
    machine = f'-I/usr/include/{os.uname().machine}-linux-gnu'
    source, program = SOURCE + '/tests/system/ip_tag.bpf.c', bed.folder + '/tag.o'
    subprocess.run([clang, '-O2', '-g', '-target', 'bpf', machine, '-c', source, '-o', program], check=True)
    inside(bed, 'meters', 'tc', 'qdisc', 'add', 'dev', 'eth0', 'clsact')
    for way, section in (('egress', 'out'), ('ingress', 'in')):
        inside(bed, 'meters', 'tc', 'filter', 'add', 'dev', 'eth0', way, 'bpf', 'da', 'obj', program, 'sec',
               section)


def case_tagged(driver):
    """A kernel that speaks on VLAN 100 is answered there, be its tag in the bytes or beside them; af_xdp
    never sees the latter, which is a frame without a tag there: not ours."""
    with Bed('itag') as bed:
        drive(bed, driver)
        change(bed, ('role: meters,', 'role: meters, vlan: 100,'))
        tag_by_kernel(bed)
        daemon = bed.start()
        for beside in ('off', 'on'):
            inside(bed, 'meters', 'ethtool', '-K', 'eth0', 'txvlan', beside)
            inside(bed, 'meters', 'ip', 'neighbour', 'flush', 'all')
            said = inside(bed, 'meters', 'ping', '-c', '3', '-i', '0.2', '-W', '1', METERS, check=False)
            port = ports(bed)[0]
            print(f'txvlan {beside}: {said.splitlines()[-2]}; not ours {port["refused"]["not_ours"]}')
            lost = driver == 'af_xdp' and beside == 'on'
            assert ('3 received' in said) == (not lost)
            assert (port['refused']['not_ours'] > 0) == lost
        bed.stop(daemon)


def verdict(bed):
    status = ask(bed.door, b'status')
    return status['verdict'], status['words']


def case_link(driver):
    """A link that goes down is an alarm by name; when it is back the port announces itself, and asks."""
    with Bed('ilin') as bed:
        drive(bed, driver)
        change(bed, (f'address: {METERS}', f'address: {METERS}/24, gateway: 198.51.100.254'))
        daemon = bed.start()
        traffic = bed.traffic(60)
        assert 'link down' not in verdict(bed)[1]
        await_that(lambda: counted(bed, 'announced') == 3)
        asked = counted(bed, 'arp_asked')
        began = time.monotonic()
        inside(bed, 'meters', 'ip', 'link', 'set', 'eth0', 'down')
        words = await_that(lambda: 'link down' in (said := verdict(bed)[1]) and said)
        await_that(lambda: verdict(bed)[0] == 'alarm')     # it may be starting yet
        print(f'{time.monotonic() - began:.2f} s: {words}')
        assert f'link down on port {driver} fb-meters-ilin' in words and 'fb-hosts' not in words
        assert ports(bed)[0]['link'] == 'down' and ports(bed)[1]['link'] == 'up'
        began = time.monotonic()
        inside(bed, 'meters', 'ip', 'link', 'set', 'eth0', 'up')
        await_that(lambda: counted(bed, 'announced') == 6)
        print(f'up and announced twice after {time.monotonic() - began:.2f} s; asked for the gateway {asked} '
              f'times before, {counted(bed, "arp_asked")} now')
        assert 'link down' not in verdict(bed)[1] and ports(bed)[0]['link_changes'] == 2
        assert counted(bed, 'arp_asked') > asked
        finish(traffic, early=True)
        bed.stop(daemon)


def case_conflict(driver):
    """Another MAC that claims the port's address is counted, an alarm by name, and answered once in 10 s."""
    with Bed('icon') as bed:
        drive(bed, driver)
        wire = Wire('flyball-meters-icon')
        daemon = bed.start()
        await_that(lambda: counted(bed, 'announced') == 3)
        for _ in range(5):
            wire.send(arp(1, OTHER_MAC, METERS, METERS))
            time.sleep(0.1)
        defended = [frame for frame in wire.frames(0.5) if frame[6:14] == METERS_MAC + b'\x08\x06'
                    and frame[28:32] == frame[38:42] == ipv4(METERS)]
        level, words = await_that(lambda: (said := verdict(bed))[0] == 'alarm' and said)
        print(f'{level}: {words}')
        assert f'address of port {driver} fb-meters-icon claimed by MAC 02:f1:ba:11:00:ee too' in words
        assert counted(bed, 'address_conflicts') == 5 and counted(bed, 'announced') == 4
        assert len(defended) >= 1
        assert counted(bed, 'arp_answered') == 0 and counted(bed, 'arp_learned') == 0
        bed.stop(daemon)


def case_owned(driver):
    """An address that the kernel owns is refused at the start, by name."""
    with Bed('iown') as bed:
        drive(bed, driver)
        change(bed, (METERS, '198.51.100.2'))
        command = ['ip', 'netns', 'exec', 'flyball-meters-iown', os.environ['FLYBALL_DAEMON'], bed.site]
        done = subprocess.run(command, capture_output=True, encoding='utf-8', timeout=30)
        print(done.stderr.strip())
        assert done.returncode == 4
        assert f'port {driver} fb-meters-iown: 198.51.100.2 is also the kernel\'s, on eth0' in done.stderr
        assert 'ip address del 198.51.100.2 dev eth0' in done.stderr


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('needs root: network namespaces, packet sockets')
    globals()['case_' + sys.argv[1]](sys.argv[2] if len(sys.argv) > 2 else 'af_packet')
