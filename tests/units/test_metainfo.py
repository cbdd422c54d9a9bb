"""What AFAS tells of its connectors, whatever form it has."""

from __future__ import annotations

import contextlib
import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_afas.profit.errors import UnexpectedAnswerError
from tap_afas.profit.metainfo import Connector, Field, Kind, kind_of, kinds_of, read_connector, read_environment

# A reply as AFAS' documentation prints it.
METAINFO = {
    "updateConnectors": [{"id": "KnAddress", "description": "Adres"}],
    "getConnectors": [{"id": "Profit_Functions", "description": "Functies"}, {"id": "Eigen"}],
    "info": {"envid": "O12345AA", "appName": "App", "group": "(12345.USER)", "tokenExpiry": "0"},
}
FIELD = {
    "id": "Boekwaarde",
    "fieldId": "U005",
    "dataType": "decimal",
    "label": "Boekwaarde",
    "length": 26,
    "controlType": 1,
    "decimals": 10,
    "decimalsFieldId": "",
}


def test_the_list() -> None:
    environment = read_environment(METAINFO)
    assert environment.id == "O12345AA"
    assert environment.connectors == {"Profit_Functions": "Functies", "Eigen": ""}
    assert (environment.token_expiry, environment.token_ends) == ("", None)


def test_the_list_of_an_old_version() -> None:
    environment = read_environment({"getConnectors": [{"id": "A", "description": None}, {}, None, {"id": ""}]})
    assert (environment.id, environment.connectors) == ("", {"A": ""})
    assert read_environment({"info": None, "getConnectors": None}).connectors == {}


@pytest.mark.parametrize("content", [None, [], "x", 7, {}, {"externalMessage": "Iets"}])
def test_what_is_no_list(content: Any) -> None:
    with pytest.raises(UnexpectedAnswerError):
        read_environment(content)


@pytest.mark.parametrize(
    ("told", "day"),
    [
        ("2027-05-01", datetime.date(2027, 5, 1)),
        ("2027-05-01T00:00:00Z", datetime.date(2027, 5, 1)),
        ("2027-05-01 12:30", datetime.date(2027, 5, 1)),
        ("01-05-2027", datetime.date(2027, 5, 1)),
        ("01-05-2027 00:00:00", datetime.date(2027, 5, 1)),
        ("20270501", datetime.date(2027, 5, 1)),
        ("0", None),
        (0, None),
        ("", None),
        ("never", None),
        (None, None),
    ],
)
def test_when_the_token_ends(told: Any, day: datetime.date | None) -> None:
    assert read_environment({"info": {"tokenExpiry": told}}).token_ends == day


def test_a_connector() -> None:
    connector = read_connector("C", {"name": "Other", "description": "Ding", "fields": [FIELD]})
    assert (connector.id, connector.description) == ("C", "Ding")
    assert connector.fields == {"Boekwaarde": Field("Boekwaarde", "decimal", "Boekwaarde", 26, 10, 1)}


def test_a_connector_that_tells_little() -> None:
    fields = [{"id": "A"}, {"id": "B", "dataType": "Nieuw", "length": "12", "decimals": None, "controlType": {}}, 7]
    connector = read_connector("C", {"fields": fields})
    assert connector.fields == {"A": Field("A", ""), "B": Field("B", "nieuw", length=12)}


@pytest.mark.parametrize("content", [None, [], {}, {"fields": None}, {"fields": []}, {"fields": [{}]}])
def test_a_connector_without_fields(content: Any) -> None:
    with pytest.raises(UnexpectedAnswerError, match="no fields for C"):
        read_connector("C", content)


@pytest.mark.parametrize(
    ("field", "filterable", "sortable"),
    [
        (Field("Code", "string", length=250), True, True),
        (Field("Code", "string", length=251), True, False),
        (Field("Code", "int", length=999), True, True),
        (Field("Note", "blob"), False, False),
        (Field("A_Huisnr.", "string"), False, False),
        (Field("Btw-nummer", "string"), True, True),
        (Field("Naam é", "string"), False, False),
    ],
)
def test_what_afas_can_do_with_a_field(field: Field, *, filterable: bool, sortable: bool) -> None:
    assert (field.filterable, field.sortable) == (filterable, sortable)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["fields", "getConnectors", "info", "id", "dataType", "length", "tokenExpiry", "label"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_read_or_refused(content: Any) -> None:
    with contextlib.suppress(UnexpectedAnswerError):
        assert read_connector("C", content).fields
    with contextlib.suppress(UnexpectedAnswerError):
        environment = read_environment(content)
        assert environment.token_ends is None or environment.token_expiry


@pytest.mark.parametrize(
    ("data_type", "control_type", "kind"),
    [
        ("string", 1, "string"),
        ("string", 5, "string"),
        ("int", 5, "integer"),
        ("decimal", 1, "number"),
        ("boolean", 1, "boolean"),
        ("date", 4, "date"),
        ("date", 8, "date-time"),
        ("date", 1, "date-time"),
        ("date", 7, "time"),
        ("blob", 23, "string"),
        ("", 0, "string"),
        ("something new", 99, "string"),
    ],
)
def test_kind_of_a_field(data_type: str, control_type: int, kind: Kind) -> None:
    assert kind_of(Field("X", data_type, control_type=control_type)) == kind


def test_types_of_the_settings_win() -> None:
    connector = Connector("C", "", {"Code": Field("Code", "int"), "When": Field("When", "date", control_type=4)})
    assert kinds_of(connector, {"Code": "string"}) == {"Code": "string", "When": "date"}
