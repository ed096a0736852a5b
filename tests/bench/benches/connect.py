# SPDX-License-Identifier: Apache-2.0
"""The cost of connect+accept+close+close over loopback."""

from lab.cost import measure, show
from lab.peers import connect_peers
from lab.session import Scene


def scene(_host):
    return Scene("connect", lambda h: [h.compile("connect")], ["127.0.0.1"])


def run(host, skep, quick):
    peers = connect_peers(skep)
    rounds, batches, n = (2, 2, 2_000) if quick else (5, 10, 1_000)
    results = measure(host, peers, scene(host), rounds, batches, n)
    show(
        "connect: connect+accept+close+close on loopback, in a network namespace of its own",
        f"time of a loop / {n}; {rounds} interleaved rounds of {batches}",
        peers, results,
    )
