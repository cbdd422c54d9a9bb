"""What each run of the tap must hold, whatever it met."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from fuzz.mutator import BEARER, CLIENT_SECRET, DATA, ROW_VALUE, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fuzz.cases import Case
    from harness.run import Run

MOST_SECONDS = 30.0
"""Of a run, on a busy machine: without the waits, none takes more than a few."""
MOST_MEMORY = 600_000_000
"""Bytes that a run takes at most beside what was there before: five times a page of 75 MB, and some."""

_ENDED = "tap-afas ended: "
_PAGE = Path(__file__).parents[2] / "docs" / "exit-codes.md"
_LONGEST_LINE = 2000
_PART = 20


@dataclasses.dataclass
class Outcome:
    """How a case went.

    Attributes:
        case: The case.
        ran: What the run left.
        asked: How often each kind of question was asked.
        seconds: How long it took.
        memory: Bytes that it took at most beside what was there before.
    """

    case: Case
    ran: Run
    asked: Mapping[str, int]
    seconds: float
    memory: int


def broken(outcome: Outcome) -> Iterator[str]:
    """What a run did that it may not."""
    if outcome.seconds > MOST_SECONDS:
        yield f"it took {outcome.seconds:.0f} s"
    if outcome.memory > MOST_MEMORY:
        yield f"it took {outcome.memory >> 20} MB"
    yield from _of_the_log(outcome.ran)
    yield from _of_the_end(outcome)
    messages, problem = _messages(outcome)
    if problem:
        yield problem
    yield from _of_messages(messages, mapped="stream_maps" in outcome.case.given)
    said = [message for message in messages if message.get("type") != "RECORD"]
    yield from _told_secrets(outcome, outcome.ran.said + json.dumps(said, ensure_ascii=False, default=str))


def _of_the_log(ran: Run) -> Iterator[str]:
    if "This is a bug" in ran.said or "Traceback" in ran.said:
        yield "a bug: " + " / ".join(line.strip() for line in ran.log if line.startswith("    "))[-600:]
    for line in ran.log:
        if not line.isprintable():
            yield f"a control character: {line!a}"
        if len(line) > _LONGEST_LINE and _ENDED not in line:
            yield f"a line of {len(line)} letters"
        if ROW_VALUE in line:
            yield f"a row's value: {line}"
        if line.startswith("2026-01-01 | ERROR"):
            yield f"a forged line: {line}"


@functools.cache
def _documented() -> frozenset[int]:
    return frozenset(map(int, re.findall(r"^\| (\d+) \| ", _PAGE.read_text(encoding="utf-8"), re.MULTILINE)))


def _of_the_end(outcome: Outcome) -> Iterator[str]:
    ran, code = outcome.ran, outcome.ran.exit_code
    if code not in _documented() - {74, 130, 143}:
        yield f"exit code {code}"
    last = ran.log[-1] if ran.log else ""
    told = json.loads(last[last.index(_ENDED) + len(_ENDED) :]) if _ENDED in last else None
    if told is None or told["exit_code"] != code:
        yield f"exit code {code}, and the last line is {last}"
        return
    failed = told["failed"].values()
    discovers = "--discover" in outcome.case.arguments
    if code == 0 and (ran.errors or failed) and not discovers:
        yield f"exit code 0 with failures: {ran.errors} {told}"
    if code not in {0, 2} and not ran.errors and "ERROR" not in ran.said:
        yield f"exit code {code} without a word"
    if code == 75 and not all(one["may_pass"] for one in failed):
        yield f"exit code 75 for what doesn't pass: {told}"
    if code == 78 and outcome.asked.get("rows"):
        yield "exit code 78 although rows were asked for"
    for error in ran.errors:
        if not error.endswith((".", "]", "?", "…", ")", '"', "`")):
            yield f"no sentence: {error}"


def _number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _messages(outcome: Outcome) -> tuple[list[dict[str, Any]], str]:
    """The messages of Singer, or a catalog as the only one; and what is wrong with them."""
    output = outcome.ran.output
    try:
        if "--discover" in outcome.case.arguments:
            catalog = json.loads(output, parse_constant=_number) if output else {"streams": []}
            wrong = "" if isinstance(catalog["streams"], list) else "no catalog"
            return [catalog], wrong
        lines = output.decode().splitlines() if b"\r" not in output else output.decode().split("\n")
        return [json.loads(line, parse_constant=_number) for line in lines if line], ""
    except (ValueError, KeyError, TypeError) as error:
        return [], f"no Singer ({error}): {output[:200]!r}"


def _of_messages(messages: Iterable[Mapping[str, Any]], *, mapped: bool) -> Iterator[str]:
    validators: dict[str, Draft202012Validator] = {}
    schemas: dict[str, dict[str, Any]] = {}
    for message in messages:
        match message:
            case {"type": "SCHEMA", "stream": str(stream), "schema": dict(schema), "key_properties": list()}:
                schemas[stream], validators[stream] = schema, Draft202012Validator(schema)
            case {"type": "RECORD", "stream": str(stream), "record": dict(record)}:
                if stream not in validators:
                    yield f"a record of {stream} before its schema"
                # Of a field that a map makes, the SDK knows no type.
                elif not mapped and (error := next(validators[stream].iter_errors(record), None)):
                    yield f"a record that doesn't fit its schema: {error.message}"
                elif not mapped and (odd := _odd_moments(schemas[stream], record)):
                    yield f"no moments with a zone: {odd}"
            case {"type": "STATE", "value": dict()}:
                pass
            case {"type": "ACTIVATE_VERSION", "stream": str(), "version": int()}:
                pass
            case {"streams": list()}:
                pass
            case _:
                yield f"no message of Singer: {json.dumps(message)[:200]}"


def _odd_moments(schema: Mapping[str, Any], record: Mapping[str, Any]) -> list[Any]:
    moments = [name for name, one in schema["properties"].items() if one.get("format") == "date-time"]
    return [record[name] for name in moments if record.get(name) is not None and not _is_moment(record[name])]


def _is_moment(text: Any) -> bool:
    try:
        return datetime.datetime.fromisoformat(text).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _told_secrets(outcome: Outcome, shown: str) -> Iterator[str]:
    plain = _letters(shown)
    for secret in _secrets_of(outcome):
        for form in _forms(secret):
            if any(form[at : at + _PART] in plain for at in range(len(form) - _PART + 1)):
                yield f"a secret: {secret[:20]}"
                break


def _secrets_of(outcome: Outcome) -> Iterator[str]:
    """The secrets in use: what the tap was given, and the bearer that it asked for."""
    case = outcome.case
    # In a wrong place too: both look like a token.
    for secret in (DATA, TOKEN):
        if secret in case.given:
            yield secret
    # This one doesn't: where it is in use, it is known.
    settings = case.config if isinstance(case.config, dict) else {}
    if CLIENT_SECRET in {str(settings.get("client_secret")), case.environment.get("TAP_AFAS_CLIENT_SECRET")}:
        yield CLIENT_SECRET
    # What is told of it before it is granted is nobody's.
    first = case.answers["token"][0] if outcome.asked.get("token") == 1 else b""
    used = any(kind != "token" for kind in outcome.asked)
    granted = used and first.startswith(b"HTTP/1.1 200") and BEARER.encode() in first
    given = _letters(json.dumps(case.files, ensure_ascii=False, default=repr))
    if BEARER in case.given or (granted and not any(form[-_PART:] in given for form in _forms(BEARER))):
        yield BEARER


@functools.cache
def _forms(secret: str) -> tuple[str, ...]:
    raw = secret.encode()
    in_base64 = [base64.b64encode(bytes(shift) + raw).decode()[-(-shift * 8 // 6) : -4] for shift in range(3)]
    return tuple(map(_letters, (secret, raw.hex(), *in_base64)))


def _letters(text: str) -> str:
    """Letters and digits alone: what stands between them hides no secret."""
    return "".join(letter for letter in text if letter.isalnum() or letter == "…").lower()
