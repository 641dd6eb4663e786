# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of tests in namespaces, reported as TAP: one line a case, what went wrong below it.

A file of cases looks like this:

    @case("a wrong preshared key ends with 7")
    def _(lab): ...

    main()

A case takes a Lab that is up, unless its @case says what sites it wants or lab=False. The names of
cases given on the command line (parts of them) run alone; `--conversations` prints the names of those
that have a gateway to talk to, and runs nothing.
"""

import os
import signal
import sys
import time
import traceback

from lab import Failure, Lab, need_root

FULL = os.environ.get("DIALTONE_FULL") == "yes"
CASES = []
LOG_LINES = 30


class Skip(Exception):
    """This case can't run here; the message says why."""


class Timeout(BaseException):
    """Not an Exception, so that no case takes it for one of its own."""


def case(name, seconds=60, **lab):
    """Registers a case: a sentence, the time it may take, and arguments for its Lab."""
    def register(function):
        CASES.append((name, seconds, lab, function))
        return function
    return register


def on_alarm(*unused):
    raise Timeout()


def logs_of(lab):
    """The ends of all logs of a lab, the client's first."""
    for name in sorted(os.listdir(lab.folder), key=lambda n: (not n.startswith("dialtone"), n)):
        path = os.path.join(lab.folder, name)
        if "iperf" in name or name.startswith("ping-"):
            continue
        if name.endswith((".log", ".err", ".out")) and os.path.isfile(path) and os.path.getsize(path):
            lines = lab.read_log(name).splitlines()
            yield name, lines[-LOG_LINES:]


def keep_logs(lab, number):
    """Copies whole logs to a folder that the caller named, for a closer look."""
    folder = os.environ.get("DIALTONE_TEST_LOGS")
    if not folder:
        return
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(lab.folder):
        if name.endswith((".log", ".err", ".out")):
            with open(os.path.join(folder, f"{os.path.basename(sys.argv[0])}-{number}-{name}"), "w",
                      encoding="utf-8") as file:
                file.write(lab.read_log(name))


def run_case(number, seconds, arguments, function):
    """Runs one case; returns (ok, skip reason, diagnostic lines)."""
    lab, lines = None, []
    signal.alarm(seconds)
    try:
        if arguments.get("lab", True):
            lab = Lab(**arguments)
            with lab:
                try:
                    function(lab)
                except (Skip, Timeout, Exception):
                    signal.alarm(0)
                    keep_logs(lab, number)
                    for name, tail in logs_of(lab):
                        lines += [f"{name}:", *("  " + line for line in tail)]
                    raise
        else:
            function()
    except Skip as reason:
        return True, str(reason), []
    except Failure as failure:
        return False, None, [str(failure), *where(failure), *lines]
    except Timeout:
        return False, None, [f"did not end within {seconds} s", *lines]
    except Exception:  # a fault of the test itself is a failure like any other
        return False, None, [*traceback.format_exc().strip().splitlines(), *lines]
    finally:
        signal.alarm(0)
    return True, None, []


def where(failure):
    """The line of the test file that a failure came from."""
    frames = [f for f in traceback.extract_tb(failure.__traceback__)
              if os.path.basename(os.path.dirname(os.path.realpath(f.filename))) in ("netns", "dbus", "gui")]
    return [f"at {os.path.basename(f.filename)}:{f.lineno}: {f.line}" for f in frames[-1:]]


def converses(function):
    """True if a case, or a function of its file that it calls, has a gateway to talk to."""
    names = function.__code__.co_names
    if {"Gateway", "Connection", "Served", "Machine"} & set(names):
        return True
    called = [function.__globals__.get(name) for name in names]
    here = [f for f in called if getattr(f, "__module__", None) == function.__module__]
    return any(converses(f) for f in here if isinstance(f, type(main)) and f is not function)


def main():
    if sys.argv[1:] == ["--conversations"]:
        print("\n".join(name for name, _, _, function in CASES if converses(function)))
        return
    need_root()
    signal.signal(signal.SIGALRM, on_alarm)
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(143))
    wanted = sys.argv[1:]
    chosen = [c for c in CASES if not wanted or any(w in c[0] for w in wanted)]
    print(f"1..{len(chosen)}", flush=True)
    failed = 0
    for number, (name, seconds, arguments, function) in enumerate(chosen, 1):
        begin = time.monotonic()
        ok, skip, lines = run_case(number, seconds, arguments, function)
        took = f"{time.monotonic() - begin:.1f} s"
        if skip:
            print(f"ok {number} - {name} # SKIP {skip}")
        else:
            failed += not ok
            print(f"{'ok' if ok else 'not ok'} {number} - {name} ({took})")
        for line in lines:
            print(f"#   {line}")
        sys.stdout.flush()
    sys.exit(1 if failed else 0)
