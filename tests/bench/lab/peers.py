# SPDX-License-Identifier: Apache-2.0
"""
The tools that are compared, and how each is told to watch one workload only.

A peer is a row.  `argv` makes its command line from a `Target`; None: nothing traces.
Its lines go to a file in memory, as all others' do.  Adding one: a row in the function of
its bench.
"""

import dataclasses
import os
import shutil
from typing import Callable, Optional


def has(*commands):
    gone = [c for c in commands if not shutil.which(c)]
    return f"{', '.join(gone)} is not installed (tools/bootstrap bench)" if gone else None


def has_headers():
    if os.environ.get("BCC_KERNEL_SOURCE") or os.path.isdir(f"/lib/modules/{os.uname().release}/build"):
        return None
    return "bcc compiles against kernel headers, and there are none for this kernel"


def has_kprobes():
    with open("/proc/kallsyms", encoding="ascii") as f:
        if any(line.split()[2] == "register_kprobe" for line in f):
            return None
    return "it attaches kprobes, and this kernel has none"


def first(*reasons):
    return next((r for r in reasons if r), None)


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    argv: Optional[Callable] = None
    why_not: Callable = lambda: None
    wraps: bool = False  # starts the workload itself
    tracing: bool = False  # needs tracefs
    pinned: bool = True  # to a processor of its own
    watches_other: bool = False  # nothing of the workload is in its scope
    per_op: int = 1  # lines for each turn of the workload
    slower: int = 1  # its workload does so many times less


UNTRACED = Peer("untraced")


def skeps(skep, events, per_op):
    def argv(json):
        return lambda t: [
            skep, "watch", "--cgroup", t.cgroup, "--events", events, "-o", t.out, *json
        ]

    return [
        Peer("skep", argv([]), per_op=per_op),
        Peer("skep --json", argv(["--json"]), per_op=per_op),
        Peer(
            "skep, other cgroup",
            lambda t: [skep, "watch", "--cgroup", t.other, "--events", events, "-o", t.out],
            watches_other=True, per_op=0,
        ),
    ]


def straces(calls, slower):
    """It stops the workload, so it is fastest on the same processor; it starts it, so
    that --seccomp-bpf (only the calls in question stop) can be shown too."""
    def argv(*more):
        return lambda t: ["strace", "-f", "-qq", *more, "-e", f"trace={calls}", "-o", t.out]

    return [
        Peer(f"strace -f -e {calls}", argv(), lambda: has("strace"), wraps=True, slower=slower),
        Peer("strace --seccomp-bpf", argv("--seccomp-bpf"), lambda: has("strace"), wraps=True, slower=slower),
    ]


def bpftrace(name, program, per_op=1):
    """`program` gets the target; str.format would fight with its braces."""
    return Peer(
        name, lambda t: ["bpftrace", "-e", program(t)], lambda: has("bpftrace"), tracing=True, per_op=per_op
    )


def kprobe_tool(name, *options):
    def why_not():
        return first(has(name), has_kprobes(), has_headers())

    return Peer(name, lambda t: [name, *(o(t) for o in options)], why_not, tracing=True)


def open_peers(skep):
    enter = "tracepoint:syscalls:sys_enter_openat"
    leave = "tracepoint:syscalls:sys_exit_openat"
    return [
        UNTRACED,
        *skeps(skep, "open,write,create", 1),
        bpftrace("bpftrace, enter", lambda t: (
            f'{enter} /pid == {t.pid}/ {{ printf("%d %s %s\\n", pid, comm, str(args->filename)); }}'
        )),
        bpftrace("bpftrace, exit", lambda t: (
            f"{enter} /pid == {t.pid}/ {{ @name[tid] = args->filename; }}"
            f'{leave} /@name[tid]/ {{ printf("%d %s %d %s\\n", pid, comm, args->ret, str(@name[tid]));'
            f" delete(@name[tid]); }}"
        )),
        Peer(
            "trace-bpfcc, no name",
            lambda t: ["trace-bpfcc", "-p", str(t.pid), 't:syscalls:sys_enter_openat "%d", args->dfd'],
            lambda: first(has("trace-bpfcc"), has_headers()), tracing=True,
        ),
        kprobe_tool("opensnoop-bpfcc", lambda t: f"--pid={t.pid}"),
        *straces("openat", 30),
    ]


def exec_peers(skep):
    def here(t):
        return f'/cgroup == cgroupid("{t.cgroup}")/'

    return [
        UNTRACED,
        *skeps(skep, "exec,exit", 2),
        bpftrace("bpftrace, execve", lambda t: (
            f"tracepoint:syscalls:sys_enter_execve {here(t)} {{ join(args->argv); }}"
        )),
        bpftrace("bpftrace, exec+exit", lambda t: (
            f"tracepoint:syscalls:sys_enter_execve {here(t)} {{ join(args->argv); }}"
            f'tracepoint:sched:sched_process_exit {here(t)} {{ printf("%s %d ended\\n", comm, pid); }}'
        ), per_op=2),
        kprobe_tool("execsnoop-bpfcc", lambda t: f"--ppid={t.pid}"),
        *straces("execve", 4),
    ]


def connect_peers(skep):
    return [
        UNTRACED,
        *skeps(skep, "connect,accept,close", 4),
        bpftrace("bpftrace, sock:inet_sock_set_state", lambda t: (
            "tracepoint:sock:inet_sock_set_state"
            f' /cgroup == cgroupid("{t.cgroup}") && (args->newstate == 1 || args->newstate == 7)/'
            ' { printf("%d %s %s %d %s %d %d\\n", pid, comm, ntop(args->family, args->saddr),'
            " args->sport, ntop(args->family, args->daddr), args->dport, args->newstate); }"
        ), per_op=4),
        kprobe_tool("tcpconnect-bpfcc", lambda t: f"--pid={t.pid}"),
        *straces("connect,accept,close", 10),
    ]
