#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the tests of a meson build directory and prints one TAP line a case.

meson's own runner counts programs. A cmocka program holds dozens of cases, and a figure that a
reader can trust counts those: cmocka prints TAP when asked, and its lines are passed on under the
program's name. A program without TAP counts as one case, by its exit code (77: skipped).

usage: run_meson_tests.py BUILD-DIRECTORY SUITE [JOBS]
SUITE is the name of a suite of meson's; "unit" is every test that no other runner takes.
"""

import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time

BUILD = sys.argv[1] if len(sys.argv) > 1 else "."  # meson gives paths relative to it
OTHER_SUITES = {"sim", "fuzz", "bench", "netns", "lint"}
TAP = re.compile(r"^(ok|not ok)\b(?: (\d+))?(?: - )?(.*)$")
NOTHING_PLANNED = re.compile(r"^1\.\.0\s*(?:# SKIP\b\s*(.*))?$", re.IGNORECASE)


def listed(build, suite):
    """The tests of one suite, as meson describes them."""
    out = subprocess.run(["meson", "introspect", "--tests", build], check=True,
                         capture_output=True, text=True).stdout
    for test in json.loads(out):
        suites = {name.split(":")[-1] for name in test["suite"]}
        if suite in suites or (suite == "unit" and not suites & OTHER_SUITES):
            yield test


def run(test):
    """Runs one program; returns its name, exit code (None: timed out), output and duration."""
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", **test["env"])
    started = time.monotonic()
    limit = (test["timeout"] or 600) * 4
    try:
        done = subprocess.run(test["cmd"], cwd=test["workdir"] or BUILD, env=env, timeout=limit,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        code, out = done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        code, out = None, error.stdout or b""
    return test["name"], code, out.decode("utf-8", "replace"), time.monotonic() - started


def report(name, code, output):
    """Prints the TAP lines of one program. A crash or a sanitizer's report is a failed case."""
    cases = failed = 0
    skips = ""
    for line in output.splitlines():
        case = TAP.match(line)
        if case:
            cases += 1
            verdict, text = case.group(1), case.group(3).strip()
            skipped = re.match(r"^# SKIP\s*(.*)$", text)
            if skipped:  # cmocka 1.1.5 says "not ok 3 # SKIP name"
                verdict, text = "ok", f"{skipped.group(1)} # SKIP not possible here"
            failed += verdict == "not ok"
            print(f"{verdict} - {name}: {text}")
        elif NOTHING_PLANNED.match(line):
            skips = f" # SKIP {NOTHING_PLANNED.match(line).group(1) or 'it has no case here'}"
        elif not re.match(r"^\s*1\.\.\d+|^TAP version", line):
            print(line if line.startswith("#") else f"# {line}")
    if code == 77 and not cases:
        print(f"ok - {name} # SKIP {output.strip().splitlines()[-1] if output.strip() else ''}")
    elif code is None:
        print(f"not ok - {name}: ended within its time")
    elif code != 0 and not failed:
        print(f"not ok - {name}: exit code {code}")
    elif not cases:
        print(f"ok - {name}{skips}")


def main():
    build, suite = sys.argv[1], sys.argv[2]
    jobs = int(sys.argv[3]) if len(sys.argv) > 3 else os.cpu_count() or 1
    tests = list(listed(build, suite))
    if not tests:
        print(f"ok - {suite} # SKIP no program of this suite is built here")
        return 0
    for alone in (False, True):
        chosen = [test for test in tests if test["is_parallel"] != alone]
        with concurrent.futures.ThreadPoolExecutor(1 if alone else jobs) as pool:
            for name, code, output, seconds in pool.map(run, chosen):
                print(f"# {name}: {seconds:.1f} s")
                report(name, code, output)
                sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
