#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Runs `skep load`: objects in C (load/*.bpf.c) and those that `skep trace --emit` writes.

    load.py SKEP [NAME…]

TAP comes out.  It needs root, clang and libbpf's headers.  The programs say something
only of processes named "skep-loadtest", which are the ones that it starts here.
"""

import glob
import json
import os
import platform
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

# What `skep trace` prints and what `skep load` prints of its object are the same.
SCRIPTS = {
    "maps and values": """
        begin { @a["x", 1] = 2; @c = count(); @h = hist(5); @l = lhist(3, 0, 10, 2); @s = stats(4);
            @t = (1, "two", (3, 4)); print(@a); print((1, comm)); clear(@c); }
        end { printf("%s %d %r\\n", "end", -1, buf("abc", 3)); }""",
    "places of messages": """begin { errorf("oops %d", 1); warnf("hm"); @a[1] = 1; @b = @a[2]; }
        end { @x = str((uint64)8); }""",
    "members of the kernel's structs": """
        rawtracepoint:sched_process_exec /args.p->tgid == cpid/ {
            printf("%s %s %d\\n", args.p->comm, str(args.bprm->filename), args.p->mm->map_count > 0);
            printf("%d %d\\n", curtask->real_parent->tgid == ppid, curtask->cred->uid.val);
            printf("%d\\n", curtask->nsproxy->uts_ns->ns.inum > 0); }""",
    "a tracepoint's fields": """
        tracepoint:sched:sched_process_exit /pid == cpid/ { printf("%s %d\\n", args.comm, args.prio); }""",
    "system calls": """
        tracepoint:syscalls:sys_enter_* /pid == cpid && comm == "true"/ { @[probe] = count(); }
        tracepoint:syscalls:sys_enter_openat /pid == cpid && comm == "true"/ {
            printf("%s\\n", str(args.filename)); }""",
    "addresses and processors": """
        rawtracepoint:sched_process_exec /pid == cpid/ { @s = sum(7); @c = count();
            if (@s == 7) { printf("%s %d\\n", ksym(kaddr("schedule")), (int64)@c); } }""",
}

# Program of bad.bpf.c: exit status, and pieces of what is said.
REFUSALS = {
    "no_bound": (1, ["bad.bpf.c:27: the kernel refused this: ", "return v[i];"]),
    "no_function": (None, ["there_is_no_such_function"]),
    "no_event": (77, ["there is no tp/sched/there_is_no_such_event to attach"]),
    "no_interface": (77, ["--iface NAME"]),
    "no_cgroup": (77, ["--cgroup PATH"]),
    "for_tc": (77, ["tc filter add dev"]),
    "no_place": (77, ["SEC(\"kprobe/NAME\")"]),
    "no_member": (77, ["this kernel has no struct task_struct.there_is_no_such_member"]),
}


class Skip(Exception):
    """This machine lacks what the test needs."""


class Tests:
    def __init__(self, skep, folder):
        self.skep, self.folder = f"{folder}/skep-loadtest", folder
        os.symlink(os.path.abspath(skep), self.skep)
        self.objects = {}
        include = f"/usr/include/{platform.machine()}-linux-gnu"
        for source in glob.glob(f"{HERE}/load/*.bpf.c"):
            name = os.path.basename(source)[:-6]
            self.objects[name] = f"{folder}/{name}.bpf.o"
            argv = ["clang", "-target", "bpf", "-g", "-O2", "-I", include]
            argv += ["-D__TARGET_ARCH_" + ("arm64" if platform.machine() == "aarch64" else "x86")]
            argv += ["-c", os.path.basename(source), "-o", self.objects[name]]
            subprocess.run(argv, cwd=f"{HERE}/load", check=True)

    def run(self, *words, status=0, **more):
        r = subprocess.run(["skep", *words], executable=self.skep, capture_output=True, timeout=60,
                           cwd=self.folder, stdin=subprocess.DEVNULL, check=False, **more)
        out, err = r.stdout.decode(), r.stderr.decode()
        assert status in (None, r.returncode), f"status {r.returncode}\n{out}{err}"
        return out, err

    def load(self, *words, **more):
        return self.run("load", *words, **more)

    def emit(self, script, *words, name="q.o"):
        return self.run("trace", "-c", "/bin/true", "--emit", name, "-e", script, *words)

    # --- objects in C

    def test_list(self):
        out, _ = self.load("--list", self.objects["say"])
        for piece in ("on_exec\n    section tracepoint/syscalls/sys_enter_execve; tracepoint",
                      "events\n    ringbuf, 4096", "counts\n    hash, 16 × (20 → 8 bytes)",
                      "license Dual BSD/GPL, with types"):
            assert piece in out, out
        out, _ = self.load("--list", "--json", self.objects["say"])
        kinds = [json.loads(line)["type"] for line in out.splitlines()]
        assert kinds.count("program") == 4 and kinds.count("map") >= 4, out

    def test_all_it_says(self):
        out, err = self.load("-c", "/bin/echo said", self.objects["say"])
        assert not err, err
        for piece in ("Attached 4 programs\n", "said\n", ": hello from say\n",
                      'samples: { .pid = 9, .comm = "sample" }\n',
                      'events: { .pid = 7, .comm = "skep-loadtest", .colour = GREEN, .low = 5, .high = 17, '
                      ".numbers = [-1,2,3], .number = 65, .letter = 65 }\n",
                      'counts[{ .pid = 1, .comm = "skep-loadtest" }]: 1\n', "seen: 1\n"):
            assert piece in out, f"no {piece!r} in\n{out}"
        assert re.search(r"^by_cpu\[1\]: \[.*\b41\b.*\]$", out, re.M), out

    def test_all_it_says_as_json(self):
        out, _ = self.load("--json", "-q", "-c", "/bin/true", self.objects["say"])
        said = [json.loads(line) for line in out.splitlines()]
        of = {x.get("map", x["type"]): x["data"] for x in said}
        assert of["events"]["numbers"] == [-1, 2, 3] and of["events"]["high"] == 17, out
        assert of["samples"] == {"pid": 9, "comm": "sample"}, out
        assert of["counts"] == [{"key": {"pid": 1, "comm": "skep-loadtest"}, "value": 1}], out
        assert of["printk"]["text"] == "hello from say", out
        assert sum(of["by_cpu"][0]["value"]) == 41, out

    def test_one_program(self):
        out, _ = self.load("--prog", "on_c*", "-c", "/bin/true", self.objects["say"])
        assert "Attached 1 program\n" in out and "counts[" in out and "events" not in out, out
        _, err = self.load("--prog", "none", self.objects["say"], status=1)
        assert "has no program none" in err and "--list" in err, err

    def test_type_by_name(self):
        out, _ = self.load("-q", "--type", "key", "--prog", "on_record", "-c", "/bin/true",
                           self.objects["say"])
        assert 'events: { .pid = 7, .comm = "skep-loadtest" }' in out, out

    def test_refusals(self):
        for name, (status, pieces) in REFUSALS.items():
            _, err = self.load("--for", "50ms", "--prog", name, self.objects["bad"], status=status)
            for piece in pieces:
                assert piece in err, f"{name}: no {piece!r} in\n{err}"

    def test_no_object(self):
        _, err = self.load(__file__, status=1)
        assert "no object file" in err, err
        _, err = self.load("/bin/true", status=1)
        assert "another processor" in err and "clang -target bpf" in err, err
        _, err = self.load("/nonexistent", status=1)
        assert "cannot read" in err, err

    # --- objects of `skep trace --emit`

    def test_same_as_the_script(self):
        for name, script in SCRIPTS.items():
            _, warnings = self.emit(script)
            direct = self.run("trace", "-c", "/bin/true", "-e", script)
            loaded = self.load("-c", "/bin/true", "q.o")
            assert direct[0] == loaded[0], f"{name}:\n{direct[0]}---\n{loaded[0]}"
            said = direct[1].replace(warnings, "", 1)
            assert said == loaded[1], f"{name}:\n{said}---\n{loaded[1]}"
            json_direct = self.run("trace", "--json", "-c", "/bin/true", "-e", script)[0]
            assert json_direct == self.load("--json", "-c", "/bin/true", "q.o")[0], name

    def test_without_source(self):
        script = 'begin { warnf("geheim"); @wort = 1; } // verraten'
        self.emit(script, "--no-source")
        with open(f"{self.folder}/q.o", "rb") as f:
            assert b"verraten" not in f.read()
        _, err = self.load("-c", "/bin/true", "q.o")
        assert "stdin:1:9-24: WARNING: geheim" in err, err

    def test_facts(self):
        self.emit(SCRIPTS["members of the kernel's structs"])
        out, _ = self.load("--list", "q.o")
        assert re.search(r"member task_struct\.comm at \d+: \d+ numbers? follows? it", out), out
        assert "function btf_trace_sched_process_exec: must be the same" in out, out
        assert "this very kernel" not in out, out
        self.emit("BEGIN { $t = (struct task_struct *)0; print($t + 1); }")
        out, _ = self.load("--list", "q.o")
        assert "this very kernel: must be the same" in out, out

    def test_needs(self):
        self.emit("BEGIN { print(cpid > 0); }")
        _, err = self.load("q.o", status=2)
        assert "-c COMMAND" in err, err
        self.emit('BEGIN { system("echo ran"); exit(); }', "--unsafe")
        _, err = self.load("q.o", status=1)
        assert "--unsafe" in err, err
        assert "ran" in self.load("--unsafe", "q.o")[0]

    def test_damaged(self):
        self.emit("BEGIN { @a = 1; exit(); }")
        with open(f"{self.folder}/q.o", "rb") as f:
            good = f.read()
        at = good.index(b"skepqst\0")
        for what, bytes_ in {
            "another version of skep": good[: at + 8] + b"\x7f" + good[at + 9:],
            "another kind of processor": good[: at + 9] + b"\x7f" + good[at + 10:],
            "is damaged": good[: at + 30] + b"\xff" * 40 + good[at + 70:],
        }.items():
            with open(f"{self.folder}/bad.o", "wb") as f:
                f.write(bytes_)
            _, err = self.load("bad.o", status=None)
            assert what in err, f"{what}: {err}"


def main():
    names = sys.argv[2:]
    if os.geteuid():
        print("1..0 # SKIP only root can attach")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory(prefix="skep-load-") as folder:
        tests = Tests(sys.argv[1], folder)
        all_names = [n for n in dir(tests) if n.startswith("test_") and (not names or n[5:] in names)]
        print(f"1..{len(all_names)}")
        for name in all_names:
            try:
                getattr(tests, name)()
                print(f"ok {name[5:].replace('_', ' ')}")
            except Skip as e:
                print(f"ok {name[5:]} # SKIP {e}")
            except (AssertionError, subprocess.SubprocessError, KeyError, ValueError) as e:
                failed += 1
                print(f"not ok {name[5:].replace('_', ' ')}")
                for line in f"{type(e).__name__} {e}".splitlines():
                    print(f"# {line}")
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
