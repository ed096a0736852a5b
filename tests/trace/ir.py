#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The IR of every program of the corpus prints and parses to the same text, as TAP.

    ir.py [--tests BUILD/tests] SKEP

Each PROG of cases/ is lowered by `skep explain`, and its modules are taken as they are and
behind all passes.  The unit test test-ir parses, checks and prints them.
"""

import argparse
import concurrent.futures
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from run import HERE, compile_prog, read_all  # noqa: E402

PHASES = ("ir", "opt")
DUMPED = re.compile(r"^# (?:ir|opt): .*\n(module (?:.*\n)*?)(?=# (?:ir|opt): |probes\n)", re.M)


def modules_of(skep, build, case, phase):
    """The texts of its modules; none, if it is refused here."""

    def place(text):
        return text.replace("$BIN", build).replace("$DIR", folder).replace("$WITH", "1")

    env = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="skep-ir-") as folder:
        for word in shlex.split(place(case.get("ENV"))):
            name, _, value = word.partition("=")
            env[name] = value
        for name, text in case.files:
            path = os.path.join(folder, place(name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
        p = subprocess.run(
            [skep, "explain", "--unsafe", f"--dump={phase}", "-e", place(case.program),
             *shlex.split(place(case.get("ARGS")))],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", env=env,
            cwd=folder, timeout=60, check=False,
        )
    return [m[1] for m in DUMPED.finditer(p.stdout)] if p.returncode == 0 else []


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("skep")
    a.add_argument("--tests", help="where the unit tests are; beside skep, if not said")
    o = a.parse_args()
    skep = os.path.abspath(o.skep)
    tests = o.tests or os.path.join(os.path.dirname(skep), "tests")
    if not os.path.exists(os.path.join(tests, "test-ir")):
        print("1..0 # SKIP test-ir is not built")
        return
    cases = [c for c in read_all() if c.get("PROG")]
    count = lowered = 0
    with tempfile.TemporaryDirectory(prefix="skep-ir-") as folder:
        build = os.path.join(folder, "bin")
        os.mkdir(build)
        for path in glob.glob(f"{HERE}/prog/*.c"):
            compile_prog(build, os.path.basename(path)[:-2])
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            jobs = [(c, pool.submit(modules_of, skep, build, c, phase)) for c in cases for phase in PHASES]
            for case, job in jobs:
                texts = job.result()
                lowered += bool(texts)
                for text in texts:
                    count += 1
                    name = re.sub(r"[^A-Za-z0-9]+", "-", case.name)
                    with open(f"{folder}/{name}-{count}.ir", "w", encoding="utf-8") as f:
                        f.write(text)
        p = subprocess.run(
            [os.path.join(tests, "test-ir"), "modules_print_and_parse"],
            env=dict(os.environ, SKEP_IR=folder), capture_output=True, text=True, check=False,
        )
    print("1..2")
    print(f"# {count} modules of {lowered // len(PHASES)} programs; {len(cases)} are in the corpus")
    print("ok 1 programs have modules" if lowered > len(cases) else "not ok 1 programs have modules")
    print("".join(f"# {line}\n" for line in p.stdout.splitlines() + p.stderr.splitlines()), end="")
    good = p.returncode == 0 and f"# {count} modules are the same" in p.stdout
    print("ok 2 they print and parse" if good else "not ok 2 they print and parse")
    sys.exit(not good)


main()
