# SPDX-License-Identifier: Apache-2.0
"""Engines of the embedded runtime beside native code, the kernel's JIT and, if UBPF names the
folder of a build of it, ubpf."""

import os
import subprocess

from lab.host import Cannot


def ubpf(host):
    folder = os.environ.get("UBPF")
    if not folder:
        return []
    library = host.file("ubpf.so")
    subprocess.run(
        ["gcc", "-shared", "-o", library, "-Wl,--whole-archive",
         os.path.join(folder, "build/lib/libubpf.a"), "-Wl,--no-whole-archive"],
        check=True,
    )
    return [library]


def run(host, _skep, _quick):
    made = subprocess.run(
        ["ninja", "-C", host.build, "vm-speed-all"], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise Cannot("it does not build: " + (made.stdout.strip().splitlines() or ["?"])[-1])
    tests = os.path.join(host.build, "tests")
    print("\nvm: eight programs, the fastest of 40 rounds in turns", flush=True)
    subprocess.run(
        [f"{tests}/vm-speed", f"{tests}/vm-speed.o", f"{tests}/vm-speed-small.o", *ubpf(host)],
        check=True,
    )
