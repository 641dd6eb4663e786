# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lint rules know of the tree: its files, and the functions of a C file.

The reader of C is a line scanner that relies on the house style (a function's braces stand in the
first column), which clang-format enforces in the same run.
"""

import functools
import os
import re
import subprocess

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
FOLDERS = ("ike", "client", "gui", "platform", "data", "tests")


@functools.lru_cache(None)
def files():
    """All files of the project, without what git ignores; works in a tree without git too."""
    git = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "-C", ROOT, "ls-files", "-z",
                          "--cached", "--others", "--exclude-standard"], capture_output=True)
    if git.returncode == 0:
        names = git.stdout.decode().split("\0")
        return sorted(n for n in set(names) if n and os.path.isfile(os.path.join(ROOT, n)))
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [f for f in folders if f != ".git" and not f.startswith("build")]
        found += [os.path.relpath(os.path.join(folder, n), ROOT) for n in names]
    return sorted(found)


def c_files(*endings):
    """C files below the folders of the house that end in one of endings."""
    endings = endings or (".c", ".h")
    return [f for f in files() if f.split("/")[0] in FOLDERS and f.endswith(endings)]


def production(path):
    return not path.startswith("tests/")


@functools.lru_cache(None)
def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


@functools.lru_cache(None)
def bare(path):
    """The text of a C file with comments, strings and characters blanked; lines stay lines."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, blank, text(path), flags=re.S)


class Function:
    """A function definition: where it stands, how long it is, what it takes."""

    def __init__(self, path, name, line, length, parameters, static):
        self.path, self.name, self.line = path, name, line
        self.length, self.parameters, self.static = length, parameters, static


SIGNATURE = re.compile(r"(?:^|\n)(?P<head>[A-Za-z_][^;{}#]*?\b(?P<name>[A-Za-z_]\w*)\s*"
                       r"\((?P<args>[^;{}]*)\)[^;{}()]*)\n\{", re.S)


@functools.lru_cache(None)
def functions(path):
    source, found = bare(path), []
    for match in SIGNATURE.finditer(source):
        begin = source.count("\n", 0, match.start("head"))
        body = source.count("\n", 0, match.end())
        end = source.find("\n}", match.end() - 1)
        if end < 0:
            continue
        length = source.count("\n", 0, end) + 1 - body + 1
        found.append(Function(path, match.group("name"), begin + 1, length,
                              parameters(match.group("args")),
                              re.search(r"\bstatic\b", match.group("head")) is not None))
    return found


def parameters(args):
    """Counts the parameters of an argument list; commas inside brackets do not count."""
    args = args.strip()
    if args in ("", "void"):
        return 0
    depth, count = 0, 1
    for char in args:
        depth += (char in "([") - (char in ")]")
        count += char == "," and depth == 0
    return count
