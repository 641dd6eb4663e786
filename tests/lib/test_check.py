#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""./check itself, in a folder with suites that do nothing but look at their neighbours.

Each suite leaves a file in begun/ when it begins, and has one in now/ while it runs. Prints TAP.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SECONDS = 60
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
CASES = []


def case(function):
    CASES.append(function)


def expect(right, what):
    if not right:
        raise AssertionError(what)


class Tree:
    """A folder with ./check, what it calls, and the suites of netns: their line of `allowed` and body."""

    def __init__(self, **suites):
        self.folder = tempfile.mkdtemp(prefix="check-")
        for name in ("check", "tests/lib/timed"):
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            shutil.copy2(os.path.join(ROOT, name), self.path(name))
        for name, line in (("tests/lib/sandbox", 'exec "$@"'), ("tests/lib/environment", ":"),
                           ("scripts/install-packages", ":"), ("scripts/build-all", "echo ok - built")):
            self.write(name, f"#!/bin/sh\n{line}\n")
        for name in ("now", "begun"):
            os.makedirs(self.path(name))
        for name, (allowed, body) in suites.items():
            self.write(f"tests/netns/{name}.py", f"# allowed: {allowed}\n{SUITE.replace('{0}', body)}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), 0o755)

    def start(self, lanes):
        return subprocess.Popen([self.path("check"), "--only", "netns", "--lanes", str(lanes)],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))

    def run(self, lanes):
        """Exit code and lines."""
        process = self.start(lanes)
        try:
            out, _ = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
        return process.returncode, out.splitlines()

    def left(self):
        """The processes of suites that live."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if self.folder.encode() in file.read():
                        found.append(pid)
            except OSError:
                pass
        return found

    def wait_none_left(self):
        end = time.monotonic() + 10
        while self.left() and time.monotonic() < end:
            time.sleep(0.05)
        expect(not self.left(), "something of a suite still runs")


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
            process = tree.start(2)
            end = time.monotonic() + 20
            while len(os.listdir(tree.path("now"))) < 2 and time.monotonic() < end:
                time.sleep(0.05)
            process.send_signal(number)
            out, _ = process.communicate(timeout=SECONDS)
            expect(process.returncode == code, f"{process.returncode}: {out}")
            tree.wait_none_left()


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root")
        return 0
    print(f"1..{len(CASES)}")
    failed = 0
    for number, function in enumerate(CASES, 1):
        name, problem = function.__name__.replace("_", " "), None
        try:
            function()
        except (AssertionError, subprocess.TimeoutExpired) as error:
            problem = error
        print(f"{'not ok' if problem else 'ok'} {number} - {name}")
        if problem:
            print(f"# {problem}")
        failed += problem is not None
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
