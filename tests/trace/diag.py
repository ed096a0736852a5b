#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Every diagnostic id is reported by a case of diag/, as TAP.

    tests/trace/diag.py SKEP

The first word of a case's name in diag/*.test is the id that its program must report.
run.py compares the messages; here `skep check --json` says the ids.  What no script can
provoke on every machine has its test elsewhere.

Then files that are no scripts, and what is said to who has no privileges.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import run

ROOT = os.path.dirname(os.path.dirname(run.HERE))

# id: where it is tested, and a word that stands there
ELSEWHERE = {
    "FEATURE": ("tests/unit/compile/lang/bpftrace/test-check.c", "Missing required kernel feature"),
    "INTERNAL": ("src/compile/module.c", "skep's own mistake"),  # nothing is known to cause it
    "OBJECT": ("tests/unit/vm/object/test-vm-damaged.c", "another byte order"),
    "IR_SYNTAX": ("tests/unit/compile/ir/test-ir.c", "expected a register"),
    "ASM_SYNTAX": ("tests/unit/isa/test-asm.c", "TEST(mistakes)"),
    # rule files: their findings have codes of their own
    "RULE_EXCEPTION": ("tests/rules/load/exceptions.test", "LOAD_EXCEPTION_NAME_NOT_UNIQUE"),
    "RULE_FILE": ("tests/rules/load/items.test", "LOAD_ERR_YAML_PARSE"),
    "RULE_ITEM": ("tests/rules/load/items.test", "no mapping for key"),
    "RULE_KEY": ("tests/rules/load/items.test", "LOAD_UNKNOWN_KEY"),
    "RULE_NAME": ("tests/rules/load/names.test", "LOAD_INVALID_MACRO_NAME"),
    "RULE_ORDER": ("tests/rules/load/changes.test", "by that name already exists"),
    "RULE_OUTPUT": ("tests/rules/load/checks.test", "ends with a %"),
    "RULE_UNUSED": ("tests/rules/load/names.test", "LOAD_UNUSED_MACRO"),
    "RULE_VERSION": ("tests/rules/load/items.test", "rules require engine version"),
}
# Those of the verifier: a program each.
VERIFIER = "tests/unit/vm/verify/test-vm-verify.c"


def tell(name, wrong):
    print(f"{'not ' if wrong else ''}ok - {name}")
    for line in wrong:
        print(f"# {line}")
    return bool(wrong)


def ids():
    with open(f"{ROOT}/src/base/diag/ids.def", encoding="utf-8") as f:
        return re.findall(r"^DIAG\((\w+),", f.read(), re.M)


def reported(skep, case):
    """The ids that the check of a case's program reports."""
    with tempfile.TemporaryDirectory(prefix="skep-diag-", dir=os.path.expanduser("~")) as folder:
        os.chmod(folder, 0o755)  # imports are refused where others may write
        for name, text in case.files:
            with open(f"{folder}/{name}", "w", encoding="utf-8") as f:
                f.write(text)
        argv = [skep, "check", "--json", "-e", case.program, *shlex.split(case.get("ARGS"))]
        r = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    return {json.loads(line)["id"] for line in r.stdout.splitlines()}


# ---- files that are hardly scripts ------------------------------------------------

CALLS = b"print(1); " * 2000
FILES = [  # name, bytes, status of skep check, what is said
    ("empty", b"", 0, ""),
    ("blank", b" \n\t\n// nothing\n", 0, ""),
    ("zeros", b"begin {\0}", 1, "is no script: there are zero bytes in it"),
    ("elf", b"\x7fELF\2\1\1\0\0\0", 1, "x.bt is no object file (ELF)"),
    ("long line", b"begin { " + CALLS + b"prnt(2); " + CALLS + b"}", 1, '"print"'),
    ("deep", b"begin { print(" + b"(" * 9999 + b"1" + b")" * 9999 + b"); }", 1, "nested too deeply"),
    ("deep blocks", b"begin { " + b"if (1) {" * 9999 + b"}" * 9999 + b" }", 1, "nested too deeply"),
    ("latin-1", b'begin { printf("caf\xe9\\n"); }', 0, ""),
    ("latin-1 mistake", b'begin { prnt("caf\xe9"); }', 1, 'prnt("caf.")'),
    ("escapes", b'begin { prnt("\x1b[31m"); }', 1, 'prnt(".[31m")'),
    ("one word", b"hello", 1, "A program is PROBE { ACTION }"),
    ("CRLF", b"begin {\r\n\tprint(1);\r\n}\r\n", 0, ""),
]


def check_files(skep):
    failed = 0
    with tempfile.TemporaryDirectory(prefix="skep-diag-") as folder:
        for name, text, status, said in FILES:
            path = f"{folder}/x.bt"
            with open(path, "wb") as f:
                f.write(text)
            r = subprocess.run([skep, "check", path], capture_output=True, check=False, timeout=20)
            err = r.stderr.decode("utf-8", "backslashreplace")
            wrong = [] if r.returncode == status else [f"status {r.returncode}, not {status}"]
            wrong += [] if said in err and bool(err) == bool(said) else [f"'{said}' is not in:", err[:500]]
            wrong += [] if max(map(len, [*err.splitlines(), ""])) <= 1000 else ["a very long line"]
            wrong += ["control characters"] if re.search(r"[\0-\x08\x0b-\x1f\x7f]|\\x", err) else []
            failed += tell(f"a file: {name}", wrong)
        r = subprocess.run([skep, "check", folder], capture_output=True, text=True, check=False)
        failed += tell("a folder", [] if "Is a directory" in r.stderr else [r.stderr])
    return failed


# ---- without privileges -------------------------------------------------------------

NOBODY = ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
BARE = [  # command, program, status, a regular expression of what is said
    ("trace", "begin { print(1); }", 77, r"not allowed to .*\n.*CAP_BPF"),
    ("trace", "uprobe:libc:malloc { @ = count(); }", 77, r"not allowed to .*\n.*CAP_BPF"),
    ("check", "begin { print(1); }", 0, r"^$"),
    ("check", "uprobe:libc:malloc { @ = count(); }", 0, r"^$"),
    # tracefs is seldom for everybody
    ("check", "tracepoint:sched:sched_switch { @ = count(); }", None, r"^$|None is visible at all"),
]


def check_bare(skep):
    failed = 0
    if os.geteuid() or not shutil.which("setpriv"):
        print("ok - without privileges # SKIP only root can become nobody")
        return 0
    with tempfile.TemporaryDirectory(prefix="skep-diag-") as folder:
        os.chmod(folder, 0o755)
        copy = shutil.copy(skep, f"{folder}/skep")
        for command, program, status, said in BARE:
            r = subprocess.run(
                [*NOBODY, copy, command, "-e", program], capture_output=True, text=True, check=False
            )
            wrong = [] if status in (None, r.returncode) else [f"status {r.returncode}, not {status}"]
            wrong += [] if re.search(said, r.stderr) else [r.stderr]
            failed += tell(f"without privileges: {command} {program}", wrong)
    return failed


def main():
    skep = os.path.abspath(sys.argv[1])
    known = ids()
    cases = [c for c in run.read_all() if c.name.startswith("diag/")]
    covered = {}
    failed = 0
    for c in cases:
        name = c.name.split(": ", 1)[1].split()[0]
        covered.setdefault(name, []).append(c)
    failed += tell("cases bear the name of an id", [f"{n}?" for n in sorted(covered) if n not in known])
    for name in known:
        wrong = []
        if name in ELSEWHERE or name.startswith("VERIFY_"):
            path, word = ELSEWHERE.get(name, (VERIFIER, f"D_{name},"))
            with open(f"{ROOT}/{path}", encoding="utf-8") as f:
                wrong += [] if word in f.read() else [f"{path} has no '{word}'"]
        elif name not in covered:
            wrong.append(f"{name} has no case in tests/trace/diag/")
        for c in covered.get(name, []):
            if c.is_check and name not in reported(skep, c):
                wrong.append(f"{c.path} does not report it")
        failed += tell(f"{name} has a case", wrong)
    failed += check_files(skep)
    failed += check_bare(skep)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
