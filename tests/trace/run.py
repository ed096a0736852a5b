#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Runs small programs of bpftrace's language and compares what comes out, as TAP.

    run.py [--build DIR] [--against BPFTRACE] [-j N] [-v] SKEP [NAME…]

NAME is a file (cases/strings), or a part of a case's name.  Each file cases/*.test or
diag/*.test holds the cases of one subject: a comment (#) that says which, then blocks.
A block is a keyword with its value, which may go on in lines indented by one tab:

    NAME strlen counts bytes     begins a case
    PROG BEGIN { print(strlen("abc")); }
    EXPECT 3

    NAME macros of another file  all that a case can have, in any order
    NEEDS uprobe; command cat    skip, with the reason, where this is missing
    FILE lib.bt                  a file of the empty folder that the case runs in; its
            macro one() { 1 }    text follows, indented
    ENV BPFTRACE_MAX_STRLEN=16   environment
    STDIN text                   standard input; else it is empty
    WITH $BIN/calls loop         runs meanwhile; $WITH is its process
    COMMAND $BIN/calls 3         skep's -c
    RUN trace --json             the subcommand and its options, instead of `trace`
    PROG import "lib.bt";        the program (-e).  Without PROG, RUN names a file
            BEGIN { print(one()); }
    ARGS 3 -- --name=x           behind the program
    STATUS 1                     exit status, instead of 0
    EXPECT                       standard output.  Blank lines are not compared, …
            1
    STDERR WARNING: {{.*}}       standard error; nothing, unless it is said here
    OURS why                     bpftrace's answer is another one, for this reason
    KERNEL why                   not with --runtime embedded, for this reason

    EXACT   instead of EXPECT: … with EXACT they are
    SORTED  instead of EXPECT: the lines may come in any order
    CHECK   instead of PROG: `skep check`, and EXPECT is what it says of the program on
            standard error; status 1 if that has an ERROR

In PROG, RUN, ENV, FILE, ARGS, WITH, COMMAND: $DIR is the case's own folder, and $BIN/NAME
prog/NAME.c, compiled: a copy for this run only, so that probes on it see nobody else.

In expectations {{…}} is a regular expression, so {{(?P<n>\\d+)}} binds and {{(?P=n)}}
compares, and a line `...` stands for any lines, also none.

A case with PROG runs twice, at -O2 and at -O0 (--no-optimizer), and must give the same.
--against runs the reference instead; cases with OURS are left out.
--runtime embedded runs scripts in skep itself, without privileges (as user 65534): what says that
it needs some is skipped with that reason, all else must give the same as in the kernel.
What this kernel may lack runs in other machines, too: vm.py.
Last, every row of builtins.def and hooks.def must be in a case.
"""

import argparse
import concurrent.futures
import dataclasses
import glob
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CATALOG = os.path.join(HERE, "../../src/catalog")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LIMIT = 20  # seconds a run may take
NOISE = re.compile(  # on standard error
    r"^(Attached \d+ probes?|WARNING: (Could not read functions from|Unknown error -1: ).*)\n", re.M
)


NOBODY = 65534
# how scripts are refused that need more than the embedded runtime has
REFUSAL = re.compile(r"(.*(?:without privileges|needs? privileges|embedded runtime).*)")

compiling = threading.Lock()


class Refused(Exception):
    """The embedded runtime does not serve what the script asks for; it said why."""


class CaseError(Exception):
    """The case itself is wrong, or could not be run."""


# ---- cases ------------------------------------------------------------------


@dataclasses.dataclass
class Case:
    name: str
    path: str
    blocks: dict = dataclasses.field(default_factory=dict)  # keyword: text
    files: list = dataclasses.field(default_factory=list)  # (name, text)

    def get(self, keyword, default=""):
        return self.blocks.get(keyword, default)

    @property
    def is_check(self):
        return "CHECK" in self.blocks

    @property
    def program(self):
        return self.get("PROG") or self.get("CHECK")

    @property
    def expected(self):
        return next((k for k in ("EXPECT", "EXACT", "SORTED") if k in self.blocks), None)


KEYWORDS = set(
    "NAME NEEDS FILE ENV STDIN WITH COMMAND RUN PROG CHECK ARGS STATUS EXPECT EXACT SORTED"
    " STDERR OURS KERNEL".split()
)


def read_blocks(path):
    """Yields (line number, keyword, text)."""
    number, keyword, lines = 0, None, []
    with open(path, encoding="utf-8") as f:
        text = f.read().split("\n")
    for n, line in enumerate(text + ["# end"], 1):
        if keyword and line.startswith("\t"):
            lines.append(line[1:])
            continue
        if keyword and not line:
            lines.append("")
            continue
        if keyword:
            while len(lines) > 1 and not lines[-1]:
                lines.pop()  # empty lines before the next block
            # what stands beside the keyword is the first line, if something does
            yield number, keyword, "\n".join(lines if lines[0] or len(lines) == 1 else lines[1:])
            keyword = None
        if line.startswith("#") or not line:
            continue
        number, (keyword, _, rest) = n, line.partition(" ")
        if keyword not in KEYWORDS:
            raise CaseError(f"{path}:{n}: what is '{line}'?")
        lines = [rest]


def read_cases(path):
    folder = os.path.relpath(path, HERE).removesuffix(".test")
    cases = []
    for n, keyword, text in read_blocks(path):
        if keyword == "NAME":
            cases.append(Case(f"{folder}: {text}", f"{path}:{n}"))
        elif not cases:
            raise CaseError(f"{path}:{n}: {keyword} without a NAME")
        elif keyword == "FILE":
            name, _, body = text.partition("\n")
            cases[-1].files.append((name, body + "\n"))
        elif keyword in cases[-1].blocks:
            raise CaseError(f"{path}:{n}: {keyword} twice")
        else:
            cases[-1].blocks[keyword] = text
    for c in cases:
        if not (c.program or "RUN" in c.blocks) or not (c.expected or "STDERR" in c.blocks):
            raise CaseError(f"{c.path}: a case has a program and an expectation")
    return cases


def read_all():
    paths = [p for folder in ("cases", "diag") for p in glob.glob(f"{HERE}/{folder}/*.test")]
    cases = [c for p in sorted(paths) for c in read_cases(p)]
    names = [c.name for c in cases]
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise CaseError(f"there are two cases with the name {twice.pop()}")
    return cases


# ---- expectations -----------------------------------------------------------


def drop_blank(text):
    return "".join(l for l in text.splitlines(keepends=True) if l.strip())


def as_regex(text, n_lines=None):
    """A regular expression of the whole expected text, or of its first lines."""
    out = ""
    for line in text.split("\n")[:n_lines]:
        if line == "...":
            out += r"(?:.*\n)*?"
            continue
        parts = re.split(r"\{\{(.*?)\}\}(?!\})", line)
        out += "".join(p if i % 2 else re.escape(p) for i, p in enumerate(parts)) + r"\n"
    return out


def first_difference(want, got):
    """How many lines of `want` fit the beginning of `got`."""
    n = 0
    while n < len(want.split("\n")) and re.match(as_regex(want, n + 1), got):
        n += 1
    return n


def compare(what, keyword, want, got):
    """What is wrong, as lines of text."""
    if keyword == "EXACT":
        got_all = got
    elif keyword == "SORTED":
        want = "\n".join(sorted(want.splitlines()))
        got_all = "".join(sorted(drop_blank(got).splitlines(keepends=True)))
    else:
        want, got_all = drop_blank(want).rstrip("\n"), drop_blank(got)
    if got_all and not got_all.endswith("\n"):
        got_all += "\n"
    if re.fullmatch(as_regex(want) if want else "", got_all):
        return []
    n = first_difference(want, got_all)
    wanted = want.split("\n")
    out = [f"{what} is not as expected, from line {n + 1} on:"]
    out += [f"  want  {l}" for l in wanted[max(n - 2, 0) : n + 4]]
    skip = max(n - 2, 0) if "..." not in wanted else 0
    return out + [f"  got   {l}" for l in got_all.split("\n")[skip : skip + 8]]


# ---- running ----------------------------------------------------------------


class Needs:
    """Each method is a condition of NEEDS; it returns why it is not fulfilled, or None."""

    def __init__(self, skep):
        self.skep = skep
        r = subprocess.run([skep, "info", "--json"], capture_output=True, text=True, check=False)
        self.features = {f["name"]: f for f in json.loads(r.stdout)["features"]}
        self.lockdown = json.loads(r.stdout).get("lockdown", "none")

    def ask(self, text):
        for need in filter(None, (n.strip() for n in text.split(";"))):
            name, *rest = need.split()
            ask = getattr(self, "need_" + name, None)
            why = ask(*rest) if ask else self.feature(name)
            if why:
                return why
        return None

    def feature(self, name):
        f = self.features.get(name)
        if not f:
            raise CaseError(f"nobody knows of the need '{name}'")
        return None if f["answer"] == "yes" else f"no {name} here: {f.get('reason', '')}"

    def need_command(self, *names):
        gone = [n for n in names if not shutil.which(n, path=PATH)]
        return f"no {', '.join(gone)} here" if gone else None

    def need_file(self, *paths):
        gone = [p for p in paths if not os.path.exists(p)]
        return f"no {', '.join(gone)} here" if gone else None

    def need_symbol(self, name):
        """Kernels list their variables only with CONFIG_KALLSYMS_ALL."""
        with open("/proc/kallsyms", encoding="ascii", errors="replace") as f:
            known = re.search(rf"^\w+ \w {name}$", f.read(), re.M)
        return None if known else f"this kernel does not list {name}"

    def need_field(self, event, name):
        """A tracepoint's record differs from kernel to kernel."""
        r = subprocess.run([self.skep, "trace", "-lv", "tracepoint:" + event],
                           capture_output=True, text=True, check=False)
        known = re.search(rf"\b{name}(\[\d+\])?$", r.stdout, re.M)
        return None if known else f"{event} has no {name} here"

    def need_machine(self, *names):
        return None if os.uname().machine in names else f"only on {' and '.join(names)}"

    def need_cpus(self, n):
        return None if len(os.sched_getaffinity(0)) >= int(n) else f"fewer than {n} processors"

    def need_root(self):
        return None if os.geteuid() == 0 else "only root can attach"

    def need_unlocked(self):
        """Writes to user memory, and the override of functions."""
        return None if self.lockdown == "none" else f"lockdown is {self.lockdown}"

    def need_lacks(self, name):
        """What is said of a kernel without it."""
        ask = getattr(self, "need_" + name, None)
        return None if (ask() if ask else self.feature(name)) else f"{name} is here"

    def need_pmu(self):
        names = glob.glob("/sys/bus/event_source/devices/cpu*")
        return None if names else "this machine has no performance counters"


def compile_prog(build, name):
    """Compiles prog/NAME.c; a line `build: FLAGS` in it is obeyed."""
    source, out = f"{HERE}/prog/{name}.c", os.path.join(build, name)
    newest = max(os.path.getmtime(p) for p in [source] + glob.glob(f"{HERE}/prog/*.h"))
    if os.path.exists(out) and os.path.getmtime(out) > newest:
        return
    with open(source, encoding="utf-8") as f:
        flags = re.search(r"build: (.*?)(?: \*/)?$", f.read(), re.M)
    command = ["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-o", out, source]
    command += flags.group(1).split() if flags else ["-g"]
    r = subprocess.run(command, capture_output=True, text=True, check=False)
    if r.returncode:
        raise CaseError(f"prog/{name}.c does not compile: {r.stderr[:1000]}")


class Run:
    """One run of a case in a folder of its own."""

    def __init__(self, case, options, level):
        self.case = case
        self.o = options
        self.folder = os.path.join(options.build, "scratch", re.sub(r"\W+", "-", case.name) + level)
        self.with_pid = 0
        self.is_nobody = options.runtime == "embedded" and os.geteuid() == 0

    def put(self, text):
        """The text with $BIN and its like replaced."""
        names = {"BIN": self.folder + ".bin", "DIR": self.folder, "WITH": str(self.with_pid)}
        return re.sub(r"\$(BIN|DIR|WITH)\b", lambda m: names[m[1]], text)

    def command(self, level):
        c = self.case
        words = shlex.split(self.put(c.get("RUN", "check" if c.is_check else "trace")))
        if self.o.against:
            if words[0] != "trace":
                return None
            words = [{"--json": "-fjson"}.get(w, w) for w in words[1:]]
            argv = [self.o.against, "-q", *words]
        else:
            argv = [self.o.skep, *words, *(["--no-optimizer"] if level == "-O0" else [])]
            if self.o.runtime:
                argv += ["--runtime", self.o.runtime]
        if "COMMAND" in c.blocks:
            argv += ["-c", self.put(c.get("COMMAND"))]
        if c.program:
            argv += ["-e", self.put(c.program)]
        return argv + shlex.split(self.put(c.get("ARGS")))

    def start_with(self, env):
        if "WITH" not in self.case.blocks:
            return None
        argv = shlex.split(self.put(self.case.get("WITH")))
        null = subprocess.DEVNULL
        p = subprocess.Popen(argv, cwd=self.folder, env=env, stdin=null, stdout=null, stderr=null)
        self.with_pid = p.pid
        return p

    def play(self, argv, env):
        """Runs it; status, standard output and error."""
        who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if self.is_nobody else {}
        with compiling:  # a child that has not executed yet would hold a copy open
            p = subprocess.Popen(
                argv, cwd=self.folder, env=env, start_new_session=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **who,
            )
        try:
            out, err = p.communicate(self.case.get("STDIN").encode(), LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            out, err = p.communicate()
            return f"none after {LIMIT} s", out, err
        return p.returncode, out, err

    def judge(self, status, out, err):
        c = self.case
        out, err = (b.decode("utf-8", "backslashreplace") for b in (out, err))
        if self.o.verbose:
            print("".join(f"#   {l}\n" for l in (out + err).splitlines()), end="")
        keyword = c.expected or "EXPECT"
        want = self.put(c.get(keyword))
        if c.is_check:
            failed = any("ERROR:" in l for l in want.splitlines())
            wrong = compare("output", keyword, want, out + err)
            default = int(failed)
        else:
            wrong = compare("output", keyword, want, out)
            default = 0
            err = NOISE.sub("", err)
            wrong += compare("standard error", "EXPECT", self.put(c.get("STDERR")), err)
        want_status = int(c.get("STATUS", default))
        if status != want_status:
            wrong.append(f"status {status}, not {want_status}")
        refusal = REFUSAL.search(err) if wrong and self.o.runtime and status in (1, 77) else None
        if refusal:
            raise Refused(refusal[1].split("ERROR: ")[-1].split("error: ")[-1])
        return wrong

    def __call__(self, level):
        c = self.case
        self.clean()
        os.makedirs(self.folder)
        os.makedirs(self.folder + ".bin")
        used = " ".join([*c.blocks.values(), *(t for _, t in c.files)])
        for name in sorted(set(re.findall(r"\$BIN/([\w-]+)", used))):
            with compiling:
                compile_prog(self.o.build, name)
                shutil.copy(f"{self.o.build}/{name}", f"{self.folder}.bin/{name}")
        for name, text in c.files:
            os.makedirs(os.path.dirname(os.path.join(self.folder, name)), exist_ok=True)
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as f:
                f.write(self.put(text))
        env = {"PATH": PATH, "LC_ALL": "C", "HOME": "/root", "TZ": "UTC"}
        env |= dict(w.split("=", 1) for w in shlex.split(self.put(c.get("ENV"))))
        if self.is_nobody:
            self.give_away()
        companion = self.start_with(env)
        try:
            argv = self.command(level)
            wrong = self.judge(*self.play(argv, env)) if argv else []
        finally:
            if companion:
                companion.kill()
                companion.wait()
        if not wrong:  # else somebody wants to look at it
            self.clean()
        return wrong

    def give_away(self):
        """The folders to whom it runs as."""
        for top in (self.folder, self.folder + ".bin"):
            for folder, _, files in os.walk(top):
                for path in [folder, *(os.path.join(folder, n) for n in files)]:
                    os.chown(path, NOBODY, NOBODY)

    def clean(self):
        for folder in (self.folder, self.folder + ".bin"):
            shutil.rmtree(folder, ignore_errors=True)


def unlike_others(case):
    """Why this case says nothing about a runtime, or needs root's own name and files."""
    if case.is_check or not case.get("RUN", "trace").startswith("trace"):
        return "it does not run anything"
    return case.get("KERNEL") or None


def run_case(case, options, needs):
    """(what is wrong, why it is skipped)"""
    try:
        is_plain = case.is_check or "check" in case.get("RUN") or options.runtime == "embedded"
        skip = needs.ask(case.get("NEEDS") + ("" if is_plain else "; root"))
        if options.runtime:
            skip = skip or unlike_others(case)
        if options.against and ("OURS" in case.blocks or case.is_check):
            skip = case.get("OURS") or "a check"
        if skip:
            return [], skip
        if options.against or not case.get("RUN", "trace").startswith("trace") or case.is_check:
            return Run(case, options, "")(""), None
        for level in ("-O2", "-O0"):
            wrong = Run(case, options, level)(level)
            if wrong:
                return [f"at {level}: {case.path.replace(HERE + '/', '')}"] + wrong, None
        return [], None
    except Refused as e:
        return [], str(e)
    except CaseError as e:
        return [str(e)], None


# ---- what must be in a case -----------------------------------------------------


def rows(name, macro):
    with open(f"{CATALOG}/{name}.def", encoding="utf-8") as f:
        return re.findall(rf'^{macro}\(\w+, "(\w+)", (.*)$', f.read(), re.M)


def code_of(case):
    """The text of all of a case's programs, without comments and strings."""
    text = case.program + "\n" + "\n".join(t for n, t in case.files if n.endswith(".bt"))
    return re.sub(r'"(?:\\.|[^"\\])*"|//.*|/\*.*?\*/', '""', text, flags=re.S)


def missing_builtins(codes):
    """Variables stand alone or are called; functions are called."""
    out = []
    for name, rest in rows("builtins", "BUILTIN"):
        word = rf"(?<![\w$@.]){name}\d*" if name == "arg" else rf"(?<![\w$@.]){name}\b"
        if "B_VARIABLE" not in rest:
            word += r"\s*\("
        elif name == "config":
            word += r"\s*(?!\s*=)[.)]"
        if not any(re.search(word, code) for code in codes):
            out.append(f"builtin {name}")
    return out


def missing_hooks(codes):
    out = []
    for name, rest in rows("hooks", "HOOK"):
        words = "|".join([name, *re.match(r'"([^"]*)"', rest)[1].split()])
        # at the beginning of a probe: behind a line, a brace or a comma, then a colon
        start = rf"(?:^|[}};,])\s*(?:{words})"
        if not any(re.search(start + r"(?::|\s*[{/,])", code, re.M | re.I) for code in codes):
            out.append(f"hook {name}")
    return out


def coverage(cases):
    codes = [code_of(c) for c in cases if "/diag" not in c.name and c.name.startswith("cases/")]
    missing = [f"no case has the {m}" for m in missing_builtins(codes) + missing_hooks(codes)]
    return missing


# ---- all of it --------------------------------------------------------------


def tell(number, name, wrong, skip=None):
    if skip:
        print(f"ok {number} - {name} # SKIP {skip}")
        return
    print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
    for line in wrong:
        print(f"#   {line}".encode("utf-8", "backslashreplace").decode())
    sys.stdout.flush()


def is_chosen(case, names):
    return not names or any(
        case.name.startswith(n.removesuffix(".test") + ":") or n in case.name for n in names
    )


def main():
    a = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    a.add_argument("skep", help="the program to test")
    a.add_argument("name", nargs="*", help="only these files or cases")
    a.add_argument("--build", default="/tmp/skep-trace", help="folder for compiled programs")
    a.add_argument("--against", metavar="BPFTRACE", help="run this instead of skep")
    a.add_argument("--runtime", choices=["kernel", "embedded"], help="where scripts run")
    a.add_argument("-j", type=int, default=2, metavar="N", help="so many cases at a time")
    a.add_argument("-v", "--verbose", action="store_true", help="show all that came out")
    o = a.parse_args()

    try:
        cases = read_all()
    except CaseError as e:
        print(f"Bail out! {e}")
        return 1
    chosen = [c for c in cases if is_chosen(c, o.name)]
    if not chosen:
        print(f"no case is called {' '.join(o.name)}", file=sys.stderr)
        return 2
    os.makedirs(o.build, exist_ok=True)
    o.build, o.skep = os.path.realpath(o.build), os.path.realpath(o.skep)
    needs = Needs(o.skep)
    if o.runtime == "embedded":  # it must be readable for whom it runs as
        os.chmod(o.build, 0o755)
        o.skep = shutil.copy(o.skep, os.path.join(o.build, "skep"))
    is_all = not o.name and not o.against and not o.runtime
    number, failed, skipped = len(chosen) + is_all, 0, 0
    print(f"1..{number}")
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(1 if o.verbose else o.j) as pool:
        results = pool.map(lambda c: run_case(c, o, needs), chosen)
        for n, (c, (wrong, skip)) in enumerate(zip(chosen, results), 1):
            failed += bool(wrong)
            skipped += bool(skip)
            tell(n, c.name, wrong, skip)
    if is_all:
        wrong = coverage(cases)
        failed += bool(wrong)
        tell(number, "every builtin and every hook has a case", wrong)
    passed, seconds = number - failed - skipped, time.monotonic() - start
    print(f"# {passed} passed, {failed} failed, {skipped} skipped, {seconds:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
