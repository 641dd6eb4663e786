#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""./check itself, in a folder with suites that do nothing but look at their neighbours.

Each suite leaves a file in begun/ when it begins, and has one in now/ while it runs. Prints TAP.
"""

import os
import signal
import time

from script_kit import Folder, case, expect, main, wait_until

SUITE = """
import os, subprocess, sys, time
name = os.path.basename(__file__)
for folder in ("now/", "begun/"):
    open(folder + name, "w").close()
def meets(other):
    end = time.monotonic() + 20
    while not os.path.exists("begun/" + other) and time.monotonic() < end:
        time.sleep(0.01)
    return os.path.exists("begun/" + other)
def alone(kind):
    time.sleep(0.3)
    return [n for n in os.listdir("now") if n.startswith(kind)] == [name]
{0}
os.unlink("now/" + name)
"""
SAYS = 'print(("ok" if {0} else "not ok") + " - " + name)'
# A process group of its own, as ninja gives each compiler.
HANGS = """subprocess.Popen(["sleep", "1000"], preexec_fn=os.setpgrp, env={"MARK": os.getcwd()})
time.sleep(1000)"""

# What has ended, and whose parent has left the session and waits for nobody: a container may be such a parent.
LEAVES_A_ZOMBIE = """ready, begun = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        os._exit(0)
    os.setsid()
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    os.write(begun, b"x")
    while not os.path.exists("over"):
        time.sleep(0.05)
    os._exit(0)
os.read(ready, 1)
open("zombie-" + name, "w").close()
"""
TELLS_ITS_SESSION = """with open("new-" + name, "w") as file:
    file.write(str(os.getsid(0)))
os.rename("new-" + name, "session-" + name)
time.sleep(1000)"""
# A step that is not to be interrupted in the middle.
INSTALLS = """trap 'sleep 0.3; echo installed; exit 1' TERM
touch installs
for i in $(seq 100); do sleep 0.1; done"""


class Tree(Folder):
    """A folder with ./check, what it calls, and the suites of netns: their line of `allowed` and body."""

    def __init__(self, installs=":", **suites):
        super().__init__("check", "tests/lib/timed")
        for name, line in (("tests/lib/sandbox", 'exec "$@"'), ("tests/lib/environment", ":"),
                           ("scripts/install-packages", installs), ("scripts/build-all", "echo ok - built")):
            self.write(name, f"#!/bin/bash\n{line}\n")
        for name in ("now", "begun"):
            os.makedirs(self.path(name))
        for name, (allowed, body) in suites.items():
            self.write(f"tests/netns/{name}.py", f"# allowed: {allowed}\n{SUITE.replace('{0}', body)}")

    def lines(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read().splitlines()

    def check(self, lanes, **environment):
        return self.start(self.path("check"), "--only", "netns", "--lanes", str(lanes), env={**os.environ, **environment})

    def run(self, lanes):
        """Exit code and lines."""
        return self.end(self.check(lanes))


@case
def what_waits_runs_side_by_side():
    meets = {"w1": "w2.py", "w2": "w3.py", "w3": "w1.py"}
    with Tree(**{n: ("30 s, full: 30 s", SAYS.format(f"meets('{m}')")) for n, m in meets.items()}) as tree:
        code, lines = tree.run(3)
        expect((code, lines[-1]) == (0, "4 passed, 0 failed"), lines)


@case
def of_what_computes_one_runs_at_a_time_and_beside_what_waits():
    suites = {n: ("30 s, full: 30 s, computes", SAYS.format("alone('c')")) for n in ("c1", "c2", "c3")}
    with Tree(w1=("30 s, full: 30 s", SAYS.format("meets('c1.py')")), **suites) as tree:
        code, lines = tree.run(4)
        expect((code, lines[-1]) == (0, "5 passed, 0 failed"), lines)


@case
def one_lane_has_one_suite_at_a_time():
    suites = {n: ("30 s, full: 30 s", SAYS.format("alone('')")) for n in ("w1", "w2")}
    with Tree(**suites) as tree:
        code, lines = tree.run(1)
        expect((code, lines[-1]) == (0, "3 passed, 0 failed"), lines)


@case
def a_failure_is_told_where_it_was_and_at_the_end():
    suites = {"w1": ("30 s, full: 30 s", SAYS.format("False")), "w2": ("30 s, full: 30 s", "sys.exit(3)"),
              "w3": ("30 s, full: 30 s", ""), "w4": ("30 s, full: 30 s", "print('ok - x # SKIP y')")}
    with Tree(**suites) as tree:
        code, lines = tree.run(2)
        expect((code, lines[-1]) == (1, "1 passed, 3 failed, 1 skipped"), lines)
        expect("netns/w1: not ok - w1.py" in lines, lines)
        expect("netns/w2: not ok - the suite ended with status 3" in lines, lines)
        expect("netns/w3: not ok - the suite printed no result" in lines, lines)


@case
def a_suite_whose_time_is_over_is_killed_with_all_that_it_started():
    with Tree(w1=("1 s, full: 1 s", HANGS), w2=("30 s, full: 30 s", SAYS.format("True"))) as tree:
        code, lines = tree.run(2)
        expect((code, lines[-1]) == (1, "2 passed, 1 failed"), lines)
        expect("netns/w1: not ok - netns/w1 ended within 1 s" in lines, lines)
        tree.wait_none_left()


@case
def an_interruption_kills_all_suites_and_all_that_they_started():
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)):
        with Tree(w1=("30 s, full: 30 s", HANGS), w2=("30 s, full: 30 s", HANGS)) as tree:
            process = tree.check(2)
            wait_until(lambda: len(os.listdir(tree.path("now"))) == 2, "both run")
            process.send_signal(number)
            ended, lines = tree.end(process)
            expect(ended == code, f"{ended}: {lines}")
            tree.wait_none_left()


@case
def what_has_ended_is_not_waited_for_by_whoever_kills_the_rest():
    suites = {n: ("30 s, full: 30 s", LEAVES_A_ZOMBIE + "time.sleep(1000)") for n in ("w1", "w2", "w3", "w4")}
    with Tree(**suites) as tree:
        process = tree.check(4)
        wait_until(lambda: all(tree.has(f"zombie-{name}.py") for name in suites), "all run")
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        ended, lines = tree.end(process)
        took = time.monotonic() - begun
        tree.write("over", "")
        expect(ended == 143 and took < 4, f"{ended} after {took:.1f} s: {lines}")
        tree.wait_none_left()


@case
def all_suites_are_killed_at_once():
    with Tree(**{name: ("30 s, full: 30 s", TELLS_ITS_SESSION) for name in ("w1", "w2")}) as tree:
        tree.write("bin/pkill", f"""#!/bin/sh\necho "$@" >> {tree.path("killed")}\nexec /usr/bin/pkill "$@"\n""")
        process = tree.check(2, PATH=f"{tree.path('bin')}:{os.environ['PATH']}")
        wait_until(lambda: tree.has("session-w1.py") and tree.has("session-w2.py"), "both run")
        before = len(tree.lines("killed"))
        process.send_signal(signal.SIGTERM)
        tree.end(process)
        sessions = {line for name in ("w1", "w2") for line in tree.lines(f"session-{name}.py")}
        killed = tree.lines("killed")[before]
        expect(set(killed.split()[-1].split(",")) == sessions, f"{sessions}, but at first: {killed}")
        tree.wait_none_left()


@case
def what_is_being_installed_is_told_to_end_and_waited_for():
    # A terminal that closes lets some send one after the other.
    for numbers, code in (((signal.SIGINT,), 130), ((signal.SIGTERM,), 143), ((signal.SIGHUP, signal.SIGTERM), 143)):
        with Tree(installs=INSTALLS, w1=("30 s, full: 30 s", "")) as tree:
            process = tree.check(1)
            wait_until(lambda: tree.has("installs"), "it has begun")
            for number in numbers:
                process.send_signal(number)
            ended, lines = tree.end(process)
            expect((ended, lines) == (code, ["installed"]), f"{numbers}: {ended} {lines}")
            tree.wait_none_left()


if __name__ == "__main__":
    main()
