# SPDX-License-Identifier: Apache-2.0
"""The cost of a system call that stops: skep without privileges beside strace."""

import os
import subprocess

from lab.table import ns, print_table

CALL = "tracepoint:syscalls:sys_enter_getppid"
EXIT = "tracepoint:syscalls:sys_exit_getppid"
COUNT = f"{CALL} {{ @ = count(); }}"
TEXT = f'{CALL} {{ printf("%s %d\\n", comm, pid); }}'
BOTH = f"{COUNT} {EXIT} {{ @r = count(); }}"
OTHER = "tracepoint:syscalls:sys_enter_mkdir { @ = count(); }"


def tracers(skep):
    """(name, words before the command or before -c, the script or None)"""
    vm = [skep, "trace", "-q", "--runtime", "embedded"]
    strace = ["strace", "-f", "-o", "/dev/null", "-e", "trace=getppid"]
    return [
        ("untraced", [], None),
        ("skep, embedded: another call", vm, OTHER),
        ("skep, embedded: count", vm, COUNT),
        ("skep, embedded: printf", vm, TEXT),
        ("skep, embedded: entry and return", vm, BOTH),
        ("skep, embedded: count, --all-cpus", [*vm, "--all-cpus"], COUNT),
        ("skep, in the kernel: count", [skep, "trace", "-q", "--runtime", "kernel"], COUNT),
        ("strace --seccomp-bpf, one cpu", ["taskset", "-c", "0", *strace, "--seccomp-bpf"], None),
        ("strace, one cpu", ["taskset", "-c", "0", *strace], None),
        ("strace --seccomp-bpf", [*strace, "--seccomp-bpf"], None),
    ]


def measure(host, program, argv, script, n):
    out = os.path.join(host.dir, "trap.ns")
    command = [program, out, str(n), "3"]
    if script:
        command = [*argv, "-c", " ".join(command), script]
    else:
        command = [*argv, *command]
    if os.path.exists(out):
        os.unlink(out)
    r = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if not os.path.exists(out):
        return (r.stderr.strip().splitlines() or [f"status {r.returncode}"])[-1]
    with open(out, encoding="ascii") as f:
        return float(f.read())


def run(host, skep, quick):
    program = host.compile("trap")
    rounds, n = (2, 3000) if quick else (5, 10_000)
    all_of = tracers(skep)
    least = {}
    for _ in range(rounds):
        for name, argv, script in all_of:
            got = measure(host, program, argv, script, n)
            if isinstance(got, float) and isinstance(least.get(name, got), float):
                got = min(got, least.get(name, got))
            least[name] = got
    base = least["untraced"]
    rows = []
    for name, _, _ in all_of:
        got = least[name]
        if isinstance(got, str):
            rows.append([name, got])
        else:
            rows.append([name, ns(got), ns(got - base) if name != "untraced" else ""])
    print_table(
        "trap: getppid(), while it is traced",
        f"fewest ns of {rounds} interleaved rounds of 3 × {n} calls; added: to the untraced call",
        ["", "a call", "added"], rows,
    )
    return least
