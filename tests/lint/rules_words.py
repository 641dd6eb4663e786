# SPDX-License-Identifier: GPL-2.0-or-later
"""What users read, in each language."""

import functools
import gettext
import io
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree

from source import ROOT, c_files, files, functions, production, text

DOMAIN = "dialtone"
# A call with a literal: what marks a string for xgettext, with the keywords that po/meson.build's preset has.
MARKED = re.compile(r'(?<![\w"])(?:_|N_|n?gettext)\(\s*"')
KEYWORDS = ("_", "N_", "ngettext:1,2")
DATA = ("data/org.dialtone.Dialtone.desktop", "data/org.dialtone.Dialtone.gschema.xml",
        "data/org.dialtone.Dialtone.metainfo.xml", "data/polkit-1/actions/org.dialtone.policy")
MNEMONIC = re.compile(r"^[^_`]*_(\w)[^_`]*$")
IN_C = re.compile(r'(?<![\w"])N?_\(\s*"((?:[^"\\]|\\.)*)"')


def listed(name):
    return [line for line in text(f"po/{name}").split("\n") if line and not line.startswith("#")]


def run(*command, stdin=b""):
    return subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, check=False)


def messages(po):
    """{message, or (message, number of the form): translation} of what is translated and not fuzzy"""
    made = run("msgfmt", "-o", "-", "-", stdin=po)
    if made.returncode != 0:
        return {}
    return {key: value for key, value in gettext.GNUTranslations(io.BytesIO(made.stdout))._catalog.items() if key}


@functools.lru_cache(None)
def wanted():
    """What the sources have: each message as its own translation."""
    keywords = [f"--keyword={keyword}" for keyword in KEYWORDS]
    template = run("xgettext", "--from-code=UTF-8", *keywords, "-o", "-", *listed("POTFILES")).stdout
    template = template.replace(b"nplurals=INTEGER; plural=EXPRESSION", b"nplurals=2; plural=(n != 1)")
    return messages(run("msgen", "--lang=en", "-", stdin=template.replace(b"charset=CHARSET", b"charset=UTF-8")).stdout)


@functools.lru_cache(None)
def translated(language):
    return messages(text(f"po/{language}.po").encode())


def message_of(key):
    return key[0] if isinstance(key, tuple) else key


def each_file_with_messages_is_listed():
    """po/POTFILES has the files with words for users, and no others"""
    marked = [f for f in c_files() if production(f) and MARKED.search(text(f))]
    drawn = [f for f in files() if f.endswith(".ui") and 'translatable="yes"' in text(f)]
    found, there = {*marked, *drawn, *DATA}, set(listed("POTFILES"))
    for path in sorted(found - there):
        yield path, "has words to translate and is missing"
    for path in sorted(there - found):
        yield path, "has none"


def each_language_is_complete():
    """each language has a translation of every message, and of nothing else"""
    for language in listed("LINGUAS"):
        there = {message_of(key) for key in translated(language)}
        for missing in sorted({message_of(key) for key in wanted()} - there):
            yield f"po/{language}.po", f"not translated, or fuzzy: {missing!r}"
        for stale in sorted(there - {message_of(key) for key in wanted()}):
            yield f"po/{language}.po", f"in no source any more: {stale!r}"


def translations_have_the_right_form():
    """msgfmt --check finds nothing: formats, line ends, headers, plurals"""
    for language in listed("LINGUAS"):
        done = run("msgfmt", "--check", "-o", os.devnull, f"po/{language}.po")
        for line in done.stderr.decode().splitlines():
            if done.returncode != 0 or "warning" in line:
                yield f"po/{language}.po", line


def gather(node, own, nested):
    pages = node.get("class") in ("GtkStack", "GtkNotebook", "GtkAssistant")
    for child in node:
        if child.tag in ("property", "attribute", "col"):
            own += [child.text or ""] if child.get("translatable") == "yes" else []
        elif child.tag == "menu" or child.get("class") in ("GtkPopover", "GtkPopoverMenu"):
            nested.append((child, True))
        elif pages and child.tag == "child":
            nested.append((child, False))
        else:
            gather(child, own, nested)


def scopes(node, around=()):
    """Lists of messages that are shown together, the outermost first: a menu is alone, a page of a
    stack has what stands around the stack beside it."""
    own, nested = [*around], []
    gather(node, own, nested)
    yield own
    for inner, is_alone in nested:
        yield from scopes(inner, () if is_alone else own)


def passages(path):
    """The messages of each function and of each table of a C file: what one dialog or page is made of."""
    source, spans = text(path), []
    for match in re.finditer(r"^\S[^;{}]*\[\] = \{$.*?^\};$", source, re.M | re.S):
        spans.append(match.span())
    lines = source.split("\n")
    for function in functions(path):
        begin = len("\n".join(lines[:function.line - 1]))
        end = source.find("\n}", begin)
        spans.append((begin, end))
    return [IN_C.findall(source[begin:end]) for begin, end in spans]


def dialogs():
    """(file, messages that are shown together): those of a template, and those that its code adds"""
    drawn = {f: [*scopes(ElementTree.fromstring(text(f)))] for f in files() if f.endswith(".ui")}
    for path, found in drawn.items():
        for scope in found:
            yield path, scope
    for path in (f for f in files() if f.startswith("gui/") and f.endswith(".c")):
        template = os.path.basename(path)[:-2].split("-")[0]
        around = drawn.get(f"gui/ui/{template}.ui", [[]])[0]
        for passage in passages(path):
            yield path, around + passage


def mnemonics_are_unique():
    """no two mnemonics of a dialog are the same, in any language, and no translation loses one"""
    for path, scope in dialogs():
        for language in ["", *listed("LINGUAS")]:
            taken = {}
            for message in sorted({m for m in scope if MNEMONIC.match(m)}):
                shown = translated(language).get(message, message) if language else message
                match = MNEMONIC.match(shown)
                where = f"{path}, {language or 'English'}"
                if not match:
                    yield where, f"{shown!r} has no mnemonic"
                elif taken.setdefault(match.group(1).lower(), message) != message:
                    yield where, f"{match.group(1)} of {shown!r} is that of {taken[match.group(1).lower()]!r}, too"


RULES = [each_file_with_messages_is_listed, translations_have_the_right_form, mnemonics_are_unique,
         each_language_is_complete]
