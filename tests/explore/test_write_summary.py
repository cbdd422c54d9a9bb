"""`check --write`: what is put into a file of settings, and that all the rest of it stays as it is."""

from __future__ import annotations

import codecs
import difflib
import json
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import assume, given, reject
from hypothesis import strategies as st
from ruamel.yaml import YAML

from afas_sandbox import Fault
from harness.articles import config_of
from harness.command import explore, run_tap
from harness.depth import depth
from harness.planted import PLANTS, made, moment
from tap_afas.explore.settings_file import SettingsFile
from tap_afas.explore.settings_merge import nested
from tap_afas.inputs import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from afas_sandbox import Row, Sandbox
    from harness.run import Run
    from tap_afas.explore.settings_merge import Put

_CLONE = Path(__file__).resolve().parents[2]
_BLOCK: dict[str, dict[str, Any]] = {
    "Zaken": {"primary_keys": ["Nummer"], "replication_key": "Gewijzigd_op"},
    "Odd.name": {"primary_keys": ["Nr.", "a: b"], "replication_key": None},
}
_AS_MELTANO = {"Zaken": _BLOCK["Zaken"], "Odd.name": {"primary_keys": ["Nr.", "a: b"], "replication_key": ""}}
_HEAD = "plugins:\n  extractors:\n  - name: tap-afas\n"


def _put(path: Path, text: str | bytes, block: dict[str, dict[str, Any]] = _BLOCK, plugin: str | None = None) -> Put:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return SettingsFile(path, plugin).put(block)


def _said(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def _added(before: str, after: str) -> list[str]:
    """The lines that are new; none may be gone."""
    changes = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]
    assert not [line for line in changes if line.startswith("-")]
    return [line[2:] for line in changes]


# Where it goes


def _readme() -> str:
    (block,) = re.findall(r"```yaml\n(version: 1\n.*?)```", (_CLONE / "README.md").read_text("utf-8"), re.DOTALL)
    return str(block)


@pytest.mark.parametrize("text", [(_CLONE / "meltano.yml").read_text("utf-8"), _readme()], ids=["clone", "readme"])
def test_a_project_gets_lines_and_loses_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "meltano.yml"
    assert _put(path, text).kept == []
    added = _added(text, path.read_text("utf-8"))
    assert [line.strip() for line in added if line.strip() != "config:"] == [
        "streams:",
        "Zaken:",
        "primary_keys: [Nummer]",
        "replication_key: Gewijzigd_op",
        r"Odd\.name:",
        'primary_keys: [Nr., "a: b"]',
        # Meltano drops what is null.
        "replication_key: ''",
    ]
    _put(path, again := path.read_text("utf-8"))
    assert path.read_text("utf-8") == again


@pytest.mark.parametrize(
    "text",
    [
        _HEAD,
        _HEAD.rstrip(),
        f"{_HEAD}    config:\n",
        f"{_HEAD}    config: {{}}  # none yet\n    select: ['*.*']\n",
        f"{_HEAD}    config: ~\n",
        f"{_HEAD}    config:\n      streams:  # by connector\n",
        f"{_HEAD}    config:\n      connectors: ['*']\n      # The end.\n",
        f"{_HEAD}    config:\n      streams: {{Q: {{append: true}}}}  # one\n  loaders: []\n",
        f"{_HEAD}    config:\n        streams:\n            Q:\n                append: true\n        page_size: 5\n",
        f"{_HEAD}    config: {{page_size: 5, streams: }}\n",
        f"{_HEAD}    config:\n      integration_id: |+\n        text\n\n      token: >-\n        a\n        b\n\n",
        f"{_HEAD}    config: &settings\n      page_size: 5\n",
        "plugins:\n  extractors: [{name: tap-afas, config: {page_size: 5}}, {name: other}]\n",
        '{"version": 1, "plugins": {"extractors": [{"name": "tap-afas", "config": {"page_size": 5}}]}}',
        f"%YAML 1.2\n---\n{_HEAD}...\n",
        _HEAD.replace("\n", "\r\n"),
    ],
)
def test_however_it_is_laid_out(tmp_path: Path, text: str) -> None:
    path = tmp_path / "meltano.yml"
    _put(path, text)
    after = path.read_bytes().decode()
    before, now = _said(text), _said(after)
    config = now["plugins"]["extractors"][0]["config"]
    streams = nested(config["streams"])
    assert {name: streams.pop(name) for name in _AS_MELTANO} == _AS_MELTANO
    was = before["plugins"]["extractors"][0].get("config") or {}
    assert streams == (was.get("streams") or {})
    config["streams"] = was.get("streams")
    assert {name: value for name, value in config.items() if value is not None} == {
        name: value for name, value in was.items() if value is not None
    }
    now["plugins"]["extractors"][0]["config"] = before["plugins"]["extractors"][0]["config"] = None
    assert now == before
    assert re.findall("#.*", after) == re.findall("#.*", text)
    assert ("\r\n" in text) == ("\r\n" in after)
    assert after.count("\n") == after.count("\r\n") or "\r" not in after


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x: &x {a: 1}\n" + _HEAD + "    config: *x\n", "`config` is an alias"),
        (_HEAD + "    config: &x\n      a: 1\n    other: *x\n", "without a change of something else"),
        ("x: &x {streams: {Q: {append: true}}}\n" + _HEAD + "    config:\n      <<: *x\n", "of something else"),
        (_HEAD + "    config: text\n", "`config` of tap-afas is no object"),
        (_HEAD + "    config:\n      streams: text\n", "its `streams` is no object"),
        (_HEAD + "    config:\n      streams: {Zaken: 5}\n", "its `streams` is no object"),
        (_HEAD + "  - {name: tap-afas}\n", "can't be told apart"),
        (_HEAD + "    name: twice\n", "line 4"),
        ("a: [\n", "line 2"),
        ("{", "line 1|line 2"),
        ("", "neither JSON settings nor a meltano.yml"),
        ("- a\n", "neither JSON settings nor a meltano.yml"),
        ("plugins: {loaders: []}\n", "neither JSON settings nor a meltano.yml"),
        ("plugins: {extractors: 5}\n", "neither JSON settings nor a meltano.yml"),
        (b"\xff\xfea", "neither UTF-8 nor UTF-16|neither JSON"),
        (b"a: \xe9\n", "neither UTF-8 nor UTF-16"),
        ('{"streams": []}', "`streams` is no object"),
        ('{"streams": {"Zaken": []}}', "`streams` is no object"),
        ('{"name": "a", "version": 1}', "neither JSON settings nor a meltano.yml"),
    ],
)
def test_what_can_not_be_added_to_stays_as_it_is(tmp_path: Path, text: str | bytes, words: str) -> None:
    path = tmp_path / "meltano.yml"
    with pytest.raises(InputError, match=words):
        _put(path, text)
    assert path.read_bytes() == (text.encode() if isinstance(text, str) else text)
    assert [*tmp_path.iterdir()] == [path]


def test_no_value_of_a_file_is_quoted(tmp_path: Path) -> None:
    for name in ("meltano.yml", "settings.json"):
        for text in ("token: very-secret\ntoken: very-secret\n", '{"token": "very-secret",', "x: !very-secret y"):
            with pytest.raises(InputError) as told:
                _put(tmp_path / name, text)
            assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", '{\n  "streams": {\n    "Zaken": {\n      "primary_keys": ["Nummer"],\n'),
        ('{"page_size":5}', '{"page_size":5, "streams": {"Zaken": {"primary_keys": ["Nummer"], '),
        ('{\n\t"page_size": 5\n}\n', '{\n\t"page_size": 5,\n\t"streams": {\n\t\t"Zaken": {\n'),
        ('{"streams": null,\r\n "page_size": 5e0}', '{"streams": {\r\n'),
        ('{\n    "streams": {\n        "Zaken": {},\n        "Q": {}\n    }\n}', '"Q": {},\n        "Odd.name": {\n'),
        ('{"streams": {"zaken": {"page_size": 5}}}', '{"streams": {"zaken": {"page_size": 5, "primary_keys": '),
    ],
)
def test_settings_as_json(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "settings.json"
    _put(path, text)
    assert words in path.read_bytes().decode()
    now = json.loads(path.read_bytes())
    streams = {name.capitalize(): value for name, value in now.pop("streams").items()}
    assert streams["Odd.name"] == _BLOCK["Odd.name"]
    assert _BLOCK["Zaken"].items() <= streams["Zaken"].items()
    assert now == {name: value for name, value in json.loads(text).items() if name != "streams"}


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-16-le"),
    ],
)
@pytest.mark.parametrize("text", ['{"integration_id": "é"}\r\n', _HEAD + "    label: é\n"], ids=["json", "yaml"])
def test_in_whatever_encoding(tmp_path: Path, mark: bytes, encoding: str, text: str) -> None:
    path = tmp_path / ("settings" if text.startswith("{") else "meltano.yml")
    _put(path, mark + text.encode(encoding))
    after = path.read_bytes()
    assert after.startswith(mark)
    now = after.removeprefix(mark).decode(encoding)
    assert "é" in now
    assert "Zaken" in now


# What a person has set


def test_a_setting_of_a_person_stays(tmp_path: Path) -> None:
    text = (
        _HEAD + "    config:\n      streams:\n        zaken:\n          primary_keys: [Code]  # mine\n"
        "        Odd*: {replication_key: Datum}\n      streams.Klanten.append: true\n"
    )
    block = _BLOCK | {"Klanten": {"primary_keys": ["Nummer"]}}
    path = tmp_path / "meltano.yml"
    put = _put(path, text, block)
    streams = nested(_said(path.read_text("utf-8"))["plugins"]["extractors"][0]["config"]["streams"])
    assert streams["zaken"] == {"primary_keys": ["Code"], "replication_key": "Gewijzigd_op"}
    assert streams["Odd.name"] == {"primary_keys": ["Nr.", "a: b"]}
    assert "Zaken" not in streams
    assert "Klanten" not in streams
    assert [(one.connector, one.name, one.there) for one in put.kept] == [
        ("Zaken", "primary_keys", ["Code"]),
        ("Odd.name", "replication_key", "Datum"),
        ("Klanten", "append", True),
    ]
    assert put.keyed == ["Odd.name"]


def test_what_is_set_alike_is_no_news(tmp_path: Path) -> None:
    text = json.dumps({"streams": {**_BLOCK, "Odd*": {"replication_key": ""}}})
    put = _put(tmp_path / "settings.json", text)
    assert (put.written, put.kept) == ({}, [])
    assert (tmp_path / "settings.json").read_text("utf-8") == text


def test_dots_as_meltano_means_them() -> None:
    assert nested({"A": {"b": 1, r"c\.d": 2}, "A.b": 3, "A.e": 4, "F": 5, "F.g": 6}) == {
        "A": {"b": 1, "c.d": 2, "e": 4},
        "F": {"g": 6},
    }
    assert nested({"A.b": 3, "A": {"b": 1, "x": {"y.z": 2}}}) == {"A": {"b": 3, "x": {"y": {"z": 2}}}}


# Which extractor

_HEIRS = """
plugins:
  extractors:
  - name: tap-other
    executable: tap-other
  - name: afas-base
    namespace: tap_afas
    config:
      streams: {Zaken: {primary_keys: [Code]}}
  - name: afas-full
    inherit_from: afas-base
"""


@pytest.mark.parametrize(
    ("text", "plugin", "words"),
    [
        (_HEIRS, None, "several made of it (afas-base, afas-full)"),
        (_HEIRS, "afas-fool", "no extractor afas-fool. Did you mean afas-full?"),
        (_HEAD.replace("tap-afas", "tap-x"), None, "none made of it (tap-x)"),
    ],
)
def test_an_extractor_that_is_not_meant_clearly(tmp_path: Path, text: str, plugin: str | None, words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        _put(tmp_path / "meltano.yml", text, plugin=plugin)


def test_what_is_inherited_counts(tmp_path: Path) -> None:
    path = tmp_path / "meltano.yml"
    put = _put(path, _HEIRS, plugin="afas-full")
    assert [one.there for one in put.kept] == [["Code"]]
    *_, base, full = _said(path.read_text("utf-8"))["plugins"]["extractors"]
    assert base["config"] == {"streams": {"Zaken": {"primary_keys": ["Code"]}}}
    assert full["config"]["streams"]["Zaken"] == {"replication_key": "Gewijzigd_op"}


def test_the_one_named_tap_afas_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "meltano.yml"
    text = f"{_HEAD}  - name: tap-afas-full\n    inherit_from: tap-afas\n"
    _put(path, text)
    first, second = _said(path.read_text("utf-8"))["plugins"]["extractors"]
    assert (set(first), set(second)) == ({"name", "config"}, {"name", "inherit_from"})
    only = _HEAD.replace("name: tap-afas", "name: afas\n    executable: tap-afas")
    assert _put(path, only).keyed == ["Zaken", "Odd.name"]


# The file


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_mode_and_link_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "settings.json"
    real.write_text('{"page_size": 5}', "utf-8")
    real.chmod(0o640)
    link.symlink_to(real)
    SettingsFile(link).put(_BLOCK)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert json.loads(real.read_bytes())["streams"] == _BLOCK
    assert {*tmp_path.iterdir()} == {real, link}


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "settings.json"
    path.write_text('{"page_size": 5}', "utf-8")
    file = SettingsFile(path)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Exception, match="can't be written: No space left on device"):
        file.put(_BLOCK)
    assert path.read_text("utf-8") == '{"page_size": 5}'
    assert [*tmp_path.iterdir()] == [path]


# Whatever stands there

_NAMES = st.text(st.sampled_from(r"abZ_-. \$:#'{}[],&*!|>%@é0~?" + '"'), min_size=1, max_size=8)
_IDS = _NAMES.filter(lambda name: not set(name) & set("*?[\\"))
_ENTRIES = st.fixed_dictionaries({
    "primary_keys": st.lists(_IDS, max_size=3, unique=True),
    "replication_key": st.none() | _IDS,
})
_BLOCKS = st.dictionaries(_IDS, _ENTRIES, min_size=1, max_size=4)
_SCALARS = st.none() | st.booleans() | st.integers() | _NAMES
_VALUES = st.recursive(_SCALARS, lambda one: st.lists(one, max_size=3) | st.dictionaries(_NAMES, one, max_size=3))


def _meant(value: Any) -> Any:
    """What Meltano makes of a value: no variable."""
    if isinstance(value, list):
        return [_meant(one) for one in value]
    return value.replace(r"\$", "$") if isinstance(value, str) else value


def _holds(file: Path, there: Any, block: dict[str, dict[str, Any]], streams: Callable[[Any], Any]) -> None:
    """Whether the file says what it said, and the block."""
    put = SettingsFile(file).put(block)
    content = file.read_bytes().decode()
    now = json.loads(content) if file.suffix == ".json" else _said(content)
    found = streams(now)
    for connector, settings in put.written.items():
        own = next(name for name in found if name.casefold() == connector.casefold())
        for name, value in settings.items():
            assert _meant(found[own].pop(name)) == value or (value is None and file.suffix != ".json")
    assert {name: one for name, one in found.items() if one} == {name: one for name, one in there.items() if one}
    for connector, settings in block.items():
        assert settings.keys() >= put.written.get(connector, {}).keys()


@depth(60)
@given(
    before=st.dictionaries(_NAMES, _VALUES, max_size=4),
    there=_BLOCKS,
    block=_BLOCKS,
    indent=st.sampled_from([None, 0, 3, "\t"]),
)
def test_json_of_whatever_form(tmp_path: Path, before: Any, there: Any, block: Any, indent: Any) -> None:
    file = tmp_path / "settings.json"
    settings = {"page_size": 5, **before, "streams": there, "~": 1.0}
    file.write_text(json.dumps(settings, indent=indent), "utf-8")
    _holds(file, there, block, lambda now: now["streams"])
    now = json.loads(file.read_bytes())
    now["streams"] = there
    assert now == settings


@depth(60)
@given(
    before=st.dictionaries(_NAMES, _VALUES, max_size=4),
    there=_BLOCKS,
    block=_BLOCKS,
    flow=st.sampled_from([None, True, False]),
    indent=st.integers(2, 6),
    last=st.booleans(),
)
def test_yaml_of_whatever_form(  # noqa: PLR0917 - hypothesis names them
    tmp_path: Path, before: Any, there: Any, block: Any, flow: Any, indent: int, last: Any
) -> None:
    file = tmp_path / "meltano.yml"
    streams = {
        name.replace(".", r"\."): {k: "" if v is None else v for k, v in one.items()} for name, one in there.items()
    }
    config = {**before, "streams": streams} if last else {"streams": streams, **before}
    extractors = [{"name": "tap-x", "config": before}, {"name": "tap-afas", "config": config, "select": ["*.*"]}]
    content = {"version": 1, "plugins": {"extractors": extractors}}
    text = yaml.safe_dump(content, default_flow_style=flow, sort_keys=False, width=10_000, indent=indent)
    if flow is not True:
        text = "".join(f"{line}\n{' ' * (number % 9)}# {number}\n" for number, line in enumerate(text.splitlines()))
    file.write_text(text, "utf-8")
    try:
        assume(_said(text) == content)
    except ValueError:
        # `-_` is no number, and yet taken for one.
        reject()
    as_meltano = {name: {k: "" if v is None else v for k, v in one.items()} for name, one in there.items()}
    _holds(file, as_meltano, block, lambda now: nested(now["plugins"]["extractors"][1]["config"]["streams"]))
    now = _said(file.read_text("utf-8"))
    now["plugins"]["extractors"][1]["config"]["streams"] = streams
    assert now == content
    assert re.findall("(?m)^ *# .*", file.read_text("utf-8")) == re.findall("(?m)^ *# .*", text)


# The command


def _checked(sandbox: Sandbox, path: Path, *options: str, **settings: Any) -> Run:
    return explore(config_of(sandbox, streams={}, **settings), "check", "--write", str(path), *options)


def test_what_was_written_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.load([PLANTS["Found"].table, PLANTS["Prijzen"].table, PLANTS["StandsStill"].table])
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(config_of(sandbox, streams={})), "utf-8")
    ran = _checked(sandbox, path, "--format=json")
    assert json.loads(ran.output)["streams"]["Found"]["primary_keys"] == ["Code"]
    after = json.loads(path.read_bytes())
    assert after == config_of(sandbox, streams=after["streams"])
    assert "Prijzen" not in after["streams"]
    written, left, anew = [line for line in ran.log if "ended:" not in line]
    assert written.startswith(f"Written to `streams` in {path}: Found (primary_keys, replication_key)")
    assert left.startswith("Left out, since something speaks against it: Prijzen.")
    assert anew.startswith("Whichever of those with a key now was loaded before: its table keeps the key")
    assert anew.endswith("take it out of `bookmarks` in the state file, and run again.")

    ran = _checked(sandbox, path, "--doubtful")
    assert json.loads(path.read_bytes())["streams"]["Prijzen"]["primary_keys"] == ["Artikel", "Prijslijst"]
    # What is there now is read by what changed.
    ran = run_tap(json.loads(path.read_bytes()))
    assert ran.exit_code == 0, ran.log
    assert {one for one, entry in ran.state["bookmarks"].items() if entry["replication_key"]} >= {"Found", "Prijzen"}


def test_what_a_person_set_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.load([PLANTS["Repeats"].table])
    path = tmp_path / "settings.json"
    config = config_of(sandbox, streams={"Repeats": PLANTS["Repeats"].settings})
    path.write_text(json.dumps(config), "utf-8")
    ran = explore(config, "check", "--write", str(path))
    assert ran.exit_code == 1
    assert 'Repeats has `primary_keys` ["Ordernummer"], and what was found is ["Ordernummer", "Regel"]' in ran.said
    assert json.loads(path.read_bytes())["streams"]["Repeats"] == {
        "primary_keys": ["Ordernummer"],
        "replication_key": "Gewijzigd_op",
    }


def test_into_meltano_names_its_command(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.load([PLANTS["Found"].table])
    path = tmp_path / "meltano.yml"
    path.write_text(_HEAD, "utf-8")
    ran = _checked(sandbox, path)
    assert ran.exit_code == 0
    assert f"Written to `streams` in {path}, for tap-afas: Found" in ran.log[0]
    assert ran.log[1].startswith("If Found was loaded before: its table keeps the key that it was made with.")
    assert """TAP_AFAS__SELECT_FILTER='["Found"]' meltano run --full-refresh tap-afas target-postgres""" in ran.log[1]
    assert sandbox.token not in path.read_text("utf-8")
    # Then there is nothing left to write.
    before = path.stat()
    ran = _checked(sandbox, path)
    assert ran.log == [f"Nothing was written to {path}: there is nothing to set that it lacks."]
    assert path.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("none.json", None, "there is no such file"),
        ("no/none.json", None, "there is no folder"),
        ("package.json", '{"name": "x"}', "neither JSON settings nor a meltano.yml"),
        (".", None, "is a folder"),
    ],
)
def test_a_file_that_is_none_is_told_before_afas_is_asked(
    sandbox: Sandbox, tmp_path: Path, name: str, text: str | None, words: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    ran = _checked(sandbox, tmp_path / name)
    assert (ran.exit_code, ran.output, sandbox.log) == (78, b"", [])
    assert words in ran.errors[0]


def test_what_was_found_out_before_a_failure_is_written(sandbox: Sandbox, tmp_path: Path) -> None:
    rows: list[Row] = [(f"C{n:06}", moment(n)) for n in range(60)]
    sandbox.load([PLANTS["Found"].table, made("Other", "Code:code Gewijzigd_op:moment", rows)])
    sandbox.faults = [Fault(connector="Other", refuse="not_authorized", kind="rows")]
    path = tmp_path / "settings.json"
    path.write_text("{}", "utf-8")
    ran = _checked(sandbox, path)
    assert ran.exit_code == 78
    assert list(json.loads(path.read_bytes())["streams"]) == ["Found"]
