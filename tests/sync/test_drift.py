"""The connector is not what it was when the catalog was made."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from afas_sandbox import Field
from harness.source import FIELDS, ID, MODIFIED, NAME, NUMBER, Source, Walk, row
from harness.syncing import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from afas_sandbox import Sandbox


def _drifted(sandbox: Sandbox, fields: Sequence[Field]) -> tuple[Source, dict[str, Any]]:
    rows = [row(n, "2024-01-01T00:00:00", code="C", name="4", amount=3) for n in range(5)]
    source = Source(sandbox, Walk.named("by stamp"), rows)
    catalog = source.catalog()
    sandbox.alter("Item", fields)
    return source, catalog


def test_an_added_field_is_left_out(sandbox: Sandbox) -> None:
    source, catalog = _drifted(sandbox, [*FIELDS, Field("Extra", "string", "Extra", "Extra", 9)])
    ran = run(source, catalog=catalog)
    assert ran.error is None
    assert "Item: New in AFAS, left out until discovery runs again: Extra." in ran.log
    assert list(ran.records()[0]) == [field.id for field in FIELDS]


def test_a_removed_field_is_null(sandbox: Sandbox) -> None:
    source, catalog = _drifted(sandbox, [field for field in FIELDS if field.id != "Name"])
    ran = run(source, catalog=catalog)
    assert ran.error is None
    assert "Item: No longer in AFAS, null from now on: Name." in ran.log
    assert [found["Name"] for found in ran.records()] == [None] * 5


def test_a_renamed_field_is_one_gone_and_one_new(sandbox: Sandbox) -> None:
    renamed = [*FIELDS[:NAME], dataclasses.replace(FIELDS[NAME], id="Title"), *FIELDS[NAME + 1 :]]
    source, catalog = _drifted(sandbox, renamed)
    ran = run(source, catalog=catalog)
    assert ran.error is None
    assert "Item: New in AFAS, left out until discovery runs again: Title." in ran.log
    assert "Item: No longer in AFAS, null from now on: Name." in ran.log


@pytest.mark.parametrize(
    ("place", "now", "said"),
    [
        (NUMBER, "string", "The field Number was integer when the catalog was made, and is string now."),
        (NUMBER, "decimal", "The field Number was integer when the catalog was made, and is number now."),
        (NUMBER, "boolean", "The field Number was integer when the catalog was made, and is boolean now."),
        (MODIFIED, "string", "The field Modified was date-time when the catalog was made, and is string now."),
    ],
)
def test_a_type_that_no_longer_fits_fails_before_the_first_record(
    sandbox: Sandbox, place: int, now: Any, said: str
) -> None:
    fields = list(FIELDS)
    fields[place] = dataclasses.replace(fields[place], data_type=now)
    source, catalog = _drifted(sandbox, fields)
    ran = run(source, catalog=catalog)
    assert ran.error is not None
    assert said in ran.said
    assert not ran.pages
    assert [message["type"] for message in ran.messages if message["type"] != "STATE"] == []


@pytest.mark.parametrize(("place", "now"), [(NAME, "int"), (NAME, "decimal")])
def test_a_type_that_fits_goes_on(sandbox: Sandbox, place: int, now: Any) -> None:
    fields = list(FIELDS)
    fields[place] = dataclasses.replace(fields[place], data_type=now)
    source, catalog = _drifted(sandbox, fields)
    ran = run(source, catalog=catalog)
    assert ran.error is None, ran.said
    assert len(ran.records()) == 5


@pytest.mark.parametrize("gone", [ID, MODIFIED])
def test_a_key_that_is_gone_fails(sandbox: Sandbox, gone: int) -> None:
    source, catalog = _drifted(sandbox, [field for place, field in enumerate(FIELDS) if place != gone])
    ran = run(source, catalog=catalog)
    assert ran.error is not None
    assert f"names {FIELDS[gone].id}, which the connector doesn't have" in ran.said
    assert not ran.pages
