# SPDX-License-Identifier: Apache-2.0
"""
What one turn of a workload costs under each tracer.

Each round visits every peer once, one after the other and beginning with another one, so
that a slow minute of the machine meets all of them.  The minimum of many short batches is
the number to compare; the median says how noisy it was.
"""

import statistics

from lab.host import Cannot
from lab.session import Session
from lab.table import mb, ns, print_table, progress, share


class Result:
    def __init__(self):
        self.turns_ns = []
        self.asked = self.seen = self.cpu = 0
        self.peak_kb = self.kernel_kb = 0
        self.cannot = None

    def add(self, session, peer):
        self.asked += session.work.asked
        self.seen += session.seen
        self.cpu += session.cpu
        if peer.argv:
            self.peak_kb = max(self.peak_kb, session.peak_kb)
            self.kernel_kb = max(self.kernel_kb, session.kernel_kb)


def measure(host, peers, scene, rounds, batches, n, rate=0, session=Session):
    """Results by the peer's name."""
    results = {p.name: Result() for p in peers}
    for i in range(rounds):
        for p in peers[i % len(peers):] + peers[: i % len(peers)]:
            r = results[p.name]
            if r.cannot:
                continue
            progress(f"round {i + 1}/{rounds}, {p.name}")
            turns = n // p.slower
            try:
                with session(host, p, scene) as s:
                    for _ in range(batches):
                        spent, _ = s.run(turns, rate)
                        r.turns_ns.append(spent / turns)
                    s.settle()
                    s.measure()
                r.add(s, p)
            except Cannot as e:
                r.cannot = str(e)
    progress("")
    return results


def show(title, method, peers, results):
    rows = []
    base = min(results["untraced"].turns_ns)
    for p in peers:
        r = results[p.name]
        if r.cannot:
            rows.append([p.name, r.cannot])
            continue
        least = min(r.turns_ns)
        seen = share(r.seen, r.asked * p.per_op) if p.per_op and p.argv else ""
        rows.append([
            p.name, ns(least), ns(statistics.median(r.turns_ns)), f"{least / base:.2f}",
            f"{'+' if least >= base else '-'}{ns(abs(least - base))}" if p.argv else "", seen,
            ns(r.cpu / r.asked) if p.argv else "", mb(r.peak_kb) if p.argv else "",
        ])
    print_table(
        title, method, ["", "min", "median", "ratio", "added", "lines seen", "tracer cpu", "peak RSS"], rows
    )
