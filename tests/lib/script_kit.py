# SPDX-License-Identifier: GPL-2.0-or-later
"""Scripts of the project, run in a folder where what they call is made of plaster. Prints TAP."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SECONDS = 60
CASES = []


def case(function):
    CASES.append(function)


def expect(right, what):
    if not right:
        raise AssertionError(what)


def wait_until(predicate, what, seconds=20):
    end = time.monotonic() + seconds
    while not predicate() and time.monotonic() < end:
        time.sleep(0.05)
    expect(predicate(), what)


class Folder:
    """Some real files of the project, and others that are written for a case."""

    def __init__(self, *real):
        self.folder = tempfile.mkdtemp(prefix="script-")
        for name in real:
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            shutil.copy2(os.path.join(ROOT, name), self.path(name))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in self.left():  # a case that failed
            os.kill(int(pid), signal.SIGKILL)
        shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def has(self, name):
        return os.path.exists(self.path(name))

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), 0o755)

    def start(self, *command, **more):
        """As a shell would; whoever began this may ignore signals, which a shell could not trap then."""
        def hear():
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
                signal.signal(number, signal.SIG_DFL)
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                preexec_fn=hear, **more)

    @staticmethod
    def end(process):
        """Exit code and lines."""
        try:
            out, _ = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
        return process.returncode, out.splitlines()

    def left(self):
        """The processes that live and have the folder in their environment."""
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
        wait_until(lambda: not self.left(), "something that was started still runs", 10)


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root")
        sys.exit(0)
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
    sys.exit(1 if failed else 0)
