#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
What `skep rules explain` says of rules, as text and as JSON.

    explain.py [-v] SKEP [FILE|NAME…]

Without names all of explain/*.test are played; TAP comes out.  A file has many cases, in the
form of load.py: rule files, and what is expected of the JSON of a rule, of --all, and of some
event of a recording:

    >>> run SCRIPT              for sh -c, recorded by the embedded runtime: what `event` is about
    >>> rule NAME: {…}
    >>> all: {…}
    >>> event NAME: {…}

All members that are named must be there with these values, and so must all items of lists, in
this order.  The text is made of the JSON once more, here, and must be what skep prints: the
two say the same.  So must skep's own rules, and Falco's, where $SKEP_FALCO_RULES names their
folder.
"""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from load import HERE, cases_of  # noqa: E402

NOBODY = {"user": 65534, "group": 65534, "extra_groups": []} if not os.geteuid() else {}
PLACES = {
    "constant": "known when rules are loaded",
    "event": "in the kernel, at the event",
    "exec": "in the kernel, once an exec",
    "ancestor": "in the kernel, once an exec of an ancestor",
    "container": "in the kernel, once a container",
    "user": "in user space",
}
COLUMNS = ["event", "exec", "ancestor", "container", "constant", "user"]
HEADING = "checks  event  exec  ancestor  container  constant  user  rule"


class Wrong(Exception):
    """What was not so."""


def run(*argv, status=0, cwd=None, **more):
    r = subprocess.run(
        argv, cwd=cwd, env={**os.environ, "TZ": "UTC"}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=90, check=False, **more,
    )
    if r.returncode != status:
        raise Wrong(f"{' '.join(argv)}: status {r.returncode}: {r.stdout[-300:]} {r.stderr}")
    return r.stdout


# ---- from JSON to the text -----------------------------------------------------------


def check_line(c):
    more = f"  # bit {c['bit']}" if "bit" in c else f"  # {c['why']}" if "why" in c else ""
    return f"    {c['check']}{more}"


def rule_lines(x):
    yield x["name"]
    yield "  decided by"
    for p in x["decided_by"]:
        if "program" not in p:
            yield f"    {p['events'][0]:12} no program: it cannot match"
            continue
        by = f"by {p['program']}, {p['instructions']} instructions"
        yield f"    {' '.join(p['events'])} {by}, at {p.get('hook', 'no hook with a table')}"
    for word, words in PLACES.items():
        checks = [c for c in x["checks"] if c["decided"] == word]
        if x["counts"][word] != len(checks):
            raise Wrong(f"{x['name']}: counts of {word}: {x['counts'][word]}, not {len(checks)}")
        if checks:
            yield f"  {words}: {len(checks)}"
        yield from map(check_line, checks)


def all_lines(x):
    yield HEADING
    for r in x["rules"]:
        counts = "".join(f"{r['counts'][c]:{len(c) + 2}}" for c in COLUMNS)
        yield f"{len(r['checks']):6}{counts}  {r['name']}"
    n, user = x["different_checks"], len(x["user_checks"])
    percent = f"{x['kernel_percent']:.1f}"
    if percent != f"{(n - user) * 1000 // n / 10:.1f}":
        raise Wrong(f"{percent} % of {n}, {user} in user space")
    yield (f"{len(x['rules'])} rules, {n} checks: {percent} % decided in the kernel, "
           f"{user} left to user space")
    yield from map(check_line, x["user_checks"])
    yield (f"{len(x['programs'])} programs, {x['instructions']} instructions; "
           f"tables of texts: {x['table_bytes']} bytes")
    for p in x["programs"]:
        yield f"  {p['program']:18} {p['instructions']:6} instructions"
    if x["instructions"] != sum(p["instructions"] for p in x["programs"]):
        raise Wrong("instructions are not the sum of the programs'")


def value_text(v):
    return "<NA>" if v is None else str(v).lower() if isinstance(v, bool) else str(v)


def event_lines(x):
    by = ", by the name that the kernel resolved" if x["by_resolved"] else ""
    clock = re.fullmatch(r"\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d\.\d{9})Z", x["time"])[1]
    does = "matches" if x["matches"] else "does not match"
    yield f"{clock} {x['event']} of {x['pid']} {x['process']}: {does}{by}"
    yield f"{value_text(x['matches'])}{by}"
    for c in x["checks"]:
        yield f"{value_text(c['result']):5}  {c['check']}  # {value_text(c['value'])}"


def same(lines, text):
    lines, text = list(lines), text.splitlines()
    for mine, theirs in zip(lines, text):
        if mine != theirs:
            raise Wrong(f"the JSON says  {mine}\nthe text says  {theirs}")
    if len(lines) != len(text):
        raise Wrong(f"the JSON makes {len(lines)} lines, the text has {len(text)}")


# ---- cases -----------------------------------------------------------------------------


def has(value, expected):
    """Are all members and items that are expected there?"""
    if isinstance(expected, dict) and isinstance(value, dict):
        return all(k in value and has(value[k], v) for k, v in expected.items())
    if isinstance(expected, list) and isinstance(value, list):
        rest = iter(value)
        return all(any(has(v, x) for v in rest) for x in expected)
    return type(value) is type(expected) and value == expected


class Explained:
    """A rule set, and all that skep says of it."""

    def __init__(self, skep, paths, folder):
        self.skep, self.paths, self.folder = skep, paths, folder

    def both(self, *words):
        argv = [self.skep, "rules", "explain"]
        text = run(*argv, *words, *self.paths, **NOBODY)
        return text, run(*argv, "--json", *words, *self.paths, **NOBODY)

    def all(self):
        text, out = self.both("--all")
        x = json.loads(out)
        same(all_lines(x), text)
        return x

    def rule(self, name):
        text, out = self.both(name)
        if out.count("\n") != 1:
            raise Wrong(f"{name}: not one line of JSON")
        x = json.loads(out)
        same(rule_lines(x), text)
        return x

    def record(self, script):
        with open(f"{self.folder}/secret", "w", encoding="utf-8") as f:
            f.write("x\n")
        argv = [self.skep, "watch", "--runtime", "embedded", "-q", "--record", "f.skep"]
        run(*argv, "--", "sh", "-c", script, cwd=self.folder, **NOBODY)

    def events(self, name):
        text, out = self.both("--replay", f"{self.folder}/f.skep", name)
        found = [json.loads(line) for line in out.splitlines()]
        same([line for x in found for line in event_lines(x)], text)
        return found


def play(skep, case, folder):
    paths = []
    for i, text in enumerate(case.texts()):
        paths.append(f"{folder}/{i + 1}.yaml")
        with open(paths[-1], "w", encoding="utf-8") as f:
            f.write(text)
    explained = Explained(skep, paths, folder)
    everything = explained.all()
    for rule in everything["rules"]:
        if explained.rule(rule["name"]) != rule:
            raise Wrong(f"{rule['name']} is another one in --all")
    for line in case.expects:
        m = re.fullmatch(r"(run) (.*)|(rule|event) (.*?): ({.*)|(all): ({.*)", line)
        if not m:
            raise Wrong(f"cannot read: {line}")
        if m[1]:
            explained.record(m[2])
            continue
        expected = json.loads(m[5] or m[7])
        if m[6]:
            found = [everything]
        else:
            found = explained.events(m[4]) if m[3] == "event" else [explained.rule(m[4])]
        if not any(has(x, expected) for x in found):
            raise Wrong("\n".join([f"missing: {line}", *map(json.dumps, found[:20])]))


def whole(skep, paths, folder):
    """A rule set as it is: all of it, and each rule that --all shows."""
    explained = Explained(skep, paths, folder)
    for rule in explained.all()["rules"]:
        list(rule_lines(rule))  # its counts are right
    explained.rule(rule["name"])


def unknown(skep, folder):
    out = run(skep, "rules", "explain", "--json", "no such rule", status=2, cwd=folder)
    if out:
        raise Wrong(f"something is printed: {out}")


def example(skep):
    """What the docs show, but for numbers that change with any rule or pass."""
    with open(f"{HERE}/../../docs/detection.md", encoding="utf-8") as f:
        shown = re.search(r"^\$ skep rules explain --json '(.*)'\n({(?s:.*?)})\n```", f.read(), re.M)
    found = Explained(skep, [], None).rule(shown[1])
    expected = json.loads(re.sub(r',"(instructions|bit)":\d+', "", shown[2]))
    if not has(found, expected):
        raise Wrong(f"it is\n{json.dumps(found)}")


def tests_of(skep, paths, names):
    """Pairs of a name and a function of a folder."""
    for case in (c for p in paths for c in cases_of(p)):
        if not names or case.name in names:
            yield case.name, lambda folder, case=case: play(skep, case, folder)
    if names:
        return
    yield "a rule that is not there", lambda folder: unknown(skep, folder)
    yield "the example of docs/detection.md", lambda folder: example(skep)
    yield "skep's own rules", lambda folder: whole(skep, [], folder)
    falco = os.environ.get("SKEP_FALCO_RULES")
    files = sorted(glob.glob(f"{falco}/*.yaml")) if falco else []
    skip = "" if files else " # SKIP $SKEP_FALCO_RULES names no folder with rule files"
    yield f"falco's rules{skip}", lambda folder: files and whole(skep, files, folder)


def main():
    argv = [a for a in sys.argv[1:] if a != "-v"]
    if not argv:
        print("usage: explain.py [-v] SKEP [FILE|NAME…]", file=sys.stderr)
        return 2
    skep, names = os.path.abspath(argv[0]), argv[1:]
    paths = [n for n in names if n.endswith(".test")] or sorted(glob.glob(f"{HERE}/explain/*.test"))
    names = [n for n in names if not n.endswith(".test")]
    failed = 0
    for name, test in tests_of(skep, paths, names):
        wrong = ""
        with tempfile.TemporaryDirectory(prefix="skep-explain-") as folder:
            os.chmod(folder, 0o777)
            try:
                test(folder)
            except (Wrong, ValueError, KeyError, subprocess.SubprocessError) as e:
                wrong = f"{type(e).__name__}: {e}"
        print(f"{'not ' if wrong else ''}ok {name}", flush=True)
        failed += bool(wrong)
        lines = wrong.splitlines()
        for line in lines if "-v" in sys.argv else lines[:5]:
            print("# " + line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
