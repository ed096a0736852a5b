#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Runs the examples of docs/trace.md, and checks that the page is complete.  Prints TAP.

    tests/trace/docs.py SKEP               SKEP: the program, for example build/skep
    tests/trace/docs.py SKEP --vm FOLDER   writes the examples for other kernels, as N.bt
    tests/trace/docs.py SKEP --update      writes into the page what exact examples print

An example is a block of code whose language is `bt`, a program, or `sh run`, a script of a
shell that finds `skep`.  What stands behind the language says how it is run:

    ```bt                  skep trace -q, standard output is compared
    ```bt -c 'ls /'        with these options; --json and --test without -q
    ```bt 2>&1             standard error is compared too
    ```bt exit             it waits for events: it gets some, and a third of a second
    ```bt check            it needs what not every machine has: skep check is content
    ```bt vm               the same, and it can run in one of the machines of tools/vm
    ```bt fail             skep check says what is wrong, and that is compared

Examples that run do so in a cgroup of their own, and see only what runs there.

A block `out` behind it is what it prints: `…` in a line stands for anything, a line `…` for any
lines.  Blank lines are not compared.
"""

import contextlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = f"{ROOT}/docs/trace.md"
EXAMPLE = re.compile(
    r"^```(bt|sh run)\b([^\n]*)\n(.*?)^```$\n(?:^```out\n(.*?)^```$)?", re.S | re.M
)
WORDS = ("exit", "check", "vm", "fail", "2>&1")
EVENTS = "for i in 1 2 3; do ls / >/dev/null; sleep 0.05; done"
LIMIT = 20  # seconds

failed = 0


def tell(name, wrong, skip=None):
    global failed
    failed += bool(wrong)
    print(f"{'not ' if wrong else ''}ok - {name}" + (f" # SKIP {skip}" if skip else ""), flush=True)
    for line in wrong:
        print(f"# {line}")


# ---- examples ---------------------------------------------------------------------


class Example:
    def __init__(self, page, match):
        self.line = page.count("\n", 0, match.start()) + 1
        self.is_shell = match[1] != "bt"
        words = shlex.split(match[2])
        self.words = [w for w in words if w in WORDS]
        self.options = [w for w in words if w not in WORDS]
        self.text = match[3]
        self.wanted = match[4]
        self.span = match.span(4)

    def __contains__(self, word):
        return word in self.words

    @property
    def is_check(self):
        return any(w in self for w in ("check", "vm", "fail"))

    def command(self, skep, cgroup):
        if self.is_shell:
            return ["sh", "-e", "-c", self.text]
        if self.is_check:
            return [skep, "check", *self.options, "-e", self.text]
        quiet = [] if {"--json", "--test"} & {*self.options} or "2>&1" in self else ["-q"]
        wait = ["--for", "300ms"] if "exit" in self else []
        own = ["--cgroup", cgroup] if cgroup else []
        return [skep, "trace", *quiet, *wait, *own, *self.options, "-e", self.text]


def line_regex(line):
    return ".*".join(re.escape(p) for p in line.rstrip().split("…"))


def differs(wanted, got):
    """What is wrong, as lines; blank lines do not count."""
    want = [l for l in wanted.split("\n") if l.strip()]
    lines = [l.rstrip() for l in got.split("\n") if l.strip()]
    pattern = "".join(r"(?:.*\n)*?" if l == "…" else line_regex(l) + r"\n" for l in want)
    if re.fullmatch(pattern, "".join(l + "\n" for l in lines)):
        return []
    return ["it is not what the page says:"] + [f"  {l}" for l in lines[:20]]


@contextlib.contextmanager
def own_cgroup():
    """A cgroup that is removed at the end, with us in it; None where there is no cgroup2."""
    with open("/proc/self/mounts", encoding="utf-8") as f:
        mounts = [l.split()[1] for l in f if l.split()[2] == "cgroup2"]
    if not mounts or os.geteuid() != 0:
        yield None
        return
    with open("/proc/self/cgroup", encoding="utf-8") as f:
        home = mounts[0] + [l for l in f.read().split("\n") if l.startswith("0::")][0][3:]
    path = f"{home.rstrip('/')}/skep-docs-{os.getpid()}"
    os.mkdir(path)
    try:
        enter(path)
        yield path
    finally:
        enter(home)
        for _ in range(100):  # what is ending is still in there
            with contextlib.suppress(OSError):
                os.rmdir(path)
                break
            time.sleep(0.02)


def enter(cgroup):
    with open(f"{cgroup}/cgroup.procs", "w", encoding="utf-8") as f:
        f.write("0")


def run(example, skep, folder, cgroup=None):
    """Returns (what is wrong, why it cannot be here, what it printed)."""
    env = {**os.environ, "PATH": f"{os.path.dirname(skep)}:{os.environ['PATH']}", "TZ": "UTC"}
    is_joined = "2>&1" in example or "fail" in example
    events = None
    if "exit" in example:
        events = subprocess.Popen(["sh", "-c", EVENTS], stdin=subprocess.DEVNULL)
    try:
        r = subprocess.run(
            example.command(skep, cgroup),
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if is_joined else subprocess.PIPE,
            text=True,
            errors="backslashreplace",
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [f"not done after {LIMIT} s"], None, ""
    finally:
        if events:
            events.wait()
    others = (r.stderr or "").splitlines()
    if r.returncode == 77:
        return [], (others or ["not here"])[0], ""
    wrong = []
    has_status = re.search(r"\bexit\([1-9]|--test", example.text + " ".join(example.options))
    if not has_status and r.returncode != ("fail" in example):
        wrong.append(f"status {r.returncode}")
    if example.wanted is not None:
        wrong += differs(example.wanted, r.stdout)
    if wrong:
        wrong += others[:20]
    return wrong, None, r.stdout


def check_examples(examples, skep):
    is_root = os.geteuid() == 0
    home = os.path.expanduser("~")
    with tempfile.TemporaryDirectory(prefix="skep-docs-", dir=home) as folder, own_cgroup() as group:
        os.chmod(folder, 0o755)
        for e in examples:
            name = f"docs/trace.md:{e.line}"
            if not is_root and not e.is_check:
                tell(name, [], "only root can attach")
                continue
            wrong, skip, _ = run(e, skep, folder, group)
            tell(name, wrong, skip)


def update(page, examples, skep):
    """Blocks without … are written anew."""
    home = os.path.expanduser("~")
    with tempfile.TemporaryDirectory(prefix="skep-docs-", dir=home) as folder, own_cgroup() as group:
        for e in reversed(examples):
            if e.wanted is None or "…" in e.wanted:
                continue
            wrong, skip, said = run(e, skep, folder, group)
            if wrong and not skip and said:
                said = re.sub(r"\A\n+", "", said).rstrip("\n") + "\n"
                page = page[: e.span[0]] + said + page[e.span[1] :]
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write(page)


# ---- is all of it there? ------------------------------------------------------------


def rows(table, macro):
    with open(f"{ROOT}/src/catalog/{table}", encoding="utf-8") as f:
        return re.findall(rf'^{macro}\(\w+, "([^"]+)", (?:"([^"]*)")?', f.read(), re.M)


def code_of(page):
    """All that stands as code."""
    return "\n".join(re.findall(r"^```.*?^```|`[^`\n]+`", page, re.S | re.M))


def check_names(page):
    code = code_of(page)

    def missing(names):
        return [f"{n} is not in docs/trace.md" for n in names if not re.search(rf"\b{n}\b", code)]

    tell("every builtin is there", missing(name for name, _ in rows("builtins.def", "BUILTIN")))
    names = {n for name, aliases in rows("hooks.def", "HOOK") for n in (name, *aliases.split())}
    tell("every hook is there", missing(sorted(names)))
    with open(f"{ROOT}/src/compile/lang/bpftrace/expand-config.c", encoding="utf-8") as f:
        keys = re.findall(r'^\t\{"((?!dummy_)\w+)", VALUE_(?!NOTHING)', f.read(), re.M)
    assert len(keys) > 10
    tell("every setting is there", missing(keys))


def options_of(skep, command):
    r = subprocess.run([skep, command, "--help"], capture_output=True, text=True, check=True)
    return re.findall(r"^  (?:-\w, |    )(--[\w-]+)", r.stdout, re.M), r.stdout


def check_options(page, skep):
    _, text = options_of(skep, "trace")
    tell("its options are there", [] if text in page else ["tools/check-docs --update writes them"])
    names, text = options_of(skep, "bpftrace")
    letters = dict(re.findall(r"^  (-\w), (--[\w-]+)", text, re.M))
    letters = {long: short for short, long in letters.items()}
    part = page[page.index("### As bpftrace") :]
    part = set(re.findall(r"-[\w-]+", part[: part.index("\n### ", 5)]))
    gone = [n for n in names if not {n, letters.get(n)} & part and n != "--help"]
    tell("bpftrace's options are there", [f"{n} is not in docs/trace.md" for n in gone])


def check_readme(skep):
    """The scripts that README shows."""
    with open(f"{ROOT}/README.md", encoding="utf-8") as f:
        scripts = re.findall(r"^skep trace (?:-\w '[^']*' )?'(.*)'$", f.read(), re.M)
    wrong = [] if scripts else ["there is none"]
    for script in scripts:
        r = subprocess.run([skep, "check", "-e", script], capture_output=True, text=True, check=False)
        wrong += r.stderr.splitlines()
    tell(f"scripts of README are scripts ({len(scripts)})", wrong)


def write_for_vm(examples, folder):
    """Each with a command line, as its first line says."""
    os.makedirs(folder, exist_ok=True)
    for e in (e for e in examples if "vm" in e):
        with open(f"{folder}/{e.line}.bt", "w", encoding="utf-8") as f:
            f.write(f"// {shlex.join(e.options)}\n{e.text}")


def main():
    argv = sys.argv[1:]
    skep = os.path.abspath(argv[0] if argv else f"{ROOT}/build/skep")
    with open(PAGE, encoding="utf-8") as f:
        page = f.read()
    examples = [Example(page, m) for m in EXAMPLE.finditer(page)]
    if argv[1:2] == ["--vm"]:
        write_for_vm(examples, argv[2])
        return 0
    if argv[1:2] == ["--update"]:
        update(page, examples, skep)
        return 0
    check_names(page)
    check_options(page, skep)
    check_readme(skep)
    check_examples(examples, skep)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
