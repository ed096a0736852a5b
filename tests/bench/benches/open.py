# SPDX-License-Identifier: Apache-2.0
"""The cost of an open, flat out and at a rate that every tracer can follow."""

import os

from lab.cost import measure, show
from lab.peers import open_peers
from lab.session import Scene


def scene(host):
    path = os.path.join(host.dir, "opened")
    with open(path, "w", encoding="ascii"):
        pass
    return Scene("open", lambda h: [h.compile("open"), path], [path, "bench-open"])


def run(host, skep, quick):
    peers = open_peers(skep)
    rounds, batches, n = (2, 2, 50_000) if quick else (5, 6, 50_000)
    results = measure(host, peers, scene(host), rounds, batches, n)
    show(
        "open: open+close of a file, flat out",
        f"time of a loop / {n}; {rounds} interleaved rounds of {batches}; ratio and added: minima; "
        "cpu: of the tracer, a turn",
        peers, results,
    )
    rate, n, batches = 20_000, 10_000, min(batches, 4)
    paced = measure(host, peers, scene(host), rounds, batches, n, rate)
    show(
        f"open: the same, at {rate:,} a second",
        f"time within open+close and one clock read, summed over {n}; {rounds} interleaved rounds of {batches}",
        peers, paced,
    )
    return results
