"""What is printed holds no secret in whatever form, is one line, and moves no cursor."""

from __future__ import annotations

import base64
import functools
import html
import io
import json
import logging
import os
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.logging import ConsoleFormatter, StructuredFormatter

from harness.depth import depth
from tap_afas import known_secrets, log_sanitizer
from tap_afas.known_secrets import Secrets
from tap_afas.log_sanitizer import SanitizingFormatter, sanitized, sanitized_lines

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = 's3cr3t&Of/The="Client"+é<7a-b_c>%41\\n.9F'
DATA = "9F" * 32


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    known = Secrets()
    monkeypatch.setattr(log_sanitizer, "SECRETS", known)
    known.add(SECRET, DATA)
    return known


def _base64(text: str, shift: int) -> str:
    return base64.b64encode(b"x" * shift + text.encode() + b"y").decode()


def _base64url(text: str, shift: int) -> str:
    return _base64(text, shift).replace("+", "-").replace("/", "_").rstrip("=")


FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "JSON": json.dumps,
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "JSON without escapes": lambda text: json.dumps(text, ensure_ascii=False),
    "repr": repr,
    "URL": quote,
    "form": quote_plus,
    "URL twice": lambda text: quote(quote(text, safe=""), safe=""),
    "each letter in a URL": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "HTML": html.escape,
    "each letter in HTML": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "each letter in hexadecimal HTML": lambda text: "".join(f"&#x{ord(letter):X};" for letter in text),
    "hex": lambda text: text.encode().hex(),
    "hex in capitals": lambda text: text.encode().hex().upper(),
    "lower case": str.lower,
    **{f"base64 at {shift}": functools.partial(_base64, shift=shift) for shift in range(3)},
    **{f"base64url at {shift}": functools.partial(_base64url, shift=shift) for shift in range(3)},
}
SPLITS = ("", " ", "\n", "\r\n", "\t", "\u200b", "\ufeff", "\u00ad", "\u2060", ".", "%0A", "&nbsp;", "\\n", "&#8203;")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("split", SPLITS)
def test_forms(form: str, split: str) -> None:
    written = FORMS[form](SECRET)
    half = len(written) // 2
    # Not in the middle of an escape, which would be none then.
    while split and ({"%", "&", "\\"} & set(written[half - 8 : half + 1])) and half < len(written) - 9:
        half += 1
    text = sanitized(f"Before it. {written[:half]}{split}{written[half:]} behind it")
    assert text.startswith("Before it. ")
    assert text.endswith(" behind it")
    assert "…" in text
    assert len(text) <= len("Before it.  behind it") + 16


@depth(200)
@given(
    secret=st.text(st.characters(exclude_categories=["Cs", "Cc", "Z", "Cf"]), min_size=24, max_size=80),
    begin=st.integers(0, 40),
    length=st.integers(20, 80),
    form=st.sampled_from(["raw", "JSON", "URL", "HTML", "hex", *(f"base64 at {n}" for n in range(3))]),
    split=st.sampled_from(["", " ", "\n", "\u200b"]),
)
def test_each_part_of_twenty_letters(secret: str, begin: int, length: int, form: str, split: str) -> None:
    known = Secrets()
    known.add(secret)
    part = secret[min(begin, len(secret) - 20) :][:length]
    written = FORMS[form](part)
    for name in ("hex", "base64 at 0"):  # what has no escapes can be split anywhere
        if form == name:
            written = written[:7] + split + written[7:]
    if part.count(".") <= 4:
        assert known.are_in(f"({written})")
        assert written not in known.hide(f"({written})")


def test_a_part_of_a_few_letters_is_text_like_any_other(secrets: Secrets) -> None:
    assert sanitized(f"the 9F of {DATA[:12]}") == f"the 9F of {DATA[:12]}"
    secrets.add("abc")
    assert sanitized("abc") == "abc"
    secrets.add("abcdefgh")
    assert sanitized("xabcdefghx") == "x…x"


def test_what_looks_like_a_secret_wherever_it_stands(secrets: Secrets) -> None:
    other = "8E" * 32
    secrets.add_suspects({
        "connectors": [other],
        f"<token>{'7D' * 8}</token>": {"x": None},
        "Profit_Long_" + "x" * 60: 1,
    })
    assert sanitized(f"`{other}` and {'7D' * 8} and Profit_Long_{'x' * 60}") == f"`…` and … and Profit_Long_{'x' * 60}"


def test_the_last_bearers_and_all_others_are_known(secrets: Secrets) -> None:
    lasting = len(secrets._forms)
    bearers = [base64.b64encode(os.urandom(30)).decode() for _ in range(100)]
    for bearer in bearers:
        secrets.add(bearer, passing=True)
        secrets.add(bearer, passing=True)
    assert sanitized(bearers[-1]) == "…"
    assert len(secrets._forms) == known_secrets._MOST_PASSING + lasting
    # A run of three days has as many bearers; the client's secret is one still.
    assert sanitized(f"{SECRET} and {DATA}") == "… and …"


def test_a_token_of_afas_whosever_it_is() -> None:
    token = f"<token><version>1</version><data>{'7D' * 32}</data></token>"
    assert sanitized(f"It was {token}, or {base64.b64encode(token.encode()).decode()}.") == "It was …, or …."
    assert sanitized("<token> alone") == "<token> alone"


@pytest.mark.parametrize("size", [20_000, 200_000])
def test_the_work_is_linear(secrets: Secrets, size: int) -> None:
    for text in ("9F" * size, "%39%46" * size, "&#57;" * size, "\\" * size, "&" * size, "a" * size):
        began = time.monotonic()
        secrets.hide(text)
        assert time.monotonic() - began < size / 2_000


def test_a_line_is_one() -> None:
    assert sanitized("a\nb\rc\r\nd\x1b[31m\x00\u202e\u200b\ud800\x85\u2028\te") == "a b c  d�[31m����   e"
    assert sanitized("a\N{NO-BREAK SPACE}b é 漢 🙂") == "a b é 漢 🙂"


@given(st.text(st.characters()))
def test_whatever_comes_is_one_line_that_can_be_printed(text: str) -> None:
    assert sanitized(text).isprintable()
    assert sanitized(sanitized(text)) == sanitized(text)


def test_a_line_is_no_longer() -> None:
    assert len(sanitized("x" * 5_000_000)) == 1900


# The log


def _logged(formatter: logging.Formatter, say: Callable[[logging.Logger], None], name: str = "tap-afas.x") -> list[str]:
    logger = logging.Logger(name)  # noqa: LOG001 - one that nobody else has
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    handler.setFormatter(SanitizingFormatter(formatter))
    handler.addFilter(log_sanitizer._is_told)
    say(logger)
    return out.getvalue().splitlines()


def test_a_message_with_its_arguments() -> None:
    lines = _logged(ConsoleFormatter(), lambda log: log.error("%s\n%s: %s", "a", DATA, "b" * 5000), name="tap\nforged")
    assert len(lines) == 1
    assert DATA[:20] not in lines[0]
    assert len(lines[0]) <= 2000
    assert "tap forged" in lines[0]


def _fail(log: logging.Logger) -> None:
    try:
        try:
            raise ValueError(f"first {DATA}")  # noqa: TRY301 - made to be caught
        except ValueError as error:
            raise TypeError(f"then\n2026-01-01 | ERROR | tap-afas | forged {SECRET}") from error
    except TypeError:
        log.exception("A bug: %s", DATA)


@pytest.mark.parametrize("formatter", [ConsoleFormatter(), StructuredFormatter(), logging.Formatter()])
def test_a_traceback(formatter: logging.Formatter) -> None:
    lines = _logged(formatter, _fail)
    text = "\n".join(lines)
    for secret in (DATA[:20], SECRET[:20], json.dumps(SECRET)[1:21]):
        assert secret not in text
    assert "TypeError" in text
    assert "ValueError" in text
    assert not [line for line in lines if line.startswith("2026-01-01")]
    if isinstance(formatter, StructuredFormatter):
        assert json.loads(text)["exception"]["cause"]["type"] == "ValueError"


def test_a_structured_line_stays_json() -> None:
    extra = {"not_read": [DATA, "b\n"], "n": 7, "d": {"x": DATA}}
    (line,) = _logged(StructuredFormatter(), lambda log: log.info("a\x1b%s", DATA, extra=extra))
    told = json.loads(line)
    assert told["message"] == "a�…"
    assert told["extra"] == {"not_read": ["…", "b "], "n": 7, "d": {"x": "…"}}


def test_the_last_line_is_whole() -> None:
    names = json.dumps({f"Connector{n}": {} for n in range(500)})
    (line,) = _logged(ConsoleFormatter(), lambda log: log.info("%s", names, extra={"exit_code": 1}))
    assert json.loads(line[line.index("{") :])


def test_urls_of_urllib3_are_not_told() -> None:
    assert not _logged(ConsoleFormatter(), lambda log: log.error("GET /?x=A00007"), name="urllib3.connectionpool")


def test_what_python_writes_by_itself(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr("threading.excepthook", None)
    monkeypatch.setattr(logging, "raiseExceptions", True)
    log_sanitizer.sanitize_tracebacks()
    error = ValueError(DATA)
    sys.excepthook(ValueError, error, None)
    assert capsys.readouterr().err == "    ValueError: …\n"
    assert DATA[:20] not in sanitized_lines(error)
