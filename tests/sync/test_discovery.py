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
from tap_afas.further_stamps import with_further_stamps
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
    ("settings", "meant"),
    [
        ({"connectors": ["Profit_Debtors"]}, "Did you mean Profit_Debtor?"),
        ({"connectors": ["!Proft_Debtor"]}, "Did you mean Profit_Debtor?"),
        ({"streams": {"Verkoop_facturen": {}}}, "Did you mean Verkoop-facturen?"),
        ({"streams": {"verkoopfacturen": {}}}, "Did you mean Verkoop-facturen?"),
    ],
)
def test_a_name_that_is_misspelt(settings: dict[str, Any], meant: str) -> None:
    environment = _environment("Profit_Debtor", "Verkoop-facturen", *(f"A{number:02}" for number in range(30)))
    with pytest.raises(DiscoveryError) as caught:
        check_connectors_exist(Settings.from_config(settings), environment)
    assert meant in str(caught.value)
    assert "A01" not in str(caught.value)


@pytest.mark.parametrize(
    ("names", "ids"),
    [(["items"], ["Items"]), (["Items", "items"], ["Items", "items"]), (["item*"], ["Items", "items"])],
)
def test_names_in_another_case(names: list[str], ids: list[str]) -> None:
    check_connectors_exist(Settings.from_config({"streams": {name: {} for name in names}}), _environment(*ids))


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["items", "Items"], ["Items"]),
        (["Items"], ["Items", "items"]),
        (["ITEMS"], ["Items", "items"]),
        (["ITEMS", "Items"], ["Items", "items"]),
    ],
)
def test_names_of_which_the_case_alone_could_tell_what_is_meant(names: list[str], ids: list[str]) -> None:
    with pytest.raises(DiscoveryError, match="differ by case only") as caught:
        check_connectors_exist(Settings.from_config({"streams": {name: {} for name in names}}), _environment(*ids))
    assert all(name in str(caught.value) for name in (*names, *ids))


def test_connectors_in_another_case_are_read_as_afas_spells_them(sandbox: Sandbox) -> None:
    sandbox.load([articles(3), articles(2, "profit_DEBTOR")])
    streams = {"ARTICLES": {"primary_keys": ["Code"]}, "Profit_Debtor": {"types": {"Number": "string"}}}
    ran = run_tap(config_of(sandbox, connectors=["articles", "Profit_Debtor"], streams=streams))
    assert ran.exit_code == 0, ran.said
    keys = {message["stream"]: message["key_properties"] for message in ran.messages if message["type"] == "SCHEMA"}
    assert keys == {"Articles": ["Code"], "profit_DEBTOR": []}
    assert ran.records("profit_DEBTOR")[1]["Number"] == "1"


def test_a_catalog_in_another_case_is_told_the_right_spelling(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    config = config_of(sandbox, streams={})
    catalog = run_tap(config, "--discover").catalog
    catalog["streams"][0]["tap_stream_id"] = "articles"
    assert "Did you mean Articles?" in run_tap(config, catalog=catalog).said


_PATTERNS = {
    "*": {"page_size": 5, "types": {"A": "string"}},
    "profit_*": {"page_size": 6, "replication_key": None, "filter": [{"field": "A", "operator": "empty"}]},
    "Profit_Debtor": {"page_size": 7, "filter": []},
    "*_Debtor": {"page_size": 8, "primary_keys": ["A"]},
}


@pytest.mark.parametrize(
    ("connector_id", "expected"),
    [
        ("Eigen", {"page_size": 5, "types": {"A": "string"}}),
        (
            "Profit_Creditor",
            {
                "page_size": 6,
                "types": {"A": "string"},
                "replication_key": None,
                "filter": [{"field": "A", "operator": "empty"}],
            },
        ),
        # The entry of its own wins, an empty list too, wherever it stands; what it leaves out, patterns say.
        (
            "Profit_Debtor",
            {"page_size": 7, "types": {"A": "string"}, "replication_key": None, "primary_keys": ["A"], "filter": []},
        ),
        ("PROFIT_DEBTOR", {"page_size": 7, "types": {"A": "string"}, "replication_key": None, "primary_keys": ["A"]}),
    ],
)
def test_patterns_in_streams(connector_id: str, expected: dict[str, Any]) -> None:
    settings = Settings.from_config({"streams": _PATTERNS})
    assert settings.stream(connector_id) == msgspec.convert(expected, StreamSettings)


def test_a_pattern_that_fits_nothing_is_a_line(sandbox: Sandbox) -> None:
    sandbox.load([articles(3), articles(3, "Other")])
    settings: dict[str, Any] = {
        "connectors": ["art*", "Oth*", "!Salar*"],
        "streams": {"Artikel*": {"page_size": 5}, "*": {"primary_keys": ["Code"]}},
    }
    line = "No connector fits the pattern !Salar* of `connectors`, Artikel* of `streams`: what it says is about none."
    config = config_of(sandbox, **settings)
    ran = run_tap(config)
    assert (ran.exit_code, len(ran.records())) == (0, 6)
    assert [one for one in ran.lines("WARNING") if "pattern" in one] == [line]
    # With a catalog, `connectors` chooses nothing.
    ran = run_tap(config, catalog=run_tap(config, "--discover").catalog)
    assert [one for one in ran.lines("WARNING") if "pattern" in one] == [line.replace("!Salar* of `connectors`, ", "")]
    fitting = config_of(sandbox, connectors=["art*", "!Oth*"], streams={"art*": {}})
    assert not [one for one in run_tap(fitting).lines("WARNING") if "pattern" in one]


def test_patterns_in_streams_are_applied(sandbox: Sandbox) -> None:
    sandbox.load([articles(3), articles(4, "Artikelen"), articles(5, "Other")])
    streams: dict[str, Any] = {
        "Art*": {"primary_keys": ["Code"], "filter": [{"field": "Number", "operator": ">", "value": 1}]},
        "Artikelen": {"filter": []},
        "Nobody*": {"primary_keys": ["Nothing"]},
    }
    ran = run_tap(config_of(sandbox, streams=streams))
    assert ran.exit_code == 0, ran.said
    assert [len(ran.records(name)) for name in ("Articles", "Artikelen", "Other")] == [1, 4, 5]
    keys = {message["stream"]: message["key_properties"] for message in ran.messages if message["type"] == "SCHEMA"}
    assert keys == {"Articles": ["Code"], "Artikelen": ["Code"], "Other": []}
    catalog = run_tap(config_of(sandbox, streams=streams), "--discover").catalog
    streams["Art*"]["filter"] = [{"field": "Nummer", "operator": ">", "value": 1}]
    ran = run_tap(config_of(sandbox, streams=streams), catalog=catalog)
    assert "names the field Nummer, which the connector doesn't have. Did you mean Number?" in ran.said
    assert not ran.messages


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


@pytest.mark.parametrize(
    ("settings", "stamp", "line"),
    [
        ({}, "Gewijzigd_op", True),
        ({"also_changed_on": []}, "Gewijzigd_op", False),
        ({"also_changed_on": ["Mutatiedatum"]}, "Gewijzigd_op", False),
        ({"also_changed_on": ["Gewijzigd_op"]}, "Mutatiedatum", False),
        ({"replication_key": "Mutatiedatum"}, "Mutatiedatum", False),
        (
            {"replication_key": "Mutatiedatum", "also_changed_on": ["Gewijzigd_op", "Day", "Number"]},
            "Mutatiedatum",
            False,
        ),
    ],
)
def test_where_a_key_is_known_the_first_of_two_stamps_is_the_replication_key(
    caplog: pytest.LogCaptureFixture, settings: dict[str, Any], stamp: str, *, line: bool
) -> None:
    mine = msgspec.convert({"primary_keys": ["Code"], **settings}, StreamSettings)
    connector = _connector(CODE, NUMBER, DAY, STAMP, OTHER_STAMP)
    with caplog.at_level("INFO", "tap-afas"):
        found = define_stream(connector, mine)
    assert (found.replication_key, found.replication_method) == (stamp, "INCREMENTAL")
    assert [
        record.getMessage().startswith("Eigen: read by what changed on Gewijzigd_op, and by what changed on")
        for record in caplog.records
    ] == [True] * line
    further = with_further_stamps(found, connector, mine).further
    default = () if "replication_key" in settings else ("Mutatiedatum",)
    assert further == tuple(settings.get("also_changed_on", default))


def test_without_a_key_two_stamps_are_none(caplog: pytest.LogCaptureFixture) -> None:
    connector = _connector(STAMP, OTHER_STAMP)
    # That such streams are read whole is told in one line for all.
    assert define_stream(connector, StreamSettings()).replication_key is None
    assert caplog.text == ""
    with pytest.raises(DiscoveryError, match="`append` needs a field"):
        define_stream(connector, StreamSettings(append=True))
    assert "Gewijzigd_op and Mutatiedatum could each be" in caplog.text
    assert "`streams.Eigen.replication_key`" in caplog.text
    caplog.clear()
    define_stream(connector, StreamSettings(append=True, replication_key="Mutatiedatum"))
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"primary_keys": ["X"]}, "names the field X, which the connector doesn't have. It has: Code, Amount."),
        ({"primary_keys": ["code"]}, "which the connector doesn't have. Did you mean Code?"),
        ({"types": {"Amounts": "string"}}, "which the connector doesn't have. Did you mean Amount?"),
        ({"replication_key": "X"}, "names the field X"),
        ({"types": {"X": "string"}}, "names the field X"),
        ({"replication_key": "Code"}, "the replication key Code is string; it must be a date or a whole number."),
        ({"replication_key": "Amount"}, "the replication key Amount is number"),
        ({"also_changed_on": ["X"]}, "names the field X"),
        ({"also_changed_on": ["Amount"]}, "`also_changed_on` names Amount, which is number: it must be a date or a"),
        ({"append": True, "primary_keys": ["Code"]}, "`append` is for streams without a key, and this one has the key"),
        ({"append": True}, "`append` needs a field that tells when a row was last changed, and none is known."),
    ],
)
def test_settings_that_do_not_fit(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DiscoveryError) as caught:
        define_stream(_connector(CODE, AMOUNT), msgspec.convert(settings, StreamSettings))
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"replication_key": "Number", "also_changed_on": ["Number"]}, "names Number, which is the replication key"),
        ({"replication_key": "", "also_changed_on": ["Number"]}, "and `replication_key` says that there is none."),
        ({"also_changed_on": ["A.B"]}, "names A.B, on which AFAS can't sort."),
        (
            {"append": True, "replication_key": "Gewijzigd_op", "also_changed_on": ["Number"]},
            "`also_changed_on` is for streams with a key, and `append` for those without.",
        ),
    ],
)
def test_further_stamps_that_cannot_be(settings: dict[str, Any], sentence: str) -> None:
    connector = _connector(CODE, NUMBER, STAMP, Field("A.B", "date", control_type=8))
    with pytest.raises(DiscoveryError) as caught:
        define_stream(connector, msgspec.convert(settings, StreamSettings))
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "stamp", "sentence"),
    [
        ([], "", "is for streams with a key, and none is known"),
        (["Code"], None, "and the stream has no replication key"),
    ],
)
def test_further_stamps_need_a_key_and_a_replication_key(
    sandbox: Sandbox, keys: list[str], stamp: str | None, sentence: str
) -> None:
    sandbox.load([articles(5, stamp=stamp is not None)])
    further = ["Modified"] if stamp else ["Number"]
    ran = run_tap(config_of(sandbox, streams={"Articles": {"primary_keys": keys, "also_changed_on": further}}))
    assert ran.exit_code != 0
    assert sentence in " ".join(ran.errors)
    assert not ran.records()


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
