#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Runs skep's command line: what it refuses and how, its help, man page and completion.

    cli.py SKEP [--update] [NAME…]

TAP comes out.  Each file cli/*.case holds cases, parted by empty lines:

    # comment
    $ skep watch --evnts file
    = 2
    skep: error: there is no option --evnts
      skep watch --evnts file
                 ^^^^^^^
    skep:   did you mean --events?

The words after `$` are quoted as in a shell, but no shell runs; `$'\\x1b'` is one word
with escapes.  `= N` is the exit status.  Lines that begin with `> ` are what goes to
standard output, in full; without one, nothing may.  The rest is standard error.
--update writes down what skep says now; read the difference before it is committed.

Nothing here needs privileges or the kernel's permission for anything.
"""

import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
EVENTS_DEF = os.path.join(HERE, "../../src/catalog/events.def")
COMMANDS_DEF = os.path.join(HERE, "../../src/cli/commands.def")


class Skep:
    """The program under test, called by its name alone."""

    def __init__(self, path):
        self.path = os.path.abspath(path)

    def run(self, *words, **more):
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        return subprocess.run(["skep", *words], executable=self.path, capture_output=True,
                              env=env, timeout=60, stdin=subprocess.DEVNULL, **more)

    def text(self, *words):
        r = self.run(*words)
        assert r.returncode == 0, f"skep {' '.join(words)} ended with {r.returncode}: {r.stderr}"
        assert not r.stderr, f"skep {' '.join(words)} said {r.stderr.decode()}"
        return r.stdout.decode()


class Skip(Exception):
    """This machine lacks what the test needs."""


WORD = re.compile(r"(?P<blank>\s+)|\$'(?P<escaped>(?:\\.|[^'\\])*)'|'(?P<quoted>[^']*)'|(?P<plain>[^\s']+)")


def words_of(line):
    """Split like a shell; $'…' has C escapes and may hold any byte."""
    words, is_open = [], False
    for m in WORD.finditer(line):
        text = m[m.lastgroup].encode()
        if m.lastgroup == "blank":
            is_open = False
            continue
        if m.lastgroup == "escaped":
            text = text.decode("unicode_escape").encode("latin-1")
        if not is_open:
            words.append(b"")
        words[-1] += text
        is_open = True
    return words


# Cases -------------------------------------------------------------------------------


def blocks_of(text):
    """The parts of a file: comments, cases; each a list of lines."""
    return [b.split("\n") for b in re.split(r"\n\n+", text.strip("\n"))]


def observed(skep, command):
    r = skep.run(*words_of(command)[1:])
    lines = [f"= {r.returncode}"]
    lines += [f"> {line}".rstrip() for line in r.stdout.decode().splitlines()]
    lines += r.stderr.decode().splitlines()
    return lines


def run_file(skep, path, update):
    """Yields (name, problem or None); with `update`, rewrites the file."""
    with open(path, encoding="utf-8") as f:
        blocks = blocks_of(f.read())
    for block in blocks:
        at = next((i for i, line in enumerate(block) if line.startswith("$ ")), None)
        if at is None:
            continue
        command = block[at][2:]
        got, want = observed(skep, command), block[at + 1:]
        if update:
            block[at + 1:] = got
        elif got != want:
            yield command, "\n".join(["expected", *want, "got", *got])
            continue
        yield command, None
    if update:
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n\n".join("\n".join(b) for b in blocks) + "\n")


# Properties --------------------------------------------------------------------------


def names_in(path, macro):
    with open(path, encoding="utf-8") as f:
        return re.findall(rf"^{macro}\((?:\w+, )?(\w+), (?:[A-Z]+),", f.read(), re.M)


def check_help(skep):
    overview = skep.text("--help")
    assert overview == skep.text("-h") == skep.text("help")
    commands = names_in(COMMANDS_DEF, "COMMAND")
    assert "watch" in commands and "man" in commands
    for name in commands:
        text = skep.text("help", name)
        assert text == skep.text(name, "--help") == skep.text(name, "-h")
        assert text.startswith(f"Usage: skep {name}"), text
        assert "--help" in text
        for line in text.splitlines():
            assert len(line) <= 80 or "sudo tee" in line, f"{name}: too long: {line}"
            assert line == line.rstrip(), f"{name}: blanks at the end of '{line}'"
        if name in ("watch", "replay", "info"):
            assert f"\n  {name} " in overview and "\nExamples:\n" in text


def examples_of(skep, name):
    text = skep.text("help", name).split("\nExamples:\n")[1]
    return re.findall(r"^  (?:sudo )?(skep .*)$", text, re.M)


def check_examples(skep):
    """Each example's options are accepted: --help at the end stops before it runs."""
    n = 0
    for name in ("watch", "replay", "info"):
        for line in examples_of(skep, name):
            words = shlex.split(line)[1:]
            at = words.index("--") if "--" in words else len(words)
            skep.text(*words[:at], "--help")
            n += 1
    assert n >= 8


def check_version(skep):
    assert re.fullmatch(r"skep \d+\.\d+\.\d+ \([0-9a-z-]+\)\n", skep.text("--version"))
    assert skep.text("-V") == skep.text("--version")


def check_list_events(skep):
    events = json.loads(skep.text("watch", "--list-events", "--json"))
    names = [e["name"] for e in events]
    assert names == names_in(EVENTS_DEF, "EVENT")
    table = skep.text("watch", "--list-events").splitlines()
    assert [line.split()[0] for line in table[1:]] == names
    for e, line in zip(events, table[1:]):
        assert e["group"] in ("process", "file", "network", "security", "meta")
        assert line.split()[1] == e["group"]
        assert (line.split()[2] == "yes") == e["default"]
        assert line.endswith(e["help"])
        for f in e["fields"]:
            assert f["name"] and f["help"] and f["form"]
            assert f["type"] in ("number", "string", "array", "boolean")
    assert any(f["name"] == "args" for f in events[0]["fields"])


def check_info(skep):
    """As whoever runs this: never a failure, and both forms say the same."""
    text = skep.text("info")
    info = json.loads(skep.text("info", "--json"))
    rows = dict(re.findall(r"^(\w+) +(yes|no|unknown) ", text, re.M))
    assert rows == {f["name"]: f["answer"] for f in info["features"]}
    for f in info["features"]:
        assert f["answer"] == "yes" or f["reason"], f
    assert "\nskep watch " in text
    if info["watch_missing"]:
        assert "CAP_" in text or "needs" in text or "not mounted" in text
    else:
        assert "skep watch sees all events here." in text
    assert "\033" not in text


def check_info_as_nobody(skep):
    if os.geteuid():
        raise Skip("only root can become somebody else")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        copy = shutil.copy(skep.path, folder)
        r = subprocess.run(["skep", "info"], executable=copy, capture_output=True, user=65534,
                           group=65534, extra_groups=[], cwd="/", timeout=60)
    text = r.stdout.decode()
    assert r.returncode == 0 and not r.stderr, r
    assert "uid 65534, no capabilities" in text
    assert re.search(r"^tp_btf +no +needs CAP_BPF and CAP_PERFMON$", text, re.M), text
    assert "sudo setcap cap_bpf,cap_perfmon,cap_net_admin" in text


def check_full_device(skep):
    with open("/dev/full", "wb") as full:
        r = subprocess.run(["skep", "--help"], executable=skep.path, stdout=full,
                           stderr=subprocess.PIPE, timeout=60)
    assert r.returncode == 1 and b"No space left" in r.stderr, r


def need(*programs):
    for p in programs:
        if not shutil.which(p):
            raise Skip(f"no {p}")


def check_man(skep):
    need("groff")
    page = skep.text("man")
    r = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-P-c", "-rLL=78n"],
                       input=page.encode(), capture_output=True, timeout=60)
    assert r.returncode == 0 and not r.stderr, r.stderr.decode()
    flat = re.sub(r".\x08", "", r.stdout.decode())
    for name in names_in(COMMANDS_DEF, "COMMAND"):
        assert f"skep {name}" in flat, name
    for option in re.findall(r"^ +(?:-\w, )?(--[\w-]+)", skep.text("help", "watch"), re.M):
        if option != "--help":
            assert option in flat, option
    for event in names_in(EVENTS_DEF, "EVENT"):
        assert re.search(rf"^ +{event}\b", flat, re.M), event
    for ascii_only in page:
        assert ord(ascii_only) < 128, ascii_only


def complete(skep, line, breaks=None):
    """What bash offers at the end of `line`."""
    words = re.findall(r"=|[^\s=]+", line) if breaks is None else line.split()
    if line.endswith((" ", "=")):
        words.append("")
    script = "\n".join([
        skep.text("completion", "bash"),
        f"COMP_WORDS=({' '.join(shlex.quote(w) for w in words)})",
        f"COMP_CWORD={len(words) - 1}",
        "_skep",
        "printf '%s\\n' \"${COMPREPLY[@]}\"",
    ])
    r = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, timeout=60)
    assert r.returncode == 0 and not r.stderr, r
    return [w for w in r.stdout.decode().split("\n") if w]


def check_bash(skep):
    need("bash")
    assert "watch" in complete(skep, "skep ")
    assert complete(skep, "skep wa") == ["watch"]
    assert complete(skep, "skep --v") == ["--version"]
    assert complete(skep, "skep watch --cg") == ["--cgroup"]
    assert "--json" in complete(skep, "skep watch ")
    assert complete(skep, "skep watch --json --rec") == ["--record"]
    assert complete(skep, "skep watch --color ") == ["auto", "always", "never"]
    assert complete(skep, "skep watch --color=a") == ["auto", "always"]
    assert complete(skep, "skep watch --color=al", breaks="") == ["--color=always"]
    assert complete(skep, "skep watch --events exe") == ["exec"]
    assert complete(skep, "skep watch --events=exec,netw") == ["exec,network"]
    assert complete(skep, "skep watch --events=exec,-ki") == ["exec,-kill"]
    assert len(complete(skep, "skep watch --events=")) > 30
    assert complete(skep, "skep watch --user roo") == ["root"]
    assert str(os.getpid()) in complete(skep, "skep watch --pid ")
    assert complete(skep, "skep watch -o /etc/pass") [0].startswith("/etc/pass")
    assert complete(skep, "skep watch --for ") == []
    assert "bash" in complete(skep, "skep watch --json -- bas")
    assert complete(skep, "skep info ") == ["--json", "--help"]
    assert complete(skep, "skep help rep") == ["replay"]
    assert complete(skep, "skep completion ") == ["bash", "zsh", "fish"]
    with tempfile.TemporaryDirectory() as folder:
        for name in ("night.skep", "night.txt"):
            open(os.path.join(folder, name), "w", encoding="utf-8").close()
        assert complete(skep, f"skep replay {folder}/nig") == [f"{folder}/night.skep"]


def check_zsh(skep):
    need("zsh")
    script = "autoload -U compinit; compinit -u -D; source /dev/stdin; print $_comps[skep]"
    r = subprocess.run(["zsh", "-f", "-c", script], input=skep.text("completion", "zsh").encode(),
                       capture_output=True, timeout=60)
    assert r.stdout == b"_skep\n" and not r.stderr, r


def check_fish(skep):
    need("fish")
    script = skep.text("completion", "fish")
    for line, want in (("skep wat", "watch"), ("skep watch --cgr", "--cgroup"),
                       ("skep watch --color al", "always"), ("skep watch --events exe", "exec")):
        r = subprocess.run(["fish", "--no-config", "-c", f"{script}\ncomplete -C '{line}'"],
                           capture_output=True, timeout=60)
        assert want in r.stdout.decode().split() and not r.stderr, (line, r)


def check_shell_syntax(skep):
    """Every option of every command stands in every shell's script."""
    options = set()
    for name in names_in(COMMANDS_DEF, "COMMAND"):
        options |= set(re.findall(r"^ +(?:-\w, )?--([\w-]+)", skep.text("help", name), re.M))
    for shell in ("bash", "zsh", "fish"):
        script = skep.text("completion", shell)
        for option in options:
            assert option in script, f"{shell}: no {option}"


def main():
    words = [w for w in sys.argv[1:] if w != "--update"]
    update = "--update" in sys.argv
    if not words:
        sys.exit(__doc__)
    skep, wanted = Skep(words[0]), words[1:]
    results, n = [], 0

    def report(name, problem, skipped=None):
        nonlocal n
        n += 1
        results.append(problem is None)
        print(f"{'ok' if problem is None else 'not ok'} {n} - {name}"
              + (f" # SKIP {skipped}" if skipped else ""))
        for line in (problem or "").splitlines():
            print(f"# {line}")

    for path in sorted(glob.glob(os.path.join(HERE, "cli/*.case"))):
        name = os.path.basename(path)[:-len(".case")]
        if not wanted or name in wanted:
            for command, problem in run_file(skep, path, update):
                report(f"{name}: {command.encode('ascii', 'replace').decode()}", problem)
    for name, check in list(globals().items()):
        if not name.startswith("check_") or (wanted and name[6:] not in wanted):
            continue
        try:
            check(skep)
            report(name[6:], None)
        except Skip as e:
            report(name[6:], None, str(e))
        except (AssertionError, subprocess.TimeoutExpired, ValueError) as e:
            at = e.__traceback__
            while at.tb_next:
                at = at.tb_next
            report(name[6:], f"line {at.tb_lineno}: {e}")
    print(f"1..{n}")
    sys.exit(0 if results and all(results) else 1)


if __name__ == "__main__":
    main()
