"""Changes what is right into what is odd."""

from __future__ import annotations

import base64
import copy
import html
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

DATA = "9F4eA7" * 10
TOKEN = f"<token><version>1</version><data>{DATA}</data></token>"
CLIENT_SECRET = "s3cr3t&Of/The=Client-é-" + "8eF4" * 6
BEARER = "eyJhbGciOiJub25lIn0.4f6A9bE2c7D1.x_Y-z0"
ROW_VALUE = "Nobody's salary, 31337"
"""In a field of rows that is no key: no message may tell it."""

_FORMS = (
    str,
    quote,
    html.escape,
    lambda text: text.encode().hex(),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.urlsafe_b64encode(b"x" + text.encode()).decode(),
    "\u200b".join,
    lambda text: f"{text[:30]}\r\n{text[30:]}",
    lambda text: text[:25],
)
_TEXTS = (
    *("", " ", "\x00", "\x1b[2J", "a\nb", "\r\n2026-01-01 | ERROR | tap-afas | forged", "\u202e", "\ud800", "\ufeff"),
    *("é" * 50, "../..", "%s%n", "{0}", "__NULL__", "Code", "Modified", "Articles", "*", "[", "!", "x" * 3000, "1_0"),
    *("٣", "NaN", "-0", "2024-03-01T06:00:30Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-02-30", "24:00"),
    *("(vervangen)", "Europe/Amsterdam", "en-us", "en-us\n", "http://[::1", "https://a..b/", "O12345AA", "7d", "="),
    *("starts with", "1e999999999", "1e-999999999", "true", "null", "INCREMENTAL", "properties", "9" * 400),
    *("{{ 1/0 }}", "1/0", "__else__", "string", "date-time", "$ref", "#/definitions/x", "https://elsewhere.example/"),
)
_NUMBERS = (0, 1, -1, 5.0, 1e308, -1e-300, 2**31, 2**63, 2**64, 10**400, 0.1, float("nan"), float("inf"))
_BYTES = (
    *(b"\x00", b"\xff\xfe", b'"', b"\\", b'\\"', b"[" * 300, b"[" * 100_000, b'{"rows":' * 5000, b"{", b"}", b"]"),
    *(b",", b":", b"null", b"1e999999999", b"-.5", b"9" * 5000, b"\\ud800", b"\n", b"<h1", b"<h1" * 30_000, b"NaN"),
    *(b"\xef\xbb\xbf", b"1e-999999999", b"  ", b"\x1b[31m", b'\\"' * 20_000, b"1_0", b"Infinity", b"1E+400"),
)


class Mutator:
    """Changes what is right into what is odd.

    Args:
        chance: Where its choices come from.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def text(self) -> str:
        """An odd text."""
        return self.chance.choice(_TEXTS)

    def secret(self) -> str:
        """A secret in one of its forms."""
        return self.chance.choice(_FORMS)(self.chance.choice([DATA, CLIENT_SECRET, BEARER, TOKEN]))

    def value(self) -> Any:
        """An odd value of any type."""
        kinds: tuple[Callable[[], Any], ...] = (
            *(self.text, self.text, self.text, self.secret),
            lambda: self.chance.choice([None, True, False, [], {}]),
            lambda: self.chance.choice(_NUMBERS),
            lambda: self._nested(self.chance.choice([2, 20, 300])),
            lambda: [self.text(), self.chance.choice(_NUMBERS)],
            lambda: {self.text(): self.text()},
        )
        return self.chance.choice(kinds)()

    def _nested(self, depth: int) -> Any:
        value: Any = 1
        for _ in range(depth):
            value = [value] if self.chance.random() < 0.5 else {"a": value}
        return value

    def changed(self, content: Any, times: int) -> Any:
        """JSON with some of its parts replaced, taken out, repeated, added or renamed."""
        content = copy.deepcopy(content)
        for _ in range(times):
            content = self._change(content)
        return content

    def _change(self, content: Any) -> Any:
        if not isinstance(content, dict | list) or not content or self.chance.random() < 0.1:
            return self.value()
        where: Any = self.chance.choice(list(content) if isinstance(content, dict) else range(len(content)))
        pick = self.chance.random()
        if pick < 0.7:
            content[where] = self._change(content[where])
        elif pick < 0.8:
            del content[where]
        elif isinstance(content, list):
            content.append(copy.deepcopy(content[where]) if pick < 0.9 else self.value())
        else:
            name = self.secret() if pick < 0.85 else self.text()
            content[name] = content.pop(where) if pick < 0.95 else self.value()
        return content

    def written(self, content: Any) -> bytes:
        """JSON as bytes, perhaps cut or with odd bytes in it."""
        text = json.dumps(content, ensure_ascii=self.chance.random() < 0.5).encode("utf-8", "surrogatepass")
        for _ in range(self.chance.choice([0, 0, 0, 1, 2, 5])):
            at = self.chance.randrange(len(text) + 1)
            text = text[:at] + self.chance.choice(_BYTES) + text[at + self.chance.choice([0, 0, 1, 4]) :]
        if self.chance.random() < 0.1:
            text = text[: self.chance.randrange(len(text) + 1)]
        return text
