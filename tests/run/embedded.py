#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Without privileges: what a user of no capabilities gets.        tests/run/embedded.py SKEP

As root the commands run as user 65534 with empty capability sets, else as who runs this.
What the embedded runtime prints is compared with the kernel's where that may be asked.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

OPENS = 't:syscalls:sys_enter_openat { printf("%s %s\\n", comm, str(args.filename)); }'
IS_ROOT = os.geteuid() == 0
UNPRIVILEGED = "setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all".split()
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/"}


def run(*argv, as_nobody=True):
    argv = [*(UNPRIVILEGED if IS_ROOT and as_nobody else []), *argv]
    return subprocess.run(argv, cwd="/", env=ENV, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True)


def opens(r):
    return [l for l in r.stdout.splitlines() if l.startswith("ls ")]


def same_as_kernel(skep):
    """The same lines as a privileged run of the same program by the same user"""
    mine = opens(run(skep, "trace", "-q", "-c", "ls /", OPENS))
    if not mine:
        return "nothing was printed"
    if not IS_ROOT:
        return None
    argv = " ".join([*UNPRIVILEGED, "ls /"])
    kernel = opens(run(skep, "trace", "-q", "--runtime", "kernel", "-c", argv, OPENS,
                       as_nobody=False))
    return None if mine == kernel else f"{mine} is not {kernel}"


def chosen_by_itself(skep):
    """It says that it traces the command itself, unless it is to be quiet"""
    loud = run(skep, "trace", "-c", "true", OPENS)
    quiet = run(skep, "trace", "-q", "-c", "true", OPENS)
    if loud.returncode or "runs in skep itself" not in loud.stderr:
        return loud.stderr or f"status {loud.returncode}"
    return quiet.stderr or None


def without_command(skep):
    """Without -c the message says what would work"""
    r = run(skep, "trace", OPENS)
    return None if r.returncode and "-c COMMAND" in r.stderr else r.stderr


def traced_already(skep):
    """Who traces already is named"""
    inner = f"{skep} trace -c true '{OPENS}'"
    r = run(skep, "trace", "-q", "-c", inner, "t:syscalls:sys_enter_bpf { @ = count(); }")
    return None if re.search(r"process \d+ traces skep", r.stderr) else r.stderr


def kernel_is_refused(skep):
    """What only the kernel has is refused on its line, with a reason"""
    for program in ("BEGIN { print(curtask); }", "kprobe:vfs_read { @ = count(); }",
                    "profile:hz:99 { @ = count(); }", "t:sched:sched_switch { @ = count(); }"):
        r = run(skep, "trace", "-q", "-c", "true", program)
        if r.returncode not in (1, 77) or "privileges" not in r.stderr:
            return f"{program}: status {r.returncode}: {r.stderr}"
    return None


def status_of_command(skep):
    """`skep watch` ends with the command's status"""
    r = run(skep, "watch", "-q", "--", "sh", "-c", "exit 5")
    return None if r.returncode == 5 else f"status {r.returncode}: {r.stderr}"


def no_command(skep):
    """A command that is not there"""
    r = run(skep, "watch", "-q", "--", "/no/such")
    return None if r.returncode == 127 else f"status {r.returncode}: {r.stderr}"


def nothing_is_left(skep):
    """What the command leaves in the background ends with skep"""
    r = run(skep, "trace", "-q", "-c", "sh -c 'sleep 1234567 & echo $!'", OPENS)
    pid = re.findall(r"^(\d+)$", r.stdout, re.M)
    if not pid:
        return r.stdout + r.stderr
    return f"{pid[0]} is still there" if os.path.exists(f"/proc/{pid[0]}/exe") else None


def watched_lines(skep):
    """A file that is made and read, and a connection's address"""
    script = "echo x >/tmp/embedded.$$; cat /tmp/embedded.$$; rm /tmp/embedded.$$"
    r = run(skep, "watch", "-q", "--color", "never", "--", "sh", "-c", script)
    for word in ("create", "open", "unlink"):
        if not re.search(rf" {word} +/tmp/embedded\.\d+", r.stdout):
            return f"no {word} in {r.stdout}{r.stderr}"
    return None


def blind_spots(skep):
    """It says what it cannot see"""
    r = run(skep, "watch", "--", "true")
    return None if "not seen so: datagram" in r.stderr else r.stderr


CHECKS = [same_as_kernel, chosen_by_itself, without_command, traced_already, kernel_is_refused,
          status_of_command, no_command, nothing_is_left, watched_lines, blind_spots]


def main():
    if IS_ROOT and not shutil.which("setpriv"):
        print("1..0 # SKIP no setpriv here")
        return 0
    failed = 0
    print(f"1..{len(CHECKS)}")
    with tempfile.TemporaryDirectory(prefix="skep-embedded-") as folder:
        os.chmod(folder, 0o755)
        skep = shutil.copy(sys.argv[1], folder)
        for n, check in enumerate(CHECKS, 1):
            try:
                wrong = check(skep)
            except subprocess.TimeoutExpired:
                wrong = "it does not end"
            failed += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} {n} - embedded.{check.__name__}", flush=True)
            for line in (wrong or "").splitlines():
                print(f"#   {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
