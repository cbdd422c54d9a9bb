"""`tap-afas-explore preview`: what the tap would emit, and nothing else."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Connector, Fault, Field, Table, amsterdam
from afas_sandbox.data import dataset
from harness.articles import articles, config_of
from harness.command import explore, run_tap

if TYPE_CHECKING:
    from afas_sandbox import Sandbox
    from harness.run import Run

_ROWS = 50
_MAPS = {
    "Articles": {"Name": "md5(Name) if Name else None", "Number": "__NULL__", "Twice": "Number * 2"},
    "Two": {"__source__": "Articles", "Code": "Code", "__else__": "__NULL__"},
}


@pytest.fixture(autouse=True)
def _connector(sandbox: Sandbox) -> None:
    sandbox.load([articles(_ROWS), articles(3, "Bare", stamp=False)])


def _rows(ran: Run) -> list[dict[str, Any]]:
    assert ran.exit_code == 0, ran.log
    return [json.loads(line, parse_float=Decimal) for line in ran.output.decode().split("\n")[:-1]]


def _codes(sandbox: Sandbox, *arguments: str, **settings: Any) -> list[str]:
    ran = explore(config_of(sandbox, **settings), "preview", "Articles", "--format=jsonl", "--limit=1000", *arguments)
    return [row["Code"] for row in _rows(ran)]


# As the tap


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"stream_maps": {"Articles": _MAPS["Articles"]}},
        {"stream_maps": {"Articles": {"__filter__": "Number > 10"}}},
        {"stream_maps": {"Articles": {"__alias__": "other", "Code": "Code", "__else__": "__NULL__"}}},
        {"stream_maps": _MAPS},
        {"flattening_enabled": True, "flattening_max_depth": 1},
        {"page_size": 7},
        {"start_date": "2024-03-01T05:20:00Z"},
    ],
)
def test_rows_are_those_that_the_tap_emits(sandbox: Sandbox, settings: dict[str, Any]) -> None:
    config = config_of(sandbox, connectors=["Articles"], **settings)
    emitted = run_tap(config).records()
    assert len(emitted) >= 10
    assert _rows(explore(config, "preview", "Articles", "--format=jsonl", "--limit=1000")) == emitted
    assert _rows(explore(config, "preview", "Articles", "--format=jsonl", "--limit=8")) == emitted[:8]


@pytest.mark.slow
def test_each_connector_of_a_company(sandbox: Sandbox) -> None:
    sandbox.load(dataset(scale=0.02, now=amsterdam()))
    config = config_of(sandbox, streams={})
    ran = run_tap(config)
    for connector in sandbox.connectors:
        rows = _rows(explore(config, "preview", connector, "--format=jsonl", "--limit=1000000"))
        assert rows == ran.records(connector.replace("-", "_")), connector


def test_a_catalog_selects(sandbox: Sandbox) -> None:
    config = config_of(sandbox)
    catalog = run_tap(config, "--discover").catalog
    catalog["streams"] = [entry for entry in catalog["streams"] if entry["stream"] == "Articles"]
    for one in catalog["streams"][0]["metadata"]:
        one["metadata"]["selected"] = one["breadcrumb"] in ([], ["properties", "Price"])
    emitted = run_tap(config, catalog=catalog).records()
    assert emitted[0].keys() == {"Code", "Price", "Modified"}
    assert _rows(explore(config, "preview", "Articles", "--format=jsonl", "--limit=99", catalog=catalog)) == emitted
    ran = explore(config, "preview", "Bare", catalog=catalog)
    assert (ran.exit_code, ran.output) == (78, b"")
    assert ran.errors[0].startswith("The catalog has no stream for Bare")


def test_a_value_that_does_not_fit_is_one_sentence(sandbox: Sandbox) -> None:
    config = config_of(sandbox, streams={"Articles": {"primary_keys": ["Code"], "types": {"Name": "integer"}}})
    ran = explore(config, "preview", "Articles")
    assert (ran.exit_code, ran.output, len(ran.errors)) == (1, b"", 1)
    assert "The value of Name in the row with Code" in ran.errors[0]
    # What isn't asked for needn't be readable.
    row = _rows(explore(config, "preview", "Articles", "--fields=Code", "--format=jsonl"))[0]
    assert row == {"Code": "A00000"}


# Which rows


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        (["Number >= 47"], ["A00047", "A00048", "A00049"]),
        (["Number>=47", "Blocked = true"], ["A00048"]),
        (['Code = "A00003"'], ["A00003"]),
        (["Name contains number 12;"], ["A00012"]),
        (["Name starts with Article, number 1;"], ["A00001"]),
        (["Price == 4.5"], ["A00004"]),
        (["Modified < 2024-03-01T06:02:00"], ["A00000", "A00001"]),
        (["Modified > 2024-03-01T05:48:00Z"], ["A00048", "A00049"]),
        (["Name empty"], []),
    ],
)
def test_where(sandbox: Sandbox, where: list[str], wanted: list[str]) -> None:
    assert _codes(sandbox, *(f"--where={one}" for one in where)) == wanted


@pytest.mark.parametrize(
    ("options", "first", "last"),
    [
        (["--since=2024-03-01T06:30:30"], 30, 49),
        (["--until=2024-03-01T06:30:30"], 0, 30),
        (["--since=2024-03-01T05:30:30Z", "--until=2024-03-01T06:40"], 30, 39),
        (["--since=2024-03-01", "--until=2024-03-01"], 0, 49),
    ],
)
def test_since_and_until(sandbox: Sandbox, options: list[str], first: int, last: int) -> None:
    assert _codes(sandbox, *options) == [f"A{number:05}" for number in range(first, last + 1)]


def test_a_day_ends_with_itself(sandbox: Sandbox) -> None:
    assert _codes(sandbox, "--until=2024-02-29") == []
    assert _codes(sandbox, "--since=2024-03-02") == []


@pytest.mark.parametrize(
    "own",
    [
        [{"field": "Blocked", "operator": "=", "value": True}],
        [[{"field": "Number", "operator": "=", "value": 46}], [{"field": "Number", "operator": "=", "value": 48}]],
    ],
)
def test_conditions_add_to_the_filter_of_the_settings(sandbox: Sandbox, own: Any) -> None:
    streams = {"Art*": {"filter": own}, "ARTICLES": {"primary_keys": ["Code"]}}
    assert _codes(sandbox, "--where=Number >= 47", streams=streams) == ["A00048"]


@pytest.mark.parametrize(
    ("connector", "options", "code", "words"),
    [
        (
            "Articles",
            ["--where=Nummer_ > 1"],
            78,
            "`--where` names the field Nummer_, which the connector doesn't have.",
        ),
        ("Articles", ["--where=Number > many"], 78, "the value for Number in `--where` is not a whole number"),
        ("Articles", ["--where=Number contains 1"], 78, "the operator “contains” in `--where` is for text"),
        ("Articles", ["--where=Number >"], 78, "`--where` compares Number with nothing"),
        ("Articles", ["--since=yesterday"], 78, "the value for Modified in `--since` or `--until` is not a date"),
        ("Bare", ["--since=2024-01-01"], 78, "no field is known that tells when a row was last changed"),
        ("Articles", ["--fields=Code,Nme"], 78, "records have no field Nme. Did you mean Name?"),
    ],
)
def test_what_does_not_fit_the_connector(
    sandbox: Sandbox, connector: str, options: list[str], code: int, words: str
) -> None:
    sandbox.clear_log()
    ran = explore(config_of(sandbox), "preview", connector, *options)
    assert (ran.exit_code, ran.output) == (code, b"")
    assert words in ran.errors[0]
    assert [request for request in sandbox.log if request.kind == "rows"] == []


@pytest.mark.parametrize("option", ["--where=Number", "--where=Name empty x", "--where=", "--limit=0", "--limit=x"])
def test_what_no_connector_would_fit(sandbox: Sandbox, option: str) -> None:
    ran = explore(config_of(sandbox), "preview", "Articles", option)
    assert (ran.exit_code, ran.output) == (2, b"")


def test_no_more_is_asked_than_is_shown(sandbox: Sandbox) -> None:
    sandbox.clear_log()
    explore(config_of(sandbox), "preview", "Articles", "--limit=5")
    kinds = [request.kind for request in sandbox.log]
    # As a run does, it begins with the highest stamp.
    assert kinds == ["metainfo", "metainfo", "rows", "rows"]
    assert "take=1&" in sandbox.log[-2].query
    assert "take=5&" in sandbox.log[-1].query


def test_afas_that_refuses(sandbox: Sandbox) -> None:
    sandbox.faults = [Fault(refuse="blocked", kind="rows")]
    ran = explore(config_of(sandbox), "preview", "Articles", "--format=csv")
    # The head is the connector's; of rows there are none.
    assert ran.exit_code == 1
    assert len(ran.errors) == 1
    assert ran.output in {b"", b"Code,Name,Price,Number,Blocked,Modified\r\n"}


# How it is printed


def test_csv(sandbox: Sandbox) -> None:
    config = config_of(sandbox)
    ran = explore(config, "preview", "Articles", "--format=csv", "--limit=50")
    assert ran.log == []
    rows = list(csv.reader(io.StringIO(ran.output.decode(), newline="")))
    assert rows[0] == ["Code", "Name", "Price", "Number", "Blocked", "Modified"]
    assert rows[3] == ["A00002", "Article, number 2; “2”", "2.50", "2", "true", "2024-03-01T05:02:30+00:00"]
    assert len(rows) == 51


def test_csv_keeps_every_value(sandbox: Sandbox) -> None:
    texts = ["", "a,b", 'say "x"', "two\nlines", "old\rmac", "=1+1", " x ", "\x1b[31m", "\u202eabc", None]
    connector = Connector("T", "", "", (Field("Id", "int", "", ""), Field("X", "string", "", "", 50)), key=("Id",))
    sandbox.load([Table(connector, list(enumerate(texts)), lambda _: ())])
    config = config_of(sandbox, streams={"T": {"primary_keys": ["Id"]}})
    ran = explore(config, "preview", "T", "--format=csv")
    rows = list(csv.reader(io.StringIO(ran.output.decode(), newline="")))
    assert [row[1] for row in rows[1:]] == [text or "" for text in texts]
    lines = _rows(explore(config, "preview", "T", "--format=jsonl"))
    assert [row["X"] for row in lines] == texts


def test_fields_in_their_order(sandbox: Sandbox) -> None:
    config = config_of(sandbox)
    ran = explore(config, "preview", "Articles", "--format=csv", "--fields=Price,Code", "--fields=Number", "--limit=1")
    assert ran.output == b"Price,Code,Number\r\n0.50,A00000,0\r\n"
    ran = explore(config, "preview", "Articles", "--format=jsonl", "--fields=Price,Code", "--limit=1")
    assert ran.output == b'{"Price":0.50,"Code":"A00000"}\n'


def test_fields_of_a_map(sandbox: Sandbox) -> None:
    config = config_of(sandbox, stream_maps={"Articles": _MAPS["Articles"]})
    ran = explore(config, "preview", "Articles", "--format=csv", "--fields=Twice,Code", "--limit=2")
    assert ran.output == b"Twice,Code\r\n0,A00000\r\n2,A00001\r\n"
    ran = explore(config, "preview", "Articles", "--fields=Number")
    assert ran.errors[0].startswith("Articles: records have no field Number.")


def test_a_stream_that_a_map_takes_out(sandbox: Sandbox) -> None:
    ran = explore(config_of(sandbox, stream_maps={"Articles": None}), "preview", "Articles")
    assert ran.exit_code == 78
    assert ran.errors[0].startswith("Articles: `stream_maps` takes the stream out")


def test_a_map_that_does_not_fit_stops_it(sandbox: Sandbox) -> None:
    sandbox.clear_log()
    ran = explore(config_of(sandbox, stream_maps={"Articles": {"Nme": None}}), "preview", "Articles")
    assert ran.exit_code == 78
    assert "Nme" in ran.errors[0]
    assert [request for request in sandbox.log if request.kind == "rows"] == []


def test_a_table(sandbox: Sandbox) -> None:
    ran = explore(config_of(sandbox), "preview", "Articles", "--limit=2", "--fields=Code,Blocked,Price")
    assert ran.output.decode().splitlines() == [
        "Code    Blocked  Price",
        "A00000  true     0.50",
        "A00001  false    1.50",
    ]
    assert explore(config_of(sandbox), "preview", "Articles", "--where=Number < 0").output == b"No rows.\n"


def test_an_id_that_is_a_pattern(sandbox: Sandbox) -> None:
    table = articles(4, "A[bc]*")
    sandbox.load([table, articles(3, "Ab"), dataclasses.replace(articles(2, "Abx"))])
    assert len(_rows(explore(config_of(sandbox), "preview", "A[bc]*", "--format=jsonl"))) == 4
