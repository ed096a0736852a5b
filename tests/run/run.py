#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Runs real programs under `skep watch` and compares what it says with what they did.

    run.py [--build DIR] [--runtime embedded] [-v] SKEP [NAME…]

NAME: events, tricky/symlink, …  With --runtime embedded skep traces the commands itself, as where
the kernel lets it load no programs; the same lines are expected.

Each file events/*.case or tricky/*.case is one case, and TAP comes out.  A case:

    # One sentence: what this proves.
    needs: filesystem overlay  skip, with the reason, where this is missing
    options: --events file     instead of `--events all`
    format: text               lines for people instead of JSON
    timeout: 5                 seconds, instead of 20
    run:
            ln -s /etc/passwd link        (indented: a script for `sh -e`)
            $BIN/file openat2 link        (prog/file.c, compiled once)
    expect: open file=/etc/passwd process.exe=*/cat
    then: close …              the same, and after the line matched before
    never: open file=*/link    no such line
    never: open error | write error       nor one that matches any of these
    status: 3                  exit status, instead of 0
    summary: ~ regex           over what skep wrote to stderr
    limit: why what stands here is not what one would wish
    kernel: why this cannot be seen with --runtime embedded: it is skipped there

The script runs in an empty folder of its own, $DIR; what it prints as `name=value`
is $name for the lines below it.  An expectation is the event's name (or `any`), then

    key                 is there             !key              is not there
    key=value           equal; * and ? are wild, unless the value stands in "…"
    key!=value          there, but not so    key~regex         found in it
    key>=10ms           a number, perhaps with the unit k, M, us, ms, s; also <= < >
    x3   x3+            so many lines, or at least so many; else at least one (x$name too)
    as NAME             then $NAME.key is a value of that line

A key can walk: process.parents.exe is any parent's, process.parents[0].exe the first's.
A list equals a value when one of its elements does, or all of them joined by spaces.
`line` is the whole line as text.

Every case also proves that each line is well formed, that nothing was lost, that each
line names its process, and that skep ended with the script's status and left no cgroup.
"""

import argparse
import ctypes
import dataclasses
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
EVENTS_DEF = os.path.join(HERE, "../../src/catalog/events.def")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PR_SET_CHILD_SUBREAPER = 36


class CaseError(Exception):
    """The case itself is wrong, or could not be run."""


# ---- cases ------------------------------------------------------------------


@dataclasses.dataclass
class Case:
    name: str
    path: str
    title: str = ""
    script: str = ""
    status: int = 0
    timeout: float = 20
    format: str = "json"
    options: str = "--events all"
    needs: list = dataclasses.field(default_factory=list)
    summary: list = dataclasses.field(default_factory=list)
    limits: list = dataclasses.field(default_factory=list)
    kernel: str = ""
    checks: list = dataclasses.field(default_factory=list)  # (keyword, [Pattern, …])


TOKEN = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^\s"])+')
MATCHER = re.compile(r"([a-z_][\w.\[\]]*)(!=|>=|<=|=|~|>|<)(.*)", re.S)
UNITS = {"": 1, "k": 1000, "M": 10**6, "us": 10**3, "ms": 10**6, "s": 10**9}


@dataclasses.dataclass
class Pattern:
    text: str
    event: str = "any"
    matchers: list = dataclasses.field(default_factory=list)  # (key, operator, value)
    count: str = "1+"
    bind: str = ""


def parse_pattern(text):
    tokens = TOKEN.findall(text)
    p = Pattern(" ".join(text.split()), tokens[0])
    i = 1
    while i < len(tokens):
        t = tokens[i]
        i += 1
        m = MATCHER.fullmatch(t)
        if m:
            p.matchers.append(m.groups())
        elif re.fullmatch(r"x(\d+|\$\w+)\+?", t):
            p.count = t[1:]
        elif t == "as" and i < len(tokens):
            p.bind = tokens[i]
            i += 1
        elif re.fullmatch(r"!?[a-z_][\w.\[\]]*", t):
            p.matchers.append((t.lstrip("!"), "absent" if t[0] == "!" else "present", ""))
        else:
            raise CaseError(f"cannot read '{t}' in '{text}'")
    return p


def read_entries(path):
    """The file's sentence, and its (keyword, text) with indented lines joined to them."""
    title, entries = "", []
    with open(path, encoding="utf-8") as f:
        for line in f.read().split("\n"):
            if line.startswith("#"):
                title = (title + " " + line[1:].strip()).strip()
            elif line[:1] in "\t " and line and entries:
                entries[-1][1] += "\n" + line
            elif line:
                key, colon, rest = line.partition(":")
                if not colon:
                    raise CaseError(f"{path}: what is '{line}'?")
                entries.append([key, rest.strip()])
    return title, entries


def parse_case(path):
    c = Case(os.path.relpath(path, HERE).removesuffix(".case"), path)
    c.title, entries = read_entries(path)
    for key, text in entries:
        words = " ".join(text.split())
        if key == "run":
            c.script += "\n".join(l.removeprefix("\t") for l in text.split("\n")) + "\n"
        elif key in ("expect", "then", "never"):
            c.checks.append((key, [parse_pattern(t) for t in re.split(r"\s\|\s", text)]))
        elif key in ("status", "timeout"):
            setattr(c, key, int(words))
        elif key in ("options", "format", "kernel"):
            setattr(c, key, words)
        elif key in ("needs", "summary"):
            getattr(c, key).append(words)
        elif key == "limit":
            c.limits.append(words)
        else:
            raise CaseError(f"{path}: what is '{key}:'?")
    if not c.title or not c.script or not (c.checks or c.summary):
        raise CaseError(f"{path}: a case has a sentence, a script and an expectation")
    return c


# ---- matching ---------------------------------------------------------------


def walk(value, key):
    """All values that `key` leads to; a list on the way means each of its elements."""
    values = [value]
    for part in re.findall(r"\w+|\[\d+\]", key):
        found = []
        for v in values:
            if part[0] == "[":
                n = int(part[1:-1])
                found += v[n : n + 1] if isinstance(v, list) else []
                continue
            for e in v if isinstance(v, list) else [v]:
                if isinstance(e, dict) and part in e:
                    found.append(e[part])
        values = found
    return values


def as_text(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, list):
        return " ".join(as_text(e) for e in v)
    if isinstance(v, dict):
        return json.dumps(v, ensure_ascii=False)
    return str(v)


def as_number(text):
    m = re.fullmatch(r"(-?\d+(?:\.\d+)?)(k|M|us|ms|s|)", text)
    if not m:
        raise CaseError(f"'{text}' is no number")
    return float(m.group(1)) * UNITS[m.group(2)]


def substitute(text, names, quote):
    def value(m):
        key = m.group(1) or m.group(2)
        found = walk(names, key)
        if not found or isinstance(found[0], dict):
            raise CaseError(f"nothing is known of ${key}")
        return quote(as_text(found[0]))

    return re.sub(r"\$(?:\{([\w.]+)\}|(\w+(?:\.\w+)*))", value, text)


def equality(value, names):
    """A test of text: equal to `value`, in which * and ? are wild unless it is quoted."""
    if value.startswith('"'):
        want = substitute(json.loads(value), names, str)
        return lambda text: text == want
    wild = {"*": ".*", "?": "."}
    parts = re.split(r"(\$\{[\w.]+\}|\$\w+(?:\.\w+)*|[*?])", value)
    regex = re.compile(
        "".join(wild.get(p) or re.escape(substitute(p, names, str)) for p in parts), re.S
    )
    return lambda text: bool(regex.fullmatch(text))


def compile_matcher(op, value, names):
    """A function from one value of a line to yes or no."""
    if op in (">=", "<=", ">", "<"):
        n = as_number(substitute(value, names, str))
        return {
            ">=": lambda v: v >= n,
            "<=": lambda v: v <= n,
            ">": lambda v: v > n,
            "<": lambda v: v < n,
        }[op]
    if op == "~":
        if value.startswith('"'):
            value = value[1:-1]
        # `$` before a word is a name, and at the end of the pattern its end
        regex = re.compile(substitute(value, names, re.escape))
        return lambda v: bool(regex.search(as_text(v)))
    test = equality(value, names)
    if op == "!=":
        return lambda v: not test(as_text(v))
    return lambda v: test(as_text(v)) or (isinstance(v, list) and any(test(as_text(e)) for e in v))


def misses(pattern, line, names):
    """What `line` does not fulfil of `pattern`; [] is a match, None another event."""
    out = []
    if pattern.event not in ("any", line["event"]):
        return None
    for key, op, value in pattern.matchers:
        found = [line["line"]] if key == "line" else walk(line, key)
        if op in ("present", "absent"):
            if bool(found) != (op == "present"):
                out.append(f"{key} is {as_text(found[0]) if found else 'absent'}")
            continue
        test = compile_matcher(op, value, names)
        # no number there is a miss, not an error
        number = op in (">=", "<=", ">", "<")
        if not any(test(v) for v in found if not number or isinstance(v, (int, float))):
            is_ = " and ".join(json.dumps(v, ensure_ascii=False) for v in found) or "absent"
            out.append(f"{key} is {is_}, not {op}{substitute(value, names, str)}")
    return out


def show(line):
    if line["event"] == "any":
        return f"{line['n']}: {line['line'][:300]}"
    hidden = ("v", "time", "event", "process", "line", "n")
    text = {k: v for k, v in line.items() if k not in hidden}
    who = {k: v for k, v in line.get("process", {}).items() if k in ("pid", "exe", "args")}
    out = f"{line['n']}: {line['event']} {json.dumps(text, ensure_ascii=False)} "
    return out + "process " + json.dumps(who, ensure_ascii=False)[:300]


def nearest(pattern, lines, names):
    if lines and lines[0]["event"] == "any":
        return [f"line {show(line)}" for line in lines[:5]]
    scored = []
    for line in lines:
        m = misses(pattern, line, names)
        if m is not None:
            scored.append((len(m), line["n"], m, line))
    if not scored:
        seen = sorted({line["event"] for line in lines})
        return [f"there is no {pattern.event} line; there are {', '.join(seen) or 'none at all'}"]
    out = []
    for _, _, m, line in sorted(scored, key=lambda s: s[:2])[:3]:
        out.append(f"nearest: line {show(line)}")
        out += [f"         {text}" for text in m]
    return out


def check_lines(case, lines, names):
    wrong = []
    last = 0
    for keyword, patterns in case.checks:
        start = last if keyword == "then" else 0
        after = [l for l in lines if l["n"] > start]
        hits = [l for l in after if any(misses(q, l, names) == [] for q in patterns)]
        if keyword == "never":
            if hits:
                wrong.append(f"never: {' | '.join(q.text for q in patterns)}")
                wrong += [f"but: line {show(l)}" for l in hits[:3]]
            continue
        p = patterns[0]
        if hits:
            last = hits[0]["n"]
            names[p.bind or "_"] = hits[0]
        least = int(substitute(p.count.rstrip("+"), names, str))
        if len(hits) < least or (len(hits) > least and not p.count.endswith("+")):
            wrong.append(f"{keyword}: {p.text}")
            if hits:
                wrong.append(f"there are {len(hits)}")
                wrong += [f"line {show(l)}" for l in hits[:3]]
            else:
                wrong += nearest(p, after, names)
    return wrong


def wrong_form(line, event_names):
    """What every line promises, or None."""
    if list(line)[:3] != ["v", "time", "event"] or line["v"] != 1:
        return "does not begin with v, time, event"
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", line["time"]):
        return "has a time of its own kind"
    if line["event"] not in event_names:
        return "has an event that is not in events.def"
    if line["event"] != "lost":
        always = ("pid", "tid", "start_ns", "exe", "comm", "uid", "cgroup")
        missing = [k for k in always if k not in line.get("process", {})]
        if missing:
            return f"has a process without {', '.join(missing)}"
    return None


def read_lines(text):
    """The lines as objects, and what is wrong with their form."""
    lines, wrong, known = [], [], event_names()
    for n, raw in enumerate(text.split("\n")[:-1], 1):
        try:
            line = json.loads(raw)
        except ValueError as e:
            wrong.append(f"line {n} is no JSON ({e}): {raw[:200]}")
            continue
        why = wrong_form(line, known)
        if why:
            wrong.append(f"line {n} {why}: {raw[:300]}")
        line.setdefault("event", "none")
        line["line"], line["n"] = raw, n
        lines.append(line)
    if text and not text.endswith("\n"):
        wrong.append("the last line does not end")
    return lines, wrong


# ---- running ----------------------------------------------------------------


def event_names():
    with open(EVENTS_DEF, encoding="utf-8") as f:
        return re.findall(r"^EVENT\(\w+, (\w+),", f.read(), re.M)


def children(pid):
    out = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            with open(path, encoding="ascii") as f:
                out += [int(p) for p in f.read().split()]
        except OSError:
            pass
    return out


def is_janitor(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as f:
            return f.read() == "skep-janitor\n"
    except OSError:
        return False


def reap_janitors():
    """skep leaves the removal of its cgroup to a child; False: it has not ended by itself."""
    end = time.monotonic() + 3
    while time.monotonic() < end:
        janitors = [pid for pid in children(os.getpid()) if is_janitor(pid)]
        if not any(os.waitpid(pid, os.WNOHANG) == (0, 0) for pid in janitors):
            return True
        time.sleep(0.01)
    return False


def kill_children():
    """Ends all that a case left behind; we are the reaper, so orphans come to us."""
    for _ in range(1000):
        pids = children(os.getpid())
        if not pids:
            return
        for pid in pids:
            for p in children(pid) + [pid]:
                try:
                    os.kill(p, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                pass


def cgroup2():
    with open("/proc/mounts", encoding="utf-8") as f:
        for line in f:
            where, kind = line.split()[1:3]
            if kind == "cgroup2":
                return where
    return ""


class Needs:
    """Each method is a condition of `needs:`; it returns why it is not fulfilled, or None."""

    def __init__(self, build):
        self.build = build

    def ask(self, text):
        name, *rest = text.split()
        return getattr(self, "need_" + name)(*rest)

    def need_command(self, *names):
        gone = [n for n in names if not shutil.which(n, path=PATH)]
        return f"no {', '.join(gone)} here" if gone else None

    def need_kernel(self, least):
        have = re.match(r"(\d+)\.(\d+)", os.uname().release).groups()
        if tuple(map(int, have)) < tuple(map(int, least.split("."))):
            return f"this kernel is older than {least}"
        return None

    def need_machine(self, name):
        return None if os.uname().machine == name else f"only on {name}"

    def need_filesystem(self, name):
        with open("/proc/filesystems", encoding="ascii") as f:
            return None if name in f.read().split() else f"this kernel has no {name}"

    def need_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6) as s:
                s.bind(("::1", 0))
        except OSError as e:
            return f"no IPv6 on the loopback: {e.strerror}"
        return None

    def need_prog(self, name, *args):
        """A scene of prog/NAME.c, which exits 77 and says why where something is missing."""
        if not compile_prog(self.build, name):
            return f"prog/{name}.c does not compile here"
        command = [os.path.join(self.build, name), *args]
        r = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        return r.stderr.strip() if r.returncode == 77 else None


def compile_prog(build, name):
    """Compiles prog/NAME.c unless that was done; a line `build: FLAGS` in it is obeyed."""
    source, out = f"{HERE}/prog/{name}.c", os.path.join(build, name)
    newest = max(os.path.getmtime(p) for p in [source] + glob.glob(f"{HERE}/prog/*.h"))
    if os.path.exists(out) and os.path.getmtime(out) > newest:
        return True
    with open(source, encoding="utf-8") as f:
        flags = re.search(r"build: (.*?)(?: \*/)?$", f.read(), re.M)
    command = ["gcc", "-std=gnu17", "-O1", "-g", "-Wall", "-Wextra", "-pthread", "-o", out, source]
    command += flags.group(1).split() if flags else []
    r = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in r.stderr.splitlines():
        print(f"# {line}")
    return r.returncode == 0


@dataclasses.dataclass
class Result:
    status: object  # a number, or what happened instead
    lines: str
    summary: str
    printed: str
    wrong: list


def read(path):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def empty_folder(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)


def play(case, skep, names):
    """Runs the case's script under skep."""
    logs = names["OUT"]
    with open(f"{logs}/script", "w", encoding="utf-8") as f:
        f.write(f"exec >{logs}/out 2>{logs}/err\n{case.script}")
    command = [*skep, *(["--json"] if case.format == "json" else [])]
    command += substitute(case.options, names, str).split() + ["--", "sh", "-e", f"{logs}/script"]
    env = {"PATH": PATH, "LC_ALL": "C", "HOME": "/root", **names}
    with open(f"{logs}/lines", "wb") as lines, open(f"{logs}/summary", "wb") as summary:
        p = subprocess.Popen(
            command, cwd=names["DIR"], env=env,
            stdin=subprocess.DEVNULL, stdout=lines, stderr=summary,
        )
        try:
            status = p.wait(case.timeout)
        except subprocess.TimeoutExpired:
            status = f"none after {case.timeout} s"
    wrong = [] if reap_janitors() else ["skep's janitor did not end"]
    kill_children()
    printed = read(f"{logs}/out") + read(f"{logs}/err")
    return Result(status, read(f"{logs}/lines"), read(f"{logs}/summary"), printed, wrong)


def judge(case, r, names):
    """What is wrong with a result, as lines of text."""
    wrong = r.wrong
    names.update(re.findall(r"^([a-z]\w*)=(.*)$", r.printed, re.M))
    if r.status != case.status:
        wrong.append(f"status {r.status}, not {case.status}")
        wrong += (r.summary + r.printed).splitlines()[-10:]
    if case.format == "json":
        lines, bad = read_lines(r.lines)
        wrong += bad[:5]
        may_lose = any(p.event == "lost" for _, patterns in case.checks for p in patterns)
        if not may_lose and any(l["event"] == "lost" for l in lines):
            wrong.append("lines were lost")
    else:
        all_lines = enumerate(r.lines.splitlines(), 1)
        lines = [{"event": "any", "line": l, "n": n} for n, l in all_lines]
    wrong += check_lines(case, lines, names)
    for regex in case.summary:
        text = substitute(regex.removeprefix("~").strip(), names, re.escape)
        if not re.search(text, r.summary, re.M):
            wrong += [f"summary: {regex}"] + ["but: " + l for l in r.summary.splitlines()]
    root = cgroup2()
    for c in sorted(set(walk(lines, "process.cgroup"))):
        if "/skep-" in c and os.path.isdir(root + c):
            wrong.append(f"cgroup {c} was left behind")
    return wrong


def run_case(case, skep, build, verbose):
    for name in sorted(set(re.findall(r"\$BIN/([\w-]+)", case.script))):
        if not compile_prog(build, name):
            return [f"prog/{name}.c does not compile"]
    folder = os.path.join(build, "scratch", case.name)
    names = {"DIR": folder, "BIN": build, "OUT": folder + ".log"}
    empty_folder(names["DIR"])
    empty_folder(names["OUT"])
    r = play(case, skep, names)
    if verbose:
        for line in (r.lines + r.summary + r.printed).splitlines():
            print(f"#   {line}".encode("utf-8", "backslashreplace").decode())
    wrong = judge(case, r, names)
    if not wrong:  # else somebody wants to look at them
        shutil.rmtree(names["DIR"], ignore_errors=True)
        shutil.rmtree(names["OUT"], ignore_errors=True)
    return wrong


# ---- all of it --------------------------------------------------------------


def uncovered(cases):
    """Rows of events.def that no case of events/ expects."""
    seen = {
        p.event
        for c in cases
        if c.name.startswith("events/")
        for keyword, patterns in c.checks
        if keyword != "never"
        for p in patterns
    }
    return [name for name in event_names() if name not in seen]


def tell(number, name, wrong, limits=(), skip=None):
    if skip:
        print(f"ok {number} - {name} # SKIP {skip}")
        return
    print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
    for line in limits:
        print(f"# limit: {line}")
    for line in wrong:
        print(f"#   {line}".encode("utf-8", "backslashreplace").decode())
    sys.stdout.flush()


def is_chosen(case, names):
    return not names or any(
        case.name == n.removesuffix(".case") or case.name.startswith(n.rstrip("/") + "/")
        for n in names
    )


def main():
    a = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    a.add_argument("skep", help="the program to test")
    a.add_argument("name", nargs="*", help="only these cases or folders")
    a.add_argument("--build", default="/tmp/skep-run", help="folder for compiled programs")
    a.add_argument("--runtime", default="kernel", choices=["kernel", "embedded"], help="where")
    a.add_argument("-v", "--verbose", action="store_true", help="show all that came out")
    o = a.parse_args()

    files = sorted(glob.glob(f"{HERE}/events/*.case")) + sorted(glob.glob(f"{HERE}/tricky/*.case"))
    cases = [parse_case(f) for f in files]
    chosen = [c for c in cases if is_chosen(c, o.name)]
    if not chosen:
        print(f"no case is called {' '.join(o.name)}", file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("1..0 # SKIP only root can attach")
        return 0
    os.makedirs(o.build, exist_ok=True)
    build, skep = os.path.realpath(o.build), [os.path.realpath(o.skep), "watch"]
    skep += ["--runtime", o.runtime]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    needs = Needs(build)
    failed = skipped = 0
    number = len(chosen) + (not o.name)
    print(f"1..{number}")
    start = time.monotonic()
    for n, c in enumerate(chosen, 1):
        skip = next((why for why in map(needs.ask, c.needs) if why), None)
        skip = skip or (c.kernel if o.runtime == "embedded" else None)
        try:
            wrong = [] if skip else run_case(c, skep, build, o.verbose)
        except CaseError as e:
            wrong = [str(e)]
        failed += bool(wrong)
        skipped += bool(skip)
        tell(n, c.name, wrong, c.limits, skip)
    if not o.name:
        wrong = [f"no case in events/ expects {name}" for name in uncovered(cases)]
        failed += bool(wrong)
        tell(number, "every event has a case", wrong)
    passed, seconds = number - failed - skipped, time.monotonic() - start
    print(f"# {passed} passed, {failed} failed, {skipped} skipped, {seconds:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
