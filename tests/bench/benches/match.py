# SPDX-License-Identifier: Apache-2.0
"""Strings of rules: building an automaton, a byte of a walk in the kernel and in the embedded
runtime, what the kernel's verifier takes for it."""

import os
import subprocess

from lab.host import Cannot


def run(host, _skep, _quick):
    made = subprocess.run(
        ["ninja", "-C", host.build, "tests/rule-walk"],
        capture_output=True, text=True, check=False,
    )
    if made.returncode:
        raise Cannot("it does not build: " + (made.stdout.strip().splitlines() or ["?"])[-1])
    print("\nmatch: the least of 20 rounds", flush=True)
    subprocess.run([os.path.join(host.build, "tests/rule-walk")], check=True)
