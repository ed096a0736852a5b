# SPDX-License-Identifier: Apache-2.0
"""The embedded runtime's verifier beside the kernel's: loops that paths explode on, and programs
by chance."""

import os
import subprocess

from lab.host import Cannot

# 64 KiB byte by byte, the logarithms of 4096 numbers, a hash over 16 Ki words
LOOPS = ["right_copy", "right_log2", "right_hash"]


def run(host, _skep, quick):
    made = subprocess.run(
        ["ninja", "-C", host.build, "vm-verify-all", "tests/test-vm-kernel"],
        capture_output=True, text=True, check=False,
    )
    if made.returncode:
        raise Cannot("it does not build: " + (made.stdout.strip().splitlines() or ["?"])[-1])
    tests = os.path.join(host.build, "tests")
    print("\nverify: the least of 9 rounds", flush=True)
    subprocess.run([f"{tests}/vm-verify", f"{tests}/vm-verify.o", *LOOPS], check=True)
    print("\nverify: programs by chance (tests/unit/vm/test-vm-kernel.c)", flush=True)
    env = {**os.environ, "SKEP_TIME": "1", "SKEP_RANDOM": "1000" if quick else "10000"}
    subprocess.run([f"{tests}/test-vm-kernel"], env=env, check=True)
