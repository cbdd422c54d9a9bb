"""Where things stand in the text of JSON and of YAML, and how something is added without touching the rest."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent

from tap_afas.explore.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ruamel.yaml.events import Event

_BLANKS = re.compile(r"[ \t\r\n]*")
_STEP = 2
# What YAML, of whichever version, takes for a text, in a flow too.
_PLAIN = re.compile(r"[^\W\d_][\w\\.]*(-[\w\\.]+)*")
_NOTHING = {"", "~", "null"}
_NO_TEXT = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}

Edit = tuple[int, int, str]
"""From where to where a text gives way to another."""


class LayoutError(ValueError):
    """A text can't be read, or can't be added to; its text says why, without quoting anything."""


@dataclasses.dataclass(slots=True)
class Node:
    """A value in a text.

    Attributes:
        start: Where it begins,
        end: and where what is written of it ends.
        column: In which column it begins.
        members: Its values by name, if it is an object; the last one where a name comes twice.
        names: Where these names begin.
        items: Its values, if it is a list.
        flow: Whether it is written in brackets.
        elsewhere: Whether it is written elsewhere, as an alias.
        text: What is written, if it is neither object nor list.
    """

    start: int
    end: int
    column: int = 0
    members: dict[str, Node] | None = None
    names: dict[str, int] = dataclasses.field(default_factory=dict)
    items: list[Node] = dataclasses.field(default_factory=list)
    flow: bool = True
    elsewhere: bool = False
    text: str | None = None


# JSON


def read_json(text: str) -> Node:
    """The layout of a text that is JSON."""
    return _json(text, _after_blanks(text, 0))


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _json(text: str, at: int) -> Node:
    if text[at] != "{":
        _, end = json.JSONDecoder().raw_decode(text, at)
        return Node(at, end, text=text[at:end])
    node = Node(at, at + 1, members={})
    at = _after_blanks(text, at + 1)
    while text[at] != "}":
        begin = at
        name, at = json.JSONDecoder().raw_decode(text, at)
        # Behind the colon.
        value = _json(text, _after_blanks(text, _after_blanks(text, at) + 1))
        _put(node, name, begin, value)
        at = _after_blanks(text, value.end)
        if text[at] == ",":
            at = _after_blanks(text, at + 1)
    node.end = at + 1
    return node


def _put(node: Node, name: str, begin: int, value: Node) -> None:
    if node.members is not None:
        # In the order in which they stand.
        node.members.pop(name, None)
        node.members[name] = value
        node.names[name] = begin


# YAML


def read_yaml(text: str) -> tuple[Node, Any]:
    """The layout of a text that is YAML, and what it says.

    Raises:
        LayoutError: It isn't.
    """
    # As Meltano reads it; and Python rather than C, for what has no wheel.
    try:
        value = YAML(typ="safe", pure=True).load(text)
        events = [*YAML(typ="safe", pure=True).parse(text)]
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise LayoutError(f"look at line {mark.line + 1}, column {mark.column + 1}" if mark else "") from None
    except (ValueError, RecursionError):
        raise LayoutError("a value in it is none") from None
    inner = iter(events[2:-2])
    first = next(inner, None)
    return (Node(0, 0) if first is None else _yaml(text, first, inner)), value


def _yaml(text: str, event: Event, events: Iterator[Event]) -> Node:
    start, end = event.start_mark.index, event.end_mark.index
    node = Node(start, end, event.start_mark.column, elsewhere=isinstance(event, AliasEvent))
    if isinstance(event, ScalarEvent):
        node.text = text[start:end]
    elif isinstance(event, MappingStartEvent):
        node.members, node.flow = {}, bool(event.flow_style)
        for name in events:
            if isinstance(name, MappingEndEvent):
                node.end = name.end_mark.index if node.flow else _last_end(node)
                break
            key = _yaml(text, name, events)
            # An anchor may stand before the first one.
            node.column = key.column if not node.members else node.column
            value = _yaml(text, next(events), events)
            if value.text == "":
                # Its mark is that of whatever comes next.
                value.start = value.end = text.find(":", key.end) + 1 or key.end
            _put(node, str(getattr(name, "value", None)), key.start, value)
    elif isinstance(event, SequenceStartEvent):
        node.flow = bool(event.flow_style)
        for item in events:
            if not isinstance(item, ScalarEvent | MappingStartEvent | SequenceStartEvent | AliasEvent):
                node.end = item.end_mark.index if node.flow else _last_end(node)
                break
            node.items.append(_yaml(text, item, events))
    return node


def _last_end(node: Node) -> int:
    return max([node.start, *(one.end for one in (node.members or {}).values()), *(one.end for one in node.items)])


# Adding


class Adding:
    """Adds members to the objects of a text.

    Args:
        text: The text.
        yaml: Whether it is YAML.
    """

    def __init__(self, text: str, *, yaml: bool) -> None:
        self._text = text
        self._yaml = yaml
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._edits: list[Edit] = []

    def merge(self, node: Node, new: Mapping[str, Any]) -> None:
        """Add to an object what it doesn't have; of what it has, only objects are added to.

        Raises:
            LayoutError: What is there can't be added to.
        """
        members = node.members or {}
        for name, value in new.items():
            there = members.get(name)
            if there is None:
                continue
            if there.members is None and (there.elsewhere or (there.text or "").lower() not in _NOTHING):
                raise LayoutError(f"`{name}` is an alias, or no object")
            if there.members:
                self.merge(there, value)
            elif node.flow:
                self._edits.append((
                    there.start,
                    there.end,
                    f"{' ' if there.text == '' else ''}{self._in_flow(value, there)}",
                ))
            else:
                self._fill(there, value, node.column + _STEP)
        added = {name: value for name, value in new.items() if name not in members}
        if added and node.flow:
            self._add_to_flow(node, added)
        elif added:
            self._insert_lines(node.end, _block(added, node.column))

    def result(self) -> str:
        """The text with what was added."""
        parts: list[str] = []
        last = 0
        # What is deeper was added first, and stands first.
        for start, end, new in sorted(self._edits, key=lambda edit: edit[0]):
            parts += (self._text[last:start], new)
            last = end
        return "".join((*parts, self._text[last:]))

    def _fill(self, node: Node, value: Mapping[str, Any], column: int) -> None:
        """Put members in the place of nothing, or of an empty object, that stands behind its name."""
        if node.end > node.start:
            begin = len(self._text[: node.start].rstrip(" "))
            self._edits.append((begin, node.end, ""))
        self._insert_lines(node.end, _block(value, column))

    def _insert_lines(self, at: int, lines: list[str]) -> None:
        """Insert lines behind the one in which something ends."""
        text = "".join(f"{line}{self._newline}" for line in lines)
        if at and self._text[at - 1] == "\n":
            self._edits.append((at, at, text))
            return
        end = self._text.find("\n", at)
        if end >= 0:
            self._edits.append((end + 1, end + 1, text))
        else:
            self._edits.append((len(self._text), len(self._text), self._newline + text.removesuffix(self._newline)))

    def _add_to_flow(self, node: Node, added: Mapping[str, Any]) -> None:
        if not node.members:
            self._edits.append((node.start, node.end, self._in_flow(added, node)))
            return
        name, last = next(reversed(node.members.items()))
        begin = node.names[name]
        line = self._text.rfind("\n", 0, begin) + 1
        lead = self._text[line:begin]
        is_first = not lead.strip(" \t") and line > 0
        between = f",{self._newline}{lead}" if is_first else ", "
        written = [
            f"{self._name(one)}: {self._value(value, lead if is_first else None)}" for one, value in added.items()
        ]
        self._edits.append((last.end, last.end, between + between.join(written)))

    def _in_flow(self, value: Mapping[str, Any], node: Node) -> str:
        """An object in brackets; in JSON that isn't all on one line, on several."""
        several = not self._yaml and ("\n" in self._text or not self._text[: node.start].strip(" \t\r\n"))
        line = self._text.rfind("\n", 0, node.start) + 1
        lead = self._text[line : _after_blanks(self._text, line)] if line else ""
        return self._value(value, lead if several else None)

    def _value(self, value: Any, lead: str | None) -> str:
        """A value in brackets; in JSON on several lines that begin with `lead`, unless that is None."""
        if self._yaml:
            return _flow(value)
        if not isinstance(value, dict) or lead is None or not value:
            return escaped(json.dumps(value, ensure_ascii=False))
        inner = lead + self._unit
        parts = f",{self._newline}".join(
            f"{inner}{self._name(one)}: {self._value(each, inner)}" for one, each in value.items()
        )
        return f"{{{self._newline}{parts}{self._newline}{lead}}}"

    @property
    def _unit(self) -> str:
        found = re.search(r"\{\r?\n([ \t]+)\S", self._text)
        return found[1] if found else " " * _STEP

    def _name(self, name: str) -> str:
        return _scalar(name) if self._yaml else escaped(json.dumps(name, ensure_ascii=False))


def _block(value: Mapping[str, Any], column: int) -> list[str]:
    lines = []
    for name, one in value.items():
        if isinstance(one, dict) and one:
            lines += [f"{' ' * column}{_scalar(name)}:", *_block(one, column + _STEP)]
        else:
            lines.append(f"{' ' * column}{_scalar(name)}: {_flow(one)}")
    return lines


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(name)}: {_flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return _scalar(value) if isinstance(value, str) else json.dumps(value)


def _scalar(text: str) -> str:
    """A text, in quotes where it could be taken for something else."""
    if _PLAIN.fullmatch(text) and text.lower() not in _NO_TEXT:
        return text
    return "''" if not text else escaped(json.dumps(text, ensure_ascii=False)).replace("\t", "\\t")
