"""Tests that need a PostgreSQL are marked by what they ask for, so that `run.py test --quick` leaves them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def test_who_asks_for_a_database_is_marked(request: pytest.FixtureRequest) -> None:
    # Among those of this run: all in a whole one, and in a quick one those that are left.
    asks = {item.nodeid for item in request.session.items if "postgres" in getattr(item, "fixturenames", ())}
    marked = {item.nodeid for item in request.session.items if item.get_closest_marker("postgres")}
    assert asks == marked
