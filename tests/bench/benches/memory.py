# SPDX-License-Identifier: Apache-2.0
"""Peak memory of each tracer while a process opens files flat out."""

from benches import open as open_bench
from lab.cost import measure
from lab.peers import open_peers
from lab.table import mb, print_table

GOAL_MB = 25


def run(host, skep, quick):
    peers = [p for p in open_peers(skep) if p.argv]
    n = 100_000 if quick else 1_000_000
    results = measure(host, peers, open_bench.scene(host), 1, 1, n)
    rows = []
    for p in peers:
        r = results[p.name]
        kernel = mb(r.kernel_kb) if r.kernel_kb else ""
        rows.append([p.name, r.cannot] if r.cannot else [p.name, mb(r.peak_kb), kernel])
    print_table(
        "memory: after the events of a flood of opens",
        f"VmHWM at the end of {n:,} opens flat out (strace: fewer), and memlock of its BPF maps; "
        f"goal: {GOAL_MB} MB",
        ["", "peak RSS", "BPF maps"], rows,
    )
