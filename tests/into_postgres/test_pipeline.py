"""The tap piped into target-postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afas_sandbox import KEEP, Connector, Field, Sandbox, Table, stored
from demo.comparison import as_loaded, differences
from demo.project import settings_of
from harness.process import discover, load, run_tap

if TYPE_CHECKING:
    from afas_sandbox import Row
    from demo.postgres import Database

FIELDS = (
    Field("Nummer", "int", "Number", "Nummer"),
    Field("Naam", "string", "Name", "Naam"),
    Field("Bedrag", "decimal", "Amount", "Bedrag", decimals=10),
    Field("Gewijzigd_op", "date", "Date changed", "Gewijzigd op"),
    Field("Dag", "date", "Day", "Dag", control_type=4),
    Field("Tijd", "date", "Time", "Tijd", control_type=7),
)


def table(*, stamp: str | None) -> Table:
    connector = Connector("Zaken", "Cases", "Zaken", FIELDS[: 6 if stamp else 3], key=("Nummer",), stamp=stamp)
    width = len(connector.fields)
    dates = ("2024-05-01T10:00:00.000", "0001-01-01T00:00:00.000", "1900-01-01T08:10:28.000")
    rows = [(number, f"zaak {number}", "12345678901234567890.1234567891", *dates)[:width] for number in range(10)]
    return Table(connector, rows, lambda number: (number + 100, "nieuw", "0.0000000000", None, None, None)[:width])


def test_a_whole_table_without_a_key_keeps_its_size(sandbox: Sandbox, database: Database) -> None:
    sandbox.add(table(stamp=None))
    settings = settings_of(sandbox, emit_activate_version_messages=True)
    load(run_tap(settings).output, database, hard_delete=True)
    sandbox.change("Zaken", updates=2, inserts=2, deletes=3)
    second = run_tap(settings)
    assert len(second.versions("Zaken")) == 1
    load(second.output, database, hard_delete=True)
    connector = sandbox.connectors["Zaken"]
    wanted = [as_loaded(connector, row) for row in sandbox.rows("Zaken")]
    assert not list(differences(connector, [0], wanted, database.rows("Zaken")))


def test_a_keyless_connector_is_as_its_source_after_five_runs(sandbox: Sandbox, database: Database) -> None:
    sandbox.add(table(stamp="Gewijzigd_op"))
    settings = settings_of(sandbox)
    catalog, state = discover(settings), None
    for _ in range(5):
        ran = run_tap(settings, catalog=catalog, state=state)
        assert ran.exit_code == 0, ran.said
        load(ran.output, database, hard_delete=True)
        state = ran.state
        connector = sandbox.connectors["Zaken"]
        wanted = [as_loaded(connector, row) for row in sandbox.rows("Zaken")]
        assert not list(differences(connector, [0], wanted, database.rows("Zaken")))
        sandbox.change("Zaken", updates=3, inserts=2, deletes=2)


def test_rows_that_are_gone_are_marked_without_hard_delete(sandbox: Sandbox, database: Database) -> None:
    sandbox.add(table(stamp=None))
    settings = settings_of(
        sandbox, emit_activate_version_messages=True, streams={"Zaken": {"primary_keys": ["Nummer"]}}
    )
    load(run_tap(settings).output, database)
    sandbox.delete("Zaken", 3)
    load(run_tap(settings).output, database)
    assert [row["Nummer"] for row in database.rows("Zaken") if row["_sdc_deleted_at"] is not None] == [3]


def test_an_incremental_table_takes_only_changes(sandbox: Sandbox, database: Database) -> None:
    sandbox.add(table(stamp="Gewijzigd_op"))
    settings = settings_of(sandbox, streams={"Zaken": {"primary_keys": ["Nummer"]}})
    first = run_tap(settings)
    load(first.output, database)
    sandbox.update("Zaken", 4, {"Naam": "anders"})
    second = run_tap(settings, state=first.state, catalog=discover(settings))
    assert [record["Naam"] for record in second.records("Zaken")] == ["anders"]
    assert load(second.output, database).state == second.state
    connector = sandbox.connectors["Zaken"]
    wanted = [as_loaded(connector, row) for row in sandbox.rows("Zaken")]
    assert not list(differences(connector, [0], wanted, database.rows("Zaken")))
    # The overlap comes again until it settles.
    assert run_tap(settings, state=second.state).records("Zaken") == second.records("Zaken")


def test_a_full_run_takes_out_what_incremental_runs_left(sandbox: Sandbox, database: Database) -> None:
    sandbox.add(table(stamp="Gewijzigd_op"))
    settings = settings_of(
        sandbox, emit_activate_version_messages=True, streams={"Zaken": {"primary_keys": ["Nummer"]}}
    )
    first = run_tap(settings)
    load(first.output, database, hard_delete=True)
    sandbox.change("Zaken", inserts=2, deletes=3)
    second = run_tap(settings, state=first.state)
    load(second.output, database, hard_delete=True)
    connector = sandbox.connectors["Zaken"]
    wanted = [as_loaded(connector, row) for row in sandbox.rows("Zaken")]
    gone = list(differences(connector, [0], wanted, database.rows("Zaken")))
    assert gone
    assert {difference.what for difference in gone} == {"is in PostgreSQL, and not in AFAS (or more often)"}
    catalog = discover(settings)
    root = next(entry for entry in catalog["streams"][0]["metadata"] if not entry["breadcrumb"])
    # What Meltano makes of `metadata: {"*": {replication-method: FULL_TABLE}}`.
    root["metadata"]["replication-method"] = catalog["streams"][0]["replication_method"] = "FULL_TABLE"
    load(run_tap(settings, catalog=catalog, state=second.state).output, database, hard_delete=True)
    assert not list(differences(connector, [0], wanted, database.rows("Zaken")))


def test_column_types(sandbox: Sandbox, database: Database) -> None:
    sandbox.add(table(stamp="Gewijzigd_op"))
    load(run_tap(settings_of(sandbox)).output, database)
    assert database.columns("Zaken") == {
        "Nummer": "bigint",
        "Naam": "text",
        "Bedrag": "numeric",
        "Gewijzigd_op": "timestamp without time zone",
        "Dag": "date",
        "Tijd": "time without time zone",
    }


def test_moments_long_ago_and_times_of_day(sandbox: Sandbox, database: Database) -> None:
    fields = (FIELDS[0], *FIELDS[3:])
    connector = Connector("Zaken", "Cases", "Zaken", fields, key=("Nummer",))
    rows: list[Row] = [
        (1, "0001-01-01T00:00:00.000", "0001-01-01T00:00:00.000", "1900-01-01T00:00:00.000"),
        (2, "1900-01-01T00:00:00.000", "1940-05-16T00:00:00.000", "1900-01-01T23:59:59.000"),
        (3, "1949-12-31T23:59:59.000", "9999-12-31T00:00:00.000", None),
        (4, "1950-01-01T00:00:00.000", None, "1900-01-01T08:30:00.000"),
    ]
    sandbox.add(Table(connector, rows, lambda _: rows[0]))
    load(run_tap(settings_of(sandbox, streams={"Zaken": {"primary_keys": ["Nummer"]}})).output, database)
    wanted = [as_loaded(connector, row) for row in rows]
    assert not list(differences(connector, [0], wanted, database.rows("Zaken")))


def test_what_changes_in_either_of_two_joined_tables_arrives(sandbox: Sandbox, database: Database) -> None:
    # An outer join: most rows have no partner, and so an empty second stamp.
    fields = (*FIELDS[:4], Field("Gewijzigd_op_2", "date", "Date changed", "Gewijzigd op"))
    connector = Connector("Zaken", "Cases", "Zaken", fields, key=("Nummer",))
    rows: list[Row] = [
        (n, f"zaak {n}", "1.5", f"2024-05-01T10:00:{n % 60:02}.000", None if n % 4 else "2024-03-01T08:00:17.000")
        for n in range(300)
    ]
    sandbox.add(Table(connector, rows, lambda n: (n + 1000, "nieuw", "0.0", None, None)))
    settings = settings_of(sandbox, page_size=40, streams={"Zaken": {"primary_keys": ["Nummer"]}})
    catalog, state = discover(settings), None
    for number in range(3):
        ran = run_tap(settings, catalog=catalog, state=state)
        assert ran.exit_code == 0, ran.said
        load(ran.output, database)
        state = ran.state
        wanted = [as_loaded(sandbox.connectors["Zaken"], row) for row in sandbox.rows("Zaken")]
        assert not list(differences(connector, [0], wanted, database.rows("Zaken")))
        now = stored(sandbox.clock())
        for step, stamp in ((7, "Gewijzigd_op"), (5 + number, "Gewijzigd_op_2")):
            for each in range(number, 300, step * (1 + 20 * (number % 2))):
                sandbox.update("Zaken", each, {"Naam": f"{stamp} {number}", stamp: now}, stamp=KEEP)
