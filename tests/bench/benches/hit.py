# SPDX-License-Identifier: Apache-2.0
"""What one hit costs in the kernel: the same script by skep trace and by bpftrace."""

import os
import signal
import statistics
import subprocess
import time

from lab.host import Cannot, read
from lab.peers import has
from lab.programs import programs_of, statistics_on
from lab.session import Scene, Workload, reason
from lab.table import ns, print_table, progress

# Name, action.  hit(text, number, size) is called once a turn by work/hit.c.
SCRIPTS = [
    ("count by comm", "{ @[comm] = count(); }"),
    ("hist", "{ @ = hist(arg2); }"),
    ("printf of a string", '{ printf("%s %d\\n", str(arg0), arg1); }'),
    ("sum by two keys", "{ @[pid, arg1] = sum(arg2); }"),
    ("filter that rejects", '/arg1 == 77 && comm == "nobody"/ { @ = count(); }'),
]
PATIENCE_S = 20


def tools(skep):
    return [("skep trace", [skep, "trace"]), ("bpftrace", ["bpftrace"])]


def counted(before, after, n):
    """Nanoseconds a run, of the program that ran once a turn."""
    for i, p in after.items():
        runs = p.get("run_cnt", 0) - before.get(i, {}).get("run_cnt", 0)
        spent = p.get("run_time_ns", 0) - before.get(i, {}).get("run_time_ns", 0)
        if runs >= n * 0.9:  # the kernel leaves out what would interrupt itself
            return spent / runs
    seen = ", ".join(f"{p.get('name', '?')} {p.get('run_cnt', 0)}" for p in after.values())
    raise Cannot(f"no program of it ran as often as the workload: {seen}")


def wait_ready(p, out, work):
    """Until it counts hits: what BEGIN says may come before the probe is attached."""
    end = time.monotonic() + PATIENCE_S
    while True:
        before = programs_of(p.pid)
        work.run(100)
        try:
            return counted(before, programs_of(p.pid), 100)
        except Cannot:
            if p.poll() is not None or time.monotonic() > end:
                raise Cannot(reason(read(out))) from None
            time.sleep(0.02)


def measure(host, argv, action, n):
    """Nanoseconds of the program a hit, and of the workload a turn."""
    work = Workload(host, Scene("hit", lambda h: [h.compile("hit")], []), "busy")
    out = host.file("lines")
    program = f'uprobe:{host.compile("hit")}:hit {action}'
    with open(out, "wb") as f:
        p = host.spawn(
            [*argv, "-e", program], host.tracer_cpu, True, stdin=subprocess.DEVNULL, stdout=f, stderr=f
        )
    try:
        wait_ready(p, out, work)
        work.run(n // 10)
        before = programs_of(p.pid)
        spent, _ = work.run(n)
        return counted(before, programs_of(p.pid), n), spent / n
    finally:
        if p.poll() is None:
            p.send_signal(signal.SIGINT)
        try:
            p.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
        host.processes.remove(p)
        work.end()
        os.unlink(out)


def run(host, skep, quick):
    if has("bpftrace"):
        raise Cannot(has("bpftrace"))
    runs, n = (2, 20_000) if quick else (10, 50_000)
    rows = []
    with statistics_on():
        for name, action in SCRIPTS:
            got = {tool: [] for tool, _ in tools(skep)}
            host.settle()
            for i in range(runs):
                for tool, argv in tools(skep):
                    progress(f"{name}: run {i + 1}/{runs}, {tool}")
                    got[tool].append(measure(host, argv, action, n))
            base = statistics.median(r[0] for r in got["bpftrace"])
            for tool, _ in tools(skep):
                own = [r[0] for r in got[tool]]
                median = statistics.median(own)
                rows.append([
                    f"{name}, {tool}", ns(median), ns(min(own)), f"{median / base:.2f}",
                    f"{min(own) / min(r[0] for r in got['bpftrace']):.2f}",
                    ns(statistics.median(r[1] for r in got[tool])),
                ])
        progress("")
    print_table(
        "hit: a probe's program, a run",
        f"bpf_stats over {n:,} hits of a uprobe, which nobody else can hit; medians (and minima) of {runs} "
        "interleaved runs; ratios to bpftrace, goal: 1.0; a turn: of the workload, with the trap",
        ["", "median", "min", "ratio", "of minima", "a turn"], rows,
    )
