# SPDX-License-Identifier: Apache-2.0
"""How long a tool takes until its first event, and until it has ended."""

import signal
import statistics
import subprocess
import threading
import time

from benches import open as open_bench
from lab.host import Cannot
from lab.peers import Peer, first, has, has_headers, has_kprobes
from lab.session import Target, Workload, reason
from lab.table import ns, print_table, progress

GOAL_MS, PATIENCE_S = 60, 14


def commands(skep, tiny):
    """Tools that start the command themselves and end with it."""
    return [
        Peer("the command alone", lambda _: [tiny]),
        Peer("skep watch -- CMD", lambda _: [skep, "watch", "--", tiny]),
        Peer("skep watch --events exec -- CMD", lambda _: [skep, "watch", "--events", "exec", "--", tiny]),
        Peer("strace -f -e execve CMD", lambda _: ["strace", "-f", "-e", "trace=execve", tiny], lambda: has("strace")),
        Peer(
            "bpftrace -c CMD, execve",
            lambda _: ["bpftrace", "-c", tiny, "-e",
                       "tracepoint:syscalls:sys_enter_execve /pid == cpid/ { join(args->argv); }"],
            lambda: has("bpftrace"), tracing=True,
        ),
    ]


def attached(skep):
    """Tools that are told to look at what runs already."""
    return [
        Peer("skep watch --cgroup", lambda t: [skep, "watch", "--cgroup", t.cgroup, "--events", "open"]),
        Peer("strace -p", lambda t: ["strace", "-e", "trace=openat", "-p", str(t.pid)], lambda: has("strace")),
        Peer(
            "bpftrace, openat of a pid",
            lambda t: ["bpftrace", "-e", f"tracepoint:syscalls:sys_enter_openat /pid == {t.pid}/"
                       ' { printf("%s %s\\n", comm, str(args->filename)); }'],
            lambda: has("bpftrace"), tracing=True,
        ),
        Peer(
            "trace-bpfcc -p",
            lambda t: ["trace-bpfcc", "-p", str(t.pid), 't:syscalls:sys_enter_openat "%d", args->dfd'],
            lambda: first(has("trace-bpfcc"), has_headers()), tracing=True,
        ),
        Peer(
            "opensnoop-bpfcc -p", lambda t: ["opensnoop-bpfcc", f"--pid={t.pid}"],
            lambda: first(has("opensnoop-bpfcc"), has_kprobes(), has_headers()), tracing=True,
        ),
    ]


def time_one(host, peer, target, marks, meanwhile=None):
    """Nanoseconds to the first line with one of `marks`, and to the end."""
    begin = time.monotonic_ns()
    p = host.spawn(
        peer.argv(target), host.tracer_cpu, peer.tracing,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    if meanwhile:
        meanwhile()
    watchdog = threading.Timer(PATIENCE_S, p.kill)
    watchdog.start()
    line, text, first_ns, told_ns = b"-", b"", None, 0
    while line:
        line = p.stdout.readline()
        text += line
        if first_ns is None and any(m in line for m in marks):
            first_ns = time.monotonic_ns() - begin
        # again and again: Python drops the signal when it comes within a callback of bcc
        if first_ns and meanwhile and time.monotonic_ns() - told_ns > 500_000_000:
            p.send_signal(signal.SIGINT)
            told_ns = time.monotonic_ns()
    p.wait()
    end_ns = time.monotonic_ns() - begin
    p.stdout.close()
    watchdog.cancel()
    if first_ns is None and marks:
        raise Cannot(f"no event in {PATIENCE_S} s: {reason(text.decode(errors='replace'))}")
    return first_ns, end_ns


def rows_of(peers, times):
    rows = []
    for p in peers:
        t = times[p.name]
        if isinstance(t, str):
            rows.append([p.name, t])
            continue
        firsts, ends = [a for a, _ in t if a], [b for _, b in t]
        rows.append([
            p.name,
            *([ns(min(firsts)), ns(statistics.median(firsts)), ns(max(firsts))] if firsts else [""] * 3),
            ns(min(ends)), ns(statistics.median(ends)),
        ])
    return rows


def collect(peers, runs, one):
    times = {p.name: p.why_not() or [] for p in peers}
    for i in range(runs):
        for p in peers:
            if isinstance(times[p.name], str):
                continue
            progress(f"run {i + 1}/{runs}, {p.name}")
            try:
                times[p.name].append(one(p))
            except Cannot as e:
                times[p.name] = str(e)
    progress("")
    return times


def run(host, skep, quick):
    runs = 3 if quick else 10
    tiny = host.compile("tiny")
    head = ["", "first line min", "median", "max", "all min", "median"]

    def one_command(p):
        return time_one(host, p, None, [] if p.name == "the command alone" else [b"bench-tiny"])

    peers = commands(skep, tiny)
    print_table(
        "start: a command under each tool",
        f"from exec of the tool to its first event's line, and to its end; {runs} interleaved runs; "
        f"goal: {GOAL_MS} ms",
        head, rows_of(peers, collect(peers, runs, one_command)),
    )

    scene = open_bench.scene(host)

    def one_attached(p):
        work = Workload(host, scene, "busy")
        target = Target(work.pid, work.folder, None, scene.name, None)
        try:
            # it opens a thousand times a second, for as long as the slowest tool needs
            def go():
                work.process.stdin.write("15000 1000\n")
                work.process.stdin.flush()

            return time_one(host, p, target, [m.encode() for m in scene.marks], go)
        finally:
            work.process.kill()
            work.process.wait()

    peers = attached(skep)
    print_table(
        "start: a process that runs already, and opens a file every millisecond",
        f"from exec of the tool to the first open's line; then SIGINT, to its end; {runs} interleaved runs",
        head, rows_of(peers, collect(peers, runs, one_attached)),
    )
