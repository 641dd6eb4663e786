#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""verb_pages.py DIALTONE.1 MAIN.C PAGE...: a manual page for each command, out of dialtone(1).

Who types `man dialtone-connect` reads what dialtone(1) says of that command and nothing else; there is
one text. The line of NAME is the command's own, from the table of commands.
"""

import os
import re
import sys


def section(text, name):
    return re.search(rf"^\.Sh {name}\n(.*?)(?=^\.Sh |\Z)", text, re.M | re.S).group(1)


def plain(word):
    return word.replace("\\-", "-")


def synopses(text):
    """{verb: its lines}, a block of .Nm each."""
    found = {}
    for block in re.split(r"^\.Nm\n", section(text, "SYNOPSIS"), flags=re.M):
        verb = re.search(r"^\.Cm (\S+)", block, re.M)
        if verb:
            found.setdefault(plain(verb.group(1)), []).append(f".Nm\n{block}")
    return found


def items(text):
    """{verb: [(what stands beside .It Cm, what stands below it)]} of the list of commands, lists in it whole."""
    found, depth, verb = {}, 0, None
    for line in section(text, "COMMANDS").splitlines():
        depth += line.startswith(".Bl ") - line.startswith(".El")
        if depth == 1 and line.startswith(".It Cm "):
            words = line[len(".It Cm "):]
            verb = plain(words.split()[0])
            found.setdefault(verb, []).append((words, []))
        elif verb and depth >= 1:
            found[verb][-1][1].append(line)
    return found


def page(verb, summary, text):
    date = re.search(r"^\.Dd (.*)$", text, re.M).group(1)
    ours = items(text)[verb]
    name = verb.replace("-", "\\-")
    several = len(ours) > 1
    usage = "".join(synopses(text).get(verb, []))
    usage += "".join(f".Nm\n.Cm {words}\n" for words, _ in ours if " " in words and f".Cm {words}\n" not in usage)
    body = "".join((f".Ss {name} {words.split()[1]}\n" if several and " " in words else "") + "\n".join(lines) + "\n"
                   for words, lines in ours)
    return "\n".join([
        '.\\" SPDX-License-Identifier: GPL-2.0-or-later', '.\\" Made out of dialtone.1; change that one.',
        f".Dd {date}", f".Dt DIALTONE-{verb.upper()} 1", ".Os Dialtone", ".Sh NAME", f".Nm dialtone-{name}",
        f".Nd {summary}", ".Sh SYNOPSIS", usage.replace(".Nm\n", ".Nm dialtone\n").rstrip(), ".Sh DESCRIPTION",
        body.rstrip(), ".Sh EXIT STATUS", "Those of", ".Xr dialtone 1 .", ".Sh SEE ALSO", ".Xr dialtone 1 ,",
        ".Xr dialtone\\-profile 5 ,", ".Xr dialtone\\-policy 5", ""])


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    with open(sys.argv[2], encoding="utf-8") as file:
        verbs = dict(re.findall(r'^    \{"([\w-]+)", N_\("([^"]*)"\)', file.read(), re.M))
    for path in sys.argv[3:]:
        verb = re.fullmatch(r"dialtone-([\w-]+)\.1", os.path.basename(path)).group(1)
        with open(path, "w", encoding="utf-8") as file:
            file.write(page(verb, verbs.pop(verb), text))
    if verbs:
        sys.exit(f"no page is asked for: {', '.join(verbs)}")


main()
