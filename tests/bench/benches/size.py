# SPDX-License-Identifier: Apache-2.0
"""What has to be installed."""

import os
import re
import subprocess

from lab.table import print_table

GOAL_MB = 4
PACKAGES = ["strace", "bpftrace", "bpfcc-tools", "sysdig"]


def alternatives(record):
    """What it depends on: lists of packages, one of each list is needed."""
    groups = re.split(r",\s*", f"{record.get('Depends', '')},{record.get('Pre-Depends', '')}")
    return [[re.match(r"\s*([\w.+-]+)", one).group(1) for one in g.split("|")] for g in groups if g]


def read_records(names):
    """Records from apt's lists of `names` and all below them; they need not be installed.

    One call a level, since each takes half a second.  Virtual packages have no record."""
    known, asked, wanted = {}, set(), set(names)
    while wanted:
        r = subprocess.run(
            ["apt-cache", "show", "--no-all-versions", *sorted(wanted)],
            capture_output=True, text=True, check=False,
        )
        asked |= wanted
        wanted = set()
        for text in filter(None, r.stdout.split("\n\n")):
            record = dict(re.findall(r"^([\w-]+): (.*)$", text, re.M))
            known[record["Package"]] = record
            wanted |= {name for group in alternatives(record) for name in group}
        wanted -= asked
    return known


def add_needed(name, known, found):
    """Adds its size, and that of what it depends on, to `found`; false: there is no such
    package.  What every Debian has (Priority: required) is left out."""
    record = known.get(name)
    if not record or name in found or record.get("Priority") == "required" or record.get("Essential") == "yes":
        return bool(record)
    found[name] = int(record.get("Installed-Size", 0))
    for group in alternatives(record):
        any(add_needed(one, known, found) for one in group)
    return True


def run(_host, skep, _quick):
    own = os.path.getsize(skep)
    linked = subprocess.run(["ldd", skep], capture_output=True, text=True, check=False)
    libraries = len(re.findall("=>", linked.stdout))
    rows = [["skep", f"{own / 1e6:.1f} MB", f"{own / 1e6:.1f} MB", f"{libraries} libraries", "1.0"]]
    known = read_records(PACKAGES)
    for name in PACKAGES:
        found = {}
        add_needed(name, known, found)
        if not found:
            rows.append([name, "apt's lists do not have it"])
            continue
        total = sum(found.values()) * 1024
        rows.append([
            name, f"{found[name] * 1024 / 1e6:.1f} MB", f"{total / 1e6:.1f} MB",
            f"{len(found) - 1} packages", f"{total / own:.1f}",
        ])
    print_table(
        "size: bytes on disk",
        f"goal: skep at most {GOAL_MB}.0 MB.  "
        "Installed-Size of the package, and with all it depends on (not what is Priority: required); "
        "bpfcc-tools needs kernel headers beside that",
        ["", "itself", "with all", "and needs", "ratio"], rows,
    )
