"""Names in JSON objects: each once, since of two with one name the first would be passed over without a word."""

from __future__ import annotations

import collections
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# What else stands there may be a secret in the wrong place.
_NAME = re.compile(r"[A-Za-z_][\w.*-]{0,62}", re.ASCII)


class RepeatedNameError(ValueError):
    """A name stands twice in one object; `str()` says which, where it can't be a secret."""


def each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object from its names and values, as `object_pairs_hook` of `json.loads`.

    Raises:
        RepeatedNameError: A name stands twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        (name, _), *_ = collections.Counter(name for name, _ in pairs).most_common(1)
        shown = f"the name {name}" if _NAME.fullmatch(name) else "a name"
        raise RepeatedNameError(f"{shown} stands twice in one object, and one of the two would be passed over")
    return found
