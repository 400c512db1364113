# SPDX-License-Identifier: Apache-2.0
"""The machine that is emulated, its two networks, and the ways to speak to it."""
import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

from image import Unavailable

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454ca, 0x0002, 0x1000
# As tools/net has them: the peers' addresses, and the MAC addresses of both ends.
SIDES = {
    'meters': {'own': '198.51.100.1', 'mac': '02:f1:ba:11:00:01', 'peer_mac': '02:f1:ba:11:00:02',
               'peers': ['198.51.100.2']},
    'hosts': {'own': '203.0.113.1', 'mac': '02:f1:ba:11:01:01', 'peer_mac': '02:f1:ba:11:01:02',
              'peers': [f'203.0.113.{n}' for n in range(11, 71)]},
}
SLOTS = {'meters': 3, 'hosts': 4}
PCI = {side: f'0000:00:{slot:02x}.0' for side, slot in SLOTS.items()}
# A cable from card to card within the machine, for tests of the driver alone: one end for DPDK, one for the
# kernel.
NEAR_SLOT, FAR_SLOT = 5, 6
NEAR_PCI, FAR_PCI = '0000:00:05.0', '0000:00:06.0'
HUGEPAGES, MEMORY_MIB = 160, 896
BOOT_S, ANSWER_S = 180, 60


def enter(namespace_fd):
    if ctypes.CDLL(None, use_errno=True).setns(namespace_fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), 'setns')


def open_tap(namespace):
    """A tap device called eth0 inside; it lives as long as the descriptor."""
    home = os.open('/proc/self/ns/net', os.O_RDONLY | os.O_CLOEXEC)
    there = os.open(f'/run/netns/{namespace}', os.O_RDONLY | os.O_CLOEXEC)
    try:
        enter(there)
        try:
            fd = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack('16sH22x', b'eth0', IFF_TAP | IFF_NO_PI))
            return fd
        finally:
            enter(home)
    finally:
        os.close(home)
        os.close(there)


class Network:
    """Two namespaces as tools/net makes them, but with a tap for a veth: frames go to the box's cards."""

    def __init__(self, suffix):
        self.space = {side: f'flyball-{side}-{suffix}' for side in SIDES}
        self.tap = {}

    def up(self):
        for side, terms in SIDES.items():
            space = self.space[side]
            subprocess.run(['ip', 'netns', 'add', space], check=True)
            for scope in ['default', 'all']:
                subprocess.run(['ip', 'netns', 'exec', space, 'sysctl', '-qw',
                                f'net.ipv6.conf.{scope}.disable_ipv6=1'], check=True)
            try:
                self.tap[side] = open_tap(space)
            except OSError as error:
                raise Unavailable(f'no tap device in namespace {space}: {error.strerror}') from error
            lines = ['link set lo up', f'link set eth0 address {terms["peer_mac"]}']
            lines += [f'address add {peer}/24 dev eth0' for peer in terms['peers']]
            lines += ['link set eth0 up']
            subprocess.run(['ip', '-netns', space, '-batch', '-'], input='\n'.join(lines) + '\n', text=True,
                           check=True)

    def down(self):
        for fd in self.tap.values():
            os.close(fd)
        self.tap = {}
        for space in self.space.values():
            if os.path.exists(f'/run/netns/{space}'):
                subprocess.run(['ip', 'netns', 'delete', space], check=False)


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG


def connect(path, end_s):
    while True:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            peer.connect(path)
            return peer
        except OSError:
            peer.close()
            if time.monotonic() > end_s:
                raise
            time.sleep(0.05)


class Machine:
    """QEMU without KVM: nothing about time may be concluded from it."""

    def __init__(self, folder, kernel, image, taps):
        self.folder, self.kernel, self.image, self.taps = folder, kernel, image, taps
        self.console, self.process, self.buffer = f'{folder}/console.log', None, b''

    def start(self):
        program = shutil.which('qemu-system-x86_64')
        if not program:
            raise Unavailable('qemu-system-x86_64 is not installed')
        # The IOMMU is for vfio-pci; with iommu=pt it leaves the other cards alone.
        command = [program, '-M', 'q35,accel=tcg', '-device', 'intel-iommu', '-cpu', 'max', '-smp', '2',
                   '-m', str(MEMORY_MIB), '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
                   '-kernel', self.kernel, '-initrd', self.image, '-append',
                   'console=ttyS0 quiet panic=-1 tsc=reliable mitigations=off irqaffinity=0 '
                   f'isolcpus=managed_irq,domain,1 nohz_full=1 rcu_nocbs=1 intel_iommu=on iommu=pt '
                   f'HUGEPAGES={HUGEPAGES} '
                   f'CARDS={",".join([*PCI.values(), NEAR_PCI])}',
                   '-serial', f'file:{self.console}', '-qmp', f'unix:{self.folder}/qmp,server=on,wait=off',
                   '-device', 'virtio-serial-pci', '-chardev',
                   f'socket,id=channel,path={self.folder}/channel,server=on,wait=off', '-device',
                   'virtserialport,chardev=channel']
        for side, slot in SLOTS.items():
            fd = self.taps[side]
            command += ['-netdev', f'tap,id={side},fd={fd}', '-device',
                        f'e1000e,netdev={side},id=card-{side},mac={SIDES[side]["mac"]},addr={slot},romfile=']
        for slot in (NEAR_SLOT, FAR_SLOT):
            command += ['-netdev', f'hubport,id=end{slot},hubid=1', '-device',
                        f'e1000e,netdev=end{slot},mac=02:f1:ba:11:02:0{slot},addr={slot},romfile=']
        with open(f'{self.folder}/qemu.log', 'w', encoding='utf-8') as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            pass_fds=list(self.taps.values()), preexec_fn=die_with_parent)
        end = time.monotonic() + BOOT_S
        self.qmp_socket = connect(f'{self.folder}/qmp', end)
        self.qmp_lines = self.qmp_socket.makefile('r', encoding='utf-8')
        self.qmp_lines.readline()
        self.qmp('qmp_capabilities')
        self.channel = connect(f'{self.folder}/channel', end)
        self.wait_for(r'box: ready (\S+)', BOOT_S)

    def qmp(self, command, **arguments):
        self.qmp_socket.sendall(json.dumps({'execute': command, 'arguments': arguments}).encode() + b'\n')
        while True:
            answer = json.loads(self.qmp_lines.readline())
            if 'error' in answer:
                raise RuntimeError(f'QMP {command}: {answer["error"]["desc"]}')
            if 'return' in answer:
                return answer['return']

    def set_link(self, side, up):
        self.qmp('set_link', name=f'card-{side}', up=up)

    def said(self):
        with open(self.console, encoding='utf-8', errors='replace') as file:
            return file.read()

    def alive(self):
        if self.process.poll() is not None:
            with open(f'{self.folder}/qemu.log', encoding='utf-8') as log:
                raise RuntimeError(f'QEMU left with {self.process.returncode}: {log.read()[-500:]}')

    def wait_for(self, pattern, limit_s, start=0):
        end = time.monotonic() + limit_s
        while True:
            self.alive()
            found = re.search(pattern, self.said()[start:])
            if found:
                return found
            if time.monotonic() > end:
                raise TimeoutError(f'"{pattern}" was not seen in {limit_s} s; the console ends:\n'
                                   f'{self.said()[-1500:]}')
            time.sleep(0.1)

    def take(self, count):
        while len(self.buffer) < count:
            got = self.channel.recv(1 << 16)
            if not got:
                raise RuntimeError('the box closed its channel')
            self.buffer += got
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def run(self, line, limit_s=ANSWER_S):
        """A shell command inside: (exit code, bytes it wrote)."""
        self.channel.settimeout(limit_s)
        self.channel.sendall(line.encode() + b'\n')
        head = b''
        while not head.endswith(b'\n'):
            head += self.take(1)
        code, count = map(int, head.split())
        return code, self.take(count)

    def text(self, line, limit_s=ANSWER_S):
        return self.run(line, limit_s)[1].decode(errors='replace').strip()

    def stop(self):
        if not self.process or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
