#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Plays behaviours under `skep watch` with rules, and compares the alerts with what is expected.

    scenario.py [--build DIR] [--falco DIR] [--runtime embedded] [-v] SKEP [FILE|NAME…]

Without names all of scenarios/*.scn and evasion/*.scn are played; TAP comes out.  Skep's own
rules are always loaded; Falco's (falco_rules.yaml, falco-incubating_rules.yaml) are, where
--falco or $SKEP_FALCO_RULES names the folder that they are in: they are no part of this tree.
What is expected of a rule set that is not there is not looked at.

A file has many scenarios:

    scenario: shadow-cat            its name, of letters, digits and dashes
    # a comment
    falco: Read sensitive file…     these rules alert, Falco's …
    own: Password hashes read       … and skep's own; and no rule but these …
    also: Written below /etc        … and these, which may
    where: container -t             in a container, with these options of podman
    user: 1000                      as this user instead of root
    needs: name NAME ADDRESS        a name that resolves, while this is played
    embedded: yes | no WHY          also with the embedded runtime, as nobody; or why not
    limit: WHY                      what alerts is less than one would wish
    todo: WHY                       not played yet
    shadow: no WHY                  not played with --shadow
    run:
            cat /etc/shadow         (indented: a script for `sh -e`)
    exec: [-t] CMD                  container: started in it from outside, after it began

Of the incubating rules other alerts than expected are let pass, as they are loud by design.

A script on the host runs in a folder of its own, /opt/t, in a mount namespace where /etc, /root,
/home, /opt, /usr/bin, /usr/local, /var/log … are layers that vanish, and in a network namespace
where 203.0.113.1 can be reached.  $ACT is prog/act.c, $URING and $INT80 are of tests/run/prog.
All of them are watched by one skep, and told apart by time.

In a container act is in the path, also under the names debugfs, scp and ncat.  Its shell is
busybox, which plays most commands itself: those that have to be started are named by their path.
All containers are watched by one skep from outside, and told apart by name.
"""

import argparse
import calendar
import dataclasses
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FALCO_FILES = ["falco_rules.yaml", "falco-incubating_rules.yaml"]
LAYERS = ["/etc", "/root", "/home", "/usr/bin", "/usr/local", "/var/log", "/var/lib/dpkg"]
TIMEOUT = 60
PROGRAMS = {
    "prog/act.c": [],
    "../run/prog/uring.c": [],
    "../run/prog/int80.c": ["-no-pie", "-mcmodel=small"],
}


@dataclasses.dataclass
class Scenario:
    name: str
    falco: list = dataclasses.field(default_factory=list)
    own: list = dataclasses.field(default_factory=list)
    also: list = dataclasses.field(default_factory=list)
    where: str = "host"
    user: str = ""
    names: dict = dataclasses.field(default_factory=dict)
    embedded: str = "no not asked for"
    limit: str = ""
    todo: str = ""
    shadow: str = ""
    script: str = ""
    exec: str = ""

    @property
    def is_container(self):
        return self.where.split()[0] == "container"


def fail_file(path, n, text):
    sys.exit(f"{path}:{n}: {text}")


def read_file(path):
    found, s, in_script = [], None, False
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    for n, line in enumerate(lines, 1):
        if in_script and line.startswith("\t"):
            s.script += line[1:] + "\n"
            continue
        if not line.strip() or line.startswith("#"):
            continue
        in_script = False
        key, colon, text = line.partition(":")
        text = text.strip()
        if not colon:
            fail_file(path, n, "what is this?")
        if key == "scenario":
            if not re.fullmatch(r"[a-z0-9-]+", text):
                fail_file(path, n, f"'{text}' is no name")
            s = Scenario(text)
            found.append(s)
        elif key in ("falco", "own", "also"):
            getattr(s, key).append(text)
        elif key in ("where", "user", "embedded", "limit", "todo", "shadow", "exec"):
            setattr(s, key, text)
        elif key == "needs" and text.split()[0] == "name":
            _, name, address = text.split()
            s.names[name] = address
        elif key == "run":
            in_script = True
        else:
            fail_file(path, n, f"what is '{key}:'?")
    for s in found:
        if not s.script and not s.exec:
            fail_file(path, 0, f"{s.name} does nothing")
    return found


# ---- rule sets ---------------------------------------------------------------


def rule_names(path):
    with open(path, encoding="utf-8") as f:
        return set(re.findall(r"^- rule: *[\"']?(.*?)[\"']?\s*$", f.read(), re.M))


@dataclasses.dataclass
class Rules:
    """What is loaded, and which rules are looked at strictly."""

    files: list
    own: set
    falco: set
    stable: set

    def expected(self, s):
        return {r for r in s.own if r in self.own} | {r for r in s.falco if r in self.falco}

    def allowed(self, s):
        return set(s.own) | set(s.falco) | set(s.also)

    def strict(self):
        return self.own | self.stable


def load_rules(falco_dir):
    own_files = sorted(glob.glob(os.path.join(ROOT, "rules", "*.yaml")))
    own = set().union(*(rule_names(f) for f in own_files))
    files = []
    if falco_dir:
        files = [os.path.join(falco_dir, f) for f in FALCO_FILES]
        files = [f for f in files if os.path.exists(f)]
    names = [rule_names(f) for f in files]
    return Rules(files, own, set().union(*names), names[0] if names else set())


# ---- playing -----------------------------------------------------------------


class Player:
    def __init__(self, args, rules):
        self.args = args
        self.rules = rules
        self.dir = tempfile.mkdtemp(prefix="skep-rules-")
        os.chmod(self.dir, 0o755)
        self.act = os.path.join(self.dir, "act")
        for source, flags in PROGRAMS.items():
            name = os.path.join(self.dir, os.path.basename(source)[:-2])
            cc = ["gcc", "-std=gnu17", "-O1", "-g", "-pthread", "-static", *flags, "-o", name]
            subprocess.run([*cc, os.path.join(HERE, source)], check=True)

    def watch(self, out, *more):
        argv = [self.args.skep, "watch", "--alerts", "--rule-matching", "all", "--json"]
        for f in self.rules.files:
            argv += ["--rules", f]
        if self.args.shadow:
            argv += ["--shadow"]
        return argv + ["-o", out, *more]

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def setup(self):
        """Shell lines: the folders that a script gets."""
        top = os.path.join(self.dir, "top")
        os.makedirs(top, exist_ok=True)
        lines = ["set -e", f"mount -t tmpfs none {top}"]
        for folder in LAYERS:
            at = top + "/" + folder.replace("/", "_")
            lines += [
                f"[ ! -d {folder} ] || {{ mkdir -p {at}.u {at}.w",
                f"mount -t overlay overlay -o lowerdir={folder},upperdir={at}.u,workdir={at}.w "
                f"{folder}; }}",
            ]
        lines += ["mount -t tmpfs -o mode=755 none /opt", "mkdir /opt/t", "chmod 777 /opt/t"]
        lines += [f"cp {self.dir}/act {self.dir}/uring {self.dir}/int80 /opt", "cd /opt/t"]
        lines += ["[ -e /etc/sudoers ] || : >/etc/sudoers", "mkdir -p /etc/sudoers.d /etc/cron.d"]
        lines += ["export ACT=/opt/act URING=/opt/uring INT80=/opt/int80"]
        return lines

    def hosts(self, chosen):
        """Play them one after the other under one skep; alerts by the time they are of."""
        out = os.path.join(self.dir, "host.json")
        lines = []
        for s in chosen:
            at = f"{self.dir}/{s.name}"
            script = self.write(s.name + ".sh", s.script)
            user = f"setpriv --reuid {s.user} --clear-groups " if s.user else ""
            ready = [f"date +%s%N >{at}.begin", f"exec {user}sh -e {script}", ""]
            inner = self.write(s.name + ".setup", "\n".join(self.setup() + ready))
            lines += [
                f"timeout 40 unshare -m sh {inner} 2>{at}.err; echo $? >{at}.status",
                f"date +%s%N >{at}.end",
            ]
        driver = self.write("driver", "\n".join(lines) + "\nexit 0\n")
        watch = " ".join(map(quote, self.watch(out, "--", "sh", driver)))
        network = "ip link set lo up; ip addr add 203.0.113.1/32 dev lo"
        p = subprocess.run(
            ["unshare", "-m", "-n", "sh", "-c", f"{network}; exec {watch}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT + 10 * len(chosen),
        )
        if p.returncode:
            return None, f"!status {p.returncode}: {(p.stderr + p.stdout)[-1500:]}"
        return read_alerts(out), p.stderr

    def number(self, name, kind):
        try:
            with open(os.path.join(self.dir, f"{name}.{kind}"), encoding="utf-8") as f:
                return int(f.read() or 0)
        except (OSError, ValueError):
            return 0

    def embedded(self, s):
        out = os.path.join(self.dir, s.name + ".json")
        with open(out, "w", encoding="utf-8"):
            os.chmod(out, 0o666)
        script = self.write(s.name + ".sh", s.script)
        watch = self.watch(out, "--runtime", "embedded", "--", "sh", "-e", script)
        nobody = "exec setpriv --reuid 65534 --regid 65534 --clear-groups "
        ready = [nobody + " ".join(map(quote, watch)), ""]
        inner = self.write(s.name + ".setup", "\n".join(self.setup() + ready))
        p = subprocess.run(
            ["unshare", "-m", "sh", inner],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
        )
        return self.ended(s, p, out)

    def ended(self, s, p, out):
        if p.returncode == 77:
            return None, (p.stderr.strip().split("\n") or [""])[-1]
        if p.returncode:
            return None, f"!status {p.returncode}: {p.stderr.strip()[-600:]}"
        return read_alerts(out), p.stderr

    def containers(self, all_of_them):
        """Play them under one skep; alerts by the container's name."""
        out = os.path.join(self.dir, "containers.json")
        lines, none = [], "-"  # an empty word between tabs would be lost
        for s in all_of_them:
            path = self.write(s.name + ".sh", s.script or "sleep 20\n")
            lines.append(f"{s.name}\t{s.exec or none}\t{path}\t{' '.join(s.where.split()[1:])}\n")
        todo = self.write("todo", "".join(lines))
        hosts = "".join(f"{a} {n}\n" for s in all_of_them for n, a in s.names.items())
        self.write("hosts", "127.0.0.1 localhost\n" + hosts)
        watch = self.write("watch", "\n".join(self.watch(out)) + "\n")
        argv = ["bash", os.path.join(HERE, "containers.sh"), self.dir, todo, watch, self.act]
        p = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT + 10 * len(all_of_them),
        )
        if p.returncode:
            last = (p.stdout.strip() or p.stderr.strip()).split("\n")[-1]
            return None, last if p.returncode == 77 else "!" + (p.stderr + p.stdout)[-1500:]
        return read_alerts(out), p.stderr


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


def read_alerts(path):
    alerts = []
    if not os.path.exists(path):
        return alerts
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            try:
                value = json.loads(line)
            except ValueError:
                alerts.append({"rule": "a broken line", "output": line[:200]})
                continue
            if "rule" in value:
                alerts.append(value)
    return alerts


def judge(s, rules, alerts):
    """What is wrong, as lines."""
    seen = {a["rule"] for a in alerts}
    wrong = [f"no alert of: {r}" for r in sorted(rules.expected(s) - seen)]
    for r in sorted((seen & rules.strict()) - rules.allowed(s)):
        first = next(a for a in alerts if a["rule"] == r)
        wrong.append(f"alert of: {r}: {first.get('output', '')[:300]}")
    if "a broken line" in seen:
        wrong.append("a line is no JSON")
    return wrong


def tell(name, wrong):
    print(f"{'not ok' if wrong else 'ok'} {name}")
    for line in wrong:
        print("\n".join("# " + part for part in line.split("\n")))
    sys.stdout.flush()
    return bool(wrong)


def container_of(alert):
    fields = alert.get("output_fields") or {}
    return fields.get("container.name") or fields.get("container_name") or ""


def time_of(alert):
    """Nanoseconds since 1970, of "2026-11-21T14:40:46.265636453Z"."""
    whole, _, part = alert["time"].rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(part)


def play_hosts(player, rules, chosen):
    """One skep for each file's scenarios: each has its own time."""
    failed = 0
    alerts, said = player.hosts(chosen)
    if alerts is None:
        return tell("rules.host", [said[1:]])
    for s in chosen:
        begin, end = player.number(s.name, "begin"), player.number(s.name, "end")
        status = player.number(s.name, "status")
        with open(os.path.join(player.dir, s.name + ".err"), encoding="utf-8") as f:
            last = (f.read().strip().split("\n") or [""])[-1]
        if status == 77:
            print(f"ok rules.{s.name} # SKIP {last}")
            continue
        mine = [a for a in alerts if "time" in a and begin <= time_of(a) <= end]
        wrong = [f"status {status}: {last}"] if status or not begin else []
        failed += tell(f"rules.{s.name}", wrong + judge(s, rules, mine))
    failed += tell("rules.host-end", shadow_of(player, said))
    if player.args.verbose:
        show(alerts, said)
    return failed


def play_embedded(player, rules, chosen):
    failed = 0
    for s in chosen:
        name = f"rules.embedded.{s.name}"
        try:
            alerts, said = player.embedded(s)
        except subprocess.TimeoutExpired:
            failed += tell(name, ["it did not end"])
            continue
        if alerts is None and not said.startswith("!"):
            print(f"ok {name} # SKIP {said}")
        elif alerts is None:
            failed += tell(name, [said[1:]])
        else:
            failed += tell(name, judge(s, rules, alerts) + shadow_of(player, said))
        if player.args.verbose:
            show(alerts or [], said)
    return failed


def shadow_of(player, said):
    """With --shadow the kernel and user space are compared; a miss is said at the end."""
    if not player.args.shadow:
        return []
    m = re.search(r'"missed":(\d+)', said or "")
    if not m:
        return ["the summary does not say how many the kernel missed"]
    return [f"{m[1]} missed by the kernel"] if int(m[1]) else []


def play_containers(player, rules, chosen):
    failed = 0
    if not chosen:
        return 0
    alerts, said = player.containers(chosen)
    if alerts is None and not said.startswith("!"):
        for s in chosen:
            print(f"ok rules.{s.name} # SKIP {said}")
        return 0
    if alerts is None:
        return tell("rules.containers", [said[1:]])
    by_name = {}
    for a in alerts:
        by_name.setdefault(container_of(a), []).append(a)
    for s in chosen:
        failed += tell(f"rules.{s.name}", judge(s, rules, by_name.get(s.name, [])))
    failed += tell("rules.containers-end", shadow_of(player, said))
    if player.args.verbose:
        show(alerts, said)
    return failed


def show(alerts, said):
    for a in alerts:
        print(f"# {container_of(a)} {a['rule']}: {a.get('output', '')[:400]}")
    for line in (said or "").strip().split("\n"):
        print(f"# {line}")


def coverage(rules, chosen):
    """Each of the stable rules has something that sets it off; skep's own have, too."""
    positive = {r for s in chosen for r in s.falco + s.own}
    missing = sorted((rules.stable | rules.own) - positive)
    unknown = sorted(
        r
        for s in chosen
        for r in s.own + (s.falco + s.also if rules.falco else [])
        if r not in rules.own | rules.falco
    )
    wrong = [f"nothing sets it off: {r}" for r in missing]
    return wrong + [f"there is no such rule: {r}" for r in dict.fromkeys(unknown)]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", help="not used: programs are made in a folder of their own")
    p.add_argument("--falco", default=os.environ.get("SKEP_FALCO_RULES"))
    p.add_argument("--runtime", choices=["kernel", "embedded"], default="kernel")
    p.add_argument("--shadow", action="store_true")
    p.add_argument("-v", "--verbose", action="store_true")
    p.add_argument("skep")
    p.add_argument("names", nargs="*")
    args = p.parse_args()
    args.skep = os.path.abspath(args.skep)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root")
        return 0
    files = [n for n in args.names if os.path.exists(n)]
    names = [n for n in args.names if n not in files]
    if not files:
        for folder in ("scenarios", "evasion"):
            files += sorted(glob.glob(os.path.join(HERE, folder, "*.scn")))
    chosen = [s for f in files for s in read_file(f)]
    rules = load_rules(args.falco)
    failed = 0
    if not args.names:
        failed += tell("rules.coverage", coverage(rules, chosen))
        if not rules.falco:
            print("ok rules.falco # SKIP $SKEP_FALCO_RULES names no folder with Falco's rules")
    if names:
        chosen = [s for s in chosen if s.name in names]
    for s in chosen:
        if args.shadow and s.shadow and not s.todo:
            s.todo = s.shadow.removeprefix("no ")
        if s.todo:
            print(f"ok rules.{s.name} # SKIP {s.todo}")
    chosen = [s for s in chosen if not s.todo]
    player = Player(args, rules)
    try:
        if args.runtime == "embedded":
            fit = [s for s in chosen if s.embedded == "yes"]
            failed += play_embedded(player, rules, fit)
        else:
            on_host = [s for s in chosen if not s.is_container]
            failed += play_hosts(player, rules, on_host) if on_host else 0
            failed += play_containers(player, rules, [s for s in chosen if s.is_container])
    finally:
        if args.verbose:
            print(f"# kept: {player.dir}")
        else:
            shutil.rmtree(player.dir, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
