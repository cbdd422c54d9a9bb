"""The secrets in use, and what hides them in a text.

They are known, so a text is compared with them: as they are, and as JSON, URLs, HTML, hexadecimal and base64 write
them, whole or in part, split by white space, dots or signs without width, in whatever case.
"""

from __future__ import annotations

import base64
import html
import os
import pathlib
import re
import threading
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PART = 16
"""So many letters in a row that a text shares with a secret are hidden: 20 letters of it, less some dots."""
SHORTEST = 6
"""A secret of fewer letters isn't hidden: it would stand in any text."""
SHORTEST_NAME = 16
"""Likewise for the id of a client, which is a name in most cases."""
_SEED = 8
_MOST_PASSING = 64
_DEPTHS = 3
_PAIR = len(r"\ud83d\ude42")

# In text whose letters are the bytes of UTF-8: white space, control characters, dots, what has no width.
_PASSED_OVER = re.compile(
    "[\x00-\x20\x7f.]|\xc2[\x80-\xa0\xad]|\xe2\x80[\x80-\x8f\xa8-\xaf]|\xe2\x81[\x9f-\xaf]|\xef\xbb\xbf|\xe1\xa0\x8e"
    "|\xe3\x80\x80|\xcd\x8f"
)
_ESCAPED = re.compile(
    r"%[0-9a-fA-F]{2}|&#[0-9]{1,7};|&#[xX][0-9a-fA-F]{1,6};|&[a-zA-Z]{2,8};|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}"
    r"|\\[bfnrt\"'/\\]"
)
# base64 has two alphabets.
_ALIKE = str.maketrans("-_", "+/")
# What was put where no secret belongs: a token's XML, or more letters and digits in a row than a name has.
_XML = re.compile(r"<token|</data>", re.IGNORECASE)
_RUN = re.compile(r"[A-Za-z0-9+/=_.-]{32,}")
_FEWEST_DIGITS = 5
_OPTION = re.compile(r"^--[a-z-]+=")

# Where the letters of a projection stood in the text: their begins and ends.
_Places: TypeAlias = "tuple[list[int], list[int]]"


class Secrets:
    """The secrets in use, and what hides them. Safe to use from several threads.

    Of those that pass, the last ones are known: a run that lasts for days has a bearer more each hour.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: dict[str, frozenset[str]] = {}
        self._passing: list[str] = []
        self._parts: frozenset[str] = frozenset()
        self._seeds: frozenset[str] = frozenset()
        self._short: frozenset[str] = frozenset()

    def add(self, *secrets: str, shortest: int = SHORTEST, passing: bool = False) -> None:
        """Know secrets from now on.

        Args:
            secrets: What is to be hidden.
            shortest: What has fewer letters isn't hidden: it would stand in any text.
            passing: Whether they end by themselves, and others come in their place.
        """
        with self._lock:
            new = [one for one in secrets if len(one.strip()) >= shortest and one not in self._forms]
            for secret in new:
                self._forms[secret] = frozenset(_forms(secret))
            self._passing += new if passing else ()
            while len(self._passing) > _MOST_PASSING:
                del self._forms[self._passing.pop(0)]
            if new:
                forms = frozenset().union(*self._forms.values())
                long = [form for form in forms if len(form) >= _PART]
                self._short = frozenset(form for form in forms if SHORTEST <= len(form) < _PART)
                self._parts = frozenset(part for form in long for part in _windows(form, _PART))
                self._seeds = frozenset(seed for form in long for seed in _windows(form, _SEED))

    def add_suspects(self, content: Any) -> None:
        """Know what looks like a secret, wherever it stands in settings or arguments: it may be in the wrong place."""
        texts = list(texts_in(content))
        self.add(*(text for text in texts if _XML.search(text)))
        runs = [run for text in texts for run in _RUN.findall(text) if not _is_path(text)]
        self.add(*(run for run in runs if sum(map(str.isdigit, run)) >= _FEWEST_DIGITS))

    def are_in(self, text: str) -> bool:
        """Whether a secret, or a part of one, stands in a text."""
        return bool(self._forms) and any(self._covered(letters) for letters, _ in _projections(text, None))

    def are_in_name(self, name: str) -> bool:
        """Whether so much of a secret stands in a name that it can't be there by chance, as a short one can."""
        return bool(self._forms) and any(self._parts_in(letters) for letters, _ in _projections(name, None))

    def hide(self, text: str) -> str:
        """A text with `…` for whatever of a secret stands in it."""
        if not self.are_in(text):
            return text
        hidden: list[tuple[int, int]] = []
        for letters, places in _projections(text, (list(range(len(text))), list(range(1, len(text) + 1)))):
            if places is not None:
                begins, ends = places
                hidden += [(begins[begin], ends[end - 1]) for begin, end in self._covered(letters)]
        return _without(text, hidden)

    def _covered(self, letters: str) -> list[tuple[int, int]]:
        found = [(at, at + len(form)) for form in self._short for at in _occurrences(form, letters)]
        return found + self._parts_in(letters)

    def _parts_in(self, letters: str) -> list[tuple[int, int]]:
        # One look in nine letters is enough: a part of `_PART` letters holds a seed wherever it begins.
        step = _PART - _SEED + 1
        if any(letters[at : at + _SEED] in self._seeds for at in range(0, len(letters), step)):
            parts = self._parts
            return [(at, at + _PART) for at, part in enumerate(_windows(letters, _PART)) if part in parts]
        return []


SECRETS = Secrets()
"""Of this process, whose log is one."""


def _windows(text: str, length: int) -> Iterator[str]:
    return (text[at : at + length] for at in range(len(text) - length + 1))


def _occurrences(form: str, letters: str) -> Iterator[int]:
    at = letters.find(form)
    while at >= 0:
        yield at
        at = letters.find(form, at + 1)


def texts_in(content: Any) -> Iterator[str]:
    """All texts in JSON, names of objects too."""
    left = [content]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            left += [*one, *one.values()]
        elif isinstance(one, list | tuple):
            left += one


def _is_path(text: str) -> bool:
    """Whether a text names a file, with or without an option before it: errors about it must show it."""
    path = pathlib.Path(_OPTION.sub("", text))
    # Not `Path.exists`, which raises where a text can be no name.
    in_folder = len(path.parts) > 1 and os.path.isdir(path.parent)  # noqa: PTH112 - see above
    return in_folder or path.suffix == ".json" or os.path.exists(path)  # noqa: PTH110 - likewise


def _forms(secret: str) -> Iterator[str]:
    """How a secret may be written, as projections."""
    for letters, _ in _projections(secret, None):
        yield letters
    content = secret.strip().encode("utf-8", "replace")
    yield content.hex()
    for shift in range(3):
        # What stands before the secret moves it; the letters at both ends hold bits of others.
        text = base64.b64encode(bytes(shift) + content).decode()
        yield text[-(-shift * 8 // 6) : (shift + len(content)) * 8 // 6].lower()


def _projections(text: str, places: _Places | None) -> Iterator[tuple[str, _Places | None]]:
    """A text as it is compared: the bytes of UTF-8 as letters, none of those passed over; then with escapes undone."""
    raw = text.encode("utf-8", "surrogatepass")
    if places is not None and len(raw) != len(text):
        origins = [at for at, letter in enumerate(text) for _ in letter.encode("utf-8", "surrogatepass")]
        places = [places[0][at] for at in origins], [places[1][at] for at in origins]
    letters = raw.decode("latin-1")
    for depth in range(_DEPTHS):
        letters, places = _replaced(_PASSED_OVER, letters, places)
        yield letters.translate(_ALIKE).lower(), places
        if depth == _DEPTHS - 1 or _ESCAPED.search(letters) is None:
            return
        letters, places = _replaced(_ESCAPED, letters, places)


def _unescaped(written: str) -> str:
    if written[0] == "%":
        return chr(int(written[1:], 16))
    if written[0] == "&":
        letters = html.unescape(written)
    elif len(written) == _PAIR:
        letters = chr(0x10000 + (int(written[2:6], 16) - 0xD800 << 10) + int(written[8:], 16) - 0xDC00)
    elif written[1] in "ux":
        letters = chr(int(written[2:], 16))  # noqa: FURB166 - Python knows no such prefix
    else:
        letters = " " if written[1] in "bfnrt" else written[1]
    return letters.encode("utf-8", "surrogatepass").decode("latin-1")


def _replaced(pattern: re.Pattern[str], letters: str, places: _Places | None) -> tuple[str, _Places | None]:
    undo = _unescaped if pattern is _ESCAPED else lambda _: ""
    if places is None:
        return pattern.sub(lambda found: undo(found[0]), letters), None
    parts: list[str] = []
    begins: list[int] = []
    ends: list[int] = []
    last = 0
    for found in pattern.finditer(letters):
        new = undo(found[0])
        parts += (letters[last : found.start()], new)
        begins += places[0][last : found.start()] + [places[0][found.start()]] * len(new)
        ends += places[1][last : found.start()] + [places[1][found.end() - 1]] * len(new)
        last = found.end()
    return "".join((*parts, letters[last:])), (begins + places[0][last:], ends + places[1][last:])


def _without(text: str, hidden: Iterable[tuple[int, int]]) -> str:
    parts: list[str] = []
    last = 0
    for begin, end in sorted(hidden):
        if begin > last or not parts:
            parts += (text[last:begin], "…")
        last = max(last, end)
    return "".join((*parts, text[last:]))
