# SPDX-License-Identifier: Apache-2.0
"""How long skep trace takes to attach and to end, and how large it gets, beside bpftrace."""

import glob
import os
import statistics
import subprocess
import time

from lab.host import WORK, Cannot
from lab.peers import has
from lab.session import reason
from lab.table import mb, ns, print_table, progress

PAUSE_S = 0.05  # the kernel frees what a run leaves behind a grace period later
READY = 'BEGIN { printf("ready\\n"); }'

# Name, program (a file of work/ if it ends with .bt), whether a command is traced, and the goals:
# ms to attach, ms to end, MB.  The one that keeps a machine busy for minutes comes last.
SCRIPTS = [
    ("BEGIN only", 'BEGIN { printf("ready\\n"); exit(); }', False, (5, None, 8)),
    ("one tracepoint", READY + "tracepoint:syscalls:sys_enter_execve /pid == cpid/"
     ' { printf("%s %s\\n", comm, str(args->filename)); }', True, (5, None, 8)),
    ("hundred lines", "hundred.bt", True, (5, None, 8)),
    ("syscalls:sys_enter_*", READY + "tracepoint:syscalls:sys_enter_* /pid == cpid/ { @[probe] = count(); }",
     True, (None, 200, 8)),
]


def tools(skep):
    """Names, and the beginning of a command line."""
    return [("skep trace", [skep, "trace"]), ("bpftrace", ["bpftrace"])]


def launch(host, mark, argv):
    """Its exit status, what it said, and: nanoseconds to the mark, to the end and on a
    processor, and kB at most.  On any processor, as people start it: skep has the kernel work
    on several."""
    p = host.spawn(
        [host.compile("launch"), mark, *argv], None, True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )
    out, _ = p.communicate()
    host.processes.remove(p)
    numbers, _, text = out.decode(errors="replace").partition("\n")
    *figures, status = (int(n) for n in numbers.split())
    return status, text, figures


def succeed(host, mark, argv):
    status, text, figures = launch(host, mark, argv)
    if status:
        # bpftrace says this on any machine without the right, and goes on
        raise Cannot(reason("\n".join(l for l in text.splitlines() if "RLIMIT_MEMLOCK" not in l)))
    return figures


def rows_of(results, why, goals):
    rows = []
    own = [statistics.median(c) for c in zip(*results["skep trace"])] or [float("nan")] * 4
    for name, runs in results.items():
        if not runs:
            rows.append([name, why[name]])
            continue
        attach, end, cpu, peak = (statistics.median(c) for c in zip(*runs))
        rows.append([
            name, ns(attach), ns(min(r[0] for r in runs)), f"{attach / own[0]:.1f}",
            ns(end), ns(min(r[1] for r in runs)), f"{end / own[1]:.1f}",
            ns(cpu), f"{cpu / own[2]:.1f}", mb(peak), f"{peak / own[3]:.1f}",
        ])
    goal = [f"{g} {unit}" if g else "" for g, unit in zip(goals, ("ms", "ms", "MB"))]
    return rows + [["goal", goal[0], "", "", goal[1], "", "", "", "", goal[2], ""]]


def run_script(host, skep, script, runs):
    name, program, has_command, goals = script
    tail = ["-c", host.compile("tiny")] if has_command else []
    tail += [os.path.join(WORK, program)] if program.endswith(".bt") else ["-e", program]
    results = {n: [] for n, _ in tools(skep)}
    why = {"bpftrace": has("bpftrace")}
    host.settle()
    for i in range(runs):
        for tool, argv in tools(skep):
            if why.get(tool) and not results[tool]:
                continue  # it never did
            progress(f"{name}: run {i + 1}/{runs}, {tool}")
            time.sleep(PAUSE_S)
            try:
                results[tool].append(succeed(host, "ready", argv + tail))
            except Cannot as e:
                why[tool] = str(e)
    progress("")
    print_table(
        f"trace: {name}",
        f"from exec to all probes attached (what BEGIN says comes then), and to the end, on any cpu; time on a "
        f"processor; peak RSS; medians (and minima) of {runs} interleaved runs; ratios to skep",
        ["", "attached", "min", "ratio", "ended", "min", "ratio", "cpu", "ratio", "peak RSS", "ratio"],
        rows_of(results, why, goals),
    )


def one_by_one(host, argv, files):
    """One process each: nanoseconds to their ends and on a processor, and how many compile."""
    total, cpu, good = 0, 0, 0
    for f in files:
        status, _, figures = launch(host, "-", [*argv, f])
        if status == 0:
            total, cpu, good = total + figures[1], cpu + figures[2], good + 1
    return total, cpu, good


def all_at_once(host, argv, files):
    _, text, figures = launch(host, "-", [*argv, *files])
    bad = {line.split(":")[0] for line in text.splitlines() if ": ERROR: " in line}
    return figures[1], figures[2], len(files) - len(bad)


def run_tools(host, skep, runs):
    title = "trace: all tools compiled in a row"
    folder = host.scripts or "/usr/sbin"
    files = sorted(glob.glob(os.path.join(folder, "*.bt")))
    if not files:
        print_table(title, "", [""] * 3, [[folder, "it has no *.bt (--scripts FOLDER)"]])
        return
    peers = [
        ("skep check, one process", all_at_once, [skep, "check"]),
        ("skep check, a process each", one_by_one, [skep, "check"]),
        ("bpftrace -d, a process each", one_by_one, ["bpftrace", "-d"]),
    ]
    rows, own = [], None
    host.settle()
    for name, how, argv in peers:
        if argv[0] == "bpftrace" and has("bpftrace"):
            rows.append([name, has("bpftrace")])
            continue
        results = []
        for i in range(runs):
            progress(f"{title}: run {i + 1}/{runs}, {name}")
            results.append(how(host, argv, files))
        total, cpu, good = (statistics.median(c) for c in zip(*results))
        own = own or (total, cpu)
        rows.append([
            name, ns(total), ns(min(r[0] for r in results)), f"{total / own[0]:.1f}",
            ns(cpu), f"{cpu / own[1]:.1f}", f"{good:.0f} of {len(files)}",
        ])
    progress("")
    print_table(
        title,
        f"{len(files)} files of {folder}: read, checked, compiled, not loaded; medians (and minima) of {runs} "
        "runs; what does not compile counts with no time where each has its process",
        ["", "all", "min", "ratio", "cpu", "ratio", "compile"], rows + [["goal", "300 ms", "", "", "", "", ""]],
    )


def run(host, skep, quick):
    runs = 3 if quick else 10
    for script in SCRIPTS:
        run_script(host, skep, script, 1 if quick and "*" in script[0] else runs)
    run_tools(host, skep, runs)
