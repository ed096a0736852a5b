#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Loads rule files with `skep rules check` and `list`, and compares findings and conditions.

    load.py [-v] SKEP [FILE|NAME…]

Without names all of load/*.test are played; TAP comes out.  A file has many cases:

    === NAME
    text of the first rule file
    === +
    text of the next one of the same set
    >>> error LOAD_ERR_VALIDATE 3:9 undefined macro
    >>> warning LOAD_UNUSED_LIST 2/1:9
    >>> rule NAME = proc.name = cat

A finding has its code, FILE/LINE:COLUMN from 1 (the first file if there is no FILE), and words
of its message; all findings must be named, in any order.  `rule NAME = …` is the condition
that comes out, with macros and lists put in; `rule NAME + key: value` a value of the list's
JSON.  "! condition" as the only line of a case is a rule with that condition; a place @N in
its findings is the N-th byte of it, from 1.

The rule files of Falco are loaded too, where $SKEP_FALCO_RULES names their folder.
"""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FINDING = re.compile(r"(error|warning) (\w+)(?: (?:(\d+)/)?(?:(\d+):(\d+)|@(\d+)))?(?: (.*))?")
SHORT = "- rule: r\n  desc: d\n  output: o\n  priority: info\n  condition: |\n    "


class Case:
    def __init__(self, name):
        self.name, self.files, self.expects = name, [[]], []

    def texts(self):
        first = [line for line in self.files[0] if line.strip()]
        if len(first) == 1 and first[0].startswith("! "):
            return [SHORT + first[0][2:] + "\n"]
        return ["\n".join(lines) + "\n" for lines in self.files]


def cases_of(path):
    cases = []
    with open(path, encoding="utf-8") as f:
        for line in f.read().split("\n"):
            if line == "=== +":
                cases[-1].files.append([])
            elif line.startswith("=== "):
                cases.append(Case(line[4:].strip()))
            elif line.startswith(">>> "):
                cases[-1].expects.append(line[4:])
            elif cases:
                cases[-1].files[-1].append(line)
            elif line and not line.startswith("#"):
                raise ValueError(f"{path}: text before the first case: {line}")
    return cases


def findings_of(result):
    found = []
    for i, one in enumerate(result["falco_load_results"]):
        for kind in ("errors", "warnings"):
            for x in one[kind]:
                at = x["context"]["locations"][-1]["position"]
                place = (i + 1, at["line"] + 1, at["column"] + 1)
                found.append((kind[:-1], x["code"], place, x["message"]))
    return found


def take(expects, found):
    """Findings that were expected leave `found`; what is missing comes back."""
    wrong = []
    for line in expects:
        m = FINDING.fullmatch(line)
        kind, code, file, row, column, at, words = m.groups()
        place = None
        if row:
            place = (int(file or 1), int(row), int(column))
        elif at:
            place = (1, 6, 4 + int(at))
        for x in found:
            is_place = place is None or x[2] == place
            if x[0] == kind and x[1] == code and is_place and (words or "") in x[3]:
                found.remove(x)
                break
        else:
            wrong.append(f"missing: {line}")
    return wrong


def run(skep, *argv):
    r = subprocess.run(
        [skep, "rules", *argv], capture_output=True, text=True, timeout=60, check=False
    )
    return r.returncode, r.stdout, r.stderr


def compare_rules(skep, lines, paths):
    wrong = []
    _, out, err = run(skep, "list", "--json", *paths)
    try:
        rules = {r["name"]: r for r in json.loads(out)["rules"]}
    except json.JSONDecodeError:
        return [f"rules list: {out}{err}"]
    for line in lines:
        name, sign, value = re.fullmatch(r"rule (.*?) ([=+]) ?(.*)", line).groups()
        rule = rules.get(name)
        if not rule:
            wrong.append(f"there is no rule {name}")
            continue
        key = "compiled"
        if sign == "+":
            key, value = value.split(": ", 1)
        got = rule[key] if isinstance(rule[key], str) else json.dumps(rule[key])
        if got != value:
            wrong += [f"rule {name}, {key}:", f"  expected {value}", f"  got      {got}"]
    return wrong


def play(skep, case, folder):
    """What is wrong, as lines."""
    paths = []
    for i, text in enumerate(case.texts()):
        paths.append(f"{folder}/{i + 1}.yaml")
        with open(paths[-1], "w", encoding="utf-8", errors="surrogateescape") as f:
            f.write(text.replace("\\CR", "\r"))
    status, out, err = run(skep, "check", "--json", *paths)
    try:
        found = findings_of(json.loads(out))
    except (json.JSONDecodeError, KeyError) as e:
        return [f"no result in Falco's form: {e}", f"status {status}", out, err]
    has_errors = any(x[0] == "error" for x in found)
    wrong = [] if status == has_errors else [f"exit status {status}"]
    wrong += take([l for l in case.expects if not l.startswith("rule ")], found)
    wrong += [f"not expected: {x[0]} {x[1]} {'/'.join(map(str, x[2]))} {x[3]}" for x in found]
    rules = [l for l in case.expects if l.startswith("rule ")]
    return wrong + (compare_rules(skep, rules, paths) if rules else [])


def play_falco(skep):
    """93 rules in the published files: alone and together, without a finding."""
    folder = os.environ.get("SKEP_FALCO_RULES")
    paths = sorted(glob.glob(f"{folder}/*.yaml")) if folder else []
    if not paths:
        print("ok falco's files # SKIP $SKEP_FALCO_RULES names no folder with rule files")
        return 0
    failed = 0
    for some in [[p] for p in paths] + [paths]:
        status, out, err = run(skep, "check", *some)
        name = " ".join(os.path.basename(p) for p in some)
        is_ok = not status and not err and "warning" not in out
        if len(some) > 1:
            is_ok = is_ok and "\n93 rules, " in out
        print(f"{'' if is_ok else 'not '}ok {name}")
        if not is_ok:
            print(*[f"# {line}" for line in (out + err).splitlines()], sep="\n")
            failed += 1
    return failed


def main():
    argv = sys.argv[1:]
    is_verbose = "-v" in argv
    argv = [a for a in argv if a != "-v"]
    if not argv:
        print("usage: load.py [-v] SKEP [FILE|NAME…]", file=sys.stderr)
        return 2
    skep, names = os.path.abspath(argv[0]), argv[1:]
    paths = [n for n in names if n.endswith(".test")] or sorted(glob.glob(f"{HERE}/load/*.test"))
    names = [n for n in names if not n.endswith(".test")]
    cases = [c for p in paths for c in cases_of(p) if not names or c.name in names]
    failed, seen = 0, set()
    for case in cases:
        with tempfile.TemporaryDirectory(prefix="skep-load-") as folder:
            wrong = play(skep, case, folder)
        if case.name in seen:
            wrong.append("this name is used twice")
        seen.add(case.name)
        print(f"{'not ' if wrong else ''}ok {case.name}", flush=True)
        if wrong:
            failed += 1
            print(*[f"# {line}" for line in wrong], sep="\n")
            if is_verbose:
                print(*case.texts(), sep="---\n")
    if not names:
        failed += play_falco(skep)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
