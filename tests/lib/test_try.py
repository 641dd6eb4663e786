#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""./try, interrupted, in a folder where what it calls only waits to be interrupted. Prints TAP."""

import os
import signal
import subprocess

from script_kit import Folder, case, expect, main, wait_until

SIGNALS = ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143))
GOES_ON = "interrupted; what is installed and built stays, and the next time goes on from there"
# The one that is named in the file `hangs` has begun when the file of its own name is there.
STEP = """#!/bin/bash
cd {folder} || exit 1
echo {name} >> calls
echo "$DIALTONE_COOKIES" > cookies
[ "$(cat hangs)" = {name} ] || exit 0
trap 'echo {name} ends; kill $!; exit 1' TERM
sleep 1000 &
touch {name}
wait
"""
STEPS = {"scripts/install-packages": "packages", "bin/meson": "setup", "bin/ninja": "build",
         "tests/lib/demo.py": "demo"}


class Try(Folder):
    def __init__(self, hangs):
        super().__init__("try")
        self.write("hangs", hangs)
        self.write("tests/lib/environment", "#!/bin/sh\n")
        self.write("tests/lib/sandbox", '#!/bin/sh\nexec unshare --pid --fork --kill-child "$@"\n')
        for path, name in STEPS.items():
            self.write(path, STEP.format(folder=self.folder, name=name))

    def start_try(self, *words, **environment):
        path = f"{self.path('bin')}:{os.environ['PATH']}"
        return self.start(self.path("try"), *words, env={"PATH": path, "MARK": self.folder, **environment})

    def words(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read().split()

    def calls(self):
        return self.words("calls")

    def interrupt(self, number):
        """Exit code and lines of one that is interrupted where it hangs."""
        with open(self.path("hangs"), encoding="utf-8") as file:
            name = file.read()
        process = self.start_try()
        wait_until(lambda: self.has(name), f"{name} has begun")
        process.send_signal(number)
        found = self.end(process)
        self.wait_none_left()
        return found


@case
def an_interruption_before_the_demonstration_ends_what_works_and_says_that_the_next_time_goes_on():
    for name in ("packages", "setup", "build"):
        for number, code in SIGNALS:
            with Try(name) as tree:
                ended, lines = tree.interrupt(number)
                expect((ended, lines[-1]) == (code, GOES_ON), f"{name}, {number.name}: {ended} {lines}")


@case
def an_interruption_of_the_demonstration_is_passed_on_to_it_and_it_has_the_last_word():
    for number, code in SIGNALS:
        with Try("demo") as tree:
            ended, lines = tree.interrupt(number)
            expect((ended, lines[-1]) == (code, "demo ends"), f"{number.name}: {ended} {lines}")


@case
def what_was_set_up_is_not_set_up_again_unless_that_was_interrupted():
    with Try("setup") as tree:
        tree.interrupt(signal.SIGTERM)
        tree.write("hangs", "nothing")
        for _ in range(2):
            ended, lines = tree.end(tree.start_try())
            expect(ended == 0, f"{ended}: {lines}")
        expect(tree.calls() == ["packages", "setup", *("packages", "setup", "build", "demo"),
                                *("packages", "build", "demo")], tree.calls())


@case
def the_cookies_of_a_display_are_read_and_the_folder_that_they_are_in_is_left_alone():
    with Try("nothing") as tree:
        os.mkdir(tree.path("home"))
        authority = tree.path("home/.Xauthority")
        subprocess.run(["xauth", "-q", "-f", authority, "add", ":7", ".", "00112233"], check=True,
                       stderr=subprocess.DEVNULL)
        # As somebody leaves it who is killed while they change it.
        for lock in ("-c", "-l"):
            tree.write(f"home/.Xauthority{lock}", "")
        before = sorted(os.listdir(tree.path("home")))
        ended, lines = tree.end(tree.start_try("--gui", DISPLAY=":7", XAUTHORITY=authority))
        expect(ended == 0 and tree.words("cookies")[-1:] == ["00112233"], f"{ended}: {lines}, {tree.words('cookies')}")
        expect(sorted(os.listdir(tree.path("home"))) == before, f"{before}, now {os.listdir(tree.path('home'))}")


@case
def an_option_that_is_none_and_one_too_many_are_refused_before_anything_is_done():
    for words in (("--frob",), ("--gui", "--service"), ("office",)):
        with Try("nothing") as tree:
            ended, lines = tree.end(tree.start_try(*words))
            expect(ended == 2 and lines[0].startswith("usage: "), f"{words}: {ended} {lines}")
            expect(not tree.has("calls"), f"{words}: something was done")


if __name__ == "__main__":
    main()
