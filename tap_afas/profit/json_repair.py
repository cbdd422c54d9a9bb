"""Repairs the invalid JSON that some versions of AFAS send, and numbers that they write as text."""

from __future__ import annotations

import codecs
import collections
import decimal
import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

# Nothing here goes back: what was matched stays matched, so the work is linear, and no step is remembered.
_RIGHT = re.compile(rb'(?:[^".]++|(?<=\d)\.|"(?:[^"\\\x00-\x1f]++|\\[^u])*+")*+', re.DOTALL)
"""What needs no mending: all but texts with control characters or half an emoji, and numbers without a first digit."""
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z|\\\Z)', re.DOTALL)
_BAD = re.compile(
    rb"[\x00-\x1f]|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(\\[^u]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][c-fC-F][0-9a-fA-F]{2}",
    re.DOTALL,
)
_NUMBER = re.compile(rb"(?P<sign>-?)(?P<digits>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE](?P<exponent>[+-]?[0-9]+))?)")
"""JSON's own, AFAS' `-.5`, and leading zeros, which only a text can have: Python knows more."""
MOST_DIGITS = 4300
"""Python writes no longer whole number, and no target holds one."""
_BLOCK = 1 << 20
_MOST_GROWTH = 2

NO_NUMBER = msgspec.Raw(b"null")
_encoder = msgspec.json.Encoder(decimal_format="number")


def is_utf8(body: bytes) -> bool:
    """Whether bytes are text in UTF-8; they are read a block at a time."""
    try:
        collections.deque(_in_blocks(body, "strict"), maxlen=0)
    except UnicodeDecodeError:
        return False
    return True


def _in_blocks(body: bytes, errors: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors)
    for at in range(0, len(body), _BLOCK):
        yield decoder.decode(body[at : at + _BLOCK])
    yield decoder.decode(b"", final=True)


def repair_json(body: bytes) -> bytearray:
    """Valid JSON in place of `-.5` (`-0.5`), raw control characters, half an emoji and bytes that are no UTF-8.

    Raises:
        ValueError: It isn't, or mended it would be more than twice as long.
    """
    most = _MOST_GROWTH * len(body)
    body = body if is_utf8(body) else _replaced(body, most)
    mended = bytearray()
    at = 0
    while at < len(body):
        right = _RIGHT.match(body, at)
        end = at if right is None else right.end()
        mended += memoryview(body)[at:end]
        at = end
        if body[at : at + 1] == b".":
            if not body[at + 1 : at + 2].isdigit():
                raise ValueError("no JSON")
            mended += b"0."
            at += 1
        elif string := _STRING.match(body, at):
            at = string.end()
            _mend_string(body, string, mended, most)
    return mended


def _replaced(body: bytes, most: int) -> bytes:
    text = bytearray()
    for part in _in_blocks(body, "replace"):
        text += part.encode()
        if len(text) > most:
            raise ValueError("no text")
    return bytes(text)


def _mend_string(body: bytes, string: re.Match[bytes], mended: bytearray, most: int) -> None:
    last = string.start()
    for bad in _BAD.finditer(body, last, string.end()):
        if bad[1] is None:
            mended += memoryview(body)[last : bad.start()]
            mended += b"\\u%04x" % bad[0][0] if len(bad[0]) == 1 else b"\\ufffd"
            last = bad.end()
            if len(mended) > most:
                raise ValueError("no text")
    mended += memoryview(body)[last : string.end()]


def json_number(text: bytes) -> msgspec.Raw:
    """A JSON value, or a text that holds one, as a JSON number, or null.

    Raises:
        ValueError: It is neither, or a number that no target can hold.
    """
    if text == b"null":
        return NO_NUMBER
    written = text if text[:1] != b'"' else msgspec.json.decode(text, type=str).encode()
    number = _NUMBER.fullmatch(written)
    if number is None:
        raise ValueError("no number")
    # Of the exponent, a few digits say enough.
    exponent = int(number["exponent"] or 0) if len(number["exponent"] or b"") <= len("-0000") else MOST_DIGITS
    if len(written) > MOST_DIGITS or abs(exponent) >= MOST_DIGITS:
        raise ValueError("too long")
    sign, digits = number["sign"], number["digits"]
    return msgspec.Raw(_encoder.encode(decimal.Decimal((sign + digits).decode())))
