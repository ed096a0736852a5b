# SPDX-License-Identifier: Apache-2.0
"""
One workload under one tracer.

    with Session(host, peer, scene) as s:
        spent, passed = s.run(100_000)

The workload runs alone in a cgroup of its own, pinned to one processor; the tracer is
started for just this process or cgroup, and is ready when it has told of something that the
workload did.  At the end the tracer is asked to stop (SIGINT) and its lines are counted, so
that a tracer which is cheap because it loses events is found out.
"""

import collections
import os
import re
import signal
import subprocess
import time

from lab.host import Cannot, cpu_ns, kernel_kb, peak_kb, read

READY_S, STOP_S = 30, 60
SUMMARY = re.compile(r"(\d+) events = (\d+) shown \+ (\d+) filtered \+ (\d+) lost")

# What a workload is; `argv` gets the host.  `marks` are what its lines may contain.
Scene = collections.namedtuple("Scene", "name argv marks")
# Whom a tracer is to watch; `other` is a cgroup in which something else happens.
Target = collections.namedtuple("Target", "pid cgroup other scene out")


class Workload:
    def __init__(self, host, scene, group, prefix=()):
        self.folder = host.cgroup(group)
        self.process = host.spawn(
            [*prefix, *scene.argv(host)], host.tracee_cpu,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
        )
        line = self.process.stdout.readline()
        if not line.startswith("pid "):
            raise Cannot(reason(self.process.stderr.read()))
        self.pid = int(line.split()[1])
        self.asked = 0
        host.enter(self.folder, self.pid)

    def run(self, n, rate=0):
        """Nanoseconds that the work took, and that passed."""
        self.process.stdin.write(f"{n} {rate}\n")
        line = self.process.stdout.readline()
        if not line:
            raise Cannot("the workload ended: " + reason(self.process.stderr.read()))
        self.asked += n
        return tuple(int(v) for v in line.split())

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def reason(text):
    """The line of an error output that tells most."""
    lines = [l.strip() for l in text.splitlines() if l.strip()]
    for pattern in (r"kernel headers", r"EPERM|not permitted|super-user", r"(?i)error|exception|cannot|failed"):
        for line in lines:
            if re.search(pattern, line):
                return line[:150]
    return lines[-1][:150] if lines else "it ended without a word"


class Session:
    def __init__(self, host, peer, scene):
        self.host, self.peer, self.scene = host, peer, scene
        self.tracer = self.work = self.idle = None
        self.out, self.err = host.file("lines"), host.file("errors")
        self.summary = None
        self.seen = self.before = self.cpu = 0

    def __enter__(self):
        why = self.peer.why_not()
        if why:
            raise Cannot(why)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        peer, host = self.peer, self.host
        other = host.cgroup("idle")
        target = Target(0, "", other, self.scene.name, self.out)
        prefix = peer.argv(target) if peer.wraps else ()
        self.work = Workload(host, self.scene, "busy", prefix)
        if peer.wraps:
            self.tracer = self.work.process
        elif peer.argv:
            self.idle = Workload(host, self.scene, "idle")
            target = Target(self.work.pid, self.work.folder, other, self.scene.name, self.out)
            with open(self.out, "wb") as out, open(self.err, "wb") as err:
                self.tracer = host.spawn(
                    peer.argv(target), host.tracer_cpu if peer.pinned else None, peer.tracing,
                    stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                )
            self.wait_until_ready(self.idle if peer.watches_other else self.work)
        self.work.asked = 0
        self.before = self.lines()
        self.cpu_before = self.cpu_ns()

    def wait_until_ready(self, seen):
        end = time.monotonic() + READY_S
        while not self.lines():
            if self.tracer.poll() is not None:
                raise Cannot(reason(read(self.err) + read(self.out)))
            if time.monotonic() > end:
                raise Cannot(f"it told of nothing in {READY_S} s: {reason(read(self.err))}")
            seen.run(1)
            time.sleep(0.02)
        size = -1
        while size != os.path.getsize(self.out):
            size = os.path.getsize(self.out)
            time.sleep(0.15)

    def run(self, n, rate=0):
        return self.work.run(n, rate)

    def settle(self):
        """Waits until the tracer has worked off what happened."""
        end = time.monotonic() + 10
        before = -1
        while self.tracer and time.monotonic() < end and self.cpu_ns() - before > 2_000_000:
            before = self.cpu_ns()
            time.sleep(0.1)

    def cpu_ns(self):
        return cpu_ns(self.tracer.pid) if self.tracer else 0

    def lines(self):
        """How many lines tell of the workload."""
        marks = [m.encode() for m in self.scene.marks]
        try:
            with open(self.out, "rb") as f:
                return sum(1 for line in f if any(m in line for m in marks))
        except FileNotFoundError:
            return 0

    def measure(self):
        """After the last run, before the end."""
        self.cpu = self.cpu_ns() - self.cpu_before
        if self.tracer:
            self.peak_kb, self.kernel_kb = peak_kb(self.tracer.pid), kernel_kb(self.tracer.pid)

    def __exit__(self, *_):
        if self.tracer and not self.peer.wraps and self.tracer.poll() is None:
            self.tracer.send_signal(signal.SIGINT)
            try:
                self.tracer.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.tracer.kill()
                self.tracer.wait()
        for w in (self.idle, self.work):
            if w:
                w.end()
        if self.tracer:
            m = SUMMARY.search(read(self.err)) if os.path.exists(self.err) else None
            self.summary = tuple(map(int, m.groups())) if m else None
            self.seen = self.lines() - self.before
        for path in (self.out, self.err):
            if os.path.exists(path):
                os.unlink(path)
