"""Stream maps mask what they are to mask, or the run stops before a row is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Connector, Field, Table
from harness.articles import articles, config_of
from harness.command import run_tap
from tap_afas.map_expressions import MapError, without_texts
from tap_afas.tap import TapAfas

if TYPE_CHECKING:
    from afas_sandbox import Sandbox
    from harness.run import Run

BSN = "123456782"
STAFF, STREAM = "Med-werkers", "Med_werkers"


@pytest.fixture(autouse=True)
def _staff(sandbox: Sandbox) -> None:
    fields = (
        Field("Id", "int", "Id", "Id", 9),
        Field("BSN", "string", "BSN", "BSN", 20),
        Field("Name", "string", "Name", "Naam", 80),
    )
    rows = [(1, BSN, "A"), (2, None, "B")]
    sandbox.load([Table(Connector(STAFF, "", "", fields, key=("Id",)), rows, lambda _: rows[0]), articles(3)])


def _config(sandbox: Sandbox, maps: dict[str, Any], **settings: Any) -> dict[str, Any]:
    streams = {STAFF: {"primary_keys": ["Id"]}, "Articles": {"primary_keys": ["Code"]}}
    return config_of(sandbox, stream_maps=maps, **{"streams": streams, **settings})


def _stopped(sandbox: Sandbox, ran: Run, *words: str) -> None:
    assert ran.exit_code != 0
    assert not ran.messages
    assert not [request for request in sandbox.log if request.kind == "rows"]
    for word in words:
        assert word in ran.said


@pytest.mark.parametrize("key", [STAFF, STREAM, "Med-*", "*werkers", "Med[_]werkers", "*"])
def test_a_map_under_a_name_an_id_or_a_pattern(sandbox: Sandbox, key: str) -> None:
    ran = run_tap(_config(sandbox, {key: {"BSN": "__NULL__"}}))
    assert ran.exit_code == 0, ran.said
    assert ran.records(STREAM) == [{"Id": 1, "Name": "A"}, {"Id": 2, "Name": "B"}]
    assert len(ran.records("Articles")) == 3


def test_a_map_under_an_id_of_a_catalog_that_names_the_stream_otherwise(sandbox: Sandbox) -> None:
    config = _config(sandbox, {STAFF: {"BSN": None}})
    catalog = run_tap(config, "--discover").catalog
    (entry,) = (entry for entry in catalog["streams"] if entry["tap_stream_id"] == STAFF)
    entry["stream"] = "staff"
    ran = run_tap(config, catalog=catalog)
    assert ran.records("staff") == [{"Id": 1, "Name": "A"}, {"Id": 2, "Name": "B"}]


def test_name_and_id_at_once(sandbox: Sandbox) -> None:
    _stopped(sandbox, run_tap(_config(sandbox, {STAFF: {"BSN": "__NULL__"}, STREAM: {}})), STAFF, STREAM)


@pytest.mark.parametrize(
    ("maps", "right"),
    [
        ({"Medwerkers": {"BSN": "__NULL__"}}, STREAM),
        ({"med_werkers": {"BSN": "__NULL__"}}, STREAM),
        ({"Medwerker*": {"BSN": "__NULL__"}}, "Medwerker*"),
        ({"Medwerkers": "__NULL__"}, STREAM),
        ({"Masked": {"__source__": "Medwerkers", "BSN": "__NULL__"}}, STREAM),
        ({STREAM: {"BSNN": "__NULL__"}}, "BSN?"),
        ({STREAM: {"bsn": None}}, "BSN?"),
        ({"*": {"BSNN": "__NULL__"}}, "BSN?"),
        # Beside the masked one, the field would go out as it is.
        ({STREAM: {"bsn": "md5(BSN)"}}, "BSN"),
        # Of two maps for a stream, the SDK takes the last one alone.
        ({STREAM: {"BSN": "__NULL__"}, "*": {}}, "BSN"),
        ({"*": {"BSN": "__NULL__"}, STREAM: {"Name": "'x'"}}, "BSN"),
    ],
)
def test_what_would_mask_nothing_stops_the_run(sandbox: Sandbox, maps: dict[str, Any], right: str) -> None:
    config = _config(sandbox, maps)
    catalog = run_tap(config, "--discover").catalog
    _stopped(sandbox, run_tap(config, catalog=catalog), right)
    _stopped(sandbox, run_tap(config), right)
    with pytest.raises(MapError):
        TapAfas(config=config).streams[STREAM].sync()


@pytest.mark.parametrize(
    "maps",
    [
        {"Masked": {"__source__": STAFF, "BSN": "__NULL__"}, STAFF: None},
        {STREAM: {"Id": "Id", "__else__": "__NULL__", "Nobody": "__NULL__"}},
        {STAFF: {"BSN": "__NULL__"}, "__else__": "__NULL__"},
        {"*": {"BSN": "__NULL__"}, STAFF: {"BSN": "__NULL__", "Name": "'x'"}},
        {STREAM: {"bsn": "BSN and 'set'", "BSN": "__NULL__"}},
    ],
)
def test_what_masks_by_the_rules_of_maps(sandbox: Sandbox, maps: dict[str, Any]) -> None:
    ran = run_tap(_config(sandbox, maps))
    assert ran.exit_code == 0, ran.said
    assert ran.records()
    assert BSN.encode() not in ran.output


def test_what_is_not_read_is_a_line(sandbox: Sandbox) -> None:
    maps = {STREAM: {"BSN": "__NULL__"}, "Articles": {"Name": "__NULL__"}}
    config = _config(sandbox, maps)
    catalog = run_tap(config, "--discover").catalog
    articles_, staff = sorted(catalog["streams"], key=lambda entry: str(entry["tap_stream_id"]))
    for entry in staff["metadata"]:
        if entry["breadcrumb"] == ["properties", "BSN"]:
            entry["metadata"]["selected"] = False
    for entry in articles_["metadata"]:
        if not entry["breadcrumb"]:
            entry["metadata"]["selected"] = False
    ran = run_tap(config, catalog=catalog)
    assert ran.exit_code == 0, ran.said
    assert ran.records(STREAM) == ran.records() != []
    (line,) = (line for line in ran.lines("INFO") if "stream_maps" in line)
    assert f"{STREAM}.BSN" in line
    assert "Articles" in line


@pytest.mark.parametrize("where", ["a stream that is left out", "a field newer than the catalog"])
def test_what_only_afas_knows_is_a_line(sandbox: Sandbox, where: str) -> None:
    if where == "a stream that is left out":
        ran = run_tap(_config(sandbox, {"Articles": {"Name": "__NULL__"}}, connectors=[STAFF], streams={}))
    else:
        config = _config(sandbox, {STREAM: {"BSN": "__NULL__"}})
        catalog = run_tap(config, "--discover").catalog
        (entry,) = (entry for entry in catalog["streams"] if entry["tap_stream_id"] == STAFF)
        del entry["schema"]["properties"]["BSN"]
        entry["metadata"] = [one for one in entry["metadata"] if "BSN" not in one["breadcrumb"]]
        ran = run_tap(config, catalog=catalog)
    assert ran.exit_code == 0, ran.said
    assert len(ran.records(STREAM)) == 2
    assert any("stream_maps" in line for line in ran.lines("INFO"))


@pytest.mark.parametrize(
    ("flattened", "left", "dropped"),
    [
        # As Meltano 4 does: settings with nulls in the variable, without them in the file.
        ({f"{STAFF}.BSN": None}, {}, f"stream_maps.{STAFF}.BSN"),
        ({f"{STAFF}.BSN": None, f"{STAFF}.Name": "'x'"}, {STAFF: {"Name": "'x'"}}, f"stream_maps.{STAFF}.BSN"),
        ({f"{STAFF}.Id": "Id", f"{STAFF}.__else__": None}, {STAFF: {"Id": "Id"}}, f"stream_maps.{STAFF}.__else__"),
        ({f"{STAFF}.A\\.b": None}, {}, f"stream_maps.{STAFF}.A.b"),
        ({STAFF: None}, {}, f"stream_maps.{STAFF}"),
    ],
)
def test_a_null_that_meltano_drops_stops_the_run(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    flattened: dict[str, Any],
    left: dict[str, Any],
    dropped: str,
) -> None:
    monkeypatch.setenv("MELTANO_EXTRACTOR_NAME", "tap-afas")
    monkeypatch.setenv("TAP_AFAS_STREAM_MAPS", json.dumps(flattened))
    for arguments in ((), ("--discover",)):
        ran = run_tap(_config(sandbox, left), *arguments)
        _stopped(sandbox, ran, f"`{dropped}` is null", "`__NULL__`")
        assert ran.exit_code == 78


def test_a_null_that_meltano_passes_on_masks(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = {STAFF: {"BSN": None}, "Articles": None}
    monkeypatch.setenv("MELTANO_EXTRACTOR_NAME", "tap-afas")
    monkeypatch.setenv("TAP_AFAS_STREAM_MAPS", json.dumps(maps))
    ran = run_tap(_config(sandbox, maps))
    assert ran.exit_code == 0, ran.said
    assert ran.records() == [{"Id": 1, "Name": "A"}, {"Id": 2, "Name": "B"}]


def test_a_stream_that_is_gone_is_its_own_failure(sandbox: Sandbox) -> None:
    config = _config(sandbox, {STREAM: {"BSN": "__NULL__"}}, streams={})
    catalog = run_tap(config, "--discover").catalog
    sandbox.load([articles(3)])
    ran = run_tap(config, catalog=catalog)
    assert len(ran.records("Articles")) == 3
    assert "1 of 2 streams failed" in ran.said


@pytest.mark.parametrize(
    "expression", ["md5('pepper' + BSN)", "md5(f'pepper{BSN}') + BSN", "md5(Bsn + 'pepper')", "[][BSN or 'pepper']"]
)
def test_a_map_that_fails_on_a_row_fails_its_stream(sandbox: Sandbox, expression: str) -> None:
    ran = run_tap(_config(sandbox, {STAFF: {"BSN": expression}}))
    assert ran.exit_code != 0
    assert len(ran.records("Articles")) == 3
    (failed,) = (line for line in ran.errors if line.startswith("Failed: "))
    assert STAFF in failed
    assert "BSN ends in " in failed
    assert "Error" in failed or "NotDefined" in failed
    assert "Id = " in failed
    assert "BSN" in failed
    assert "pepper" not in ran.said
    assert BSN not in ran.said


def test_a_failing_map_tells_no_key_that_it_masks(sandbox: Sandbox) -> None:
    streams = {STAFF: {"primary_keys": ["BSN"]}}
    rows = [("x1234567", "A", 1)]
    fields = (Field("BSN", "string", "", "", 20), Field("Name", "string", "", "", 9), Field("Id", "int", "", "", 9))
    sandbox.load([Table(Connector(STAFF, "", "", fields, key=("BSN",)), rows, lambda _: rows[0])])
    ran = run_tap(_config(sandbox, {STAFF: {"BSN": "md5(BSN)", "Name": "1 / 0"}}, streams=streams))
    assert "Name ends in ZeroDivisionError" in ran.said
    assert "x1234567" not in ran.said


@pytest.mark.parametrize(
    "maps",
    [
        {"Id": "None"},
        {"Id": "md5(str(Id)) if Id < 2 else None"},
        {"BSN": "BSN", "__key_properties__": ["Id", "BSN"]},
        {"Hash": "md5(BSN) if BSN else None", "__key_properties__": ["Hash"]},
    ],
)
def test_a_map_that_leaves_a_key_empty_fails_its_stream(sandbox: Sandbox, maps: dict[str, Any]) -> None:
    ran = run_tap(_config(sandbox, {STAFF: maps}))
    assert ran.exit_code == 1
    assert len(ran.records("Articles")) == 3
    (failed,) = (line for line in ran.errors if line.startswith("Failed: "))
    field = next(iter(maps))
    assert f"leaves the key field {field} empty" in failed
    assert all(record[field] is not None for record in ran.records(STREAM))


@pytest.mark.parametrize(
    "maps",
    [
        {STREAM: {"BSN": "md5('pepper' + "}},
        {STREAM: {"BSN": ""}},
        {STREAM: {"__filter__": "'pepper' =="}},
        {STREAM: {"__alias__": "'pepper' +"}},
        {STREAM: {"__else__": "pepper"}},
        {STREAM: {"Id": "__NULL__"}},
        {"__else__": "pepper"},
        {"__all__": {}},
    ],
)
def test_a_map_that_cannot_be_read(sandbox: Sandbox, maps: dict[str, Any]) -> None:
    ran = run_tap(_config(sandbox, maps))
    _stopped(sandbox, ran)
    assert ran.errors
    assert "pepper" not in ran.said


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("md5('x' + A)", "md5(… + A)"),
        ("f'{A}x' + config['seed']", "… + config[…]"),
        ("A if A is not None else b'x'", "A if A is not None else …"),
        ("A[:3] + 1", "A[:3] + 1"),
    ],
)
def test_without_texts(expression: str, told: str) -> None:
    assert without_texts(expression) == told


_SILENT = {"emit_activate_version_messages": False}


@pytest.mark.parametrize(
    ("maps", "names"),
    [
        ({STAFF: {"__alias__": "Articles"}}, "Articles and Med_werkers into one table, Articles"),
        ({"*": {"__alias__": "all"}}, "Articles and Med_werkers into one table, all"),
        ({"Articles": {"__source__": STAFF}}, "Articles and Med_werkers into one table, Articles"),
    ],
)
def test_two_streams_share_no_table(sandbox: Sandbox, maps: dict[str, Any], names: str) -> None:
    _stopped(sandbox, run_tap(_config(sandbox, maps)), names)
    one = {STAFF: {"primary_keys": ["Id"], **_SILENT}, "Articles": {"primary_keys": ["Code"]}}
    _stopped(sandbox, run_tap(_config(sandbox, maps, streams=one)), names)
    both = {STAFF: {"primary_keys": ["Id"], **_SILENT}, "Articles": {"primary_keys": ["Code"], **_SILENT}}
    for settings in ({"streams": both}, _SILENT):
        ran = run_tap(_config(sandbox, maps, **settings))
        assert ran.exit_code == 0, ran.said
        assert sum(message["type"] == "RECORD" for message in ran.messages) >= 5


def test_a_table_is_free_where_its_stream_is_not_read(sandbox: Sandbox) -> None:
    maps = {STAFF: {"__alias__": "Articles"}}
    ran = run_tap(_config(sandbox, maps, connectors=[STAFF]))
    assert (ran.exit_code, len(ran.records("Articles"))) == (0, 2), ran.said
    ran = run_tap(_config(sandbox, {**maps, "Articles": None}))
    assert (ran.exit_code, len(ran.records("Articles"))) == (0, 2), ran.said


@pytest.mark.parametrize(
    ("fields", "told"),
    [({"Id": "md5(str(Id))"}, True), ({"Id": "Id", "BSN": "md5('x')"}, False), ({"New": "Id"}, False)],
)
def test_a_key_that_a_map_changes_is_told(sandbox: Sandbox, fields: dict[str, Any], *, told: bool) -> None:
    ran = run_tap(_config(sandbox, {STAFF: fields}))
    assert ran.exit_code == 0, ran.said
    lines = [line for line in ran.lines("WARNING") if "changes the key field Id for the target" in line]
    assert len(lines) == told
