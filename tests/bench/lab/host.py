# SPDX-License-Identifier: Apache-2.0
"""
The machine under the benches: what it is, and what is made on it and removed again.

Everything that a bench starts or makes goes through one `Host`, used as a context: at its
end, however it comes, the processes are ended by their ids, and the cgroups, the folders
and the mounts are gone.  Peers need tracefs; it is mounted in a mount namespace that only
they enter, so the machine itself stays as it is.
"""

import ctypes
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from lab import steal
from lab.table import progress

WORK = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "work")
PR_SET_PDEATHSIG = 1
CLONE_NEWNS = 0x00020000
LIBC = ctypes.CDLL(None, use_errno=True)


class Cannot(Exception):
    """A tool, or a whole bench, does not work here; the text says why."""


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def cgroup2():
    for line in read("/proc/self/mounts").splitlines():
        _, where, kind = line.split()[:3]
        if kind == "cgroup2":
            return where
    raise Cannot("there is no cgroup2 file system; mount one")


def machine_line():
    model = re.search(r"^model name\s*: (.*)$", read("/proc/cpuinfo"), re.M)
    memory = int(re.search(r"MemTotal:\s+(\d+)", read("/proc/meminfo")).group(1))
    return (
        f"{model.group(1) if model else os.uname().machine}, {os.cpu_count()} cpus, "
        f"{memory / 2**20:.0f} GiB, Linux {os.uname().release}, load {read('/proc/loadavg').split()[0]}"
    )


def disturbances():
    """What makes the numbers doubtful; the benches run all the same."""
    if float(read("/proc/loadavg").split()[0]) > 0.5:
        yield "other programs run beside this: minima are nearer to the truth than medians"
    if read("/proc/sys/kernel/bpf_stats_enabled").strip() != "0":
        yield "kernel.bpf_stats_enabled is on and makes each BPF program slower"
    r = subprocess.run(["bpftool", "prog", "show"], capture_output=True, text=True, check=False)
    tracing = len(re.findall(r"^\d+: (?:tracing|tracepoint|raw_tracepoint|kprobe|perf_event)\b", r.stdout, re.M))
    if tracing:
        yield f"{tracing} BPF tracing programs of others are loaded: untraced is slower than it is"


def remove_cgroup(folder):
    """What is just ending in there holds it for a moment."""
    for wait_s in [0.01] * 20 + [0.1] * 20:
        try:
            return os.rmdir(folder)
        except OSError as e:
            error = e
            time.sleep(wait_s)
    print(f"{folder} is left behind: {error.strerror}", file=sys.stderr)


class Host:
    """One run: its processes, cgroups and folders."""

    def __init__(self, tracer_cpu=1):
        self.all_cpus = os.sched_getaffinity(0)
        self.tracee_cpu = 0
        self.tracer_cpu = tracer_cpu if (os.cpu_count() or 1) > 1 else 0
        self.processes = []
        self.groups = []
        self.dir = self.out = None
        self.tracing_ns = None
        self.scripts = None  # a folder of *.bt

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.dir = tempfile.mkdtemp(prefix="skep-bench-")
        self.out = tempfile.mkdtemp(prefix="skep-bench-", dir="/dev/shm")
        os.sched_setaffinity(0, {self.tracer_cpu})
        return self

    def take(self, program):
        """A copy, so that a build beside us does not change what is measured."""
        return shutil.copy2(program, os.path.join(self.dir, "skep"))

    def __exit__(self, *_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for p in self.processes:
            if p.poll() is None:
                p.kill()
                p.wait()
        for folder in reversed(self.groups):
            remove_cgroup(folder)
        if self.tracing_ns is not None:
            os.close(self.tracing_ns)
        shutil.rmtree(self.dir, ignore_errors=True)
        shutil.rmtree(self.out, ignore_errors=True)

    def settle(self):
        """For runs of milliseconds: begin when the machine's own host is calm (lab/steal.py)."""
        steal.settle(self.all_cpus, progress)

    def compile(self, name):
        """The program of work/NAME.c; a line `build: FLAGS` in it is obeyed."""
        source, out = f"{WORK}/{name}.c", os.path.join(self.dir, f"bench-{name}")
        if not os.path.exists(out):
            flags = re.search(r"build: (.*?)(?: \*/)?$", read(source), re.M)
            subprocess.run(
                ["gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", "-o", out, source]
                + (flags.group(1).split() if flags else []),
                check=True,
            )
        return out

    def file(self, name):
        """A path in memory for what a tracer writes."""
        return os.path.join(self.out, name)

    def cgroup(self, name):
        folder = f"{cgroup2()}/skep-bench-{os.getpid()}-{name}"
        if folder not in self.groups:
            os.mkdir(folder)
            self.groups.append(folder)
        return folder

    def enter(self, folder, pid):
        write(f"{folder}/cgroup.procs", str(pid))

    def spawn(self, argv, cpu, tracing=False, **popen):
        """Starts a program that ends with us; `cpu` None: anywhere; `tracing`: sees tracefs."""
        ns = self.tracefs() if tracing else None

        def before_exec():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            os.sched_setaffinity(0, self.all_cpus if cpu is None else {cpu})
            # ignored when we run in the background of a shell; Python's tools inherit that
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            if ns is not None:
                LIBC.setns(ns, CLONE_NEWNS)

        # bcc's tools are Python, and keep lines back when they do not write to a terminal
        env = {**os.environ, "PYTHONUNBUFFERED": "1", "LC_ALL": "C"}
        p = subprocess.Popen(argv, preexec_fn=before_exec, env=env, **popen)
        self.processes.append(p)
        return p

    def tracefs(self):
        """A mount namespace with tracefs and debugfs, made once."""
        if self.tracing_ns is None:
            # most machines have them
            script = (
                "is() { stat -f -c %T /sys/kernel/$1 | grep -qx $2; };"
                "{ is tracing tracefs || mount -t tracefs tracefs /sys/kernel/tracing; } &&"
                "{ is debug debugfs || mount -t debugfs debugfs /sys/kernel/debug; } &&"
                "echo ready && read end"
            )
            keeper = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            self.processes.append(keeper)
            if keeper.stdout.readline() != "ready\n":
                raise Cannot("tracefs cannot be mounted")
            self.tracing_ns = os.open(f"/proc/{keeper.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        return self.tracing_ns


def cpu_ns(pid, waiting=False):
    """Time on a processor, or waiting for one, of all threads that live."""
    spent = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            spent += int(read(path).split()[1 if waiting else 0])
        except (OSError, IndexError):
            pass
    return spent


def peak_kb(pid):
    """Peak resident memory of the program that runs now, not of what it was forked from."""
    m = re.search(r"VmHWM:\s+(\d+)", read(f"/proc/{pid}/status"))
    return int(m.group(1)) if m else 0


def kernel_kb(pid):
    """Memory of the BPF maps whose descriptors it holds."""
    spent = {}
    for path in glob.glob(f"/proc/{pid}/fdinfo/*"):
        try:
            text = read(path)
        except OSError:
            continue
        map_id = re.search(r"^map_id:\s+(\d+)", text, re.M)
        memlock = re.search(r"^memlock:\s+(\d+)", text, re.M)
        if map_id and memlock:
            spent[map_id.group(1)] = int(memlock.group(1))
    return sum(spent.values()) // 1024
