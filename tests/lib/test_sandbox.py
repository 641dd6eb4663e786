#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/lib/sandbox of a project that lies in folders which are closed to others. Prints TAP."""

import os
import shutil
import subprocess
import sys

from script_kit import ROOT, Folder, case, expect, main

SOMEBODY = ("setpriv", "--reuid=61001", "--regid=61001", "--clear-groups")
SANDBOX = "tests/lib/sandbox"


class Closed(Folder):
    """`name` is a folder that only root may pass; the project is below it."""

    def __init__(self, name):
        super().__init__()
        self.closed = self.path(name)
        self.project = os.path.join(self.closed, "project")
        os.makedirs(os.path.join(self.project, os.path.dirname(SANDBOX)))
        os.chmod(self.closed, 0o700)
        shutil.copy2(os.path.join(ROOT, SANDBOX), os.path.join(self.project, SANDBOX))
        with open(os.path.join(self.project, "file"), "w", encoding="utf-8") as file:
            file.write("of the project\n")

    def run(self, *command):
        """What it says in the sandbox, called in the project's folder."""
        return self.end(self.start(SANDBOX, *command, cwd=self.project))


@case
def its_users_reach_the_project_whatever_the_closed_folders_are_called():
    for name in ("home", "home/two words/three", "bücher, neue: 1\\2=3"):
        with Closed(name) as closed:
            code, lines = closed.run(*SOMEBODY, "cat", os.path.join(closed.project, "file"))
            expect((code, lines) == (0, ["of the project"]), f"{name}: {code} {lines}")


@case
def what_is_written_in_the_project_stays_and_the_closed_folder_is_as_it_was():
    with Closed("home") as closed:
        code, lines = closed.run("sh", "-c", "echo more >> file; pwd")
        expect((code, lines) == (0, [closed.project]), f"{code}: {lines}")
        with open(os.path.join(closed.project, "file"), encoding="utf-8") as file:
            expect(file.read() == "of the project\nmore\n", "the file is another")
        expect(os.stat(closed.closed).st_mode & 0o777 == 0o700, "the folder is open")


if __name__ == "__main__":
    done = subprocess.run([os.path.join(ROOT, SANDBOX), "true"], capture_output=True, text=True, check=False)
    if os.geteuid() == 0 and done.returncode:
        print(f"1..0 # SKIP no sandbox here: {done.stderr.strip()[-200:]}")
        sys.exit(0)
    main()
