"""From GetConnectors to streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from afas_sandbox import Fault
from harness.articles import articles, client_of, config_of
from harness.command import run_tap
from tap_afas.connection import describe
from tap_afas.discovery import DiscoveryError, check_connectors_exist, connectors_to_read, define_stream, stream_name
from tap_afas.profit.errors import ConnectorError, ProfitError
from tap_afas.profit.metainfo import Connector, Environment, Field
from tap_afas.settings import Settings, StreamSettings

if TYPE_CHECKING:
    from afas_sandbox import Sandbox


def _environment(*ids: str) -> Environment:
    return Environment("O12345AA", dict.fromkeys(ids, ""), "")


def _connector(*fields: Field, name: str = "Eigen") -> Connector:
    return Connector(name, "", {field.id: field for field in fields})


CODE = Field("Code", "string")
NUMBER = Field("Number", "int")
STAMP = Field("Gewijzigd_op", "date", control_type=8)
OTHER_STAMP = Field("Mutatiedatum", "date", control_type=8)
DAY = Field("Day", "date", control_type=4)
AMOUNT = Field("Amount", "decimal")


def test_names() -> None:
    assert stream_name("Verkoop-facturen") == "Verkoop_facturen"
    assert connectors_to_read(Settings(), _environment("B", "A")) == ["A", "B"]
    assert connectors_to_read(Settings(connectors=("!A",)), _environment("B", "A")) == ["B"]


def test_two_that_become_one() -> None:
    with pytest.raises(DiscoveryError, match="A-B and A_B would both become the stream A_B"):
        connectors_to_read(Settings(), _environment("A_B", "A-B"))
    assert connectors_to_read(Settings(connectors=("A-B",)), _environment("A_B", "A-B")) == ["A-B"]


def test_a_name_that_is_too_long(caplog: pytest.LogCaptureFixture) -> None:
    connectors_to_read(Settings(), _environment("x" * 64))
    define_stream(_connector(Field("y" * 64, "int")), StreamSettings())
    assert len(caplog.records) == 2
    assert all("63 characters" in record.getMessage() for record in caplog.records)


_FOLDING = (
    "DuckDB, Snowflake and BigQuery take them for one, and would mix or lose what they hold; PostgreSQL keeps them"
    " apart. For those, leave all but one out."
)


def test_fields_that_differ_by_case_only(caplog: pytest.LogCaptureFixture) -> None:
    names = ("Code", "Naam", "CODE", "code", "cOde", "naam", "Straße", "Strasse")
    define_stream(_connector(*(Field(name, "int") for name in names), NUMBER), StreamSettings())
    assert [record.getMessage() for record in caplog.records] == [
        f"Eigen: the fields Code, CODE, code and cOde differ by case only; {_FOLDING}",
        f"Eigen: the fields Naam and naam differ by case only; {_FOLDING}",
    ]


def test_streams_that_differ_by_case_only(caplog: pytest.LogCaptureFixture) -> None:
    environment = _environment("items", "Items", "ITEMS", "Verkoop-regels", "verkoop_Regels", "Other")
    assert len(connectors_to_read(Settings(), environment)) == 6
    assert [record.getMessage() for record in caplog.records] == [
        f"The streams ITEMS, Items and items differ by case only; {_FOLDING}",
        f"The streams Verkoop-regels and verkoop_Regels differ by case only; {_FOLDING}",
    ]
    caplog.clear()
    connectors_to_read(Settings(connectors=("Verkoop-*", "Other")), environment)
    assert not caplog.records


def test_streams_that_differ_by_case_only_are_told_once(sandbox: Sandbox) -> None:
    sandbox.load([articles(2, "Items"), articles(2, "items")])
    ran = run_tap(config_of(sandbox))
    assert ran.exit_code == 0
    assert len([line for line in ran.lines("WARNING") if "differ by case only" in line]) == 1
    assert {name: len(ran.records(name)) for name in ("Items", "items")} == {"Items": 2, "items": 2}


def test_nothing_left() -> None:
    with pytest.raises(DiscoveryError, match=r"No GetConnector is left to read\..*has: A, B"):
        connectors_to_read(Settings(connectors=("C*",)), _environment("A", "B"))
    with pytest.raises(DiscoveryError, match="none at all"):
        connectors_to_read(Settings(), _environment())


def test_names_in_the_settings_that_nobody_bears() -> None:
    with pytest.raises(DiscoveryError, match="name A, Z, which the app connector of environment O12345AA doesn't have"):
        check_connectors_exist(
            Settings(connectors=("A", "b", "c*"), streams={"Z": StreamSettings()}), _environment("B")
        )
    with pytest.raises(DiscoveryError, match="C19 and 80 more"):
        check_connectors_exist(Settings(connectors=("A",)), _environment(*(f"C{number:02}" for number in range(100))))
    check_connectors_exist(Settings(connectors=("A",)), _environment("B"), known=["A"])


@pytest.mark.parametrize(
    ("settings", "key", "stamp"),
    [
        ({"primary_keys": ["Code", "Number"]}, ("Code", "Number"), "Gewijzigd_op"),
        ({"primary_keys": ["Code"], "replication_key": None}, ("Code",), None),
        ({"primary_keys": ["Code"], "replication_key": ""}, ("Code",), None),
        ({"primary_keys": ["Code"], "replication_key": "Number"}, ("Code",), "Number"),
        ({"primary_keys": ["Code"], "replication_key": "Day"}, ("Code",), "Day"),
        (
            {"primary_keys": ["Code"], "replication_key": "Amount", "types": {"Amount": "integer"}},
            ("Code",),
            "Amount",
        ),
        ({"primary_keys": ["Code"], "types": {"Gewijzigd_op": "string"}}, ("Code",), None),
        # Rows without a key can't be updated.
        ({}, (), None),
        ({"primary_keys": []}, (), None),
        ({"replication_key": "Number"}, (), None),
        ({"append": True}, (), "Gewijzigd_op"),
        ({"append": True, "primary_keys": [], "replication_key": "Number"}, (), "Number"),
    ],
)
def test_keys_and_stamps(settings: dict[str, Any], key: tuple[str, ...], stamp: str | None) -> None:
    described = define_stream(_connector(CODE, NUMBER, STAMP, DAY, AMOUNT), msgspec.convert(settings, StreamSettings))
    assert (described.primary_keys, described.replication_key) == (key, stamp)
    assert described.replication_method == ("INCREMENTAL" if stamp else "FULL_TABLE")


def test_the_known_key_of_a_standard_connector() -> None:
    connector = _connector(Field("DebtorId", "string"), CODE, name="Profit_Debtor")
    assert define_stream(connector, StreamSettings()).primary_keys == ("DebtorId",)
    assert define_stream(connector, StreamSettings(primary_keys=())).primary_keys == ()


def test_two_stamps_are_none(caplog: pytest.LogCaptureFixture) -> None:
    assert define_stream(_connector(STAMP, OTHER_STAMP), StreamSettings()).replication_key is None
    assert "Gewijzigd_op and Mutatiedatum could each be" in caplog.text
    assert "`streams.Eigen.replication_key`" in caplog.text
    caplog.clear()
    define_stream(_connector(STAMP, OTHER_STAMP), StreamSettings(replication_key="Mutatiedatum"))
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"primary_keys": ["X"]}, "names the field X, which the connector doesn't have. It has: Code, Amount."),
        ({"replication_key": "X"}, "names the field X"),
        ({"types": {"X": "string"}}, "names the field X"),
        ({"replication_key": "Code"}, "the replication key Code is string; it must be a date or a whole number."),
        ({"replication_key": "Amount"}, "the replication key Amount is number"),
        ({"append": True, "primary_keys": ["Code"]}, "`append` is for streams without a key, and this one has the key"),
        ({"append": True}, "`append` needs a field that tells when a row was last changed, and none is known."),
    ],
)
def test_settings_that_do_not_fit(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DiscoveryError) as caught:
        define_stream(_connector(CODE, AMOUNT), msgspec.convert(settings, StreamSettings))
    assert sentence in str(caught.value)


def test_one_that_is_not_described_leaves_the_others(sandbox: Sandbox) -> None:
    sandbox.load([articles(1, "A"), articles(1, "B"), articles(1, "C")])
    sandbox.faults = [Fault(refuse="blocked", connector="B", kind="metainfo")]
    found = describe(client_of(sandbox), ["A", "B", "C"])
    assert list(found) == ["A", "B", "C"]
    assert isinstance(found["B"], ConnectorError)
    assert not isinstance(found["A"], ProfitError)
    ran = run_tap(config_of(sandbox), "--discover")
    assert ran.exit_code == 0
    assert [stream["tap_stream_id"] for stream in ran.catalog["streams"]] == ["A", "C"]
    assert any(error.startswith("B is left out") and "blocked" in error for error in ran.errors)


def test_none_that_is_described(sandbox: Sandbox) -> None:
    sandbox.load([articles(1, "A")])
    sandbox.faults = [Fault(refuse="blocked", kind="metainfo", connector="A")]
    ran = run_tap(config_of(sandbox), "--discover")
    assert (ran.exit_code, ran.output) == (78, b"")
    assert "describes none of the connectors" in ran.errors[-1]


def test_side_by_side_under_one_budget(sandbox: Sandbox) -> None:
    sandbox.load([articles(1, f"C{number}") for number in range(12)])
    sandbox.faults = [Fault(delay=0.02, kind="metainfo")]
    assert run_tap(config_of(sandbox, max_parallel_requests=3), "--discover").exit_code == 0
    assert sandbox.peak == 3
    assert len(sandbox.log) == 13


def test_a_catalog_as_targets_and_meltano_want_it(sandbox: Sandbox) -> None:
    sandbox.load([articles(1, "Verkoop-regels")], language="nl")
    (stream,) = run_tap(config_of(sandbox, language="nl-nl"), "--discover").catalog["streams"]
    assert (stream["tap_stream_id"], stream["stream"]) == ("Verkoop-regels", "Verkoop_regels")
    assert stream["key_properties"] == ["Code"]
    assert stream["replication_key"] == "Modified"
    assert stream["schema"]["properties"]["Price"] == {"type": ["number", "null"], "description": "Prijs"}
    assert stream["schema"]["properties"]["Modified"]["format"] == "date-time"
