"""Whatever AFAS, or what stands in its place, answers: a sentence or true records; never a traceback, never a hang."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from afas_sandbox import Fault
from harness.articles import article, articles, config_of
from harness.command import run_tap
from harness.depth import depth

if TYPE_CHECKING:
    from afas_sandbox import Sandbox
    from harness.run import Run

NAMES = ("Code", "Name", "Price", "Number", "Blocked", "Modified")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, "rows"]), inner, max_size=4),
    max_leaves=8,
)
MOMENTS = st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)).map(  # noqa: DTZ001 - wall time
    lambda moment: moment.isoformat(timespec="seconds") + "Z"
)
RIGHT = {
    "Code": st.text(max_size=6),
    "Name": st.text(max_size=20) | st.none(),
    "Price": st.decimals(-1000, 1000, places=2).map(float) | st.none(),
    "Number": st.integers() | st.none(),
    "Blocked": st.booleans() | st.none(),
    "Modified": MOMENTS | st.none(),
}
ROW = st.fixed_dictionaries({}, optional={name: right | JSON for name, right in RIGHT.items()})
PAGE = st.fixed_dictionaries({"skip": JSON, "take": JSON, "rows": st.lists(ROW, max_size=5) | JSON})
RIGHT_PAGE = st.fixed_dictionaries({"rows": st.lists(st.fixed_dictionaries(RIGHT), max_size=5)})
BODY = (JSON | PAGE | RIGHT_PAGE).map(json.dumps)
CUT = st.builds(lambda body, part: body[: int(len(body) * part)], BODY, st.floats(0, 1))
ODD = st.sampled_from([
    "",
    "null",
    "[" * 10_000,
    '{"rows":' * 5_000,
    '{"rows":[{"Code":' + "[" * 5_000,
    '{"rows":[{"Code":"a","Number":' + "9" * 5_000 + "}]}",
    '{"rows":[{"Code":"a","Price":1e999999}]}',
    '{"rows":[{"Code":"a","Price":NaN}]}',
    '{"rows":[{"Code":"a","Price":-.5}]}',
    '{"rows":[{"Code":"\\ud800"}]}',
    '{"rows":[{"Code":"\x00\x01"}]}',
    '{"rows":[{"Code":"a"}],"rows":7}',
    "<html><body>Sign in</body></html>",
    '{"externalMessage":"Iets"}',
])


def _check(ran: Run) -> None:
    assert ran.exit_code in {0, 1, 75, 78}
    assert ran.errors or ran.exit_code == 0
    for error in ran.errors:
        assert error.endswith((".", "]", "?")), error
    for record in ran.records():
        assert isinstance(record["Code"], str | None)
        assert isinstance(record["Name"], str | None)
        assert isinstance(record["Price"], Decimal | int | None)
        assert isinstance(record["Number"], int | None)
        assert isinstance(record["Blocked"], bool | None)
        if record["Modified"] is not None:
            assert datetime.datetime.fromisoformat(record["Modified"]).tzinfo is not None


def _config(sandbox: Sandbox, replication_key: str | None) -> dict[str, Any]:
    return config_of(
        sandbox,
        page_size=5,
        streams={"Articles": {"primary_keys": ["Code"], "replication_key": replication_key}},
    )


@pytest.mark.slow
@depth(150)
@given(body=BODY | CUT | ODD | st.text(max_size=50), stamp=st.sampled_from(["Modified", None]), nth=st.integers(1, 2))
@example(body='{"rows":[{"Code":"a","Number":' + "9" * 4301 + "}]}", stamp="Modified", nth=1)
def test_pages(sandbox: Sandbox, body: str, stamp: str | None, nth: int) -> None:
    sandbox.load([articles(12)])
    sandbox.faults = [Fault(kind="rows", status=200, body=body.encode("utf-8", "replace").decode(), nth=(nth, nth + 1))]
    _check(run_tap(_config(sandbox, stamp)))


@pytest.mark.slow
@depth(60)
@given(
    body=BODY | CUT | ODD,
    status=st.sampled_from([200, 204, 206, 304, 400, 401, 403, 404, 413, 418, 429, 500, 502, 503]),
    kind=st.sampled_from(["metainfo", "rows", "token"]),
)
def test_any_status_with_any_body(sandbox: Sandbox, body: str, status: int, kind: str) -> None:
    sandbox.load([articles(2)])
    config = config_of(sandbox, oauth=True)
    sandbox.faults = [{"kind": kind, "status": status, "body": body}]
    _check(run_tap(config))


METAINFO = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.sampled_from(["Articles", "int", "date", "4"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["getConnectors", "info", "id", "fields", "dataType", "length", "tokenExpiry", "label"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
).map(json.dumps)


@depth(60)
@given(body=METAINFO, which=st.sampled_from(["*/metainfo", "*/metainfo/get/*"]))
def test_descriptions(sandbox: Sandbox, body: str, which: str) -> None:
    sandbox.load([articles(2)])
    config = config_of(sandbox)
    sandbox.faults = [Fault(path=which, status=200, body=body)]
    _check(run_tap({**config, "streams": {}}))


@pytest.mark.parametrize("kind", ["rows", "metainfo"])
@pytest.mark.parametrize("size", [1, 1000, 1_000_000])
def test_bytes(sandbox: Sandbox, kind: str, size: int) -> None:
    sandbox.load([articles(3)])
    config = config_of(sandbox)
    sandbox.faults = [{"kind": kind, "garbage": size}]
    ran = run_tap(config)
    _check(ran)
    assert (ran.exit_code, ran.records()) == (75 if kind == "rows" else 78, [])


def test_a_hundred_million_bytes(sandbox: Sandbox) -> None:
    sandbox.load([articles(30)])
    config = config_of(sandbox, page_size=10)
    sandbox.faults = [Fault(kind="rows", status=200, body=" " * 100_000_000, nth=2)]
    ran = run_tap(config)
    assert (ran.exit_code, len(ran.records())) == (0, 30)
    assert any("75 MB" in line and "Asking for 5 rows" in line for line in ran.lines("WARNING"))


def test_true_rows_in_a_strange_dress(sandbox: Sandbox) -> None:
    sandbox.load([articles(1)])
    _, name, price, number, _, _ = article(0)
    row = {
        "Modified": "2024-03-01T06:00:30Z",
        "Extra": [1, {"a": None}],
        "Blocked": True,
        "Name": name,
        "Code": "A00000",
    }
    body = json.dumps({"rows": [{**row, "Number": number, "Price": "0.50"}], "more": [1]}, indent=3)
    sandbox.faults = [Fault(kind="rows", status=200, body=body.replace('"0.50"', "-.50"))]
    ran = run_tap(_config(sandbox, None))
    assert (ran.exit_code, price) == (0, "0.50")
    assert ran.records() == [
        {
            "Code": "A00000",
            "Name": name,
            "Price": Decimal("-0.50"),
            "Number": 0,
            "Blocked": True,
            "Modified": "2024-03-01T05:00:30+00:00",
        }
    ]
