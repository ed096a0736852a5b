# SPDX-License-Identifier: Apache-2.0
"""What the kernel counts of BPF programs: their runs, and the nanoseconds in them."""

import contextlib
import glob
import json
import re
import subprocess

from lab.host import read, write

STATS = "/proc/sys/kernel/bpf_stats_enabled"


@contextlib.contextmanager
def statistics_on():
    """The kernel counts only while it is told to; it costs every program of the machine two
    clock reads a run, which are not in the numbers."""
    was = read(STATS).strip()
    write(STATS, "1")
    try:
        yield
    finally:
        write(STATS, was)


def programs_of(pid):
    """run_cnt and run_time_ns of the programs whose descriptors it holds, by id."""
    ids = set()
    for path in glob.glob(f"/proc/{pid}/fdinfo/*"):
        m = re.search(r"^prog_type:(?s:.*?)^prog_id:\s+(\d+)", read(path), re.M)
        if m:
            ids.add(int(m.group(1)))
    r = subprocess.run(["bpftool", "prog", "show", "-j"], capture_output=True, text=True, check=True)
    return {p["id"]: p for p in json.loads(r.stdout) if p["id"] in ids}
