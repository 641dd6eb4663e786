# SPDX-License-Identifier: GPL-2.0-or-later
"""Budgets, format and words."""

import os
import re
import statistics
import subprocess
import sys

from source import ROOT, bare, c_files, files, functions, production, text

SCRIPTS = re.compile(r"^#!\s*(/usr)?/bin/(env )?(ba)?sh")
PYTHON = re.compile(r"^#!\s*\S*python3")
TEXTS = (".c", ".h", ".py", ".sh", ".build", ".md", ".xml", ".in", ".dialtone", ".conf", ".service")
# In pieces, so that this file passes its own rule.
LATER_WORDS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
MACHINE_PATHS = re.compile(r"/(" + "|".join(["work/", "tmp/te" + "am", "Us" + "ers/", "root/[a-z]"]) + r")")


def texts():
    for path in files():
        if path.endswith(TEXTS) or "." not in os.path.basename(path):
            if path not in ("LICENSE",) and not path.startswith("tests/fuzz/corpus/"):
                yield path


def first_lines(path):
    return "\n".join(text(path).split("\n")[:3])


def files_are_short():
    """no .c has more than 600 lines, no .h more than 150"""
    for path in c_files():
        lines = text(path).count("\n")
        limit = 600 if path.endswith(".c") else 150
        if lines > limit:
            yield path, f"has {lines} lines"


def functions_are_short():
    """no function has more than 80 lines"""
    for path in c_files():
        for function in functions(path):
            if function.length > 80:
                yield f"{path}:{function.name}", f"has {function.length} lines"


def functions_are_short_on_the_whole():
    """half of the functions have at most 20 lines, nine of ten at most 50"""
    lengths = sorted(f.length for p in filter(production, c_files(".c")) for f in functions(p))
    if len(lengths) < 20:
        return
    median, ninth = statistics.median(lengths), lengths[len(lengths) * 9 // 10]
    if median > 20 or ninth > 50:
        yield "all functions", f"median {median}, 90th percentile {ninth} lines"


def functions_take_few_parameters():
    """no function takes more than 5 parameters"""
    for path in filter(production, c_files(".c")):
        for function in functions(path):
            if function.parameters > 5:
                yield f"{path}:{function.name}", f"takes {function.parameters} parameters"


def conditionals_are_rare():
    """at most 0.5 #if in 1,000 lines"""
    lines = found = 0
    for path in filter(production, c_files()):
        lines += text(path).count("\n")
        guard = path.endswith(".h") and not re.search(r"^#pragma once", text(path), re.M)
        found += max(0, len(re.findall(r"^\s*#\s*if", bare(path), re.M)) - guard)
    if found > max(1, lines * 0.5 / 1000):
        yield "all files", f"{found} #if in {lines} lines"


def lines_are_narrow():
    """no line of C has more than 100 columns, and none a tab"""
    for path in c_files():
        for number, line in enumerate(text(path).split("\n"), 1):
            if len(line) > 100:
                yield f"{path}:{number}", f"has {len(line)} columns"
            elif "\t" in line:
                yield f"{path}:{number}", "has a tab"


def clang_format_agrees():
    """clang-format 14 would change nothing"""
    paths = c_files()
    if not paths:
        return
    done = subprocess.run(["clang-format-14", "--dry-run", "-Werror", *paths], cwd=ROOT,
                          capture_output=True, text=True)
    if done.returncode:
        seen = sorted(set(re.findall(r"^([^:\n]+):\d+:\d+: error", done.stderr, re.M)))
        for path in seen or ["clang-format-14"]:
            yield path, "is not formatted" if seen else done.stderr.strip()[:200]


def every_c_file_says_what_it_is_for():
    """each .c begins with a comment of 3 to 15 lines on its purpose"""
    for path in filter(production, c_files(".c")):
        body = re.sub(r"^\s*(/\* *SPDX[^\n]*\*/|// *SPDX[^\n]*)\n", "", text(path))
        match = re.match(r"\s*(/\*.*?\*/|(?://[^\n]*\n)+)", body, re.S)
        lines = match.group(1).strip().count("\n") + 1 if match else 0
        if not match or not 1 <= lines <= 20:
            yield path, f"begins with a comment of {lines} lines"


def every_file_names_its_licence():
    """C, Python, shell and meson files carry their SPDX line at the top"""
    for path in texts():
        code = path.endswith((".c", ".h", ".py", ".sh", ".build"))
        if code or SCRIPTS.match(text(path)) or PYTHON.match(text(path)):
            if "SPDX-License-Identifier: GPL-2.0-or-later" not in first_lines(path):
                yield path, "has no SPDX line"


def nothing_is_left_for_later():
    """no word that promises to do it later"""
    for path in texts():
        for number, line in enumerate(text(path).split("\n"), 1):
            if LATER_WORDS.search(line):
                yield f"{path}:{number}", line.strip()[:80]


def no_path_of_a_machine():
    """no path of somebody's machine"""
    for path in texts():
        if path.startswith("tests/lint/") or path == "scripts/packages":
            continue
        for number, line in enumerate(text(path).split("\n"), 1):
            if MACHINE_PATHS.search(line) and "http" not in line:
                yield f"{path}:{number}", line.strip()[:80]


def shell_scripts_parse():
    """shell scripts parse, and python files compile"""
    for path in texts():
        if SCRIPTS.match(text(path)):
            done = subprocess.run(["bash", "-n", path], cwd=ROOT, capture_output=True, text=True)
            if done.returncode:
                yield path, done.stderr.strip()[:200]
        elif path.endswith(".py") or PYTHON.match(text(path)):
            try:
                compile(text(path), path, "exec")
            except SyntaxError as error:
                yield f"{path}:{error.lineno}", error.msg


def every_source_is_built():
    """each .c is named in the meson.build of its folder or of one above"""
    for path in c_files(".c"):
        if path.startswith("tests/fuzz/"):
            continue
        folder, name = os.path.split(path)
        while True:
            build = os.path.join(folder, "meson.build")
            if os.path.exists(os.path.join(ROOT, build)):
                wanted = os.path.relpath(path, folder or ".")
                stem = os.path.splitext(wanted)[0]
                names = re.findall(r"'([^'\n]*)'", text(build))
                if any(n in (wanted, name, stem, os.path.basename(stem)) or stem.endswith(n) and len(n) > 2
                       for n in names):
                    break
            if not folder:
                yield path, "is in no meson.build"
                break
            folder = os.path.dirname(folder)


RULES = [files_are_short, functions_are_short, functions_are_short_on_the_whole,
         functions_take_few_parameters, conditionals_are_rare, lines_are_narrow,
         clang_format_agrees, every_c_file_says_what_it_is_for, every_file_names_its_licence,
         nothing_is_left_for_later, no_path_of_a_machine, shell_scripts_parse,
         every_source_is_built]

sys.dont_write_bytecode = True
