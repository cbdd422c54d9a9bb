"""Every refusal, in both languages and in every shape: what it becomes, and whether it is asked again."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING, get_args

import pytest

from afas_sandbox import Fault
from afas_sandbox.refusals import NAMED, Shape
from harness.articles import articles, client_of, config_of
from harness.command import run_tap, without_waiting
from tap_afas.profit import refusals
from tap_afas.profit.error_body import read_error_body
from tap_afas.profit.errors import (
    AnswerTooLargeError,
    BusyError,
    ConnectorError,
    CredentialsError,
    InvalidQueryError,
    NotAllowedError,
    ProfitError,
    TimeOutError,
    UnknownRefusalError,
)
from tap_afas.profit.query import Query
from tap_afas.profit.refusals import error_from_response

if TYPE_CHECKING:
    from afas_sandbox import Sandbox

ONE_TRY, ALL_TRIES = 1, 5
QUESTION = Query(("Code",))

TABLE: dict[str, tuple[type[ProfitError], int, str]] = {
    "unexpected": (UnknownRefusalError, ALL_TRIES, "without a cause known here"),
    "field_not_found": (InvalidQueryError, ONE_TRY, "has no such field"),
    "invalid_index": (InvalidQueryError, ONE_TRY, "can't sort or filter"),
    "not_authorized": (NotAllowedError, ONE_TRY, "not in the app connector"),
    "blocked": (ConnectorError, ONE_TRY, "The GetConnector is blocked."),
    "out_of_memory": (AnswerTooLargeError, ONE_TRY, "too large for AFAS"),
    "out_of_string_space": (AnswerTooLargeError, ONE_TRY, "too large for AFAS"),
    "timeout": (TimeOutError, ONE_TRY, "longer than it allows itself"),
    "command_timeout": (TimeOutError, ONE_TRY, "longer than it allows itself"),
    "plain_token": (CredentialsError, ONE_TRY, "doesn't accept the token"),
    "invalid_json": (InvalidQueryError, ONE_TRY, "malformed"),
    "bad_request": (InvalidQueryError, ONE_TRY, "malformed"),
    "unauthorized": (CredentialsError, ONE_TRY, "doesn't accept the credentials"),
    "forbidden": (CredentialsError, ONE_TRY, "from this machine's address"),
    "not_found": (ConnectorError, ONE_TRY, "no such address"),
    "method_not_allowed": (UnknownRefusalError, ONE_TRY, "an answer that its API doesn't know"),
    "too_large": (AnswerTooLargeError, ONE_TRY, "larger than AFAS sends"),
    "too_many_requests": (BusyError, ALL_TRIES, "can't answer just now"),
    "bad_gateway": (BusyError, ALL_TRIES, "can't answer just now"),
    "unavailable": (BusyError, ALL_TRIES, "can't answer just now"),
    "gateway_timeout": (BusyError, ALL_TRIES, "can't answer just now"),
    # Two hours are asked for, more than `max_retry_wait`.
    "maintenance": (BusyError, ONE_TRY, "can't answer just now"),
}


def _ask(sandbox: Sandbox) -> tuple[ProfitError, int]:
    client = client_of(sandbox)
    sandbox.clear_log()
    with without_waiting(), pytest.raises(ProfitError) as caught:
        client.rows("Articles", QUESTION)
    return caught.value, len(sandbox.log)


@pytest.fixture(autouse=True)
def _some_articles(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])


def test_the_table_holds_every_refusal_of_the_sandbox() -> None:
    assert TABLE.keys() == NAMED.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLE)
def test_refusals(sandbox: Sandbox, name: str) -> None:
    kind, tries, sentence = TABLE[name]
    worded = bool(NAMED[name].en)
    shapes = [shape for shape in get_args(Shape) if shape != "empty"] if worded else ["empty"]
    for language, shape in itertools.product(("nl", "en"), shapes):
        sandbox.faults = [{"refuse": name, "language": language, "shape": shape, "kind": "rows"}]
        error, asked = _ask(sandbox)
        assert (type(error), asked) == (kind, tries), (language, shape, error)
        assert sentence in str(error)
        assert f"HTTP {NAMED[name].status}" in str(error)
        text = NAMED[name].nl if language == "nl" else NAMED[name].en
        words = text.replace("{}", "X").replace("General message: ", "").replace("Algemene melding: ", "")
        assert error.said == words
        assert bool(error.reference) == (shape == "json"), shape
        assert str(error).endswith(".")


@pytest.mark.parametrize("name", [name for name in TABLE if NAMED[name].en])
def test_without_a_word_the_status_decides(sandbox: Sandbox, name: str) -> None:
    sandbox.faults = [Fault(refuse=name, shape="empty", kind="rows")]
    error, asked = _ask(sandbox)
    status = NAMED[name].status
    if status == 500:
        assert (type(error), asked) == (UnknownRefusalError, ALL_TRIES)
    else:
        assert (type(error), asked) == TABLE[name][:2]
    assert "AFAS says no more" in str(error)
    assert f"trace {sandbox.log[-1].trace}" in str(error)


@pytest.mark.parametrize(("status", "final"), [(400, True), (401, True), (403, True), (404, True), (500, False)])
def test_words_never_make_a_final_status_pass(status: int, *, final: bool) -> None:
    for words in ("Deadlock found", "An unexpected error has occurred."):
        assert error_from_response(status, {}, words.encode()).retry is not final


def test_words_win_over_the_status() -> None:
    words = b'{"externalMessage":"GetConnector not supported for this app or the user is not authorized"}'
    assert {type(error_from_response(status, {}, words)) for status in (400, 401, 404, 500)} == {NotAllowedError}


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Transaction was deadlocked on lock resources", BusyError),
        ("Lock request time out period exceeded.", BusyError),
        ("De regel is vergrendeld door een andere gebruiker", BusyError),
        ("Algemene melding: Ongeldig indexveld", InvalidQueryError),
        ("Exception of type 'System.OutOfMemoryException' was thrown.", AnswerTooLargeError),
        ("Onvoldoende geheugen om de opdracht uit te voeren", AnswerTooLargeError),
        ("Execution Timeout Expired.", TimeOutError),
        ("The token has expired", CredentialsError),
        ("Deze UpdateConnector wordt niet ondersteund", UnknownRefusalError),
    ],
)
def test_other_wordings(words: str, kind: type[ProfitError]) -> None:
    assert type(error_from_response(500, {}, json.dumps({"externalMessage": words}).encode())) is kind


def test_the_number_says_nothing() -> None:
    kinds = {
        type(
            error_from_response(500, {}, json.dumps({"externalMessage": "Iets nieuws", "errorNumber": number}).encode())
        )
        for number in (-2147180999, -2147180996, -2147220469, 0)
    }
    assert kinds == {UnknownRefusalError}


def test_what_is_unknown_keeps_its_words_and_its_reference() -> None:
    body = '{"externalMessage":"Iets nieuws & vreemds.","profitLogReference":"3A4CA18A611A4E07B429AC6BAFC6B8D1"}'
    assert str(error_from_response(500, {}, body.encode())) == (
        "AFAS reports an error without a cause known here. AFAS says: “Iets nieuws & vreemds.” (HTTP 500, log reference"
        " 3A4CA18A611A4E07B429AC6BAFC6B8D1). The AFAS administrator finds the cause in the log, under the log"
        " reference."
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"externalMessage":"one"}', "one"),
        (b'\xef\xbb\xbf{"externalMessage":"with a BOM"}', "with a BOM"),
        (b'{"Message":"as ASP.NET writes it"}', "as ASP.NET writes it"),
        (b'{"error":{"code":"503","message":"nested"}}', "nested"),
        (b'{"error":{"code":{"example":"503"},"message":{"example":"as in the docs"}}}', "as in the docs"),
        (b'{"error":"invalid_token","error_description":"too old"}', "too old"),
        (b'{"error":"invalid_token"}', "invalid_token"),
        (b'"just a text"', "just a text"),
        (b"just a text\nand more", "just a text"),
        (b"<error><message>a &amp; b</message></error>", "a & b"),
        (b'<e:error xmlns:e="x"><e:message>named</e:message></e:error>', "named"),
        (b"<error><message><![CDATA[raw]]></message></error>", "raw"),
        (b"<html><head><title>403 Forbidden</title></head></html>", "403 Forbidden"),
        (b"<html><p>nothing</p></html>", ""),
        (b"General message: Invalid Index field", "Invalid Index field"),
        (b"Algemene melding: Iets", "Iets"),
        (b'{"externalMessage":null}', ""),
        (b'{"externalMessage":["x"],"message":true}', "x"),
        (b'["x"]', "x"),
        (b'{"errors":[{"code":7,"detail":"first"},{"detail":"second"}]}', "first"),
        (b'{"Fault":{"FaultString":"as SOAP has it"}}', "as SOAP has it"),
        (b'{"data":{"rows":[{"message":"Jansen"}]},"error":"x"}', ""),
        (b'before {"skip":0,"rows":[{"Name":"Jansen"}]}', "before"),
        (b'{"detail":"{\\"rows\\":[{\\"Name\\":\\"Jansen\\"}]}","error":"x"}', ""),
        (b'{"detail":"{\\"rows\\":[{\\"Name\\":\\"Jans","error":"x"}', "x"),
        (b'{"detail":"before {\\"rows\\":[{\\"Name\\":\\"Jansen\\"}]}","error":"x"}', "before"),
        (b'{"detail":"{\\"error\\":{\\"message\\":\\"the inner one\\"}}"}', "the inner one"),
        (b'{"message":"The field [Code] of {Articles}"}', "The field [Code] of {Articles}"),
        (b"[1]", ""),
        (b"[" * 100_000, ""),
        (b"\xff\xfe\x00\x01", ""),
        (b"x" * 10_000, "x" * 300),
        (b"", ""),
    ],
)
def test_bodies(body: bytes, message: str) -> None:
    assert read_error_body({}, body).message == message


def test_a_long_message_is_cut() -> None:
    assert len(read_error_body({}, b"word " * 1000).message) == 300


def test_half_a_page_of_rows_is_nobodys_words() -> None:
    assert read_error_body({}, b'{"skip":0,"take":2,"rows":[{"Name":"Jansen"},{"Na').message == ""
    assert read_error_body({}, b'{"skip":0,"take":2,"rows":[{"message":"Jansen"}]}').message == ""


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7200"}, b"", 7200),
        ({"Retry-After": "0"}, b'{"retry_after":60}', 0),
        ({}, b'{"error":{"code":"503"},"retry_after":7200}', 7200),
        ({}, b'{"error":{"code":{"example":"503"}},"retry_after":{"example":7200}}', 7200),
        ({}, b'{"retry_after":"90"}', 90),
        ({"Retry-After": "Fri, 01 Jan 2010 00:00:00 GMT"}, b"", 0),
        # Dates of HTTP are GMT, also where they don't say so; more than a year is a year.
        ({"Retry-After": "Fri, 01 Jan 2010 00:00:00"}, b"", 0),
        ({"Retry-After": "Friday, 01-Jan-10 00:00:00 GMT"}, b"", 0),
        ({"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}, b"", 366 * 86400),
        ({"Retry-After": "99999999999"}, b"", 366 * 86400),
        ({"Retry-After": "Fri, 01 Jan 99999 00:00:00 GMT"}, b"", None),
        ({"Retry-After": "9" * 5000}, b"", None),
        ({"Retry-After": " 1.5 "}, b"", 1.5),
        ({"Retry-After": "soon"}, b"", None),
        ({"Retry-After": "-5"}, b"", None),
        ({"Retry-After": "nan"}, b"", None),
        ({}, b'{"retry_after":1e999}', None),
    ],
)
def test_when_to_come_back(headers: dict[str, str], body: bytes, seconds: float | None) -> None:
    assert read_error_body(headers, body).retry_after == seconds


def test_every_error_advises() -> None:
    every = (*refusals.REFUSALS, *refusals._BY_STATUS.values())
    assert all(refusal.cause.endswith(".") and refusal.advice.endswith(".") for refusal in every)


def test_what_stands_before_afas_is_named(sandbox: Sandbox) -> None:
    page = "<!DOCTYPE html><html><head><title>520: unknown error</title></head><body>Cloudflare Ray ID</body></html>"
    sandbox.faults = [Fault(kind="rows", status=520, body=page)]
    error, asked = _ask(sandbox)
    assert asked == ALL_TRIES
    assert "Cloudflare, which stands between the tap and AFAS" in str(error)
    assert "Cloudflare says: “520: unknown error”" in str(error)
    sandbox.faults = [Fault(kind="rows", status=403, body=page)]
    assert _ask(sandbox)[1] == ONE_TRY


@pytest.mark.parametrize(
    ("header", "status", "sentence", "said"),
    [
        (
            'Bearer error="invalid_token", error_description="The token ended"',
            401,
            "accept the credentials",
            "The token ended",
        ),
        ('Bearer realm="x", error="invalid_token"', 401, "accept the credentials", "invalid_token"),
        ('DPoP error="use_dpop_nonce"', 400, "asks for DPoP", "use_dpop_nonce"),
        ('DPoP algs="ES256"', 401, "asks for DPoP", ""),
        ('Bearer realm="a", DPoP algs="ES256"', 401, "accept the credentials", ""),
        ('Bearer error="insufficient_scope", scope="get:x"', 403, "doesn't cover", "insufficient_scope (scope get:x)"),
        ("x" * 100_000, 401, "accept the credentials", ""),
    ],
)
def test_challenges(header: str, status: int, sentence: str, said: str) -> None:
    error = error_from_response(status, {"WWW-Authenticate": header}, b"")
    assert (type(error), error.said) == (CredentialsError, said)
    assert sentence in str(error)


@pytest.mark.parametrize("piece", ["<h1", "<title ", "<h1>", "<", "{", "[", '{"a":', "<message><![CDATA[", "\\", '"'])
def test_reading_an_error_is_linear(piece: str) -> None:
    began = time.monotonic()
    read_error_body({"WWW-Authenticate": piece * 100_000, "Retry-After": piece * 10_000}, piece.encode() * 100_000)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "text", ["Fri, 31 Dec 9999 23:59:59 -2300", "Fri, 31 Dec 0001 00:00:00 +2300", "1e400", "\ud800"]
)
def test_odd_dates(text: str) -> None:
    read_error_body({"Retry-After": text}, b"")


def test_no_advice_names_another_setting(sandbox: Sandbox) -> None:
    sandbox.faults = [Fault(refuse="unauthorized")]
    ran = run_tap(config_of(sandbox))
    assert "`base_url`" in ran.errors[0]
    assert "environment_" not in ran.errors[0]


def test_dpop_is_called_so(sandbox: Sandbox) -> None:
    for fault in (
        Fault(kind="token", status=400, body='{"error":"use_dpop_nonce"}', headers={"DPoP-Nonce": "x"}),
        Fault(kind="token", status=200, body='{"access_token":"abcdefgh","token_type":"DPoP"}'),
    ):
        sandbox.faults = [fault]
        ran = run_tap(config_of(sandbox, oauth=True))
        assert ran.exit_code == 78
        assert "DPoP" in ran.errors[0]
        assert "plain bearer tokens" in ran.errors[0]
