"""A page at a time, record by record, alone or side by side: the output is the same."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Connector, Field, Table, amsterdam
from afas_sandbox.data import dataset
from harness.articles import articles, config_of
from harness.command import run_tap
from harness.run import Run
from tap_afas.tap import TapAfas

if TYPE_CHECKING:
    from afas_sandbox import Sandbox

IDENTITY: dict[str, Any] = {"stream_maps": {"*": {}}}


# Of a row that another run may have changed, and of the time.
_OF_ITS_RUN = {"witness", "version", "active_version", "refreshed_at"}


def _by_stream(messages: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The messages of each stream in their order, and the last state; without the time, and what AFAS chooses."""
    found: dict[str, list[dict[str, Any]]] = {}
    for message in messages:
        plain = {name: value for name, value in message.items() if name not in {"time_extracted", "version"}}
        if message["type"] == "STATE":
            # Of several rows with the highest stamp, AFAS sends any one; a version is the time.
            found["STATE"] = [
                {"stream": stream} | {name: value for name, value in part.items() if name not in _OF_ITS_RUN}
                for stream, part in sorted(message["value"]["bookmarks"].items())
            ]
        else:
            found.setdefault(message["stream"], []).append(plain)
    return found


def _without_maps(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages without what a STATE says of stream maps, which are in one of the two only."""
    for message in messages:
        for part in message["value"]["bookmarks"].values() if message["type"] == "STATE" else ():
            part["loaded_under"] = bool(part["loaded_under"])
    return messages


def _same(one: Run, other: Run) -> None:
    assert (one.exit_code, other.exit_code) == (0, 0), other.errors
    assert _by_stream(_without_maps(one.messages)) == _by_stream(_without_maps(other.messages))


@pytest.fixture
def _company(sandbox: Sandbox) -> None:
    now = amsterdam()
    sandbox.load([table for table in dataset(scale=0.02, now=now) if table.connector.id in CHOSEN])
    # The STATE tells when a bookmark was reached.
    sandbox.clock = lambda: now


CHOSEN = {
    "Profit_Transactions",
    "Profit_Article",
    "Profit_Accounts",
    "Profit_Employees",
    "Profit_Period_balance",
    "Verkoop-facturen",
    "Profit_Realization",
    "Profit_Deliveryaddress",
}


def _config(sandbox: Sandbox, **settings: Any) -> dict[str, Any]:
    return {"base_url": sandbox.base_url, "token": sandbox.token, "page_size": 50, **settings}


@pytest.mark.slow
@pytest.mark.usefixtures("_company")
@pytest.mark.parametrize("versions", [False, True])
@pytest.mark.parametrize(
    "slower",
    [
        IDENTITY,
        {"flattening_enabled": True, "flattening_max_depth": 1},
        {"stream_maps": {"*": {}}, "flattening_enabled": True, "flattening_max_depth": 2},
        {"max_parallel_requests": 1},
    ],
)
def test_two_ways_one_output(sandbox: Sandbox, slower: dict[str, Any], *, versions: bool) -> None:
    settings = {"emit_activate_version_messages": versions}
    fast = run_tap(_config(sandbox, **settings))
    assert len(_by_stream(fast.messages)) == len(CHOSEN) + 1
    _same(fast, run_tap(_config(sandbox, **settings, **slower)))


def test_values_that_are_hard_to_carry(sandbox: Sandbox) -> None:
    fields = (
        Field("Id", "int", "Id", "Id", 9),
        Field("Text", "string", "Text", "Tekst", 80),
        Field("Amount", "decimal", "Amount", "Bedrag", 26, 10),
        Field("Yes", "boolean", "Yes", "Ja"),
        Field("Day", "date", "Day", "Dag", control_type=4),
        Field("Moment", "date", "Moment", "Moment", control_type=8),
        Field("Odd.name", "string", "Odd", "Raar", 10),
        Field("Note", "blob", "Note", "Notitie"),
    )
    rows = [
        (1, 'é ü € \u2028 “” \\ " / \x7f 😀', "0.1000000000", True, "2024-03-31T00:00:00.000", None, "x", "a\nb\tc"),
        (2, "", "-0.0000000001", False, None, "2024-07-01T12:00:00.000", None, None),
        (3, None, "12345678901234.0123456789", None, "1900-01-01T00:00:00.000", "2024-01-01T00:00:00.000", "", ""),
        (-4, "0012", "100.00", None, None, "1930-05-05T05:05:05.000", "null", "{}"),
    ]
    sandbox.load([Table(Connector("Hard", "", "", fields, key=("Id",)), rows, lambda number: (number, *rows[0][1:]))])
    config = _config(sandbox, streams={"Hard": {"primary_keys": ["Id"], "replication_key": None}})
    fast = run_tap(config)
    assert len(fast.records("Hard")) == 4
    for slower in (IDENTITY, {"flattening_enabled": True, "flattening_max_depth": 1}):
        other = run_tap({**config, **slower})
        _same(fast, other)
        # Not only equal as numbers: with the same digits.
        assert [str(record["Amount"]) for record in fast.records("Hard")] == [
            str(record["Amount"]) for record in other.records("Hard")
        ]


def test_a_map_that_does_something(sandbox: Sandbox) -> None:
    sandbox.load([articles(5)])
    maps = {"Articles": {"Short": "Name[:3]", "Name": "__NULL__", "__filter__": "Number > 2"}}
    ran = run_tap(config_of(sandbox, stream_maps=maps))
    assert ran.exit_code == 0
    assert [record["Short"] for record in ran.records()] == ["Art", "Art"]
    assert all("Name" not in record for record in ran.records())


def test_deselected_fields_stay_out_of_both(sandbox: Sandbox) -> None:
    sandbox.load([articles(12)])
    now = amsterdam()
    # The STATE tells when a bookmark was reached.
    sandbox.clock = lambda: now
    config = config_of(sandbox, page_size=5)
    catalog = run_tap(config, "--discover").catalog
    for entry in catalog["streams"][0]["metadata"]:
        if entry["breadcrumb"] == ["properties", "Name"]:
            entry["metadata"]["selected"] = False
    fast = run_tap(config, catalog=catalog)
    assert set(fast.records()[0]) == {"Code", "Price", "Number", "Blocked", "Modified"}
    _same(fast, run_tap({**config, **IDENTITY}, catalog=catalog))


@pytest.mark.usefixtures("_company")
def test_sync_all_writes_the_same(sandbox: Sandbox) -> None:
    config = _config(sandbox)
    fast = run_tap(config)
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="")
    with contextlib.redirect_stdout(out):
        TapAfas(config=config, parse_env_config=False).sync_all()
    out.flush()
    serial = Run(0, out.buffer.getvalue(), [])
    found, again = _by_stream(_without_maps(fast.messages)), _by_stream(_without_maps(serial.messages))
    assert found.keys() == again.keys()
    for stream in found:
        assert found[stream] == again[stream], stream
