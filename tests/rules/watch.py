#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Rules over commands: what `skep watch --rules` reports, where it goes, and how it ends.

    watch.py [-v] SKEP [NAME…]

Each function test_NAME is a test, its first line says what it proves; TAP comes out.  Without
root only those run that need no kernel (the embedded runtime, recordings, messages).
"""

import argparse
import fcntl
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time

BASE = """
- rule: Secret opened
  desc: a file of this name
  condition: evt.type in (open, openat, openat2) and fd.name endswith /secret
  output: "opened file=%fd.name proc=%proc.name cmd=%proc.cmdline by=%proc.pname uid=%user.uid"
  priority: WARNING
  tags: [files, mitre]
"""
NUMBERED = """
- rule: Numbered
  desc: files of a loop
  condition: evt.type in (open, openat, openat2) and fd.name startswith %s/n
  output: "%s file=%%fd.filename"
  priority: NOTICE
"""
SUMMARY = r"Events detected: (\d+)"


class Skip(Exception):
    """Why a test can't run here."""


class Failed(Exception):
    """What was not so."""


def check(so, what):
    if not so:
        raise Failed(what)


def equal(is_, expected, what):
    if is_ != expected:
        raise Failed(f"{what} is {is_!r}, expected {expected!r}")


class Box:
    """A folder of its own, and skep in it."""

    def __init__(self, skep, folder):
        self.skep, self.folder = skep, folder
        self.said = ""

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def start(self, *args, **more):
        return subprocess.Popen(
            [self.skep, *args], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more,
        )

    def run(self, *args, status=0, **more):
        """Lines of standard output."""
        p = self.start(*args, **more)
        try:
            out, self.said = p.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            p.kill()
            out, self.said = p.communicate()
            raise Failed(f"no end: {out[-500:]} {self.said[-500:]}") from None
        if p.returncode != status:
            raise Failed(f"status {p.returncode}, expected {status}; {out[-500:]}; {self.said}")
        return out.splitlines()

    def alerts(self, *args, **more):
        """The alerts of a run with --json."""
        return [json.loads(l) for l in self.run(*args, **more) if l.startswith("{")]


def root(box):
    if os.geteuid():
        raise Skip("needs root")
    return box


# ---- forms ------------------------------------------------------------------


def test_text(box):
    """An alert is a line as Falco has it, and the command's status is skep's."""
    root(box)
    box.write("r.yaml", BASE)
    box.write("secret", "x\n")
    lines = box.run("watch", "--rules", "r.yaml", "--", "sh", "-c", "cat secret >/dev/null; exit 3",
                    status=3)
    equal(len(lines), 1, "lines")
    check(re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{9}: Warning opened file=" + re.escape(box.path("secret")) +
        r" proc=cat cmd=cat secret by=sh uid=0 container_id=host container_name=host "
        r"container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> "
        r"k8s_ns_name=<NA>", lines[0]), lines[0])
    equal(re.search(SUMMARY, box.said)[1], "1", "the summary")
    check("Triggered rules by rule name:\n   Secret opened: 1\n" in box.said, box.said)


def test_json(box):
    """Falco's keys and types, and behind them process and event as skep watch has them."""
    root(box)
    box.write("r.yaml", BASE)
    box.write("secret", "x\n")
    (a,) = box.alerts("watch", "--json", "--rules", "r.yaml", "--", "sh", "-c",
                      "cat secret >/dev/null; true")
    equal(list(a)[:8], ["hostname", "output", "priority", "rule", "source", "tags", "time",
                        "output_fields"], "keys")
    equal(a["hostname"], socket.gethostname(), "hostname")
    equal((a["priority"], a["rule"], a["source"]), ("Warning", "Secret opened", "syscall"), "rule")
    equal(a["tags"], ["files", "mitre"], "tags")
    check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", a["time"]), a["time"])
    f = a["output_fields"]
    equal(f["user.uid"], 0, "a number")
    equal(f["fd.name"], box.path("secret"), "a text")
    equal(f["container.image.tag"], None, "what is missing")
    check(isinstance(f["evt.time"], int), "evt.time")
    equal(a["event"], "open", "event")
    equal(a["process"]["args"], ["cat", "secret"], "args")
    equal(a["process"]["parents"][0]["args"][0], "sh", "parent")
    summary = json.loads(box.said.splitlines()[-1])["summary"]
    equal(summary["by_rule"], {"Secret opened": {"matches": 1, "alerts": 1}}, "summary")


def test_connection(box):
    """An alert about a connection has its ends, as events have them."""
    root(box)
    box.write("r.yaml", """
- rule: Connected
  desc: d
  condition: evt.type = connect and fd.sip = 127.0.0.1 and fd.l4proto = tcp
  output: "%proc.name to %fd.name"
  priority: NOTICE
""")
    script = ("import socket; l = socket.create_server(('127.0.0.1', 0)); "
              "c = socket.create_connection(l.getsockname()); print(l.getsockname()[1])")
    lines = box.run("watch", "--json", "-r", "r.yaml", "-o", "alerts", "--", "python3", "-c", script)
    (a,) = [json.loads(l) for l in box.read("alerts").splitlines()]
    equal(a["connection"]["remote"], "127.0.0.1:" + lines[0], "remote")
    equal(a["connection"]["protocol"], "tcp", "protocol")


def test_hostile_names(box):
    """A file's name can't forge a second alert, nor steer a terminal."""
    root(box)
    box.write("r.yaml", BASE)
    lines = box.run(
        "watch", "--rules", "r.yaml", "--", "sh", "-c",
        "d=$(printf '\\033[2J\\n00:00:00.0: Warning x'); mkdir \"$d\"; : >\"$d/secret\"")
    equal(len(lines), 1, "lines")
    check("\\e[2J\\n00:00:00.0: Warning x/secret" in lines[0], lines[0])


def test_secrets(box):
    """Rules see arguments as they are, alerts show them masked."""
    root(box)
    box.write("r.yaml", """
- rule: Password given
  desc: d
  condition: evt.type in (execve, execveat) and proc.cmdline contains hunter2
  output: "cmd=%proc.cmdline args=%proc.args evt=%evt.args up=%toupper(proc.cmdline)"
  priority: ERROR
""")
    lines = box.run("watch", "--rules", "r.yaml", "--json", "--", "env", "true",
                    "--password=hunter2")
    check(len(lines) >= 1, "no alert")
    check("hunter2" not in "\n".join(lines).lower(), "the password: " + lines[0])


def test_appended(box):
    """--append-output says more behind each alert, --plain-output less."""
    root(box)
    box.write("r.yaml", BASE)
    box.write("secret", "x\n")
    more = ["--append-output", "it's=%proc.pid", "--plain-output"]
    (a,) = box.alerts("watch", "--json", "--rules", "r.yaml", *more, "--", "cat", "secret")
    check(re.search(r"uid=0 it's=\d+$", a["output"]), a["output"])
    check(isinstance(a["output_fields"]["proc.pid"], int), "its field")
    box.run("watch", "--rules", "r.yaml", "--append-output", "%proc.nonsense", "--", "true",
            status=2)
    check("proc.nonsense" in box.said, box.said)


def test_resolved(box):
    """What a symbolic link hides is found, and the alert says so."""
    root(box)
    box.write("r.yaml", BASE)
    box.write("secret", "x\n")
    os.symlink("secret", box.path("notes"))
    (a,) = box.alerts("watch", "--json", "--rules", "r.yaml", "--", "cat", "notes")
    equal(a["by_resolved_name"], True, "by_resolved_name")
    equal(a["output_fields"]["fd.name"], box.path("notes"), "fd.name")
    check("fd_path_real=" + box.path("secret") in a["output"], a["output"])


# ---- which rules ------------------------------------------------------------


TWO = BASE + BASE.replace("Secret opened", "The same").replace("WARNING", "DEBUG")


def test_matching(box):
    """The first rule of several alone, or all of them."""
    root(box)
    box.write("r.yaml", TWO)
    box.write("secret", "x\n")
    first = box.alerts("watch", "--json", "-r", "r.yaml", "--", "cat", "secret")
    equal([a["rule"] for a in first], ["Secret opened"], "first")
    both = box.alerts("watch", "--json", "-r", "r.yaml", "--rule-matching", "all", "--", "cat",
                      "secret")
    equal([a["rule"] for a in both], ["Secret opened", "The same"], "all")


def test_choice(box):
    """Rules by name, tag and priority; a later file changes an earlier one."""
    root(box)
    box.write("r.yaml", TWO)
    box.write("secret", "x\n")
    box.write("more.yaml", "- rule: Secret opened\n  enabled: false\n  override: {enabled: replace}\n")
    for options, expected in (
            (["--disable", "Secret*"], ["The same"]),
            (["--priority", "notice"], ["Secret opened"]),
            (["-r", "more.yaml"], ["The same"]),
            (["-r", "more.yaml", "--enable", "Secret opened"], ["Secret opened"]),
    ):
        found = box.alerts("watch", "--json", "-r", "r.yaml", *options, "--", "cat", "secret")
        equal([a["rule"] for a in found], expected, " ".join(options))
    box.run("watch", "-r", "r.yaml", "--tag", "nothing", "--", "true", status=1)
    check("no rule is enabled" in box.said, box.said)


def test_events(box):
    """--events adds events, in their order with the alerts."""
    root(box)
    box.write("r.yaml", BASE)
    box.write("secret", "x\n")
    found = box.alerts("watch", "--json", "-r", "r.yaml", "--events", "exec,exit", "--",
                       "cat", "secret")
    equal([a.get("rule") or a["event"] for a in found], ["exec", "Secret opened", "exit"], "lines")


def test_own_rules(box):
    """skep's own rules are inside."""
    root(box)
    found = box.alerts("watch", "--json", "--alerts", "--", "cat", "/etc/shadow")
    check(any("/etc/shadow" in a["output"] for a in found), found)


# ---- where to ---------------------------------------------------------------


def test_outputs(box):
    """Several places at once: file, program, system's log, server."""
    root(box)
    got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(box.path("log"))
    box.write("r.yaml", BASE)
    box.write("secret", "x\n")
    places = [
        "stdout", "file:alerts.txt", "syslog:" + box.path("log"), "program:cat >fed",
        "each:cat >>each",
    ]
    if shutil.which("curl"):
        places.append(f"http://127.0.0.1:{server.server_port}/x")
    options = [w for p in places for w in ("--alert-output", p)]
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    lines = box.run("watch", "-r", "r.yaml", *options, "--", "sh", "-c",
                    "cat secret secret >/dev/null; true", env=env)
    server.shutdown()
    equal(len(lines), 2, "on standard output")
    equal(os.stat(box.path("alerts.txt")).st_mode & 0o777, 0o600, "the file's mode")
    equal(box.read("alerts.txt").splitlines(), lines, "the file")
    equal(box.read("fed").splitlines(), lines, "the program")
    equal(sorted(box.read("each").splitlines()), sorted(lines), "the programs")
    said = log.recv(9000).decode()
    check(said.startswith("<28>") and said.endswith(lines[0]), said)
    if shutil.which("curl"):
        equal([a["output"] for a in got], lines, "the server")


def test_slow_sink(box):
    """A program that reads nothing holds nobody up, and what it missed is counted."""
    root(box)
    box.write("r.yaml", NUMBERED % (box.folder, "x"))
    start = time.monotonic()
    box.run("watch", "-r", "r.yaml", "--rate", "off", "--alert-output", "program:sleep 60", "--",
            "sh", "-c", "i=0; while [ $i -lt 30000 ]; do : >n; i=$((i+1)); done")
    took = time.monotonic() - start
    check(took < 40, f"it took {took:.0f} s")
    m = re.search(r"(\d+) alerts held back, (\d+) not written, (\d+) events lost", box.said)
    check(m and int(m[2]) > 0, box.said)
    equal(int(re.search(SUMMARY, box.said)[1]) + int(m[3]), 30000, "alerts and losses")


def test_wrong_places(box):
    """Places that are none, or can't be had, are said before anything is watched."""
    root(box)
    box.write("r.yaml", BASE)
    for place, status, said in (
            ("nowhere", 2, "no place for alerts"),
            ("file:", 2, "no place for alerts"),
            ("file:/nonexistent/x", 1, "No such file"),
    ):
        box.run("watch", "-r", "r.yaml", "--alert-output", place, "--", "touch", "ran",
                status=status)
        check(said in box.said, box.said)
    check(not os.path.exists(box.path("ran")), "the command ran")


# ---- how much ---------------------------------------------------------------


def test_rate(box):
    """No more than the burst, what was held back is told."""
    root(box)
    box.write("r.yaml", NUMBERED % (box.folder, "x"))
    found = box.alerts("watch", "--json", "-r", "r.yaml", "--rate", "0.001/5", "--", "sh", "-c",
                       "i=0; while [ $i -lt 50 ]; do : >n$i; i=$((i+1)); done")
    equal([a["rule"] for a in found],
          ["Numbered"] * 5 + ["skep internal: alerts held back"], "alerts")
    equal(found[-1]["output_fields"]["held_back"], 45, "held back")
    box.run("watch", "-r", "r.yaml", "--rate", "many", "--", "true", status=2)


def reload_loop(box, seconds, between):
    """A loop opens numbered files while `between` is called again and again."""
    script = ("i=0; end=$(($(date +%%s)+%d)); while [ $(($i %% 100)) -ne 0 ] || "
              "[ $(date +%%s) -lt $end ]; do : >n$i; i=$((i+1)); done; echo $i >count" % seconds)
    p = box.start("watch", "--json", "-r", "r.yaml", "--rate", "off", "--plain-output",
                  "--ring-size", "16M", "--alert-output", "file:" + box.path("alerts"), "--",
                  "sh", "-c", script)
    while not os.path.exists(box.path("n1")) and p.poll() is None:
        time.sleep(0.05)
    n = 0
    while not os.path.exists(box.path("count")) and p.poll() is None:
        between(p, n)
        n += 1
        time.sleep(0.7)
    _, box.said = p.communicate(timeout=60)
    return n


def test_reload(box):
    """SIGHUP while a loop opens files: each is reported once, by the old rules or the new."""
    root(box)
    box.write("r.yaml", NUMBERED % (box.folder, "set0"))

    def swap(p, n):
        box.write("new", NUMBERED % (box.folder, f"set{n + 1}"))
        os.rename(box.path("new"), box.path("r.yaml"))
        p.send_signal(signal.SIGHUP)

    reloads = reload_loop(box, 6, swap)
    found = [json.loads(l) for l in box.read("alerts").splitlines()]
    names = [a["output_fields"]["fd.filename"] for a in found if a["source"] == "syscall"]
    count = int(box.read("count"))
    sets = {re.search(r"set\d+", a["output"])[0] for a in found if a["source"] == "syscall"}
    check(reloads >= 3 and len(sets) >= 3, f"{reloads} reloads, {sorted(sets)}; {box.said}")
    check("events lost" not in "".join(a["rule"] for a in found), "events were lost")
    equal(len(names), len(set(names)), "told twice")
    equal(set(f"n{i}" for i in range(count)) - set(names), set(), "never told")


def test_hangup(box):
    """SIGHUP of a terminal that is gone ends the watch."""
    root(box)
    box.write("r.yaml", BASE)
    box.write("secret", "x\n")
    master, slave = os.openpty()
    p = subprocess.Popen(
        [box.skep, "watch", "-r", "r.yaml", "-o", "alerts", "--", "sh", "-c",
         "trap '' HUP; sleep 20"],
        cwd=box.folder, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0))
    os.close(slave)
    time.sleep(2)
    check(p.poll() is None, "it does not run")
    os.close(master)
    try:
        p.wait(timeout=10)
    except subprocess.TimeoutExpired:
        p.kill()
        raise Failed("it goes on") from None


def test_bad_reload(box):
    """A file with errors changes nothing, and is said."""
    root(box)
    box.write("r.yaml", NUMBERED % (box.folder, "set0"))

    def break_it(p, n):
        box.write("r.yaml", "- rule: Numbered\n  condition: fd.nonsense = 1\n  desc: d\n"
                            "  output: x\n  priority: NOTICE\n")
        p.send_signal(signal.SIGHUP)

    reload_loop(box, 2, break_it)
    found = [json.loads(l) for l in box.read("alerts").splitlines()]
    equal(len(found), int(box.read("count")), "alerts")
    check("fd.nonsense" in box.said and "the old rules stay" in box.said, box.said)


def test_flood(box):
    """Who floods loses its own events, and is named; a neighbour's are all there."""
    root(box)
    with open("/proc/mounts", encoding="utf-8") as f:
        mounts = [l.split()[1] for l in f if l.split()[2] == "cgroup2"]
    if not mounts:
        raise Skip("no cgroup2")
    parent = os.path.join(mounts[0], f"skep-test-{os.getpid()}")
    inside = "echo $$ >%s/%s/cgroup.procs; "
    box.write("r.yaml", NUMBERED % (box.folder, "x"))
    try:
        for name in ("", "loud", "quiet"):
            os.mkdir(os.path.join(parent, name))
        p = box.start("watch", "--json", "-r", "r.yaml", "--rate", "off", "--cgroup", parent,
                      "--ring-size", "256K", "-o", "alerts")
        time.sleep(1.5)
        loud = subprocess.Popen(
            ["sh", "-c", inside % (parent, "loud") +
             "i=0; while [ $i -lt 100000 ]; do : >nl; i=$((i+1)); done"], cwd=box.folder)
        subprocess.run(
            ["sh", "-c", inside % (parent, "quiet") +
             "i=0; while [ $i -lt 100 ]; do : >nq$i; sleep 0.01; i=$((i+1)); done"],
            cwd=box.folder, check=True)
        loud.wait()
        time.sleep(1.5)
        p.send_signal(signal.SIGINT)
        _, box.said = p.communicate(timeout=60)
    finally:
        for name in ("loud", "quiet", ""):
            os.rmdir(os.path.join(parent, name))
    found = [json.loads(l) for l in box.read("alerts").splitlines()]
    quiet = {a["output_fields"]["fd.filename"] for a in found if a["source"] == "syscall"} - {"nl"}
    own = [a["output"] for a in found if a["rule"] == "skep internal: a cgroup floods"]
    if not any(a["rule"] == "skep internal: events lost" for a in found):
        raise Skip("this machine is too fast: nothing was lost")
    check(own and "/loud" in own[0], own)
    equal(set(f"nq{i}" for i in range(100)) - quiet, set(), "lost of the neighbour")


def test_count(box):
    """--count ends after so many alerts; the command goes on."""
    root(box)
    box.write("r.yaml", NUMBERED % (box.folder, "x"))
    lines = box.run("watch", "-r", "r.yaml", "--count", "3", "--", "sh", "-c",
                    "i=0; while [ $i -lt 50 ]; do : >n$i; i=$((i+1)); done")
    equal(len(lines), 3, "alerts")


def test_older_processes(box):
    """What is known of processes that are older than skep decides below, too."""
    root(box)
    with open("/proc/mounts", encoding="utf-8") as f:
        mounts = [l.split()[1] for l in f if l.split()[2] == "cgroup2"]
    if not mounts:
        raise Skip("no cgroup2")
    folder = os.path.join(mounts[0], f"skep-test-{os.getpid()}")
    rules = """
- rule: Older
  desc: d
  condition: evt.type in (open, openat) and proc.cmdline contains %s and fd.name contains %s/n
  output: "%%proc.name %%fd.filename"
  priority: NOTICE
"""
    box.write("right.yaml", rules % ("'marked-word'", box.folder))
    box.write("wrong.yaml", rules % ("'other-word'", box.folder))
    loop = 'while read n; do : >"$n"; done'
    os.mkdir(folder)
    try:
        older = subprocess.Popen(
            ["sh", "-c", f"echo $$ >{folder}/cgroup.procs; exec sh -c '{loop}' marked-word"],
            cwd=box.folder, stdin=subprocess.PIPE, text=True)
        for name, expected in (("right", 100), ("wrong", 0)):
            p = box.start("watch", "--json", "-r", name + ".yaml", "--cgroup", folder)
            time.sleep(2)
            for i in range(100):
                older.stdin.write(f"n{i}\n")
                older.stdin.flush()
            time.sleep(0.5)
            p.send_signal(signal.SIGINT)
            out, box.said = p.communicate(timeout=60)
            equal(len(out.splitlines()), expected, name)
            summary = json.loads(box.said.splitlines()[-1])["summary"]
            check(summary["for_nothing"] < 5, f"{name}: {summary}")
    finally:
        older.stdin.close()
        older.wait()
        os.rmdir(folder)


def test_stats(box):
    """SIGUSR1 shows what rules and deciders saw."""
    root(box)
    box.write("r.yaml", BASE)
    box.write("secret", "x\n")
    p = box.start("watch", "-r", "r.yaml", "--", "sh", "-c", "cat secret >/dev/null; sleep 2")
    time.sleep(1.5)
    p.send_signal(signal.SIGUSR1)
    _, said = p.communicate(timeout=60)
    check(re.search(r"^ +1 +1  Secret opened$", said, re.M), said)
    check(re.search(r"^open +[1-9]\d* +-$", said, re.M), said)


def test_stats_timed(box):
    """--stats times the deciders, and is JSON where all is."""
    root(box)
    box.write("r.yaml", BASE)
    box.write("secret", "x\n")
    box.run("watch", "-r", "r.yaml", "--stats", "--", "cat", "secret")
    runs, ns = re.search(r"^open +(\d+) +(\d+)$", box.said, re.M).groups()
    check(int(runs) > 0 and int(ns) > 0, box.said)
    box.run("watch", "-r", "r.yaml", "--stats", "--json", "--", "cat", "secret")
    stats = next(json.loads(l)["stats"] for l in box.said.splitlines() if l.startswith('{"stats'))
    check(stats["deciders"]["open"]["runs"] > 0 and stats["deciders"]["open"]["ns"] > 0, stats)
    check(stats["by_rule"]["Secret opened"] == {"matches": 1, "alerts": 1}, stats)


# ---- errors -----------------------------------------------------------------


def test_errors(box):
    """Errors of rule files are shown with their line, and nothing runs."""
    box.write("r.yaml", BASE + "- rule: Bad\n  desc: d\n  condition: fd.nonsense = 1\n"
                               "  output: x\n  priority: NOTICE\n")
    box.run("watch", "-r", "r.yaml", "--runtime", "embedded", "--", "touch", "ran", status=1)
    check("r.yaml:10:" in box.said and "fd.nonsense" in box.said, box.said)
    box.run("watch", "-r", "missing.yaml", "--runtime", "embedded", "--", "true", status=1)
    check("missing.yaml" in box.said, box.said)
    check(not os.path.exists(box.path("ran")), "the command ran")


# ---- elsewhere --------------------------------------------------------------


def test_shadow(box):
    """Shadow mode finds no difference between kernel and user space."""
    root(box)
    box.write("r.yaml", BASE)
    box.write("secret", "x\n")
    lines = box.run("watch", "-r", "r.yaml", "--shadow", "--", "sh", "-c", "cat secret; ls; true")
    check(any("Secret" in l or "opened file" in l for l in lines), lines)
    check("shadow: 0 matches" in box.said, box.said)


def test_replay(box):
    """A recording gives the alerts of the live run."""
    root(box)
    box.write("r.yaml", BASE)
    box.write("secret", "x\n")
    live = box.run("watch", "-r", "r.yaml", "--record", "f.skep", "--json", "--", "sh", "-c",
                   "cat secret >/dev/null; exec cat secret >/dev/null")
    again = box.run("replay", "f.skep", "-r", "r.yaml", "--json")
    equal(len(live), 2, "alerts")
    equal(again, live, "alerts of the replay")
    box.run("replay", "f.skep", "-r", "r.yaml", "--shadow")
    check("shadow: 0 matches" in box.said, box.said)


def test_embedded(box):
    """Without privileges, over a command that skep traces itself."""
    box.write("r.yaml", BASE)
    box.write("secret", "x\n")
    os.chmod(box.folder, 0o755)
    more = {"user": 65534, "group": 65534, "extra_groups": []} if not os.geteuid() else {}
    lines = box.run("watch", "-r", "r.yaml", "--runtime", "embedded", "--shadow", "--", "sh", "-c",
                    "cat secret >/dev/null; exit 4", status=4, **more)
    equal(len(lines), 1, "lines")
    check("opened file=" + box.path("secret") + " proc=cat" in lines[0], lines[0])
    check("shadow: 0 matches" in box.said, box.said)


TESTED = BASE + """  tests:
    - name: cat
      run: "cd $(mktemp -d) && : >secret; rm -r $PWD"
      expect: alert
      output: /secret
    - name: another file
      run: ": </etc/passwd"
      expect: none
    - name: goes wrong
      run: "true"
      expect: alert
    - name: not here
      run: "true"
      expect: alert
      needs: kernel root
"""


def test_rules_test(box):
    """skep rules test runs the tests of a file, and says which fail."""
    box.write("r.yaml", TESTED)
    os.chmod(box.folder, 0o755)
    more = {"user": 65534, "group": 65534, "extra_groups": []} if not os.geteuid() else {}
    lines = box.run("rules", "test", "--runtime", "embedded", "r.yaml", status=1, **more)
    marks = [l for l in lines if re.match(r"(not )?ok ", l)]
    equal(marks, ["ok 1 - Secret opened: cat", "ok 2 - Secret opened: another file",
                  "not ok 3 - Secret opened: goes wrong",
                  "ok 4 - Secret opened: not here # SKIP needs programs in the kernel"], "marks")
    check("1..4" in lines, lines)
    lines = box.run("rules", "test", "--runtime", "embedded", "--json", "--only", "*: cat", "r.yaml",
                    **more)
    equal(json.loads(lines[0])["result"], "passed", "result")
    equal(json.loads(lines[-1]), {"passed": 1, "failed": 0, "skipped": 0}, "count")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-v", action="store_true", help="show what skep said, of failures")
    parser.add_argument("skep")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    skep = os.path.abspath(args.skep)
    tests = [(n[5:], f) for n, f in globals().items() if n.startswith("test_")]
    tests = [(n, f) for n, f in tests if not args.names or n in args.names]
    failed = 0
    for i, (name, f) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory(prefix="skep-rules-") as folder:
            box = Box(skep, folder)
            line, notes = f"ok {i} - {name}: {f.__doc__}", ""
            try:
                f(box)
            except Skip as e:
                line += f" # SKIP {e}"
            except (Failed, OSError, ValueError, subprocess.SubprocessError) as e:
                failed += 1
                line, notes = "not " + line, f"{type(e).__name__}: {e}"
                if args.v:
                    notes += "\n" + box.said
        print(line, flush=True)
        for n in notes.splitlines():
            print("# " + n, flush=True)
    print(f"1..{len(tests)}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
