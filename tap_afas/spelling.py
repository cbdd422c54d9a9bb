"""Names that people write: in another case, as a pattern, or misspelt."""

from __future__ import annotations

import difflib
import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def is_pattern(name: str) -> bool:
    """Whether a name is a glob pattern."""
    return bool(set(name) & set("*?["))


def matches(name: str, pattern: str) -> bool:
    """Whether a name fits a glob pattern, in whatever case."""
    return fnmatch.fnmatchcase(name.casefold(), pattern.casefold())


def did_you_mean(name: str, names: Iterable[str], *, code: bool = False) -> str:
    """A question for the name that is meant perhaps, with a space before it; empty where none is near.

    Args:
        name: What was written.
        names: What there is.
        code: Whether names are written in backticks.
    """
    folded = {one.casefold(): one for one in names}
    near = difflib.get_close_matches(name.casefold(), folded, 1)
    mark = "`" if code else ""
    return f" Did you mean {mark}{folded[near[0]]}{mark}?" if near else ""
