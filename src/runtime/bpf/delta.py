#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
What makes a file of a similar one: delta.py FROM TO > DELTA

Two objects of the same sources that differ in one function are equal but for that function and
for the offsets that it shifts.  So TO is told as rows of "some new bytes, then a piece of FROM".
src/runtime/kern/packed.h makes TO of it again.

DELTA has 32-bit numbers, little-endian: the bytes of TO, the number of rows; of each row the
number of new bytes, then where the piece begins in FROM and its length; then all new bytes.
"""

import struct
import sys

WORD = 8  # pieces are found by so many bytes
WORTH = 12  # a row's size: a shorter piece is better told as new bytes


def same(a, i, b, j):
    """How many bytes of a behind i are those of b behind j."""
    n = 0
    while i + n < len(a) and j + n < len(b) and a[i + n] == b[j + n]:
        n += 1
    return n


def make(old, new):
    """Rows and new bytes.  Looks first where the last piece goes on, then for the same word."""
    words = {}
    for i in range(0, len(old) - WORD, 4):
        words.setdefault(old[i:i + WORD], i)
    rows, fresh, since, at, here = [], bytearray(), 0, 0, 0
    while at < len(new):
        places = {here, words.get(new[at:at + WORD], here)}
        n, place = max((same(new, at, old, p), p) for p in sorted(places))
        if n < WORTH:
            fresh.append(new[at])
            since, at, here = since + 1, at + 1, here + 1
            continue
        rows.append((since, place, n))
        since, at, here = 0, at + n, place + n
    if since:
        rows.append((since, 0, 0))
    return rows, bytes(fresh)


def apply(old, rows, fresh):
    made, at = b"", 0
    for since, place, n in rows:
        made += fresh[at:at + since] + old[place:place + n]
        at += since
    return made


def main():
    old, new = (open(name, "rb").read() for name in sys.argv[1:3])
    rows, fresh = make(old, new)
    assert apply(old, rows, fresh) == new
    out = sys.stdout.buffer
    out.write(struct.pack("<II", len(new), len(rows)))
    for row in rows:
        out.write(struct.pack("<III", *row))
    out.write(fresh)


main()
