# SPDX-License-Identifier: GPL-2.0-or-later
"""What docs/security.md promises: a test for each fault that software of this kind has had."""

import os
import re

from source import ROOT, bare, c_files, production, text

TABLE = "docs/security.md"
ROWS = {"A": 26, "B": 14, "C": 13, "D": 5, "E": 14, "F": 10}
LINE = re.compile(r"^\| ([A-F]\d+) \| (.+?) \| (.+?) \|$", re.M)
TEST = re.compile(r"`([^`:]+):([^`]+)`")

# What the network reaches, beside ike/, which has rules of its own.
REACHED = re.compile(r"^(client/tunnel/(datapath|frames)|platform/(resolver|udp|tun|netlink-watch|nft-watch))[\w-]*\.c$")
ENDS = re.compile(r"\b(g_assert\w*|g_error|g_abort|g_return_if_fail|g_return_val_if_fail"
                  r"|g_return_if_reached|assert|abort|raise|__builtin_trap|__builtin_unreachable)\s*\(")
CRASH = re.compile(r"\b(SIGSEGV|SIGBUS|SIGILL|SIGFPE|SIGABRT|sigaltstack|backtrace(?:_symbols(?:_fd)?)?)\b(?!\s*\)\s*,)")


def rows():
    """(row, what, tests or reason), as the table has them."""
    return LINE.findall(text(TABLE)) if os.path.exists(os.path.join(ROOT, TABLE)) else []


def each_row_is_listed_once():
    """docs/security.md lists every row once, in order"""
    wanted = [f"{letter}{n}" for letter, last in ROWS.items() for n in range(1, last + 1)]
    found = [row for row, _, _ in rows()]
    for row in wanted:
        if found.count(row) != 1:
            yield TABLE, f"{row} stands there {found.count(row)} times"
    if not set(wanted) ^ set(found) and found != wanted:
        yield TABLE, "the rows are not in order"


def defines(path, name):
    """True where the file has a test of that name: a function, the name of a row in a table of cases, a
    case by its title, or a file."""
    if name == "LLVMFuzzerTestOneInput" or re.fullmatch(r"\w+", name):
        if path.endswith(".c"):
            return re.search(rf'^(static void|int) {name}\(|^    {{"{name}",', text(path), re.M) is not None
        return re.search(rf"^def {name}\(", text(path), re.M) is not None
    return re.search(rf'^\s*(@\w*case|CASES\.append\()\("{re.escape(name)}"', text(path), re.M) is not None


def is_named_after(path, name, row):
    """A test carries its row in its name; a lint rule may carry it in what it says."""
    said = re.search(rf'^def {name}\(\):\n\s*"""([^"]*)"""', text(path), re.M) if name.isidentifier() else None
    words = re.split(r"[_\W]+", f"{name} {said.group(1) if said else ''}".lower())
    return row.lower() in words


def the_tests_of_the_table_exist():
    """each test that docs/security.md names exists, and is named after its row"""
    for row, _, tests in rows():
        named = TEST.findall(tests)
        if not named and not tests.startswith("No test: "):
            yield f"{TABLE}:{row}", "names no test, and gives no reason"
        for path, name in named:
            if not os.path.exists(os.path.join(ROOT, path)):
                yield f"{TABLE}:{row}", f"{path} does not exist"
            elif not defines(path, name):
                yield f"{TABLE}:{row}", f"{path} has no {name}"
            elif not is_named_after(path, name, row):
                yield f"{TABLE}:{row}", f"{name} is not named after it"


def nothing_that_the_network_reaches_ends_the_process():
    """B9: the data path and the resolver never assert or abort"""
    for path in filter(REACHED.match, c_files(".c")):
        for match in ENDS.finditer(bare(path)):
            line = bare(path).count("\n", 0, match.start()) + 1
            yield f"{path}:{line}", f"calls {match.group(1)}"


def nothing_runs_in_a_crash():
    """B14: no handler of crashes, so none that allocates, logs or runs on a stack too small"""
    for path in filter(production, c_files()):
        for match in CRASH.finditer(bare(path)):
            line = bare(path).count("\n", 0, match.start()) + 1
            yield f"{path}:{line}", f"names {match.group(1)}"


PROCESS_SUBJECT = re.compile(r"\b(polkit_unix_(?:process|session)_new\w*)")
SHELL = re.compile(r"\b(system|popen|g_spawn_command_line_\w+|wordexp|execlp|execvp|execvpe)\s*\(")


def polkit_is_asked_about_names():
    """E10: polkit is asked about a name on the bus, never about a process, whose number can pass on"""
    for path in filter(production, c_files()):
        for match in PROCESS_SUBJECT.finditer(bare(path)):
            yield path, f"calls {match.group(1)}"


def nothing_runs_a_shell():
    """E11: no shell, and no program that is looked for by its name"""
    for path in filter(production, c_files()):
        for match in SHELL.finditer(bare(path)):
            line = bare(path).count("\n", 0, match.start()) + 1
            yield f"{path}:{line}", f"calls {match.group(1)}"


RULES = [each_row_is_listed_once, the_tests_of_the_table_exist,
         nothing_that_the_network_reaches_ends_the_process, nothing_runs_in_a_crash,
         polkit_is_asked_about_names, nothing_runs_a_shell]
