# SPDX-License-Identifier: Apache-2.0
"""The two sides of bench/compare: a build folder as it is, or a commit that is built outside the tree with
the options of a build folder that is there."""
import os
import shutil
import subprocess
import tempfile

from . import host


class CannotBuild(Exception):
    pass


def is_build(name):
    return os.path.isfile(f'{name}/build.ninja')


def commit_of(source, name):
    """The full name of a commit; '' where it is none."""
    return host.said_by('git', 'rev-parse', '--verify', '--quiet', f'{name}^{{commit}}', cwd=source)


def options_like(folder):
    """(compiler, options of meson) of a build folder: those that the user may set."""
    options = host.options_of(folder) if is_build(folder) else {}
    words = []
    for name, value in options.items():
        if name in ('optimization', 'debug', 'b_sanitize', 'b_lto', 'b_coverage', 'b_ndebug', 'c_args') or \
                name in ('latency', 'core_shared'):
            told = str(value).lower() if isinstance(value, bool) else \
                ','.join(value) if isinstance(value, list) else str(value)
            words += [f'-D{name}={told}'] if told else []
    return words or ['-Dbuildtype=release'], compiler_words(folder)


def compiler_words(folder):
    """What CC was when the folder was set up."""
    own = host.compile_commands(folder)
    words = own[0]['command'].split() if own else []
    return ' '.join(words[:2] if words and os.path.basename(words[0]) == 'ccache' else words[:1]) or 'cc'


def called(*command, env=None):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          env=env)
    if done.returncode:
        place = max(0, done.stdout.find('FAILED'), done.stdout.find('ERROR'))
        raise CannotBuild(f'{" ".join(command[:4])} failed:\n{done.stdout[place:place + 2500]}')


class Sides:
    """Builds on entering, takes worktrees away on leaving."""

    def __init__(self, source, names, program, like, note):
        self.source, self.names, self.program, self.like, self.note = source, names, program, like, note
        self.folder, self.trees, self.built = None, [], {}

    def __enter__(self):
        try:
            return [self.side(name) for name in self.names]
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for tree in self.trees:
            subprocess.run(['git', '-C', self.source, 'worktree', 'remove', '--force', tree],
                           capture_output=True, check=False)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            subprocess.run(['git', '-C', self.source, 'worktree', 'prune'], capture_output=True, check=False)

    def side(self, name):
        """{name, commit, build}"""
        if is_build(name):
            return {'name': name, 'commit': '', 'build': os.path.abspath(name)}
        commit = commit_of(self.source, name)
        if commit not in self.built:
            self.built[commit] = self.build(commit)
        return {'name': name, 'commit': commit, 'build': self.built[commit]}

    def build(self, commit):
        self.folder = self.folder or tempfile.mkdtemp(prefix='flyball-compare-')
        tree = f'{self.folder}/{commit[:12]}'
        self.note(f'building {self.program} of {commit[:12]} in {tree}')
        called('git', '-C', self.source, 'worktree', 'add', '--quiet', '--detach', tree, commit)
        self.trees.append(tree)
        options, compiler = options_like(self.like)
        called('meson', 'setup', f'{tree}/build', tree, *options, env={**os.environ, 'CC': compiler})
        called('ninja', '-C', f'{tree}/build', self.program)
        return f'{tree}/build'
