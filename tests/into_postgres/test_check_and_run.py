"""From nothing to incremental: `check --write`, then `meltano run`, on connectors that nobody gave a key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from afas_sandbox import Connector, Field, Table
from demo.comparison import Way, as_loaded, differences, expected
from demo.project import Project, settings_of
from harness.key_traps import TRAPS, Trap
from harness.planted import fields_of, moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from afas_sandbox import Row, Sandbox
    from demo.postgres import Database

_FEW = 3000
_STAMP = "Gewijzigd_op"
# An id that Meltano would split.
_DOTTED = Trap(
    "Odd.name",
    "Code:code Toev.:text",
    (frozenset({"Code"}),),
    lambda _: ((f"{n:04}", "x") for n in range(50)),
)
# And what AFAS can't sort on: it is read by offset, and still by what changed.
_DOTTED_KEY = Trap(
    "Debiteuren",
    "Deb.nr:code Mail:text:E-mail_werk",
    (frozenset({"Deb.nr"}),),
    lambda _: ((f"D{n:04}", f"d{n}@bedrijf{n % 9}.example") for n in range(90)),
)
# What has so few rows tells no key.
_TOO_FEW = {"Nog_leeg", "Eén_rij"}
# These have one, and something speaks against the one that was found: a person has to look.
_DOUBTED = {"Dossierbijlagen", "Inkoopfacturen", "Verlofrechten_per_jaar"}


def _table(trap: Trap, rows: list[Row]) -> Table:
    """A trap as a connector that tells when a row changed, with rows to come."""
    kinds = [text.split(":")[1] for text in trap.fields.split()]
    fields = (*fields_of(trap.fields), Field(_STAMP, "date", "Changed on", "Gewijzigd op"))
    cells: dict[str, Callable[[int], Any]] = {
        "code": lambda number: f"Z{number:05}",
        "text": lambda number: f"nieuw {number}",
        "int": lambda number: 1_000_000 + number,
        "amount": lambda number: f"{number}.50",
        "day": lambda number: f"2026-01-{1 + number % 28:02}T00:00:00.000",
        "moment": lambda number: f"2026-01-{1 + number % 28:02}T10:00:00.000",
        "guid": lambda number: f"{number:08x}-0000-4000-8000-000000000000",
    }
    key = max(trap.keys, key=len, default=frozenset())
    connector = Connector(
        trap.name,
        trap.name,
        trap.name,
        fields,
        key=tuple(field.id for field in fields if field.id in key),
        stamp=_STAMP,
        changeable=tuple(
            field.id
            for field, kind in zip(fields, kinds, strict=False)
            if kind in {"text", "amount"} and not any(field.id in one for one in trap.keys)
        ),
    )

    def new(number: int) -> Row:
        return (*(cells[kind](number) for kind in kinds), None)

    stored = [tuple(map(_stored, row, kinds)) for row in rows]
    return Table(connector, [(*row, moment(number)) for number, row in enumerate(stored)], new)


def _stored(value: Any, kind: str) -> Any:
    """A cell as a sandbox holds it."""
    if kind in {"day", "moment"} and value is not None:
        return f"{value.removesuffix('Z')}.000"
    return f"{value}.00" if kind == "amount" else value


@pytest.mark.slow
@pytest.mark.long
def test_no_stream_is_read_whole_that_has_a_key_and_a_stamp_to_be_found(
    sandbox: Sandbox, database: Database, tmp_path: Path
) -> None:
    traps = {trap.name: trap for trap in (*TRAPS, _DOTTED, _DOTTED_KEY) if len(trap.made()) <= _FEW}
    assert len(traps) > 25
    sandbox.load([_table(trap, trap.made()) for trap in traps.values()])
    project = Project(tmp_path, settings_of(sandbox), database.settings)
    project.install()
    path = tmp_path / "meltano.yml"
    before = path.read_text("utf-8")

    assert "Mail (E-mail werk)" in project.invoke("list", "--search", "email")
    assert "D0001,d1@bedrijf1.example," in project.invoke("preview", "Debiteuren", "--format=csv")
    said = project.invoke("check", "--write", "meltano.yml")
    assert "Written to `streams` in meltano.yml, for tap-afas: " in said
    after = path.read_text("utf-8")
    assert sandbox.token not in after
    assert {*before.splitlines()} <= {*after.splitlines()}
    now = YAML(typ="safe", pure=True).load(after)
    (tap, *_) = now["plugins"]["extractors"]
    streams = {name.replace(r"\.", "."): one for name, one in tap["config"].pop("streams").items()}
    was = YAML(typ="safe", pure=True).load(before)
    assert now == was
    for name, one in streams.items():
        assert any(key <= set(one["primary_keys"]) for key in traps[name].keys), (name, one)
        assert one["replication_key"] == _STAMP
    assert streams.keys() == {name for name, trap in traps.items() if trap.keys} - _TOO_FEW - _DOUBTED
    (left,) = (line for line in said.splitlines() if "Left out, since something speaks against it: " in line)
    assert all(name in left for name in _DOUBTED)

    first: dict[str, list[Any]] = {}
    for run in range(2):
        project.run()
        catalog = {entry["tap_stream_id"]: entry for entry in project.catalog["streams"]}
        for name, connector in sandbox.connectors.items():
            rows = [as_loaded(connector, row) for row in sandbox.rows(name)]
            way = Way.UPSERT if name in streams else Way.WHOLE
            assert (catalog[name].get("replication_method") == "INCREMENTAL") is (name in streams), name
            key = [connector.position(field) for field in streams.get(name, {}).get("primary_keys", [])]
            wanted = expected(way, first.get(name, []), rows)
            assert not list(differences(connector, key, wanted, database.rows(name))), (name, run)
            first[name] = wanted
            inserts = 0 if name == "Nog_leeg" else 3
            sandbox.change(name, updates=3 if rows else 0, inserts=inserts, deletes=0 if name in streams else 2)
    for name, bookmark in project.state["bookmarks"].items():
        assert bool(bookmark["replication_key_value"]) is (name in streams), name

    # Nothing is left to set; and what is keyless is named with the command that looks again.
    assert "Nothing was written to meltano.yml" in project.invoke("check", "--write", "meltano.yml")
    assert path.read_text("utf-8") == after
    (line,) = {one.partition("Read whole")[2] for one in project.run().splitlines() if "Read whole by every" in one}
    assert "meltano --environment=dev invoke tap-afas:check` looks for keys" in json.dumps(line)
