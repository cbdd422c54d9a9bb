"""Repairs the invalid JSON that some versions of AFAS send, and numbers that they write as text."""

from __future__ import annotations

import decimal
import re

import msgspec

_BAD_NUMBER_OR_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"|(?<![\d"])(-?)\.(?=\d)', re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x1f]")
_LONE_SURROGATE = re.compile(
    rb"(\\\\)|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)

NO_NUMBER = msgspec.Raw(b"null")
_encoder = msgspec.json.Encoder(decimal_format="number")


def repair_json(body: bytes) -> bytes:
    """Valid JSON in place of `-.5` (`-0.5`), raw control characters, half an emoji and bytes that are no UTF-8."""

    def mend(match: re.Match[bytes]) -> bytes:
        text = match.group()
        if text[:1] != b'"':
            return match.group(1) + b"0."
        text = _CONTROL.sub(lambda found: b"\\u%04x" % found.group()[0], text)
        return _LONE_SURROGATE.sub(
            lambda found: found.group() if found.group(1) or found.group(2) else b"\\ufffd", text
        )

    return _BAD_NUMBER_OR_STRING.sub(mend, body.decode("utf-8", "replace").encode())


def json_number(text: bytes) -> msgspec.Raw:
    """A JSON value as a JSON number, or null; raises ValueError or ArithmeticError where it is not one."""
    if text[:1] == b'"':
        number = decimal.Decimal(msgspec.json.decode(text, type=str))
    elif text == b"null":
        return NO_NUMBER
    else:
        number = msgspec.json.decode(text, type=decimal.Decimal)
    if not number.is_finite():
        raise ValueError
    return msgspec.Raw(_encoder.encode(number))
