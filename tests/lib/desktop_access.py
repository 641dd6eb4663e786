# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands in the way of somebody who works with a keyboard or hears what is shown: a judge of the
window that is in front, for desktop_driver.py."""

from gi.repository import Atspi

State, Relation = Atspi.StateType, Atspi.RelationType
# What is worked with, and so needs a name.
WORKED_WITH = {"push button", "toggle button", "check box", "radio button", "combo box", "text", "password text",
               "list item", "menu item", "check menu item", "radio menu item", "link", "spin button", "slider",
               "page tab", "image menu item"}
WRITTEN_IN = {"text", "password text"}
# The keyboard may be there too; what they hold has names of its own.
AROUND = {"label", "list box", "list", "scroll pane", "table", "tree table", "frame", "dialog", "alert", "window",
          "viewport", "page tab list", "menu", "menu bar", "popup menu", "image", "panel"}
NEVER_AT_ONCE = "delete", "discard", "forget", "replace it", "quit dialtone"  # by a key that was meant for another


def named(node):
    return f"{node.get_role_name()} {node.get_name()!r}"


def has(node, state):
    return node.get_state_set().contains(state)


def labelled(node):
    return any(relation.get_relation_type() == Relation.LABELLED_BY for relation in node.get_relation_set())


def mnemonic(node):
    """The letter that, with Alt, leads to it; or nothing."""
    action = node.get_action_iface()
    if action is None or Atspi.Action.get_n_actions(action) < 1:
        return ""
    return Atspi.Action.get_key_binding(action, 0).split(";")[0].lower()


def of_one(node):
    """What is wrong with one thing."""
    role, focusable = node.get_role_name(), has(node, State.FOCUSABLE)
    if role in WORKED_WITH and not node.get_name().strip():
        yield f"{named(node)} has no name"
    if role in WRITTEN_IN and has(node, State.EDITABLE) and not labelled(node):
        yield f"{named(node)} has no label"
    if focusable and role not in WORKED_WITH | AROUND:
        yield f"{named(node)} takes the keyboard, and nobody knows what it is"


def of_letters(nodes):
    letters = {}
    for node in nodes:
        if mnemonic(node):
            letters.setdefault(mnemonic(node), []).append(node)
    for letter, those in letters.items():
        if len({node.get_name() for node in those}) > 1:
            yield f"{letter} leads to {', '.join(map(named, those))}"


def of_keyboard(nodes):
    """Where keys go that are pressed now."""
    focused = [node for node in nodes if has(node, State.FOCUSED)]
    default = [node for node in nodes if has(node, State.IS_DEFAULT)]
    # Of a combo box GTK does not tell that the keyboard is there.
    if len(focused) != 1 and not any(node.get_role_name() == "combo box" for node in nodes):
        yield f"the keyboard is at {', '.join(map(named, focused)) or 'nothing'}"
    for node in focused + default:
        if node.get_role_name() == "push button" and node.get_name().lower() in NEVER_AT_ONCE:
            yield f"{named(node)} is one key away"
    if any(has(node, State.SINGLE_LINE) and has(node, State.EDITABLE) for node in focused) and not default:
        yield "Enter does nothing"


def faults(front, nodes):
    """front: the window; nodes: all that is shown in it."""
    found = [fault for node in nodes for fault in of_one(node)]
    if not front.get_name().strip() and front.get_role_name() != "alert":
        found.append(f"{named(front)} has no title")
    return found + list(of_letters(nodes)) + list(of_keyboard(nodes))
