# SPDX-License-Identifier: Apache-2.0
"""What every lint shares: the files of the tree, C without its comments, and the way a verdict is given.

A lint is a function check(root) that returns findings, and a table PROOF of (name, files of a planted tree,
patterns that check() must find there, all of them and nothing else).
`x.py --root DIR` checks; `x.py --self-test` shows that the check can fail.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

SKIPPED = 77
C_SUFFIXES = ('.c', '.h')


def tree_files(root):
    """Paths below root, relative: what git tracks or would track; without git, all outside build folders."""
    if os.path.exists(os.path.join(root, '.git')):
        listed = subprocess.run(['git', '-c', 'safe.directory=*', '-C', root, 'ls-files', '-z', '-co',
                                 '--exclude-standard'], capture_output=True, check=False)
        if listed.returncode == 0:
            names = listed.stdout.decode().split('\0')
            return sorted({n for n in names if n and os.path.isfile(os.path.join(root, n))})
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if not f.startswith('build') and f not in ('.git', '__pycache__')]
        found += [os.path.relpath(os.path.join(folder, n), root) for n in names]
    return sorted(found)


def read_text(root, path):
    with open(os.path.join(root, path), encoding='utf-8', errors='replace') as file:
        return file.read()


def is_text(root, path):
    with open(os.path.join(root, path), 'rb') as file:
        return b'\0' not in file.read(4096)


COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def without_comments(text):
    """C text with comments blanked, line numbers kept; strings stay."""
    def blank(match):
        return re.sub(r'[^\n]', ' ', match[0]) if match[0].startswith('/') else match[0]
    return COMMENT_OR_STRING.sub(blank, text)


def plant(root, path, text):
    """Writes a file into a tree of a self-test."""
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, 'w', encoding='utf-8') as file:
        file.write(text)


def verdict(findings):
    for finding in findings:
        print(finding)
    if findings:
        print(f'{len(findings)} findings')
        return 1
    print('nothing found')
    return 0


def prove(check, proof):
    """Each planted tree must give exactly the expected kinds of finding: a tuple (files, [pattern, ...])."""
    failures = 0
    for name, files, expected in proof:
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                plant(root, path, text)
            findings = check(root)
        missing = [e for e in expected if not any(re.search(e, f) for f in findings)]
        surplus = [f for f in findings if not any(re.search(e, f) for e in expected)]
        good = not missing and not surplus
        failures += not good
        print(f'{"ok" if good else "FAILED"}: {name}')
        for pattern in missing:
            print(f'    not found: {pattern}')
        for finding in surplus:
            print(f'    found, though nothing is wrong: {finding}')
    return 1 if failures else 0


def main(check, proof, extra=None):
    """Command line of a lint. extra(parser) adds arguments that check gets as keywords."""
    parser = argparse.ArgumentParser()
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument('--root', default=os.path.join(here, '..', '..'))
    parser.add_argument('--self-test', action='store_true')
    if extra:
        extra(parser)
    arguments = vars(parser.parse_args())
    root = os.path.abspath(arguments.pop('root'))
    if arguments.pop('self_test'):
        return prove(lambda planted: check(planted, **arguments), proof)
    return verdict(check(root, **arguments))


def skip(reason):
    print(reason)
    sys.exit(SKIPPED)
