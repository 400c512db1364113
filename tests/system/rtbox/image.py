# SPDX-License-Identifier: Apache-2.0
"""Kernel and initramfs of the box: Debian's packages, unpacked and not installed, and what the build made.

The kernel's half (busybox, modules) is kept in the cache folder under the versions of its packages; the
build's half (programs, libraries, the site) is packed anew each time: a fraction of a second."""
import glob
import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile

META = 'linux-image-rt-amd64'
# In the order that they need each other.
MODULES = [
    'drivers/uio/uio', 'drivers/uio/uio_pci_generic', 'drivers/virtio/virtio_ring', 'drivers/virtio/virtio',
    'drivers/virtio/virtio_pci_legacy_dev', 'drivers/virtio/virtio_pci_modern_dev',
    'drivers/virtio/virtio_pci', 'drivers/char/virtio_console', 'drivers/net/ethernet/intel/e1000e/e1000e',
    'virt/lib/irqbypass', 'drivers/vfio/vfio', 'drivers/vfio/vfio_virqfd',
    'drivers/vfio/vfio_iommu_type1', 'drivers/vfio/pci/vfio-pci-core', 'drivers/vfio/pci/vfio-pci',
]
DPDK_DRIVERS = ['bus_pci', 'bus_vdev', 'mempool_ring', 'net_e1000']
# Found by name at run time, so that ldd does not show it: glibc ends threads with it.
BY_NAME = ['/lib/x86_64-linux-gnu/libgcc_s.so.1']
KINDS = {'file': stat.S_IFREG, 'folder': stat.S_IFDIR, 'link': stat.S_IFLNK}


class Unavailable(Exception):
    """This machine cannot have the box, and why."""


def said(*command, **options):
    environment = {k: v for k, v in os.environ.items() if k != 'LD_LIBRARY_PATH'}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment,
                          **options).stdout


def cache_folder():
    home = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    folder = os.environ.get('FLYBALL_CACHE') or f'{home}/flyball/rtbox'
    os.makedirs(folder, exist_ok=True)
    return folder


def kernel_package():
    """The package that META stands for today, or None where apt knows nothing of it."""
    try:
        found = re.search(r'Depends: (linux-image-\S+-rt-amd64)\b', said('apt-cache', 'depends', META))
    except (OSError, subprocess.CalledProcessError):
        return None
    return found and found.group(1)


def candidate(package):
    found = re.search(r'Candidate: (\S+)', said('apt-cache', 'policy', package))
    return found.group(1) if found else '(none)'


def resolve():
    package = kernel_package()
    if not package and os.geteuid() == 0:
        subprocess.run(['timeout', '120', 'apt-get', '-q', 'update'], stdin=subprocess.DEVNULL,
                       capture_output=True, check=False)
        package = kernel_package()
    return package


def download(package, folder):
    os.chmod(folder, 0o755)
    got = subprocess.run(['apt-get', '-q', '-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Retries=3',
                          'download', package], cwd=folder, capture_output=True, text=True,
                         stdin=subprocess.DEVNULL, check=False)
    found = glob.glob(f'{folder}/{package}_*.deb')
    if got.returncode or not found:
        raise Unavailable(f'apt-get download {package}: {(got.stderr.strip() or "nothing").splitlines()[-1]}')
    return found[0]


def member(deb, folder, *names):
    """Takes only these out of a package."""
    fed = subprocess.Popen(['dpkg-deb', '--fsys-tarfile', deb], stdout=subprocess.PIPE)
    subprocess.run(['tar', '-x', '-C', folder, *names], stdin=fed.stdout, check=True)
    fed.stdout.close()
    if fed.wait():
        raise Unavailable(f'{deb} cannot be unpacked')


def fill(folder, package):
    """One kernel's half: vmlinuz and system.cpio."""
    with tempfile.TemporaryDirectory(dir=cache_folder()) as work:
        release = package.removeprefix('linux-image-')
        modules = [f'lib/modules/{release}/kernel/{name}.ko' for name in MODULES]
        member(download(package, work), work, f'./boot/vmlinuz-{release}', *['./' + name for name in modules])
        member(download('busybox-static', work), work, './bin/busybox')
        archive = Archive()
        for name in ['bin', 'lib', 'lib64', 'sbin']:
            archive.add_link(name, 'usr/' + name)
        archive.add_link('var/run', '/run')
        for name in ['proc', 'sys', 'dev', 'run', 'tmp', 'modules']:
            archive.add_folder(name)
        archive.add_file('usr/bin/busybox', f'{work}/bin/busybox')
        for number, name in enumerate(modules):
            archive.add_file(f'modules/{number:02}-{os.path.basename(name)}', f'{work}/{name}')
        os.makedirs(f'{work}/done')
        archive.write(f'{work}/done/system.cpio')
        shutil.move(f'{work}/boot/vmlinuz-{release}', f'{work}/done/vmlinuz')
        try:
            os.rename(f'{work}/done', folder)
        except OSError:
            if not os.path.isdir(folder):     # else somebody else was faster, with the same
                raise


def kernel():
    """(release, vmlinuz, system.cpio), from the cache where it has today's; its newest without apt."""
    package = resolve()
    if package:
        contents = hashlib.sha256(' '.join(MODULES + ['3']).encode()).hexdigest()[:8]
        versions = f'{package}_{candidate(package)}_{candidate("busybox-static")}_{contents}'
        folder = f'{cache_folder()}/{versions.replace(":", "%3a")}'
        if not os.path.isdir(folder):
            fill(folder, package)
    else:
        kept = sorted(glob.glob(f'{cache_folder()}/linux-image-*/'), key=os.path.getmtime)
        if not kept:
            raise Unavailable(f'apt knows no {META}, and {cache_folder()} keeps none')
        folder = kept[-1].rstrip('/')
    release = os.path.basename(folder).split('_')[0].removeprefix('linux-image-')
    return release, f'{folder}/vmlinuz', f'{folder}/system.cpio'


class Archive:
    """A cpio archive of the "newc" form, which the kernel unpacks: cpio(5)."""

    def __init__(self):
        self.entries = {}

    def add_folder(self, name):
        for part in [name[:i] for i, letter in enumerate(name) if letter == '/'] + [name]:
            self.entries.setdefault(part, ('folder', 0o755, b''))

    def add(self, name, kind, mode, data):
        if '/' in name:
            self.add_folder(os.path.dirname(name))
        self.entries[name] = (kind, mode, data)

    def add_file(self, name, path, mode=0o755):
        with open(path, 'rb') as file:
            self.add(name, 'file', mode, file.read())

    def add_link(self, name, target):
        self.add(name, 'link', 0o777, target.encode())

    def add_as_here(self, path):
        """A file of this machine under its own name, with every link on the way to it."""
        while True:
            path = f'{os.path.realpath(os.path.dirname(path))}/{os.path.basename(path)}'
            if not os.path.islink(path):
                return self.add_file(path[1:], path)
            self.add_link(path[1:], os.readlink(path))
            path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))

    def write(self, path):
        with open(path, 'wb') as file:
            for inode, (name, (kind, mode, data)) in enumerate(self.entries.items(), 1):
                self.write_entry(file, inode, name, KINDS[kind] | mode, data)
            self.write_entry(file, 0, 'TRAILER!!!', 0, b'')
            file.write(bytes(-file.tell() % 512))

    @staticmethod
    def write_entry(file, inode, name, mode, data):
        # inode, mode, uid, gid, links, mtime, size, device (2), special device (2), length of name, sum
        fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        file.write(b'070701' + b''.join(b'%08X' % field for field in fields) + name.encode() + b'\0')
        file.write(bytes(-file.tell() % 4))
        file.write(data)
        file.write(bytes(-file.tell() % 4))


def libraries(path):
    return re.findall(r'(?:=> |^\s*)(/\S+) \(0x', said('ldd', path), re.M)


def pack(image, system, programs, files):
    """Writes `image`: the kernel's half, then the build's. programs: name in /usr/bin -> path here; files:
    name -> (text, mode)."""
    archive = Archive()
    drivers = [path for name in DPDK_DRIVERS
               for path in glob.glob(f'/usr/lib/x86_64-linux-gnu/dpdk/pmds-*/librte_{name}.so*')]
    if len({os.path.realpath(path) for path in drivers}) != len(DPDK_DRIVERS):
        raise Unavailable('DPDK\'s drivers for e1000 are not in /usr/lib/x86_64-linux-gnu/dpdk')
    wanted = set(drivers + BY_NAME)
    for path in [*programs.values(), *drivers]:
        wanted.update(libraries(path))
    for path in sorted(wanted):
        archive.add_as_here(path)
    for name, path in programs.items():
        archive.add_file('usr/bin/' + name, path)
    for name, (text, mode) in files.items():
        archive.add(name, 'file', mode, text.encode())
    archive.write(image + '.build')
    with open(image, 'wb') as whole:
        for part in [system, image + '.build']:
            with open(part, 'rb') as file:
                shutil.copyfileobj(file, whole)
    os.unlink(image + '.build')
