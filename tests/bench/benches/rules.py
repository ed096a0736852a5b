# SPDX-License-Identifier: Apache-2.0
"""
What a set of detection rules costs: nothing traced, skep with one rule, with all of a
folder's, and with the same rules evaluated in user space (--shadow: every event comes up).

The rules are --rules DIR's *.yaml, Falco's published files for example; without it skep's
own.  A rule of the bench's own tells when skep is ready.
"""

import glob
import os
import re
import statistics
import subprocess
import time

from benches import connect as connect_bench
from benches import exec as exec_bench
from benches import open as open_bench
from lab.cost import measure
from lab.host import Cannot, cpu_ns, read
from lab.peers import UNTRACED, Peer, has
from lab.session import READY_S, Scene, Session, reason
from lab.table import mb, ns, print_table, progress

OWN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../rules")
MARK = "skep-bench-ready"
LINE = re.compile(r"(\d+) events came up = (\d+) that matched")
SHADOW = re.compile(r"for nothing, in (\d+) events")


class RulesSession(Session):
    """Ready when the bench's own rule has told of its file."""

    def wait_until_ready(self, seen):
        path = os.path.join(self.host.dir, MARK)
        end = time.monotonic() + READY_S
        while MARK.encode() not in open(self.out, "rb").read():
            if self.tracer.poll() is not None:
                raise Cannot(reason(read(self.err) + read(self.out)))
            if time.monotonic() > end:
                raise Cannot(f"it told of nothing in {READY_S} s: {reason(read(self.err))}")
            p = subprocess.Popen(["sh", "-c", f"read x; exec cat {path}"], stdin=subprocess.PIPE,
                                 stdout=subprocess.DEVNULL)
            self.host.enter(self.work.folder, p.pid)
            p.communicate(b"\n")
            time.sleep(0.02)
        time.sleep(0.3)


def rule_files(host):
    folder = host.rules or OWN
    files = sorted(glob.glob(os.path.join(folder, "*.yaml")))
    if not files:
        raise Cannot(f"there is no *.yaml in {folder}")
    # falco_rules.yaml has the macros that the others use
    return sorted(files, key=lambda f: (len(os.path.basename(f)), f))


def ready_rule(host):
    path = os.path.join(host.dir, MARK)
    with open(path, "w", encoding="ascii"):
        pass
    rule = os.path.join(host.dir, "ready.yaml")
    with open(rule, "w", encoding="ascii") as f:
        f.write(
            f"- rule: {MARK}\n  desc: the bench begins\n  priority: INFO\n  output: {MARK} %fd.name\n"
            f"  condition: evt.type in (open, openat) and fd.name = {path}\n"
        )
    return rule


def peers(host, skep):
    ready, files = ready_rule(host), rule_files(host)

    def watch(rules, *more):
        options = [w for f in rules for w in ("--rules", f)]
        return lambda t: [skep, "watch", "--cgroup", t.cgroup, *options, *more, "-o", t.out]

    return [
        UNTRACED,
        Peer("skep, 1 rule", watch([ready]), per_op=0),
        Peer(f"skep, {len(files)} files", watch([ready, *files]), per_op=0),
        Peer("skep, the same in user space", watch([ready, *files], "--shadow"), per_op=0),
        Peer("sysdig", lambda t: ["sysdig", f"proc.pid={t.pid}"], sysdig, per_op=0),
    ]


def sysdig():
    return has("sysdig") or (
        "Debian's needs a kernel module or headers to compile its probe, and there are none here"
        if not os.path.isdir(f"/lib/modules/{os.uname().release}/build") else None
    )


def scenes(host, quick):
    """Scene, turns a batch."""
    call = Scene("call", lambda h: [h.compile("call")], [])
    few = 10 if quick else 1
    return [
        ("an unrelated system call (getppid)", call, 1_000_000 // few, 120),
        ("open+close that no rule matches", open_bench.scene(host), 100_000 // few, 1500),
        ("exec that no rule matches", exec_bench.scene(host), 1_000 // few, None),
        ("connect+close that no rule matches", connect_bench.scene(host), 10_000 // few, None),
    ]


def costs(host, skep, quick):
    rows = []
    for title, scene, n, goal in scenes(host, quick):
        ps = peers(host, skep)
        results = measure(host, ps, scene, 2 if quick else 5, 2 if quick else 4, n, session=RulesSession)
        base = min(results["untraced"].turns_ns)
        rows.append([title, *[""] * 6])
        for p in ps:
            r = results[p.name]
            if r.cannot:
                rows.append(["  " + p.name, r.cannot])
                continue
            least = min(r.turns_ns)
            rows.append([
                "  " + p.name, ns(least), ns(statistics.median(r.turns_ns)),
                ns(least - base) if p.argv else "", ns(r.cpu / r.asked) if p.argv else "",
                mb(r.peak_kb) if p.argv else "", mb(r.kernel_kb) if p.argv and r.kernel_kb else "",
            ])
        if goal:
            rows.append(["  goal", "", "", f"{goal} ns", "", "", ""])
    print_table(
        "rules: what one turn costs more",
        "minima and medians of interleaved rounds; tracer cpu a turn; goals as minima",
        ["", "min", "median", "added", "tracer cpu", "peak RSS", "BPF maps"], rows,
    )


def flood(host, skep, quick):
    n, rows = 200_000 * (1 if quick else 10), []
    for p in peers(host, skep)[1:4]:
        progress(p.name)
        try:
            with RulesSession(host, p, open_bench.scene(host)) as s:
                before = cpu_ns(s.tracer.pid)
                _, passed = s.run(n, 200_000)
                cpu = cpu_ns(s.tracer.pid) - before
                s.settle()
                s.measure()
                s.tracer.send_signal(2)
                s.tracer.wait(30)
                text = read(s.err)
        except Cannot as e:
            rows.append([p.name, str(e)])
            continue
        up = SHADOW.search(text) or LINE.search(text)
        lost = re.search(r"(\d+) events lost", text)
        rows.append([
            p.name, f"{n * 1e9 / passed / 1000:.0f}k/s", f"{cpu / passed * 100:.1f} %",
            f"{int(up[1]) * 1e9 / passed:.0f}/s" if up else "?", lost[1] if lost else "?", mb(s.peak_kb),
        ])
    progress("")
    print_table(
        "rules: 200,000 opens a second that no rule matches", "cpu: of skep; up: events that reached it; goal: 0 lost",
        ["", "rate", "cpu", "up", "lost", "peak RSS"], rows,
    )


def load(host, skep, quick):
    """From exec of skep until its command has ended."""
    files = rule_files(host)
    tiny = host.compile("tiny")
    options = [w for f in files for w in ("--rules", f)]
    plain = [skep, "watch", "--events", "exec", "-o", "/dev/null", "--", tiny]
    rules = [skep, "watch", *options, "-o", "/dev/null", "--", tiny]
    commands = {  # and the processor; None: any, as people start it
        "skep watch --events exec -- CMD": (plain, None),
        f"skep watch --rules, {len(files)} files, -- CMD": (rules, None),
        "  on one processor": (rules, host.tracer_cpu),
        "skep rules check": ([skep, "rules", "check", *files], None),
    }
    times = {name: [] for name in commands}
    for _ in range(3 if quick else 20):
        for name, (argv, cpu) in commands.items():
            begin = time.monotonic_ns()
            p = host.spawn(argv, cpu, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            _, said = p.communicate()
            times[name].append(time.monotonic_ns() - begin)
            host.processes.remove(p)
            if p.returncode not in (0, 1):
                raise Cannot(reason(said.decode(errors="replace")))
    print_table(
        "rules: time to load them", "a whole process, start to end; goal: 300 ms",
        ["", "min", "median"], [[n, ns(min(t)), ns(statistics.median(t))] for n, t in times.items()],
    )


def run(host, skep, quick):
    load(host, skep, quick)
    costs(host, skep, quick)
    flood(host, skep, quick)
