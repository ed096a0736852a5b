#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for the fuzzer of saved questions: corpus/question/NAME from question-seeds/NAME.bt.

question-seeds.py SKEP      write them anew, when QUESTION_SAVE_VERSION was counted up
question-seeds.py --check   are they of that version?  Others are refused at their ninth byte

A seed is what --emit writes into the section .skep, some bytes for records and elements of maps,
and two bytes with the question's length.
"""

import glob
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = f"{HERE}/corpus/question"
MAGIC = b"skepqst\0"
RECORDS = 256  # bytes


def version():
    with open(f"{HERE}/../../src/catalog/question-save.h", encoding="utf-8") as f:
        return int(re.search(r"QUESTION_SAVE_VERSION = (\d+)", f.read()).group(1))


def check():
    files = sorted(glob.glob(f"{CORPUS}/*"))
    bad = []
    for path in files:
        with open(path, "rb") as f:
            head = f.read(9)
        if head != MAGIC + bytes([version()]):
            bad.append(os.path.basename(path))
    if bad or not files:
        print(f"not ok - seeds are of version {version()}: {' '.join(bad) or 'none is there'}")
        print("# tests/fuzz/question-seeds.py SKEP writes them anew")
        return 1
    print(f"ok - seeds are of version {version()} ({len(files)})")
    return 0


def section(path):
    """The bytes of .skep, which starts with the magic and ends where the next section begins."""
    with open(path, "rb") as f:
        data = f.read()
    offset, = struct.unpack_from("<Q", data, 0x28)
    size, n, names = struct.unpack_from("<HHH", data, 0x3a)
    at = struct.unpack_from("<Q", data, offset + names * size + 0x18)[0]
    for i in range(n):
        name, = struct.unpack_from("<I", data, offset + i * size)
        begin, length = struct.unpack_from("<QQ", data, offset + i * size + 0x18)
        if data[at + name :].split(b"\0", 1)[0] == b".skep":
            return data[begin : begin + length]
    raise SystemExit(f"{path} has no section .skep")


def write(skep):
    for source in sorted(glob.glob(f"{HERE}/question-seeds/*.bt")):
        name = os.path.basename(source)[:-3]
        with tempfile.TemporaryDirectory() as folder:
            out = f"{folder}/o"
            subprocess.run([skep, "trace", "--emit", out, source], check=True, stderr=subprocess.DEVNULL)
            question = section(out)
        rest = random.Random(name).randbytes(RECORDS)
        with open(f"{CORPUS}/{name}", "wb") as f:
            f.write(question + rest + struct.pack("<H", len(question)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(check() if sys.argv[1] == "--check" else write(sys.argv[1]))
