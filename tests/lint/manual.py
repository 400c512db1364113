#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual pages name every refusal, counter, site key, verb and option that the sources have."""
import re
import sys

import tree

DAEMON, SHELL, SITE = 'docs/man/flyballd.8.scd', 'docs/man/flyball.1.scd', 'docs/man/flyball-site.5.scd'
AGENT = 'docs/man/flyball-agent.8.scd'
# file, table of rows X(symbol, name, meaning), page that holds names and meanings word for word
COUNTED = [('src/msg/frame.h', 'REFUSALS', DAEMON), ('src/core/pipeline.h', 'CORE_COUNTERS', DAEMON),
           ('src/core/pipeline.h', 'EXPOSURE_BASES', SHELL), ('src/loop/words.h', 'LOOP_COUNTERS', DAEMON),
           ('src/loop/budget.h', 'BUDGET_STAGE_WORDS', SHELL),
           ('src/loop/budget.h', 'BUDGET_CAUSE_WORDS', SHELL),
           ('src/loop/verdict.h', 'METER_STATES', SHELL), ('src/loop/view_words.h', 'LEASE_WHYS', SHELL),
           ('src/port/ip/ip.h', 'IP_COUNTERS', DAEMON), ('src/core/degrade.h', 'DEGRADATIONS', SHELL),
           ('src/core/bound.h', 'BOUND_TERMS', SHELL),
           ('src/loop/view_words.h', 'DEVICE_THROTTLES', SHELL), ('src/core/permit.h', 'PERMITS', SHELL),
           ('src/core/emergency.h', 'EMERGENCY_STAGES', SHELL),
           ('src/loop/shed_states.h', 'SHED_STATES', SHELL),
           ('src/agent/ask_words.h', 'ASK_REASON_WORDS', SHELL),
           ('src/agent/agent.h', 'AGENT_COUNTERS', AGENT)]
# the same of rows X(symbol, name), names only
NAMED = [('src/msg/breaker.h', 'BREAKER_ELEMENTS', SHELL)]
DOCUMENT, WORDS = 'src/loop/document_counters.c', 'src/loop/words.h'
DAEMON_MAIN = 'src/cli/flyballd.c'
READERS = re.compile(r'^src/site/read/\w+\.c$')
VERBS = re.compile(r'^src/cli/(\w+/)?\w+\.c$')
EXAMPLE = 'config/every-key.yaml'

# a second meaning, too, where a row has one
ROW = re.compile(r'X\(\w+,\s*"(\w+)",\s*"((?:[^"\\]|\\.)*)"(?:,[\s\\]*"((?:[^"\\]|\\.)*)")?\)')
KEY_MACRO = re.compile(r'#define (\w+)\((?:name|key)\b[^\n]*(?:\\\n[^\n]*)*?\.key = (?:name|key)\b')
NAME = re.compile(r'X\(\w+,\s*"([^"]+)"\)')
BAND = re.compile(r'\{"(\w+)", "(\w+)", "(\w+)", QUANTITY_')
VERB = re.compile(r'^const struct cli_verb cli_\w+ = \{\s*\.name = "(\w+)"', re.M)
LONG = re.compile(r'"(--[a-z][a-z-]*)"')


def read(root, path):
    try:
        return tree.read_text(root, path)
    except FileNotFoundError:
        return ''


def page_words(text):
    """What stands in bold on a page, escapes taken out."""
    return {bold.replace('\\', '') for bold in re.findall(r'\*([^*\n]+)\*', text)}


def site_keys(sources):
    keys = set()
    for text in sources:
        keys |= set(re.findall(r'\.key = "(\w+)"', text))
        for macro in KEY_MACRO.findall(text):
            keys |= set(re.findall(rf'\b{macro}\("(\w+)"', text))
        for band in BAND.findall(text):
            keys |= set(band)
    return keys


def options(root, paths):
    """(--option, page): long options of getopt tables and of comparisons with literals."""
    found = set()
    for path in paths:
        text = tree.without_comments(read(root, path))
        page = DAEMON if path == DAEMON_MAIN else SHELL
        for name in re.findall(r'\{"([a-z-]+)", (?:required|no)_argument', text):
            found.add(('--' + name, page))
        for name in LONG.findall(text):
            found.add((name, page))
    return sorted(found)


def rows_of(text, macro, row=ROW):
    """(name, meaning) of each row of one table."""
    table = re.search(rf'#define {macro}\(X\)((?:[^\n]*\\\n)*[^\n]*)', text)
    return row.findall(table.group(1)) if table else []


def check_counters(root, words):
    for path, macro, page in COUNTED:
        flat = ' '.join(read(root, page).split())
        rows = rows_of(read(root, path), macro)
        if not rows:
            yield f'{path}:1: no rows of {macro} found'
        for name, *meanings in rows:
            for meaning in meanings[:1] + [more for more in meanings[1:] if more]:
                if name not in words[page] or meaning not in flat:
                    yield f'{page}:1: lacks {macro} {name}: {meaning}'
    for path, macro, page in NAMED:
        rows = rows_of(read(root, path), macro, NAME)
        if not rows:
            yield f'{path}:1: no rows of {macro} found'
        for name in rows:
            if name not in words[page]:
                yield f'{page}:1: lacks {macro} {name}'
    known = {name for name, *_ in rows_of(read(root, WORDS), 'LOOP_COUNTERS')}
    for name in re.findall(r'\bnumber\(out, "(\w+)"', read(root, DOCUMENT)):
        if name not in known:
            yield f'{WORDS}:1: lacks the counter {name} of {DOCUMENT}'


def check_keys(root, files):
    words = page_words(read(root, SITE))
    keys = site_keys([read(root, path) for path in files if READERS.match(path)])
    if not keys:
        yield 'src/site:1: no keys found'
    for key in sorted(keys - words):
        yield f'{SITE}:1: lacks the key {key}'
    # The example keeps the search above honest: a reader written in a new way would hide its keys.
    text = re.sub(r'"[^"]*"|#[^\n]*', '', read(root, EXAMPLE))
    for key in sorted(set(re.findall(r'(?:^|[{,\s])([A-Za-z_]\w*):(?=\s|$)', text)) - keys):
        yield f'{EXAMPLE}:1: {key} is no key that the readers of src/site have'


def check(root):
    files = tree.tree_files(root)
    words = {page: page_words(read(root, page)) for page in (DAEMON, SHELL, AGENT)}
    findings = [*check_counters(root, words), *check_keys(root, files)]
    verbs = [path for path in files if VERBS.match(path)]
    for option, page in options(root, verbs):
        if option not in words[page] and not (option == '--help' and page == SHELL):
            findings.append(f'{page}:1: lacks the option {option}')
    for path in verbs:
        for name in VERB.findall(read(root, path)):
            if f'flyball {name}' not in words[SHELL]:
                findings.append(f'{SHELL}:1: lacks the verb {name}')
    return findings


GOOD = {
    'src/msg/frame.h': '#define REFUSALS(X) \\\n    X(REFUSED_A, "a_b", "a is wrong")\n',
    'src/core/pipeline.h': '#define CORE_COUNTERS(X) \\\n    X(ticks,     "ticks",   "ticks counted")\n'
                           '#define EXPOSURE_BASES(X) \\\n    X(BASIS_A, "boot", "nothing read back")\n',
    'src/msg/breaker.h': '#define BREAKER_ELEMENTS(X) \\\n    X(ELEMENT_A, "long-time") \\\n'
                         '    X(ELEMENT_B, "UPS overload")\n',
    'src/loop/words.h': '#define LOOP_COUNTERS(X) \\\n    X(egress, "sent", "leases that left")\n',
    'src/core/degrade.h': '#define DEGRADATIONS(X) \\\n    X(DEGRADED_A, "ring", "places in it", \\\n'
                          '      "they are shed")\n',
    'src/core/bound.h': '#define BOUND_TERMS(X) \\\n    X(BOUND_A, "tier", "others come first")\n',
    'src/core/emergency.h': '#define EMERGENCY_STAGES(X) \\\n    X(STAGE_A, "shed", "it is due")\n',
    'src/agent/agent.h': '#define AGENT_COUNTERS(X) \\\n    X(AGENT_A, "bare", "no tag")\n',
    'src/agent/ask_words.h': '#define ASK_REASON_WORDS(X) \\\n    X(ASK_A, "full", "no room")\n',
    'src/loop/shed_states.h': '#define SHED_STATES(X) \\\n    X(SHED_A, "again", "one more try")\n',
    'src/core/permit.h': '#define PERMITS(X) \\\n    X(PERMIT_A, "held", "it may be lent")\n',
    'src/port/ip/ip.h': '#define IP_COUNTERS(X) \\\n    X(IP_MOVED, "moved", "a MAC changed")\n',
    'src/loop/budget.h': '#define BUDGET_STAGE_WORDS(X) \\\n    X(BUDGET_A, "full", "no room")\n'
                         '#define BUDGET_CAUSE_WORDS(X) \\\n    X(BUDGET_B, "shed", "it is due")\n',
    'src/loop/verdict.h': '#define METER_STATES(X) \\\n    X(METER_OK, "ok", "it is young")\n',
    'src/loop/view_words.h': '#define LEASE_WHYS(X) \\\n    X(WHY_CUT, "cut", "others want it")\n'
                               '#define DEVICE_THROTTLES(X) \\\n    X(THROTTLE_A, "hot", "too warm")\n',
    'src/loop/document_counters.c': 'number(out, "sent", 1, "");\n',
    'src/site/read/x.c': '{.key = "id"},\n#define T(name, m) \\\n    {.key = name, .m = m}\nT("lease", l),\n'
                         '{"sag", "below", "clear", QUANTITY_RATIO},\n',
    'config/every-key.yaml': 'id: a  # b: c\nsag: {below: 90%, clear: 92%}\nlease: 1s\n',
    'src/cli/x.c': 'const struct cli_verb cli_x = {\n    .name = "x",\n{"json", no_argument, 0}\n"--mode"\n',
    'src/cli/flyballd.c': '{"journal", required_argument, 0}\n',
    DAEMON: '*--journal*\n*a_b*\n\ta is\n\twrong\n\n*ticks*\n\tticks counted\n\n*sent*\n\tleases that left\n'
            '*moved*\n\ta MAC changed\n',
    SHELL: '*flyball x* *--json* *--mode*\n*boot*\n\tnothing read back\n*ok*\n\tit is young\n'
           '*cut*\n\tothers want it\n*hot*: too warm\n*ring*\n\tplaces in it: they are shed\n'
           '*tier*\n\tothers come first\n*shed*\n\tit is due\n*again*\n\tone more try\n'
           '*held*\n\tit may be lent\n*full*\n\tno room\n*long-time* or *UPS overload*\n',
    AGENT: '*bare*\n\tno tag\n',
    SITE: '*id*, *lease*\n*sag* {*below*, *clear*}\n',
}
PROOF = [
    ('pages that name everything pass', GOOD, []),
    ('a refusal is missing',
     {**GOOD, 'src/msg/frame.h': GOOD['src/msg/frame.h'].replace('wrong")', 'wrong") \\\n'
                                                                 '    X(REFUSED_C, "c_d", "c is wrong")')},
     [r'lacks REFUSALS c_d: c is wrong']),
    ('a meaning has changed',
     {**GOOD, 'src/core/pipeline.h': GOOD['src/core/pipeline.h'].replace('counted', 'missed')},
     [r'lacks CORE_COUNTERS ticks: ticks missed']),
    ('what is done about a loss has changed',
     {**GOOD, 'src/core/degrade.h': GOOD['src/core/degrade.h'].replace('shed', 'kept')},
     [r'flyball\.1.*lacks DEGRADATIONS ring: they are kept']),
    ('a state has no word on the page',
     {**GOOD, 'src/loop/verdict.h': GOOD['src/loop/verdict.h'].replace('ok', 'late')},
     [r'flyball\.1.*lacks METER_STATES late']),
    ('a counter of the loop has no meaning on the page',
     {**GOOD, 'src/loop/words.h': GOOD['src/loop/words.h'].replace('left', 'stayed')},
     [r'lacks LOOP_COUNTERS sent: leases that stayed']),
    ('a counter of the agent has another meaning on its page',
     {**GOOD, AGENT: GOOD[AGENT].replace('no', 'a')},
     [r'flyball-agent\.8.*lacks AGENT_COUNTERS bare: no tag']),
    ('an element has no name on the page',
     {**GOOD, 'src/msg/breaker.h': GOOD['src/msg/breaker.h'].replace('UPS', 'motor')},
     [r'flyball\.1.*lacks BREAKER_ELEMENTS motor overload']),
    ('the rows are written another way', {**GOOD, 'src/msg/frame.h': '/* none */\n'},
     [r'no rows of REFUSALS']),
    ('a counter of the loop is missing',
     {**GOOD, 'src/loop/document_counters.c': 'number(out, "lost", 1, "");\n'},
     [r'counter lost']),
    ('a key is missing', {**GOOD, 'src/site/read/y.c': '{.key = "volts"},\n'},
     [r'lacks the key volts']),
    ('a key of a macro is missing',
     {**GOOD, 'src/site/read/y.c': '#define U(key, m) {.key = key}\nU("k", m)\n'},
     [r'lacks the key k\b']),
    ('the readers hide a key', {**GOOD, 'config/every-key.yaml': 'tick: 1\n'}, [r'tick is no key']),
    ('an option is missing',
     {**GOOD, SHELL: GOOD[SHELL].replace('*--json* ', '')}, [r'flyball\.1.*option --json']),
    ('an option of the daemon is missing',
     {**GOOD, DAEMON: GOOD[DAEMON].replace('journal', 'door')},
     [r'flyballd\.8.*option --journal']),
    ('a verb is missing',
     {**GOOD, SHELL: GOOD[SHELL].replace('*flyball x* ', '')}, [r'lacks the verb x']),
]

if __name__ == '__main__':
    sys.exit(tree.main(check, PROOF))
