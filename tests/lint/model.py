#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/model.md tells of the lease model what is there: each function of its table exists in the file named,
each step in tests/model/*.pml, each size and mutant of the model has its row, and each mutant's rule is one
of tests/rules."""
import re
import sys

import tree

PAGE = 'docs/model.md'
STEP = re.compile(r'^\| [^|]+ \| ((?:`\w+`(?:, )?)+) \| ((?:`[\w/.]+`: (?:`\w+`(?:, |; )?)+)+) \|$', re.M)
PLACE = re.compile(r'`([\w/.]+\.c)`: ((?:`\w+`(?:, )?)+)')


def names(text):
    return re.findall(r'`(\w+)`', text)


def rows(root, path):
    """As tests/model/run reads them: stanzas; a line that begins with spaces goes on with the one before."""
    text = re.sub(r'^#.*\n', '', tree.read_text(root, path), flags=re.M)
    for stanza in re.split(r'\n{2,}', re.sub(r'\n +', ' ', text.strip())):
        yield dict(line.split(None, 1) for line in stanza.splitlines())


def rules(root, paths):
    """'leases: words' of every row of tests/rules."""
    found = set()
    for path in paths:
        if re.match(r'tests/rules/\w+\.rules$', path):
            table = path.split('/')[-1][:-len('.rules')]
            for match in re.finditer(r'^rule\s+(.*?)\s*$', tree.read_text(root, path), re.M):
                found.add(f'{table}: {match[1]}')
    return found


def steps(root, paths, page):
    model = '\n'.join(tree.read_text(root, p) for p in paths if re.match(r'tests/model/\w+\.pml$', p))
    for match in STEP.finditer(page):
        line = page.count('\n', 0, match.start()) + 1
        for step in names(match[1]):
            if not re.search(rf'^(?:inline|#define) {step}\b', model, re.M):
                yield f'{PAGE}:{line}: the model has no {step}'
        for path, functions in PLACE.findall(match[2]):
            code = tree.without_comments(tree.read_text(root, path)) if path in paths else ''
            for function in names(functions):
                if not re.search(rf'^[a-z][^;=\n]*\b{function}\([^;]*?\)\s*\{{', code, re.M | re.S):
                    yield f'{PAGE}:{line}: {path} has no function {function}'


def check(root):
    paths = set(tree.tree_files(root))
    page = tree.read_text(root, PAGE)
    findings = list(steps(root, paths, page))
    if not STEP.search(page):
        findings.append(f'{PAGE}:1: no table of steps')
    known = rules(root, paths)
    for path, key in (('tests/model/sizes', 'size'), ('tests/model/mutants', 'mutant')):
        for row in rows(root, path):
            if row[key] != 'all' and f'| {row[key]} |' not in page:
                findings.append(f'{path}:1: {PAGE} does not tell of {row[key]}')
            if row.get('row', '-') != '-' and row['row'] not in known:
                findings.append(f'{path}:1: no row of tests/rules: {row["row"]}')
    return findings


GOOD = {
    PAGE: '| step | model | code |\n| it sends | `sends` | `src/a.c`: `a_sends`, `a_takes` |\n'
          '| small |\n| bad |\n',
    'src/a.c': 'static int a_sends(int x)\n{\n}\nint a_takes(int x,\n            int y)\n{\n}\n',
    'tests/model/a.pml': 'inline sends(h) {\n}\n',
    'tests/model/sizes': '# all\n\nsize   all\nset    A=1\n\nsize   small\nset    A=2\n',
    'tests/model/mutants': 'mutant bad\nrow    a: it\n       is bad (3)\n',
    'tests/rules/a.rules': 'rule   it is bad (3)\nfile   src/a.c\n',
}
PROOF = [
    ('a page that tells what is there', GOOD, []),
    ('a function that is gone', GOOD | {
        'src/a.c': '/* a_sends(int x) { */\nint a_takes(int x)\n{\n    a_sends(x);\n}\n'},
     [r'model\.md:2: src/a\.c has no function a_sends']),
    ('a file that is gone', {p: t for p, t in GOOD.items() if p != 'src/a.c'},
     [r'src/a\.c has no function a_sends', r'src/a\.c has no function a_takes']),
    ('a step that is gone', GOOD | {'tests/model/a.pml': 'inline send(h) {\n}\n'},
     [r'the model has no sends']),
    ('a mutant nobody tells of', GOOD | {'tests/model/mutants': 'mutant worse\nrow    -\n'},
     [r'mutants:1: docs/model\.md does not tell of worse']),
    ('a size nobody tells of', GOOD | {'tests/model/sizes': 'size   large\nset    A=2\n'},
     [r'sizes:1: .*large']),
    ('a rule that is gone', GOOD | {'tests/rules/a.rules': 'rule   it is good (3)\n'},
     [r'no row of tests/rules: a: it is bad']),
    ('no table', GOOD | {PAGE: '| small |\n| bad |\n'}, [r'no table of steps']),
]

if __name__ == '__main__':
    sys.exit(tree.main(check, PROOF))
