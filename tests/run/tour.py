#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Does `make run` show what README prints?        tests/run/tour.py SKEP [--update] [--embedded]

The tour is run and its lines are compared with those in README.md, event by event.
Numbers (times, ids, ports, sizes), the random name of its folder and the parents above
skep differ from run to run and are left out; programs that run side by side may change
places, so the order is not compared.  --update writes the lines of this run to README.
--embedded: skep traces the command itself, as where the kernel lets it load no programs.
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BLOCK = re.compile(r"(<!-- tour -->\n```\n)(.*?)(\n```\n<!-- /tour -->)", re.S)


def run_tour(skep, runtime):
    argv = [skep, "watch", "-q", "--color", "never", "--runtime", runtime]
    argv += ["--", "sh", "examples/tour.sh"]
    run = subprocess.run(argv, cwd=ROOT, text=True, timeout=60, check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # what is above skep is the reader's own shell
    return re.sub(r"( < skep \d+)(?: < \S+ \d+)+", r"\1", run.stdout).strip("\n")


def normalised(text):
    lines = []
    for line in text.split("\n"):
        line = re.sub(r"^[\d:.]+ +\d+ ", "", line)
        line = re.sub(r"/\S+/examples/tour.sh", "examples/tour.sh", line)
        line = re.sub(r"tour\.\w{6}", "tour.X", line)
        line = re.sub(r"  < .*", "", line)
        line = re.sub(r"(, cpu [^,]*|, peak [^,]*)", "", line)
        line = re.sub(r"[\d.]+(ns|µs|ms|s)\b", "T", line)
        line = re.sub(r":\d+", ":P", line)
        if line and not line.startswith("#"):
            lines.append(line)
    return sorted(lines)


def main():
    skep = os.path.abspath(sys.argv[1])
    with open(f"{ROOT}/README.md", encoding="utf-8") as f:
        readme = f.read()
    is_embedded = "--embedded" in sys.argv[2:]
    shown = run_tour(skep, "embedded" if is_embedded else "kernel")
    block = BLOCK.search(readme)
    if "--update" in sys.argv[2:]:
        new = readme[: block.start(2)] + shown + readme[block.end(2):]
        with open(f"{ROOT}/README.md", "w", encoding="utf-8") as f:
            f.write(new)
        block = BLOCK.search(new)
    want, have = normalised(block[2]), normalised(shown)
    for line in sorted(set(want) - set(have)):
        print(f"# README prints, the tour did not show: {line}")
    for line in sorted(set(have) - set(want)):
        print(f"# the tour showed, README does not print: {line}")
    is_ok = want == have
    name = "tour.embedded_as_in_readme" if is_embedded else "tour.as_in_readme"
    print(f"{'ok' if is_ok else 'not ok'} {name} ({len(have)} lines)")
    return 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
