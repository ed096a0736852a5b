#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Runs `skep check` on compiled objects: what it says of each program, as text and as JSON.

    check.py SKEP [NAME…]

TAP comes out.  It needs clang, and no privilege.
"""

import json
import os
import platform
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
OBJECTS = os.path.join(HERE, "../vm/objects")

LINE = re.compile(r"(\w+): (ok|refused) \(kernel: (ok|refused)\) (\d+) insns, stack (\d+)(.*)")


class Test:
    def __init__(self, skep, folder):
        self.skep = os.path.abspath(skep)
        self.folder = folder

    def check(self, *words, status=None):
        r = subprocess.run([self.skep, "check", *words], capture_output=True, text=True, timeout=60,
                           cwd=self.folder, stdin=subprocess.DEVNULL, check=False)
        if status is not None:
            assert r.returncode == status, f"status {r.returncode}: {r.stdout}{r.stderr}"
        return r

    def compile(self, source, *flags):
        name = os.path.basename(source).removesuffix(".bpf.c") + ".bpf.o"
        arch = {"x86_64": "x86", "aarch64": "arm64"}[platform.machine()]
        subprocess.run(
            ["clang", "-target", "bpf", "-O2", "-g", "-mcpu=v3", f"-D__TARGET_ARCH_{arch}",
             f"-I/usr/include/{platform.machine()}-linux-gnu", f"-I{OBJECTS}", *flags,
             "-c", source, "-o", name], cwd=self.folder, check=True)
        return name

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as f:
            f.write(text)
        return self.compile(f"{self.folder}/{name}")

    # ---- tests

    def a_line_a_program(self):
        r = self.check(self.compile(f"{OBJECTS}/programs.bpf.c"), status=0)
        found = {m[1]: m for m in map(LINE.fullmatch, r.stdout.splitlines()) if m}
        assert sorted(found) == ["calls", "jump", "loops", "sleeps", "tail"], r.stdout
        assert all(m[3] == "ok" for m in found.values()), r.stdout
        assert not r.stderr, r.stderr
        assert int(found["calls"][4]) > 20 and int(found["calls"][5]) >= 32, r.stdout

    def one_program(self):
        o = self.compile(f"{OBJECTS}/programs.bpf.c")
        r = self.check("--prog", "ta*", o, status=0)
        assert r.stdout.startswith("tail: ok") and r.stdout.count("\n") == 1, r.stdout
        r = self.check("--prog", "nobody", o, status=1)
        assert "has no program nobody" in r.stderr, r.stderr

    BAD = """
#include "base.h"
struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} m SEC(".maps");

SEC("socket")
int bad(void *ctx)
{
	u32 k = 0;
	u64 *v = bpf_map_lookup_elem(&m, &k);

	return *v;
}

SEC("socket")
int good(void *ctx)
{
	return 0;
}
"""

    def a_refusal_has_a_line(self):
        o = self.write("bad.bpf.c", self.BAD)
        r = self.check(o, status=1)
        assert "bad.bpf.c:16:9-11: ERROR: " in r.stderr, r.stderr
        assert "\n\treturn *v;\n\t       ~~\n" in r.stderr, r.stderr
        assert r.stdout.startswith("bad: refused (kernel: refused) "), r.stdout
        assert "\ngood: ok (kernel: ok) " in r.stdout, r.stdout
        self.check("--prog", "good", o, status=0)

    def as_json(self):
        o = self.write("bad.bpf.c", self.BAD)
        r = self.check("--json", o, status=1)
        bad, good = map(json.loads, r.stdout.splitlines())
        assert not r.stderr, r.stderr
        assert bad["object"] == o and bad["program"] == "bad" and bad["section"] == "socket", bad
        assert bad["type"] == "socket_filter" and not bad["ok"] and not bad["kernel_ok"], bad
        assert bad["file"].endswith("bad.bpf.c") and bad["line"] == 16 and bad["error"], bad
        assert good["ok"] and good["kernel_ok"] and good["error"] is None, good
        for key in ("insns", "stack", "explored", "states", "ns"):
            assert isinstance(good[key], int), key

    def damaged(self):
        with open(f"{self.folder}/x.o", "wb") as f:
            f.write(b"\x7fELF\2\1\1".ljust(16, b"\0"))
        r = self.check("x.o", status=1)
        assert r.stderr == "ERROR: x.o is damaged: its head is no object's\n", r.stderr
        r = self.check("--json", "x.o", status=1)
        assert json.loads(r.stdout)["error"] == "x.o is damaged: its head is no object's", r.stdout
        r = self.check(self.compile(f"{OBJECTS}/programs.bpf.c"), "not-there.o", status=1)
        assert "tail: ok" in r.stdout and "cannot read not-there.o" in r.stderr, r.stderr

    def for_a_machine(self):
        subprocess.run(["clang", "-O2", "-c", "-x", "c", "-", "-o", "host.o"], input="int x;",
                       text=True, cwd=self.folder, check=True)
        r = self.check("host.o", status=1)
        assert "an object for another processor than BPF\nHINT: clang makes one" in r.stderr, r.stderr

    def what_the_kernel_lacks(self):
        o = self.write("gone.bpf.c", """
#include "base.h"
struct there_is_none { int x; } __attribute__((preserve_access_index));
SEC("socket")
int reads(struct there_is_none *t)
{
	return t->x;
}
SEC("socket")
int asks(struct there_is_none *t)
{
	return __builtin_preserve_field_info(t->x, 2) ? t->x : 0;
}
""")
        r = self.check(o, status=1)
        if "types are not to be had" not in r.stderr:
            said = "gone.bpf.c:7:12-13: ERROR: reads: the kernel's types have no struct there_is_none\n"
            assert said in r.stderr, r.stderr
            assert "asks: ok (kernel: ok)" in r.stdout, r.stdout

    def types_of_another_kernel(self):
        o = self.compile(f"{OBJECTS}/core.bpf.c")
        r = self.check("--btf", "there-is-none", o, status=1)
        assert "cannot read the types of there-is-none" in r.stderr, r.stderr

    def our_own_object(self):
        subprocess.run([self.skep, "trace", "--emit", "own.o", "begin { print(1); }"], check=True,
                       cwd=self.folder, capture_output=True)
        r = self.check("own.o", status=0)
        assert r.stdout == "own.o: ok: written by skep trace --emit; skep load runs it\n", r.stdout


def main():
    failed = 0
    tests = [n for n, f in vars(Test).items() if callable(f) and not n.startswith("_")]
    tests = [n for n in tests if n not in ("check", "compile", "write")]
    for name in sys.argv[2:] or tests:
        with tempfile.TemporaryDirectory(prefix="skep-check-") as folder:
            try:
                getattr(Test(sys.argv[1], folder), name)()
                print(f"ok - {name}")
            except AssertionError as e:
                failed += 1
                print(f"not ok - {name}")
                print("".join(f"# {line}\n" for line in str(e).splitlines()), end="")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
