#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The schema of site files is what `flyball schema` prints, takes every site we ship, and refuses every
broken site whose fault a schema can see. usage: schema_test.py FLYBALL"""
import json
import os
import pathlib
import re
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError as lacking:
    print(f'skipped: {lacking} (tools/setup installs it)')
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCHEMA = ROOT / 'config/site.schema.json'
BROKEN = ROOT / 'tests/golden/site'

# What `flyball check` says of faults that a schema sees too. References, sums, ranges of quantities and
# comparisons of two values are beyond it.
VISIBLE = [
    r"unknown key '", r"(a|the) [a-z ]+ has no '", r"node '[^']*' has no 'rating'", r'must be ',
    r'is not known, write ', r'has no unit, ', r"' has \d+ characters, ", r'given twice', r'keep one$',
    r'is not (a|an) (name|current|voltage|power|time|percentage|date|whole number|IPv4 host address)',
    r'is neither yes nor no', r' mac for \d+ hosts', r"is not a host's MAC", r'is named twice',
    r'scheme \S+ (needs|loses)', r'^\d+ ports, ', r'more than 4 (cords|parents)', r'more than 7 nodes',
    r'is unlimited and has a device', r' is \d+, possible is \d+ to \d+$', r'^not YAML',
    r'as_left .* is not a date', r'is larger than any', r'is no text here', r'file is empty',
    r'a second document',
]
HIDDEN = r"has meter '.*keep one$"


class Loader(yaml.SafeLoader):
    """YAML 1.2 core, as editors read it: yes is a word, 2026-04-02 is text, a key given twice is an error."""
    yaml_implicit_resolvers = {}

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        if len(set(keys)) != len(keys):
            raise yaml.YAMLError('a key is given twice')
        return super().construct_mapping(node, deep)


for tag, pattern, first in (('null', r'~|null|', ['~', 'n', '']), ('bool', r'true|false', 'tf'),
                            ('int', r'[-+]?[0-9]+', '-+0123456789'),
                            ('float', r'[-+]?[0-9]+\.[0-9]*(e[-+]?[0-9]+)?', '-+0123456789')):
    Loader.add_implicit_resolver('tag:yaml.org,2002:' + tag, re.compile(f'^(?:{pattern})$'), list(first))


def fault(validator, path):
    """What an editor would underline first, or None."""
    try:
        site = yaml.load(path.read_bytes(), Loader)
    except (yaml.YAMLError, ValueError) as error:
        return f'not YAML: {str(error).splitlines()[0]}'
    error = next(validator.iter_errors(site), None)
    return error and f'{"/".join(map(str, error.absolute_path))}: {error.message[:100]}'


def undescribed(schema, at=''):
    for key, value in schema.get('properties', {}).items():
        if isinstance(value, dict) and not value.get('description'):
            yield f'{at}/{key}'
        for inner in [value, value.get('items', {}), *value.get('anyOf', [])]:
            yield from undescribed(inner, f'{at}/{key}')


def bad_defaults(schema, at=''):
    """A default that the schema itself would refuse."""
    for key, value in schema.get('properties', {}).items():
        if not isinstance(value, dict):
            continue
        if 'default' in value and not jsonschema.Draft7Validator(value).is_valid(value['default']):
            yield f'{at}/{key}: default {value["default"]} is refused'
        for inner in [value, value.get('items', {}), *value.get('anyOf', [])]:
            yield from bad_defaults(inner, f'{at}/{key}')


def sites():
    return [path for path in sorted(ROOT.glob('config/**/*.yaml')) if '\nsite:' in path.read_text()]


def check_sites(validator):
    for path in sites():
        name = path.relative_to(ROOT)
        wanted = '# yaml-language-server: $schema=' + os.path.relpath(SCHEMA, path.parent)
        if path.read_text().split('\n', 1)[0] != wanted:
            yield f'{name}: does not begin with: {wanted}'
        wrong = fault(validator, path)
        if wrong:
            yield f'{name}: refused: {wrong}'
    for path in sorted(ROOT.glob('tests/golden/import/*/expected.yaml')):
        wrong = fault(validator, path)
        if wrong:
            yield f'{path.relative_to(ROOT)}: what import writes is refused: {wrong}'


def visible(words):
    return not re.search(HIDDEN, words) and any(re.search(pattern, words) for pattern in VISIBLE)


def check_broken(validator):
    broken, seen = sorted(BROKEN.glob('*.yaml')), 0
    for path in broken:
        lines = path.with_suffix('.expected').read_text().splitlines()
        said = [line.split(': error: ', 1)[-1] for line in lines]
        wrong = fault(validator, path)
        seen += bool(wrong)
        if not wrong and any(map(visible, said)):
            yield f'{path.stem}: the schema sees nothing wrong, and check says: {said[0]}'
    print(f'{len(broken)} broken sites: the schema sees what is wrong with {seen}')
    if seen < 35:
        yield f'only {seen} broken sites are refused'


def main():
    printed = subprocess.run([sys.argv[1], 'schema'], check=True, capture_output=True, text=True).stdout
    wrong = []
    if printed != SCHEMA.read_text():
        wrong.append('config/site.schema.json is older than the readers or flyball-site(5), run:\n'
                     '    build/src/cli/flyball schema > config/site.schema.json')
    schema = json.loads(printed)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    wrong += [f'{key}: no description' for key in undescribed(schema)]
    wrong += bad_defaults(schema)
    wrong += [*check_sites(validator), *check_broken(validator)]
    print(*wrong, f'{len(sites())} sites, {len(wrong)} faults', sep='\n')
    sys.exit(bool(wrong) or len(sites()) < 4)


if __name__ == '__main__':
    main()
