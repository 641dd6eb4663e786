#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/build-all with a meson and a ninja that only do as if. Prints TAP."""

import os
import signal

from script_kit import Folder, case, expect, main, wait_until

# build.ninja is there before it has ended.
MESON = """#!/bin/sh
echo setup >> calls
mkdir -p "$2" && touch "$2/build.ninja"
[ ! -e hangs ] || { touch begun; sleep 1000; }
[ ! -e fails ] || { echo "no such option"; exit 1; }
"""
NINJA = """#!/bin/sh
echo build >> calls
[ ! -e broken ] || { echo "x.c:1: error: no semicolon"; exit 1; }
"""


class Tree(Folder):
    def __init__(self, *marks):
        super().__init__("scripts/build-all")
        self.write("bin/meson", MESON)
        self.write("bin/ninja", NINJA)
        for mark in marks:
            self.write(mark, "")

    def build(self):
        env = {"PATH": f"{self.path('bin')}:{os.environ['PATH']}", "DIALTONE_BUILD": self.path("build")}
        return self.start("setsid", self.path("scripts/build-all"), "gcc", env=env)

    def calls(self):
        with open(self.path("calls"), encoding="utf-8") as file:
            return file.read().split()


@case
def what_was_set_up_is_built_without_setting_it_up_again():
    with Tree() as tree:
        for _ in range(2):
            code, lines = tree.end(tree.build())
            expect((code, lines) == (0, ["ok - builds with gcc without a warning"]), f"{code}: {lines}")
        expect(tree.calls() == ["setup", "build", "build"], tree.calls())


@case
def an_interrupted_set_up_is_made_anew():
    with Tree("hangs") as tree:
        process = tree.build()
        wait_until(lambda: tree.has("begun"), "meson has begun")
        os.killpg(process.pid, signal.SIGKILL)
        tree.end(process)
        os.unlink(tree.path("hangs"))
        code, lines = tree.end(tree.build())
        expect(code == 0 and tree.calls() == ["setup", "setup", "build"], f"{code}: {lines}, {tree.calls()}")


@case
def why_it_was_not_set_up_or_not_built_is_said():
    for mark, said in (("fails", "#   no such option"), ("broken", "#   x.c:1: error: no semicolon")):
        with Tree(mark) as tree:
            code, lines = tree.end(tree.build())
            expect((code, lines) == (1, ["not ok - builds with gcc without a warning", said]), f"{code}: {lines}")


if __name__ == "__main__":
    main()
