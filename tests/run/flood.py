#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Nothing is lost in silence: floods, and whether the numbers agree.

    tests/run/flood.py SKEP [--events N]        TAP

A program opens a file N times (10 million) as fast as it can while skep watches only it.
However many arrive, sent = shown + filtered + lost must hold exactly, `sent` must be all
that was done, and the `lost` events in the stream must add up to what the summary says.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SUMMARY = re.compile(r"(\d+) events = (\d+) shown \+ (\d+) filtered \+ (\d+) lost")


def flood(skep, program, n, out, *options):
    """Returns (sent, shown, filtered, lost) of one run."""
    argv = [skep, "watch", *options, "-o", out, "--", program, str(n)]
    run = subprocess.run(argv, capture_output=True, text=True, timeout=600)
    found = SUMMARY.search(run.stderr)
    if run.returncode or not found:
        print(f"# {' '.join(argv)}: status {run.returncode}: {run.stderr.strip()}")
        return None
    return tuple(int(x) for x in found.groups())


def result(name, is_ok, said=""):
    print(f"{'ok' if is_ok else 'not ok'} {name}", flush=True)
    if said:
        print(f"# {said}", flush=True)
    return is_ok


def check(name, n, numbers, needs_loss=False):
    if not numbers:
        return result(name, False)
    sent, shown, filtered, lost = numbers
    agrees = sent == shown + filtered + lost
    said = f"{sent} sent = {shown} shown + {filtered} filtered + {lost} lost"
    all_sent = sent >= n and sent - n < 100  # some more by the loader, exec and exit
    return result(name, agrees and all_sent and (lost > 0 or not needs_loss), said)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("skep")
    parser.add_argument("--events", type=int, default=10_000_000)
    args = parser.parse_args()
    is_ok = True
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/flood"
        source = f"{HERE}/prog/flood.c"
        subprocess.run(["cc", "-O2", "-static", "-o", program, source], check=True)
        skep = os.path.abspath(args.skep)

        numbers = flood(skep, program, args.events, "/dev/null", "--events", "open")
        is_ok &= check("flood.shown", args.events, numbers)

        out = f"{folder}/out.json"
        n = args.events // 20
        options = ["--json", "--events", "open", "--ring-size", "64K"]
        numbers = flood(skep, program, n, out, *options)
        is_ok &= check("flood.small_ring", n, numbers, needs_loss=True)
        with open(out) as f:
            lines = [json.loads(line) for line in f]
        told = sum(line["lost_count"] for line in lines if line["event"] == "lost")
        shown = sum(line["event"] == "open" for line in lines)
        said = f"the stream tells of {told} lost and shows {shown}"
        is_ok &= result("flood.told", numbers and (told, shown) == (numbers[3], numbers[1]), said)

        # asked for nothing that happens: nothing enters the ring
        numbers = flood(skep, program, n, "/dev/null", "--events", "listen")
        is_ok &= result("flood.unasked", numbers and numbers[0] < 10 and numbers[3] == 0)
    return 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
