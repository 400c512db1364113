# SPDX-License-Identifier: Apache-2.0
"""The fingerprint of a run: machine, kernel, settings, what was built and how. Nothing is changed here."""
import hashlib
import json
import os
import platform
import shutil
import subprocess

THROTTLING = '/proc/sys/kernel/sched_rt_runtime_us'
LIBRARIES = ('libdpdk', 'libbpf', 'liburing', 'libcrypto', 'libprotobuf-c', 'libfyaml')


def first_line(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.readline().strip()
    except OSError:
        return ''


def chosen(path):
    """The word in brackets of a file such as transparent_hugepage/enabled."""
    words = first_line(path)
    return words[words.find('[') + 1:words.find(']')] if '[' in words else words


def said_by(*command, cwd=None):
    """The output of a command; '' where it fails or is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, cwd=cwd)
    except (OSError, subprocess.TimeoutExpired):
        return ''
    return done.stdout.strip() if done.returncode == 0 else ''


def processor():
    wanted, flags = '', ''
    try:
        with open('/proc/cpuinfo', encoding='utf-8') as file:
            for line in file:
                key, _, value = line.partition(':')
                if key.strip() in ('model name', 'Model') and not wanted:
                    wanted = value.strip()
                if key.strip() == 'flags' and not flags:
                    flags = value
    except OSError:
        pass
    return wanted or platform.machine(), 'hypervisor' in flags.split()


def machine():
    model, virtual = processor()
    cpu = '/sys/devices/system/cpu'
    product = ' '.join(filter(None, (first_line(f'/sys/class/dmi/id/{name}')
                                     for name in ('sys_vendor', 'product_name'))))
    return {
        'host': platform.node(),
        'processor': model,
        'cores': os.cpu_count(),
        'cores_allowed': len(os.sched_getaffinity(0)),
        'smt': first_line(f'{cpu}/smt/control') or 'not told',
        'memory_mib': os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') >> 20,
        'hypervisor': product or ('one, without a name' if virtual else 'none seen'),
        'virtual': virtual,
        'kernel': f'{platform.release()} {platform.version()}',
        'command_line': first_line('/proc/cmdline'),
        'preemption': 'PREEMPT_RT' if first_line('/sys/kernel/realtime') == '1' else
                      chosen('/sys/kernel/debug/sched/preempt') or 'not told',
        'governor': first_line(f'{cpu}/cpu0/cpufreq/scaling_governor') or 'not told',
        'clock_source': first_line('/sys/devices/system/clocksource/clocksource0/current_clocksource'),
        'isolated_cores': first_line(f'{cpu}/isolated') or 'none',
        'transparent_huge_pages': chosen('/sys/kernel/mm/transparent_hugepage/enabled'),
        'swaps': len(first_lines('/proc/swaps')) - 1,
    }


def first_lines(path):
    try:
        with open(path, encoding='utf-8') as file:
            return file.read().splitlines()
    except OSError:
        return ['']


def load():
    try:
        return list(os.getloadavg())
    except OSError:
        return [0.0, 0.0, 0.0]


def options_of(build):
    """Build options that differ between builds of one commit, as meson noted them."""
    try:
        with open(f'{build}/meson-info/intro-buildoptions.json', encoding='utf-8') as file:
            rows = json.load(file)
    except (OSError, ValueError):
        return {}
    names = ('buildtype', 'optimization', 'debug', 'b_sanitize', 'b_lto', 'b_coverage', 'b_ndebug', 'c_args',
             'c_std')
    return {row['name']: row['value'] for row in rows
            if row['name'] in names or row.get('section') == 'user'}


def compile_commands(build):
    try:
        with open(f'{build}/compile_commands.json', encoding='utf-8') as file:
            return json.load(file)
    except (OSError, ValueError):
        return []


def compiler_of(build):
    """(its first line of --version, flags of the decision's own file)."""
    rows = compile_commands(build)
    own = next((row for row in rows if row['file'].endswith('core/pipeline.c')), rows[0] if rows else None)
    if not own:
        return 'not told', ''
    words = own['command'].split()
    if os.path.basename(words[0]) == 'ccache':
        words = words[1:]
    version = said_by(words[0], '--version').splitlines()
    flags = [word for word in words[1:] if word[:2] in ('-O', '-f', '-m', '-g') or word[:3] == '-st']
    return (version[0] if version else words[0]), ' '.join(flags)


def digest(path):
    try:
        with open(path, 'rb') as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return 'cannot be read'


def built(source, build):
    compiler, flags = compiler_of(build)
    versions = {name: said_by('pkg-config', '--modversion', name) or 'not found' for name in LIBRARIES} \
        if shutil.which('pkg-config') else {}
    return {
        'commit': said_by('git', 'rev-parse', 'HEAD', cwd=source) or 'unknown',
        'dirty': bool(said_by('git', 'status', '--porcelain', '--untracked-files=no', cwd=source)),
        'compiler': compiler,
        'flags': flags,
        'options': options_of(build),
        'libraries': versions,
        'site_files': {name: digest(f'{source}/bench/{name}') for name in ('rtt.yaml',)},
    }


def lacks(build):
    """What `flyball doctor` says this host lacks: ([{name, said, why}], '') or ([], why nobody can say)."""
    program = f'{build}/src/cli/flyball'
    try:
        done = subprocess.run([program, 'doctor', '--json'], capture_output=True, text=True, timeout=30,
                              check=False)
        rows = json.loads(done.stdout)['checks']
        return [{key: row[key] for key in ('name', 'said', 'why')}
                for row in rows if row['state'] == 'lacks'], ''
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], f'{program} doctor --json: {error}'
    except (ValueError, KeyError, TypeError):
        return [], f'{program} doctor --json left with {done.returncode} and no JSON that can be read'
