# SPDX-License-Identifier: Apache-2.0
"""The cost of fork+exec+wait of a static program."""

from lab.cost import measure, show
from lab.peers import exec_peers
from lab.session import Scene


def scene(_host):
    return Scene("exec", lambda h: [h.compile("exec"), h.compile("tiny")], ["bench-tiny"])


def run(host, skep, quick):
    peers = exec_peers(skep)
    rounds, batches, n = (2, 2, 200) if quick else (5, 10, 200)
    results = measure(host, peers, scene(host), rounds, batches, n)
    show(
        "exec: fork+exec+exit+wait of a static program",
        f"time of a loop / {n}; {rounds} interleaved rounds of {batches}; skep tells of exec and exit",
        peers, results,
    )
