# SPDX-License-Identifier: Apache-2.0
"""What skep does when more happens than anybody can read."""

from benches import open as open_bench
from lab.host import Cannot, cpu_ns
from lab.peers import Peer
from lab.session import Session
from lab.table import print_table, progress, share

EVENTS = "open,write,create"


def floods(skep, quick):
    """Peer, turns, rate; 0: as fast as it goes."""
    seconds = 1 if quick else 10

    def watch(*more, other=False):
        return lambda t: [
            skep, "watch", "--cgroup", t.other if other else t.cgroup, "--events", EVENTS, "-o", t.out, *more
        ]

    return [
        (Peer("nobody asked, 200k/s", watch(other=True), pinned=False, watches_other=True), 200_000 * seconds, 200_000),
        (Peer("asked, 100k/s", watch(), pinned=False), 100_000 * seconds, 100_000),
        (Peer("asked, flat out", watch(), pinned=False), 200_000 * seconds, 0),
        (Peer("asked, flat out, --json", watch("--json"), pinned=False), 200_000 * seconds, 0),
        (Peer("asked, flat out, --ring-size 64K", watch("--ring-size", "64K"), pinned=False), 200_000 * seconds, 0),
    ]


def run(host, skep, quick):
    rows, wrong = [], []
    for peer, n, rate in floods(skep, quick):
        progress(peer.name)
        try:
            with Session(host, peer, open_bench.scene(host)) as s:
                waited = cpu_ns(s.tracer.pid, waiting=True)
                _, passed = s.run(n, rate)
                waited = cpu_ns(s.tracer.pid, waiting=True) - waited
                cpu = s.cpu_ns() - s.cpu_before
                s.settle()
                s.measure()
        except Cannot as e:
            rows.append([peer.name, str(e)])
            continue
        if not s.summary:
            rows.append([peer.name, "skep printed no summary"])
            continue
        sent, shown, filtered, lost = s.summary
        happened = s.before + (0 if peer.watches_other else s.work.asked)
        lines = s.seen + s.before
        if sent != shown + filtered + lost:
            wrong.append(f"{peer.name}: {sent} is not {shown} + {filtered} + {lost}")
        if sent != happened:
            wrong.append(f"{peer.name}: {sent} were sent, {happened} happened")
        if lines != shown:
            wrong.append(f"{peer.name}: {shown} are said to be shown, {lines} lines there are")
        rows.append([
            peer.name, f"{n * 1e9 / passed / 1000:.0f}k/s", f"{happened:,}", f"{sent:,}", f"{shown:,}",
            f"{filtered:,}", f"{lost:,}", share(lost, sent), f"{cpu / passed * 100:.1f} %",
            f"{s.cpu / 1e9:.2f} s", f"{waited / 1e9:.2f} s",
        ])
    progress("")
    print_table(
        "flood: opens that nobody asked for, and more than can be read",
        "happened: counted by the workload since skep was ready; the rest: skep's summary; "
        "cpu: of skep, meanwhile and in all; waited: for a processor that others had",
        ["", "rate", "happened", "sent", "shown", "filtered", "lost", "lost", "cpu", "cpu", "waited"], rows,
    )
    print("  " + ("; ".join(wrong) or "exact: happened = sent = shown + filtered + lost, and shown = lines written"))
