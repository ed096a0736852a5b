#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Writes the cases that the kernel at hand may refuse for a machine of tools/vm to run.

    tests/trace/vm.py FOLDER

That are those that need a word of ELSEWHERE.  Each becomes FOLDER/NAME/, where
tests/kernel/40-cases.sh finds

    run      a script: skep with the case's program; its arguments are more options
    needs    what NEEDS says, a line each
    out      standard output as extended regular expressions, a line each, or ... for any
             lines; `err` likewise, missing if any will do
    status   the exit status
    files/   the case's files

and FOLDER/bin the programs that they probe, linked statically.
"""

import os
import re
import shlex
import subprocess
import sys

import run

ELSEWHERE = {"fentry", "kprobe", "unlocked", "pmu", "symbol"}
# Of Python's regular expressions those words that cases use, and what they are elsewhere.
WORDS = {r"\d": "[0-9]", r"\w": "[[:alnum:]_]", r"\S": "[^[:space:]]", r"\s": "[[:space:]]"}
HOME = "/t/cases"  # in the machine


def as_extended(case, text):
    """Lines of an expectation, as awk and grep -E understand them."""
    out = []
    for line in text.splitlines():
        if line == "..." or not line.strip():
            out += ["..."] * bool(line)
            continue
        parts = re.split(r"\{\{(.*?)\}\}(?!\})", line)
        for i, p in enumerate(parts):
            if i % 2 and "(?" in p:
                raise run.CaseError(f"{case.path}: no machine of tools/vm understands '{p}'")
            if i % 2:
                parts[i] = re.sub(r"\\[dwsS]", lambda m: WORDS[m[0]], p)
            else:
                parts[i] = re.sub(r"([\\^$.|?*+(){}\[\]])", r"\\\1", p)
        out.append("".join(parts))
    return "".join(f"{line}\n" for line in out)


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def export(case, folder, name):
    here = f"{folder}/{name}"
    os.makedirs(f"{here}/files")
    names = {"BIN": f"{HOME}/bin", "DIR": "$PWD"}

    def put(text):
        return re.sub(r"\$(BIN|DIR)\b", lambda m: names[m[1]], text)

    def quoted(text):  # $DIR is known only there
        parts = [shlex.quote(p) for p in re.split(r"\$DIR\b", text.replace("$BIN", names["BIN"]))]
        return '"$PWD"'.join(p for p in parts)

    if case.expected not in (None, "EXPECT") or {"WITH", "STDIN"} & {*case.blocks}:
        raise run.CaseError(f"{case.path}: tests/trace/vm.py cannot tell this to a machine")
    words = [put(case.get("RUN", "trace")), '"$@"']
    if "COMMAND" in case.blocks:
        words += ["-c", quoted(case.get("COMMAND"))]
    words += ["-e", quoted(case.program), put(case.get("ARGS"))]
    env = " ".join(shlex.quote(w) for w in shlex.split(put(case.get("ENV"))))
    write(f"{here}/run", f"exec env {env} skep {' '.join(words)}\n")
    write(f"{here}/needs", "".join(f"{n.strip()}\n" for n in case.get("NEEDS").split(";")))
    write(f"{here}/status", f"{case.get('STATUS', '0')}\n")
    write(f"{here}/out", as_extended(case, put(case.get("EXPECT"))))
    if case.get("STDERR") != "{{(?s).*}}":
        write(f"{here}/err", as_extended(case, put(case.get("STDERR"))))
    for file, text in case.files:
        write(f"{here}/files/{file}", put(text))
    return set(re.findall(r"\$BIN/([\w-]+)", " ".join(case.blocks.values())))


def compile_static(folder, name):
    with open(f"{run.HERE}/prog/{name}.c", encoding="utf-8") as f:
        flags = re.search(r"build: (.*?)(?: \*/)?$", f.read(), re.M)
    argv = ["cc", "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-static", "-o", f"{folder}/bin/{name}"]
    argv += [f"{run.HERE}/prog/{name}.c", *flags[1].split()]
    subprocess.run(argv, check=True)


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder = sys.argv[1]
    os.makedirs(f"{folder}/bin")
    programs, n = set(), 0
    for case in run.read_all():
        needs = {need.split()[0] for need in case.get("NEEDS").split(";") if need.strip()}
        if not needs & ELSEWHERE or case.is_check:
            continue
        name = re.sub(r"\W+", "-", case.name.removeprefix("cases/"))
        programs |= export(case, folder, name)
        n += 1
    for name in sorted(programs):
        compile_static(folder, name)
    assert n >= 9, n
    return 0


if __name__ == "__main__":
    sys.exit(main())
