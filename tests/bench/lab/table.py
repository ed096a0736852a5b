# SPDX-License-Identifier: Apache-2.0
"""Small tables for people: text left, numbers right."""

import sys

from lab import steal


def progress(text):
    """One line that is written over, for somebody who waits at a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def print_table(title, method, head, rows):
    """`rows` are lists of text; a row of two is a name and why there are no numbers."""
    others = steal.since_last()
    full = [r for r in rows if len(r) == len(head)]
    widths = [max(len(r[i]) for r in [head] + full) for i in range(len(head))]
    widths[0] = max([widths[0]] + [len(r[0]) for r in rows])
    print(f"\n{title}")
    print(f"  {method}")
    if others:
        print(f"  {others}")
    for row in [head] + rows:
        if len(row) == len(head):
            cells = [row[0].ljust(widths[0])]
            cells += [text.rjust(w) for text, w in zip(row[1:], widths[1:])]
            print("  " + "  ".join(cells))
        else:
            print(f"  {row[0].ljust(widths[0])}  cannot here: {row[1]}")


def ns(value):
    if value < 10_000:
        return f"{value:.0f} ns"
    if value < 1_000_000:
        return f"{value / 1000:.1f} us"
    return f"{value / 1e6:.1f} ms"


def mb(kb):
    return f"{kb / 1024:.1f} MB"


def share(part, whole):
    """Rounded down, so that 100 % means all."""
    if not whole:
        return ""
    if part >= whole:
        return "100 %"
    return f"{part * 1000 // whole / 10:.1f} %"
