#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What desktop.py drives a program with, as a process of the user on the desktop: reads a question a
line, objects of JSON, and answers each with one."""

import json
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
# pylint: disable=wrong-import-position
from gi.repository import Atspi, GLib

from desktop_access import faults
from desktop_pointer import Pointer
from desktop_tray import Notifications, Tray

PROGRAM = "dialtone-gtk"
STEP = 0.05
SETTLES = 3  # seconds that a page may take to be whole
TRAYS, TOLD, POINTERS = [], [], []
STATES = {"checked": Atspi.StateType.CHECKED, "sensitive": Atspi.StateType.SENSITIVE,
          "focused": Atspi.StateType.FOCUSED, "selected": Atspi.StateType.SELECTED}


def turn():
    """Lets what the program tells arrive."""
    context = GLib.MainContext.default()
    while context.iteration(False):
        pass


def program():
    """Asked anew each time: a program that is just starting has no name yet, and would never get one."""
    desktop = Atspi.get_desktop(0)
    desktop.clear_cache()
    for i in range(desktop.get_child_count()):
        child = desktop.get_child_at_index(i)
        if child is not None:
            child.clear_cache()
            if child.get_name() == PROGRAM:
                return child
    return None


def walk(node, depth=0):
    """What is shown, with how deep it stands."""
    for i in range(node.get_child_count()):
        child = node.get_child_at_index(i)
        if child is None:
            continue
        child.clear_cache()
        if child.get_state_set().contains(Atspi.StateType.SHOWING):
            yield depth, child
            yield from walk(child, depth + 1)


def shown():
    root = program()
    return walk(root) if root is not None else ()


def find(question):
    """name: one, or a list of those that will do."""
    names = question["name"] if isinstance(question["name"], list) else [question["name"]]
    for _, node in shown():
        if node.get_role_name() == question["role"] and node.get_name() in names:
            states = node.get_state_set()
            wanted = question.get("states", {})
            if all(states.contains(STATES[name]) == value for name, value in wanted.items()):
                return node
    return None


def until(function, seconds, what):
    end = time.monotonic() + seconds
    while True:
        turn()
        try:
            value = function()
            if value:
                return value
        except GLib.Error:
            pass  # it went while it was looked at
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(STEP)


def in_front():
    """The window that has the keyboard."""
    root = program()
    for i in range(root.get_child_count() if root is not None else 0):
        window = root.get_child_at_index(i)
        if window is not None:
            window.clear_cache()
            if window.get_state_set().contains(Atspi.StateType.ACTIVE):
                return window
    return None


def judged(since):
    """What is wrong with what is in front, once there is something, and goes on to be."""
    front = in_front()
    found = faults(front, [node for _, node in walk(front)]) if front is not None else None
    return [found] if found == [] or found and time.monotonic() > since + SETTLES else None


def place(node):
    """Where on the screen it is: left, top, width, height."""
    at = Atspi.Component.get_extents(node, Atspi.CoordType.SCREEN)
    return [at.x, at.y, at.width, at.height]


def choose(node):
    """It, of those beside it."""
    return Atspi.Selection.select_child(node.get_parent(), node.get_index_in_parent())


def tree():
    try:
        return "\n".join(f"{'  ' * depth}{node.get_role_name()} {node.get_name()!r}" for depth, node in shown())
    except GLib.Error as error:
        return str(error)


def look(question):
    """What needs no waiting, but a second look when something went meanwhile."""
    role = question.get("role")
    if question["do"] == "tree":
        return [tree()]
    if question["do"] == "has":
        return [find(question) is not None]
    return [[node.get_name() for _, node in shown() if node.get_role_name() == role]]


def tray(question):
    """What is done with the icon in the tray."""
    do, name, seconds = question["do"], question.get("name"), question["seconds"]
    if do == "tray-comes":
        if not TRAYS:
            TRAYS.append(Tray())
        return TRAYS[0].come() or True
    own = TRAYS[0]
    if do == "tray-goes":
        return own.go() or True
    if do == "tray-hides":
        own.hosts_change(0)
        return until(lambda: own.looked, seconds, "it is read whether anybody shows icons")
    if do == "tray-click":
        until(lambda: own.items and own.menu().get(name), seconds, f"{name!r} in {own.items and own.menu()}")
        return own.click(own.menu()[name]) or True
    return until(lambda: own.items and own.property("Title") == name and own.property("IconName"), seconds,
                 f"{name!r}, not {own.items and own.property('Title')!r}")


def notification(question):
    if not TOLD:
        TOLD.append(Notifications())
    own, name = TOLD[0], question["name"]
    if question["do"] == "told-all":
        return list(own.told)
    until(lambda: name in own.told, question["seconds"], f"{name!r} in {own.told}")
    return own.press(name, question["action"]) if "action" in question else True


def pointer():
    if not POINTERS:
        POINTERS.append(Pointer())
    return POINTERS[0].name()


def answer(question):
    if question["do"].startswith("told"):
        return notification(question)
    if question["do"].startswith("tray"):
        return tray(question)
    if question["do"] == "pointer":
        return pointer()
    name, seconds = question.get("name"), question["seconds"]
    what = f"{question['do']} {question.get('role')} {name!r} {question.get('states', '')}"
    if question["do"] in ("names", "has", "tree"):
        return until(lambda: look(question), seconds, what)[0]
    if question["do"] == "faults":
        since = time.monotonic()
        return until(lambda: judged(since), seconds, "a window that has the keyboard")[0]
    if question["do"] == "gone":
        return until(lambda: find(question) is None, seconds, what)
    node = until(lambda: find(question), seconds, what)
    if question["do"] == "place":
        return place(node)
    if question["do"] == "text":
        return Atspi.Text.get_text(node, 0, -1)
    if question["do"] == "act":
        Atspi.Action.do_action(node, 0)
    elif question["do"] == "choose":
        until(lambda: choose(node), seconds, what)
    elif question["do"] == "type":
        Atspi.EditableText.set_text_contents(node, question["text"])
    turn()
    return name


def main():
    Atspi.init()
    Atspi.set_timeout(10000, 15000)  # ms a call, and for a program that has just begun: a machine may be busy
    for line in sys.stdin:
        try:
            result = {"value": answer(json.loads(line))}
        except (TimeoutError, GLib.Error, AttributeError) as error:
            result = {"error": f"{type(error).__name__}: {error}", "tree": tree()}
        print(json.dumps(result), flush=True)


main()
