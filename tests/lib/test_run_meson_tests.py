#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/lib/run_meson_tests.py with a meson that knows of programs which say what a case wants. Prints TAP."""

import json
import os

from script_kit import Folder, case, expect, main

RUNNER = "tests/lib/run_meson_tests.py"


class Build(Folder):
    """name: what the program of that name prints, and its exit code."""

    def __init__(self, **programs):
        super().__init__(RUNNER)
        listed = []
        for name, (says, code) in programs.items():
            self.write(f"{name}.says", says)
            listed.append({"name": name, "suite": ["unit"], "env": {}, "timeout": 30, "workdir": self.folder,
                           "is_parallel": True, "cmd": ["sh", "-c", f"cat {name}.says; exit {code}"]})
        self.write("listed", json.dumps(listed))
        self.write("bin/meson", f"#!/bin/sh\ncat {self.path('listed')}\n")

    def run(self):
        """The lines that count."""
        path = f"{self.path('bin')}:{os.environ['PATH']}"
        code, lines = self.end(self.start(self.path(RUNNER), self.folder, "unit", env={"PATH": path}))
        expect(code == 0, f"{code}: {lines}")
        return [line for line in lines if not line.startswith("#")]


@case
def each_case_of_a_program_is_a_line_under_its_name():
    with Build(two=("1..2\nok 1 - a\nnot ok 2 - b\n", 1)) as build:
        expect(build.run() == ["ok - two: a", "not ok - two: b"], build.run())


@case
def a_program_without_cases_is_one_by_its_exit_code():
    with Build(good=("", 0), bad=("", 3)) as build:
        expect(build.run() == ["ok - good", "not ok - bad: exit code 3"], build.run())


@case
def a_program_that_skips_all_of_its_cases_has_passed_none():
    with Build(plan=("1..0 # SKIP needs root\n", 0), code=("no such module\n", 77)) as build:
        expect(build.run() == ["ok - plan # SKIP needs root", "ok - code # SKIP no such module"], build.run())


@case
def who_plans_no_case_and_fails_has_failed():
    with Build(bad=("1..0 # SKIP needs root\n", 1)) as build:
        expect(build.run() == ["not ok - bad: exit code 1"], build.run())


if __name__ == "__main__":
    main()
