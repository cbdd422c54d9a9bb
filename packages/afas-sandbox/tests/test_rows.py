"""Pages, orders and the look of rows."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from asking import ITEM, Asking, asking, item, items, structured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox import Sandbox


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Asking]:
    sandbox.load([items(*(item(f"{number:03}", Number=number % 5) for number in range(250)))])
    with asking(sandbox) as client:
        yield client


def test_a_page_is_100_rows_unless_asked_otherwise(ask: Asking) -> None:
    heard = ask.rows(orderbyfieldids="Code").json
    assert (heard["skip"], heard["take"], len(heard["rows"])) == (0, 100, 100)


def test_pages_follow_each_other(ask: Asking) -> None:
    found = [code for skip in range(0, 300, 100) for code in ask.rows(orderbyfieldids="Code", skip=skip).codes]
    assert found == [f"{number:03}" for number in range(250)]


def test_the_page_asked_is_echoed(ask: Asking) -> None:
    assert ask.rows(skip=240, take=20, orderbyfieldids="Code").body.startswith(b'{"skip":240,"take":20,"rows":[{"Code"')


def test_everything_needs_both_to_be_minus_one(ask: Asking) -> None:
    assert len(ask.rows(skip=-1, take=-1).rows) == 250
    for skip, take in ((2, -1), (-1, 10), (0, -1)):
        heard = ask.rows(skip=skip, take=take, language="en-us")
        assert (heard.status, heard.message) == (500, "An unexpected error has occurred.")
        assert heard.json["errorNumber"] == -2147180999


def test_take_0_is_one_row_and_a_lower_skip_is_none(ask: Asking) -> None:
    assert len(ask.rows(take=0).rows) == 1
    assert ask.rows(skip=-5, take=1, orderbyfieldids="Code").codes == ["000"]


@pytest.mark.parametrize("page", [{"skip": "x"}, {"take": "1.5"}, {"take": -2}])
def test_a_page_that_is_none(ask: Asking, page: dict[str, Any]) -> None:
    assert ask.rows(**page).status == 500


def test_no_order_is_another_order_at_every_call(ask: Asking) -> None:
    first, second = ask.rows(take=250).codes, ask.rows(take=250).codes
    assert first != second
    assert sorted(first) == sorted(second)


def test_ties_come_in_another_order_at_every_call(ask: Asking) -> None:
    first, second = (ask.rows(take=250, orderbyfieldids="Number") for _ in range(2))
    assert first.codes != second.codes
    assert [row["Number"] for row in first.rows] == sorted(number % 5 for number in range(250))


def test_order_down_and_by_several_fields(ask: Asking) -> None:
    found = [(row["Number"], row["Code"]) for row in ask.rows(take=250, orderbyfieldids="-Number,Code").rows]
    assert found == sorted(found, key=lambda both: (-both[0], both[1]))


def test_nothing_comes_first(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.replace("Item", [item("A", Number=1), item("B"), item("C", Number=-1)])
    assert ask.rows(orderbyfieldids="Number").codes == ["B", "C", "A"]
    assert ask.rows(orderbyfieldids="-Number").codes == ["A", "C", "B"]


def test_texts_and_decimals_sort_as_sql_server_does(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.replace("Item", [item(code) for code in ("b", "A", "á", "a1", "_x", "9", "co-op", "coop", "COOK", "Z")])
    assert ask.rows(orderbyfieldids="Code").codes == ["_x", "9", "A", "á", "a1", "b", "COOK", "coop", "co-op", "Z"]
    sandbox.replace("Item", [item(price, Price=price) for price in ("-10.00", "-9.50", "0.10", "9.00", "10.00")])
    assert ask.rows(orderbyfieldids="Price").codes == ["-10.00", "-9.50", "0.10", "9.00", "10.00"]


@pytest.mark.parametrize("field", ["Note", "Long", "A_Huisnr.", "-Note"])
def test_what_can_not_be_sorted(ask: Asking, field: str) -> None:
    heard = ask.rows(orderbyfieldids=f"Code,{field}")
    assert (heard.status, heard.message) == (500, "Algemene melding: Invalid Index field")
    assert heard.json["errorNumber"] == -2147180996
    assert ask.rows(orderbyfieldids=field, language="en").message == "General message: Invalid Index field"


@pytest.mark.parametrize("field", ["Nope", "code", ""])
def test_an_order_by_what_is_not_there(ask: Asking, field: str) -> None:
    heard = ask.rows(orderbyfieldids=f"Code,{field}")
    assert (heard.status, heard.message) == (500, f"Connector-veld '{field}' niet gevonden")


def test_a_dash_is_no_odd_sign(ask: Asking) -> None:
    assert ask.rows(orderbyfieldids="-Btw-nummer").status == 200


def test_a_row_as_afas_writes_it(sandbox: Sandbox, ask: Asking) -> None:
    row = item('0"1', Name="Käse\n😀", Price="21", Number=-3, Blocked=False, Modified="2024-03-31T02:30:00.499")
    sandbox.replace("Item", [row])
    assert ask.rows().body.decode() == (
        '{"skip":0,"take":100,"rows":[{"Code":"0\\"1","Name":"Käse\\n😀","Price":21.00,"Number":-3,"Blocked":false,'
        '"Modified":"2024-03-31T02:30:00Z","Note":null,"Long":null,"A_Huisnr.":null,"Btw-nummer":null}]}'
    )


def test_no_rows(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.replace("Item", [])
    assert ask.rows().body == b'{"skip":0,"take":100,"rows":[]}'


@pytest.mark.parametrize(
    ("display", "stored", "shown"),
    [
        ("rounded", "2024-12-31T23:59:59.500", "2025-01-01T00:00:00Z"),
        ("rounded", "2024-12-31T23:59:59.499", "2024-12-31T23:59:59Z"),
        ("rounded", "9999-12-31T23:59:59.999", "9999-12-31T23:59:59Z"),
        ("cut", "2024-12-31T23:59:59.999", "2024-12-31T23:59:59Z"),
        ("exact", "2024-12-31T23:59:59.007", "2024-12-31T23:59:59.007Z"),
        ("exact", "2024-12-31T23:59:59.000", "2024-12-31T23:59:59Z"),
        ("rounded", "1900-01-01T00:00:00.000", "1900-01-01T00:00:00Z"),
    ],
)
def test_how_a_stamp_is_shown(sandbox: Sandbox, display: str, stored: str, shown: str) -> None:
    sandbox.load([items(item("A", Modified=stored))], display=display)
    with asking(sandbox) as client:
        assert client.rows().rows[0]["Modified"] == shown


def test_json_as_it_was_before_profit_7(sandbox: Sandbox) -> None:
    rows = [item(price, Price=price) for price in ("-0.50", "0.25", "10.50", "-10.00")]
    sandbox.load([items(*rows)], old_json=True)
    with asking(sandbox) as client:
        body = client.rows(orderbyfieldids="Price").body.decode()
    assert body.startswith('{\r\n"skip":0,\r\n"take":100,\r\n"rows":[')
    assert '"Price":-10.00,' in body
    assert '"Price":-.50,' in body
    assert '"Price":.25,' in body
    assert '"Price":10.50,' in body


def test_26_digits_arrive_as_they_are(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.replace("Item", [item("A", Price="-123456789012345678901234.56")])
    assert b'"Price":-123456789012345678901234.56,' in ask.rows().body


def test_a_connector_of_a_thousand_fields(sandbox: Sandbox) -> None:
    fields = tuple(dataclasses.replace(ITEM.fields[3], id=f"Field{number}") for number in range(1000))
    wide = dataclasses.replace(ITEM, fields=fields, key=(), stamp=None, changeable=())
    sandbox.load([dataclasses.replace(items(tuple(range(1000))), connector=wide)])
    with asking(sandbox) as client:
        assert client.rows().rows == [{f"Field{number}": number for number in range(1000)}]


def test_too_many_cells_is_out_of_memory(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.options.max_cells = 1000
    assert len(ask.rows(take=100).rows) == 100
    heard = ask.rows(take=101)
    assert (heard.status, heard.message) == (500, "Out of memory")
    assert ask.rows(skip=-1, take=-1).status == 500


def test_too_many_bytes_is_too_large(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.options.max_bytes = 1000
    assert ask.rows(take=100).status == 413
    assert ask.rows(take=2).status == 200


@pytest.mark.parametrize("cap", [7, 37, 101, 199])
def test_a_cap_on_take_is_silent(sandbox: Sandbox, ask: Asking, cap: int) -> None:
    sandbox.options.take_cap = cap
    heard = ask.rows(take=200).json
    assert (heard["take"], len(heard["rows"])) == (200, cap)
    assert len(ask.rows(take=5).rows) == 5
    assert len(ask.rows(skip=-1, take=-1).rows) == cap


def test_a_query_string_of_2049_and_one_of_2050(ask: Asking) -> None:
    query = "?orderbyfieldids=Code&x="
    assert ask.get("/connectors/Item" + query + "y" * (2049 - len(query))).status == 200
    heard = ask.get("/connectors/Item" + query + "y" * (2050 - len(query)))
    assert (heard.status, heard.body) == (404, b"")


def test_a_careful_walk_by_key_meets_every_row_once(sandbox: Sandbox) -> None:
    ledger = dataclasses.replace(ITEM, key=("Number", "Code"))
    rows = [item(f"{number:03}", Number=number % 3) for number in range(100)]
    sandbox.load([items(*rows, connector=ledger)])
    found: list[tuple[int, str]] = []
    with asking(sandbox) as client:
        while True:
            walk = {}
            if found:
                number, code = found[-1]
                walk["filterjson"] = structured([("Number", 4, number)], [("Number", 1, number), ("Code", 4, code)])
            page = client.rows(orderbyfieldids="Number,Code", take=7, **walk).rows
            found += [(row["Number"], row["Code"]) for row in page]
            if len(page) < 7:
                break
    assert found == sorted((number % 3, f"{number:03}") for number in range(100))


def test_every_answer_has_what_afas_sends(ask: Asking) -> None:
    heard = ask.rows()
    assert heard.headers["Content-Type"] == "application/json; charset=utf-8"
    assert len(heard.headers["X-Trace-Identifier"]) == 32
    assert heard.headers["Date"].endswith(" GMT")
    refused = ask.rows(orderbyfieldids="X")
    assert refused.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert len(refused.json["profitLogReference"]) == 32
    assert json.loads(refused.body).keys() == {"externalMessage", "errorNumber", "profitLogReference"}
