from __future__ import annotations

import copy
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from tap_afas.input_files import read_catalog, read_state
from tap_afas.inputs import InputError, read_settings
from tap_afas.settings import SCHEMA
from tap_afas.tap import TapAfas

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("TOKEN", " <token/> ", "<token/>"),
        ("ENVIRONMENT_ID", "O12345AA", "O12345AA"),
        ("ENVIRONMENT_ID", "12345", "12345"),
        ("PAGE_SIZE", "500", 500),
        ("EMIT_ACTIVATE_VERSION_MESSAGES", "True", True),
        ("EMIT_ACTIVATE_VERSION_MESSAGES", "0", False),
        ("CONNECTORS", '["Profit_*", "!X"]', ["Profit_*", "!X"]),
        ("STREAMS", '{"A": {"replication_key": null}}', {"A": {"replication_key": None}}),
    ],
)
def test_environment(monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any) -> None:
    monkeypatch.setenv(f"TAP_AFAS_{name}", text)
    monkeypatch.setenv("TAP_AFAS_BASE_URL", "")
    assert read_settings(["ENV"], SCHEMA) == {name.lower(): value}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PAGE_SIZE", "many"),
        ("PAGE_SIZE", "1.5"),
        ("EMIT_ACTIVATE_VERSION_MESSAGES", "perhaps"),
        ("CONNECTORS", "Profit_Debtor"),
        ("STREAMS", "{"),
    ],
)
def test_environment_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.setenv(f"TAP_AFAS_{name}", text)
    with pytest.raises(ConfigValidationError) as caught:
        read_settings(["ENV"], SCHEMA)
    (sentence,) = caught.value.errors
    assert f"`TAP_AFAS_{name}`" in sentence
    assert text not in sentence or text == "{"


def test_later_sources_win(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("TAP_AFAS_PAGE_SIZE", "5")
    file = tmp_path / "config.json"
    file.write_text('{"page_size": 7, "token": "x"}')
    assert read_settings(["ENV", str(file)], SCHEMA) == {"page_size": 7, "token": "x"}
    assert read_settings([str(file), "ENV"], SCHEMA) == {"page_size": 5, "token": "x"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes at line 1, column 2."),
        ('{\n "page_size": 5,\n "connectors": [\n}', "at line 4, column 1."),
        ("[]", "not a JSON object"),
        (None, "No such file"),
    ],
)
def test_file_that_cannot_be_read(tmp_path: pathlib.Path, text: str | None, words: str) -> None:
    file = tmp_path / "config.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigValidationError) as caught:
        read_settings([str(file)], SCHEMA)
    assert words in caught.value.errors[0]
    assert str(file) in caught.value.errors[0]


_ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]


@pytest.mark.parametrize("encoding", _ENCODINGS)
def test_files_in_any_unicode(tmp_path: pathlib.Path, encoding: str) -> None:
    path = tmp_path / "given.json"
    path.write_bytes('{"connectors": ["Café_€"]}'.encode(encoding))
    assert read_settings([str(path)], SCHEMA) == {"connectors": ["Café_€"]}
    # What the command line opens is opened in the locale's encoding.
    state = '{"bookmarks": {"Café_€": {"replication_key": "Modified"}}}'
    path.write_bytes(state.encode(encoding))
    with path.open(encoding="ascii") as file:
        assert read_state(file) == json.loads(state)
    path.write_bytes('{"streams": [{"tap_stream_id": "Café_€", "schema": {}, "metadata": []}]}'.encode(encoding))
    with path.open(encoding="cp1252") as file:
        assert read_catalog(file)["streams"][0]["tap_stream_id"] == "Café_€"


def test_a_file_in_another_encoding_is_named_as_such(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "given.json"
    path.write_bytes('{"connectors": ["Café_€"]}'.encode("cp1252"))
    with pytest.raises(ConfigValidationError) as caught:
        read_settings([str(path)], SCHEMA)
    assert "it is neither UTF-8 nor UTF-16" in caught.value.errors[0]
    with path.open(encoding="ascii") as file, pytest.raises(InputError, match="it is neither UTF-8 nor UTF-16"):
        read_state(file)


def _file(text: str) -> io.StringIO:
    file = io.StringIO(text)
    file.name = "given.json"
    return file


def test_state() -> None:
    state = {"bookmarks": {"A": {"replication_key": "Modified"}}}
    assert read_state(_file(json.dumps(state))) == state
    assert read_state(_file("{}")) == {}
    assert read_state(_file('{"bookmarks": {}, "currently_syncing": null}'))


@pytest.mark.parametrize(
    "text",
    [
        '{"singer_state": {"bookmarks": {"A": {}}}}',
        '{"completed": {"singer_state": {"bookmarks": {}}}, "partial": {}}',
        '{"type": "STATE", "value": {"bookmarks": {}}}',
        '{"bookmarks": {}, "singer_state": {"bookmarks": {"A": {}}}}',
        '{"A": {"replication_key": "Modified"}}',
        '{"bookmarks": {"A": {}}, "B": {"replication_key": "Modified"}}',
        '{"bookmarks": {}, "x": {"B": {"replication_key_value": "2024-03-01T08:15:00+00:00"}}}',
    ],
)
def test_a_state_in_a_wrapper(text: str) -> None:
    with pytest.raises(InputError, match="would be passed over"):
        read_state(_file(text))


_TWICE = '{"stream_maps": {"Staff": {"BSN": "__NULL__"}, "Staff": {}}}'


def test_a_name_that_stands_twice(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.json"
    file.write_text(_TWICE)
    with pytest.raises(ConfigValidationError) as caught:
        read_settings([str(file)], SCHEMA)
    (sentence,) = caught.value.errors
    assert sentence.startswith(f"--config {file} can't be read: the name Staff stands twice in one object")
    for read in (read_state, read_catalog):
        with pytest.raises(InputError, match="the name A stands twice in one object"):
            read(_file('{"bookmarks": {"A": {"place": "x"}, "A": {}}, "streams": []}'))
    monkeypatch.setenv("TAP_AFAS_STREAMS", '{"A": {"filter": []}, "A": {}}')
    with pytest.raises(ConfigValidationError) as caught:
        read_settings(["ENV"], SCHEMA)
    (sentence,) = caught.value.errors
    assert sentence.startswith("`TAP_AFAS_STREAMS` can't be read: the name A stands twice in one object")


def test_what_may_be_a_secret_and_stands_twice(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"<token>a</token>": 1, "<token>a</token>": 2}')
    with pytest.raises(ConfigValidationError) as caught:
        read_settings([str(file)], SCHEMA)
    assert "a name stands twice in one object" in caught.value.errors[0]
    assert "<token>" not in caught.value.errors[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", ["", " \r\n"])
def test_an_empty_state(tmp_path: pathlib.Path, text: str, encoding: str) -> None:
    # As `tail -n 1 states.json > state.json` leaves it where no run got to a state.
    path = tmp_path / "state.json"
    path.write_bytes(text.encode(encoding))
    with path.open() as file, pytest.raises(InputError, match=r"--state .* is empty: .* start without --state\."):
        read_state(file)


def test_where_the_syntax_is_wrong() -> None:
    with pytest.raises(InputError, match=r"at line 2, column 1\. Of several lines of STATE, the last one counts"):
        read_state(_file("{}\n{}"))
    with pytest.raises(InputError, match=r"given\.json is not JSON: .* at line 1, column 13\."):
        read_catalog(_file('{"streams": }'))


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        ([("A-b", "x"), ("A-b", "y")], ["A-b", "x", "y"]),
        ([("A-b", "x"), ("B", "x")], ["A-b", "B", "x"]),
        ([("A-b", None), ("A_b", None)], ["A-b", "A_b"]),
        ([("A-b", None), ("B", "A_b")], ["A-b", "B"]),
    ],
)
def test_two_entries_for_one_stream(entries: list[tuple[str, str | None]], names: list[str]) -> None:
    streams: list[dict[str, Any]] = [
        {"tap_stream_id": one, "stream": name, "schema": {}, "metadata": []} for one, name in entries
    ]
    with pytest.raises(InputError, match="would be passed over") as caught:
        read_catalog(_file(json.dumps({"streams": streams})))
    assert all(name in str(caught.value) for name in names)
    with pytest.raises(InputError, match="would be passed over"):
        TapAfas(config={"base_url": "https://x", "token": "5A" * 32}, catalog={"streams": streams})


@pytest.mark.parametrize("text", ["", "[]", "5", '{"bookmarks": 5}', '{"bookmarks": {"A": 5}}', "{}\n{}", "[" * 99_999])
def test_state_that_is_none(text: str) -> None:
    with pytest.raises(InputError):
        read_state(_file(text))


@pytest.mark.parametrize(
    "text",
    ['{"streams": 5}', '{"streams": [5]}', '{"streams": [{}]}', '{"streams": [{"tap_stream_id": "A", "metadata": 5}]}'],
)
def test_catalog_that_is_none(text: str) -> None:
    with pytest.raises(InputError, match="not a Singer catalog"):
        read_catalog(_file(text))


_RIGHT: dict[str, Any] = {
    "tap_stream_id": "A",
    "key_properties": ["Code"],
    "replication_key": "Modified",
    "schema": {"type": "object", "properties": {"Code": {"type": ["string", "null"], "format": "date"}}},
    "metadata": [{"breadcrumb": ["properties", "Code"], "metadata": {"selected": True, "inclusion": "available"}}],
}
_DEEP: Any = json.loads('{"a":' * 300 + "5" + "}" * 300)


def _changed(path: str, value: Any) -> dict[str, Any]:
    entry: Any = copy.deepcopy(_RIGHT)
    place: Any = entry
    *parents, last = (int(name) if name.isdigit() else name for name in path.split("/"))
    for name in parents:
        place = place[name]
    place[last] = value
    return {"streams": [entry]}


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("tap_stream_id", None, "`streams[0]` has no `tap_stream_id`."),
        ("tap_stream_id", ["A"], "`streams[0]` has no `tap_stream_id`."),
        ("tap_stream_id", "", "`streams[0]` has no `tap_stream_id`."),
        ("stream", {"A": 1}, "`streams[0].stream` must be text."),
        ("key_properties", 5, "`streams[0].key_properties` must be a list of texts."),
        ("key_properties", "Code", "`streams[0].key_properties` must be a list of texts."),
        ("key_properties", [None], "`streams[0].key_properties` must be a list of texts."),
        ("key_properties", [["Code"]], "`streams[0].key_properties` must be a list of texts."),
        ("replication_key", ["Modified"], "`streams[0].replication_key` must be text."),
        ("replication_method", {}, "`streams[0].replication_method` must be text."),
        ("schema", None, "`streams[0].schema` must be a JSON Schema with `properties`."),
        ("schema", [], "`streams[0].schema` must be a JSON Schema with `properties`."),
        ("schema/properties", ["Code"], "`streams[0].schema` must be a JSON Schema with `properties`."),
        ("schema/properties/Code", "string", "`streams[0].schema` must be a JSON Schema with `properties`."),
        ("schema/properties/Code", _DEEP, "`streams[0].schema` is nested too deep."),
        ("schema/type", {"object": 1}, "`streams[0].schema.type` must be object."),
        ("schema/type", "string", "`streams[0].schema.type` must be object."),
        ("schema/properties/Code/type", 5, "the `type` of a property must be a type of JSON Schema, or a list"),
        ("schema/properties/Code/type", ["text"], "the `type` of a property must be a type of JSON Schema, or a list"),
        ("schema/properties/Code/type", [["x"]], "the `type` of a property must be a type of JSON Schema, or a list"),
        ("schema/properties/Code/format", [], "the `format` of a property must be a text."),
        ("schema/properties/Code/anyOf", 5, "`anyOf` of a property must be a list of objects."),
        ("schema/properties/Code/anyOf", ["x"], "`anyOf` of a property must be a list of objects."),
        ("metadata", 5, "`streams[0].metadata` must be a list of objects."),
        ("metadata", [5], "`streams[0].metadata` must be a list of objects."),
        ("metadata/0/breadcrumb", [5], "`streams[0].metadata[0].breadcrumb` must be a list of texts."),
        ("metadata/0/breadcrumb", None, "`streams[0].metadata[0].breadcrumb` must be a list of texts."),
        ("metadata/0/metadata", [], "`streams[0].metadata[0].metadata` must be an object."),
        ("metadata/0/metadata/selected", "yes", "`streams[0].metadata[0].metadata.selected` must be true or false."),
        ("metadata/0/metadata/inclusion", 5, "`streams[0].metadata[0].metadata.inclusion` must be text."),
        ("metadata/0/metadata/replication-key", [], "metadata.replication-key` must be text."),
        ("metadata/0/metadata/table-key-properties", "Code", "metadata.table-key-properties` must be a list of texts."),
    ],
)
def test_what_in_a_catalog_has_another_form(path: str, value: Any, words: str) -> None:
    assert read_catalog(_file(json.dumps({"streams": [_RIGHT]})))
    with pytest.raises(InputError, match="is not a Singer catalog: ") as caught:
        read_catalog(_file(json.dumps(_changed(path, value))))
    assert words in str(caught.value)


@pytest.mark.parametrize("missing", [{}, {"tap_stream_id": None}, {"tap_stream_id": ""}])
def test_an_entry_with_the_name_of_its_stream_alone(missing: dict[str, Any]) -> None:
    entry = {name: value for name, value in _RIGHT.items() if name != "tap_stream_id"}
    read = read_catalog(_file(json.dumps({"streams": [{**entry, **missing, "stream": "A"}]})))
    assert read["streams"][0]["tap_stream_id"] == "A"


@pytest.mark.parametrize("read", [read_state, read_catalog])
def test_half_a_letter(read: Callable[[Any], Any]) -> None:
    for text in ('{"bookmarks": {"A": {"place": "\\ud800"}}}', '{"\\udfff": 1}'):
        with pytest.raises(InputError, match="half of a letter"):
            read(_file(text))
