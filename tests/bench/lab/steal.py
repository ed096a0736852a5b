# SPDX-License-Identifier: Apache-2.0
"""
Processor time that a virtual machine's host gives to others (proc(5): steal).

What takes a few milliseconds on two processors waits for the later one, and a host that is
busy brings a processor back some milliseconds late: then the host is measured.  So a bench of
short runs begins when the host is calm, and each table says how much was taken meanwhile.
"""

import os
import time

CALM = 0.01  # of what was asked for
PROBE_S, PAUSE_S, PATIENCE_S = 0.5, 5, 90


def ticks():
    """All processors' since the machine began, and those of them that went to others."""
    with open("/proc/stat", encoding="ascii") as f:
        all_ticks = [int(n) for n in f.readline().split()[1:9]]
    return sum(all_ticks), all_ticks[7]


def busy(cpu):
    """A process that keeps one processor busy: who asks for nothing, from him nothing is taken."""
    pid = os.fork()
    if pid:
        return pid
    os.sched_setaffinity(0, {cpu})
    end = time.monotonic() + PROBE_S
    while time.monotonic() < end:
        pass
    os._exit(0)


def probe(cpus):
    """The share of PROBE_S on all processors that went to others."""
    _, before = ticks()
    for pid in [busy(cpu) for cpu in cpus]:
        os.waitpid(pid, 0)
    return (ticks()[1] - before) / os.sysconf("SC_CLK_TCK") / (PROBE_S * len(cpus))


class Meter:
    """What was taken since the last table, without the waits before its runs."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.all, self.stolen, self.at_first = 0, 0, 0
        self.mark = ticks()

    def add(self):
        """What was until now counts."""
        now = ticks()
        self.all += now[0] - self.mark[0]
        self.stolen += now[1] - self.mark[1]
        self.mark = now


METER = Meter()


def settle(cpus, tell):
    """Waits until the host is calm, but not for ever; `tell` gets a line while it waits."""
    METER.add()
    end = time.monotonic() + PATIENCE_S
    while (share := probe(cpus)) > CALM and time.monotonic() + PAUSE_S < end:
        tell(f"the host has others on {share * 100:.0f} % of the processors: waiting")
        time.sleep(PAUSE_S)
    if share > CALM:
        METER.at_first = max(METER.at_first, share)
    METER.mark = ticks()


def since_last():
    """A line for a table; None: nothing worth a word."""
    METER.add()
    share, at_first = METER.stolen / max(METER.all, 1), METER.at_first
    METER.reset()
    waited = f", and on {at_first * 100:.0f} % when runs began, after {PATIENCE_S} s" if at_first else ""
    if share < CALM and not waited:
        return None
    return f"the host had others on {share * 100:.0f} % of the processors' time meanwhile{waited}"
