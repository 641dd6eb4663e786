# SPDX-License-Identifier: GPL-2.0-or-later
"""What dialtone-gtk says in another language, so that a test finds by its English name what is shown
under another; and a language that nobody speaks, written from right to left."""

import os
import re
import shutil
import struct

from desktop import installed
from lab import run

PSEUDO = "he"  # of this one GTK itself knows the direction
# Each letter stands for another one, so that what differs goes on to differ.
LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "אבגדהוזחטיכלמנסעפצקרשתךםןף")
FILLED_IN = re.compile(r"(%(?:\d+\$)?'?[a-z]+)")
HEADER = 28  # of a compiled catalog: seven numbers


def mirrored(text):
    parts = FILLED_IN.split(text)
    return "".join(part if FILLED_IN.fullmatch(part) else part.lower().translate(LETTERS) for part in parts)


def read_catalog(path):
    """Its messages in order: what is said in English (and for many), and in the other language."""
    with open(path, "rb") as file:
        data = file.read()
    _, _, count, *tables = struct.unpack_from("<5I", data)

    def at(table, i):
        length, start = struct.unpack_from("<2I", data, table + 8 * i)
        return data[start:start + length].decode()
    return [tuple(at(table, i) for table in tables) for i in range(count)]


def write_catalog(path, messages):
    texts = [text.encode() for column in zip(*messages) for text in column]
    start, table = HEADER + 8 * len(texts), b""
    for text in texts:
        table += struct.pack("<2I", len(text), start)
        start += len(text) + 1
    with open(path, "wb") as file:
        file.write(struct.pack("<7I", 0x950412de, 0, len(messages), HEADER, HEADER + 8 * len(messages), 0, 0))
        file.write(table + b"".join(text + b"\0" for text in texts))


def pseudo_catalog(real, path):
    """The messages of a real one, each said in English, and that mirrored; the program's name is that of the
    window, by which it is found. The header says which language it is."""
    def said(english, text):
        if english == "":
            return re.sub(r"(?m)^Language: .*$", f"Language: {PSEUDO}", text)
        return text if english == "Dialtone" else mirrored(english)
    write_catalog(path, [(english, said(english, text)) for english, text in read_catalog(real)])


def install_catalogs():
    """Where the program looks for them; in the sandbox alone."""
    for source, target in installed():
        if not target.endswith("/LC_MESSAGES/dialtone.mo") or not os.path.exists(source):
            continue
        share = target.split("/locale/")[0]
        if not os.path.ismount(share):
            run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", share])
            pseudo = os.path.join(share, "locale", PSEUDO, "LC_MESSAGES")
            os.makedirs(pseudo)
            pseudo_catalog(source, os.path.join(pseudo, "dialtone.mo"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(source, target)


class Words:
    """words["From a file"] is what stands there instead; in English, itself. Two of the program's texts may
    differ in English by a mnemonic only, and in Japanese by more: then it is a list of both."""

    def __init__(self, language):
        self.known = {}
        if language is None:
            return
        german = next(target for _, target in installed() if target.endswith("/de/LC_MESSAGES/dialtone.mo"))
        for english, text in read_catalog(german.replace("/de/", f"/{language}/")):
            self.known.setdefault(self.spoken(english), set()).add(self.spoken(text))

    @staticmethod
    def spoken(text):
        """A mnemonic's mark is not shown."""
        return text.replace("_", "")

    def __getitem__(self, english):
        said = sorted(self.known.get(english, [english]))
        return said[0] if len(said) == 1 else said
