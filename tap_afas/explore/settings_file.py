"""A file of settings, JSON or `meltano.yml`, into which `streams` is written; all the rest of it stays as it is."""

from __future__ import annotations

import codecs
import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

from tap_afas.explore.file_layout import Adding, LayoutError, Node, read_json, read_yaml
from tap_afas.explore.replaced_file import check_writable, replace_file
from tap_afas.explore.settings_merge import merged, nested
from tap_afas.inputs import InputError, parse_json
from tap_afas.settings import SCHEMA
from tap_afas.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tap_afas.explore.findings import Block
    from tap_afas.explore.settings_merge import Put

_OPTION = "--write"
_PLUGIN = "tap-afas"
_BY_HAND = "Paste the block of the report into it by hand."
# What Meltano takes for a variable.
_VARIABLE = re.compile(r"\$(?=[A-Z]|\{\w+\})")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclasses.dataclass(frozen=True, slots=True)
class _Read:
    """The file as it was read: its text, what that says, and where."""

    mark: bytes
    encoding: str
    text: str
    value: Any
    root: Node
    yaml: bool


class SettingsFile:
    """The file.

    Args:
        path: Where it is.
        plugin: Which extractor of `meltano.yml`; None: tap-afas, or the only one that is made of it.

    Attributes:
        extractor: That extractor; None where the file is JSON.

    Raises:
        InputError: It can't be read or written, or is neither.
    """

    def __init__(self, path: Path, plugin: str | None = None) -> None:
        self.path = path
        self._plugin = plugin
        check_writable(path, _OPTION)
        read = self._read()
        self.extractor = self._extractor(read) if read.yaml else None
        self._there(read)

    def put(self, block: Block) -> Put:
        """Write settings of connectors, but for those that a person has set otherwise.

        Raises:
            InputError: The file is another than before, or laid out so that it can't be added to.
            FileOutputError: It can't be written.
        """
        read = self._read()
        if read.yaml is (self.extractor is None):
            raise self._neither("it changed meanwhile")
        new, put = merged(block, self._there(read))
        if not put.written:
            return put
        if self.extractor is None:
            self._write(read, read.root, ["streams"], new)
        else:
            config = _extractors(read.value)[self.extractor].get("config") or {}
            # It may be written in other ways too: `streams.Zaken.primary_keys`.
            raw = config.get("streams") or {}
            meltanos = {_spelt(name, raw): _for_meltano(one) for name, one in new.items()}
            self._write(read, self._item(read), ["config", "streams"], meltanos)
        return put

    def _there(self, read: _Read) -> Block:
        """What the file has in `streams`; of what an extractor inherits, that too.

        Raises:
            InputError: It isn't what settings have there.
        """
        configs = [read.value]
        if self.extractor is not None:
            given = [one.get("config") for one in _ancestry(read.value, self.extractor)]
            if not all(isinstance(one, dict | None) for one in given):
                raise InputError(f"{_OPTION} {self.path}: the `config` of {self.extractor} is no object.")
            configs = [nested(one or {}) for one in given]
        found: dict[str, Any] = {}
        for config in reversed(configs):
            streams = {} if config.get("streams") is None else config["streams"]
            if not isinstance(streams, dict) or not all(isinstance(one, dict | None) for one in streams.values()):
                raise InputError(f"{_OPTION} {self.path}: its `streams` is no object with one for each connector.")
            _deepen(found, _unshared(streams))
        return found

    # Reading

    def _read(self) -> _Read:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            raise InputError(f"{_OPTION} {self.path}: there is no such file.") from None
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise InputError(f"{_OPTION} {self.path} can't be read: {why}.") from None
        mark, encoding = next(((mark, name) for mark, name in _MARKS if content.startswith(mark)), (b"", ""))
        encoding = encoding or json.detect_encoding(content)
        try:
            text = content.removeprefix(mark).decode(encoding)
        except UnicodeDecodeError:
            raise InputError(f"{_OPTION} {self.path} is neither UTF-8 nor UTF-16: save it as UTF-8.") from None
        try:
            value = parse_json(content)
            if isinstance(value, dict) and (not value or value.keys() & SCHEMA["properties"].keys()):
                return _Read(mark, encoding, text, value, read_json(text), yaml=False)
            wrong = "it has no setting of the tap"
        except (ValueError, RecursionError) as error:
            wrong = str(error)
        if self.path.suffix.lower() == ".json":
            raise self._neither(wrong)
        try:
            root, value = read_yaml(text)
        except LayoutError as error:
            raise self._neither(f"as YAML: {error}") from None
        return _Read(mark, encoding, text, value, root, yaml=True)

    def _neither(self, why: str) -> InputError:
        return InputError(f"{_OPTION} {self.path} is neither JSON settings nor a meltano.yml ({why}).")

    # The extractor

    def _extractor(self, read: _Read) -> str:
        """Which extractor of `meltano.yml` is meant."""
        found = _extractors(read.value)
        if not found:
            raise self._neither("it has no `plugins: extractors:`")
        if self._plugin is not None:
            if self._plugin not in found:
                raise InputError(
                    f"{self.path} has no extractor {self._plugin}.{did_you_mean(self._plugin, found)}"
                    f" It has {', '.join(found)}."
                )
            return self._plugin
        if _PLUGIN in found:
            return _PLUGIN
        ours = [name for name, one in found.items() if _is_ours(one, found)]
        if len(ours) != 1:
            which = f"several made of it ({', '.join(ours)})" if ours else f"none made of it ({', '.join(found)})"
            raise InputError(f"{self.path} has no extractor tap-afas, and {which}: name one with `--plugin`.")
        return ours[0]

    def _item(self, read: _Read) -> Node:
        """Where the extractor stands."""
        plugins = (read.root.members or {}).get("plugins")
        listed = (plugins.members or {}).get("extractors") if plugins else None
        names = list(_extractors(read.value))
        if listed is None or len(listed.items) != len(names) or self.extractor not in names:
            raise InputError(f"{self.path} changed meanwhile, or its extractors can't be told apart. {_BY_HAND}")
        return listed.items[names.index(self.extractor)]

    # Writing

    def _write(self, read: _Read, node: Node, path: Sequence[str], new: Mapping[str, Any]) -> None:
        tree: Any = new
        for name in reversed(path):
            tree = {name: tree}
        adding = Adding(read.text, yaml=self.extractor is not None)
        try:
            adding.merge(node, tree)
            text = adding.result()
            # Nothing else may say anything else now.
            said = read_yaml(text)[1] if self.extractor else parse_json(text)
        except (LayoutError, ValueError) as error:
            raise InputError(f"{self.path} can't be added to: {error}. {_BY_HAND}") from None
        expected = _unshared(read.value)
        at = expected
        if self.extractor is not None:
            names = list(_extractors(read.value))
            at = expected["plugins"]["extractors"][names.index(self.extractor)]
        _deepen(at, tree)
        if said != expected:
            raise InputError(f"{self.path} can't be added to without a change of something else in it. {_BY_HAND}")
        replace_file(self.path, read.mark + text.encode(read.encoding), _OPTION)


def _extractors(value: Any) -> dict[str, Any]:
    plugins = value.get("plugins") if isinstance(value, dict) else None
    listed = plugins.get("extractors") if isinstance(plugins, dict) else None
    listed = listed if isinstance(listed, list) else []
    found = [one for one in listed if isinstance(one, dict) and isinstance(one.get("name"), str)]
    return {one["name"]: one for one in found}


def _ancestry(value: Any, name: str) -> list[dict[str, Any]]:
    """An extractor, and those from which it inherits."""
    every, found = _extractors(value), []
    while name in every and every[name] not in found:
        found.append(every[name])
        name = every[name].get("inherit_from") or ""
    return found


def _is_ours(one: Mapping[str, Any], every: Mapping[str, Any]) -> bool:
    parent = one.get("inherit_from")
    if parent is not None:
        return parent == _PLUGIN or (parent in every and _is_ours({**every[parent], "inherit_from": None}, every))
    executable = str(one.get("executable") or "")
    return executable.endswith(_PLUGIN) or one.get("namespace") == "tap_afas"


def _spelt(name: str, streams: Mapping[str, Any]) -> str:
    """A connector's name as `streams` of `meltano.yml` has it, or as it is to have it."""
    return next((one for one in streams if list(nested({one: None})) == [name]), name.replace(".", r"\."))


def _for_meltano(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as Meltano passes them on: it drops what is null, and puts variables in the place of their names."""
    return {name: _literal("" if value is None else value) for name, value in settings.items()}


def _literal(value: Any) -> Any:
    if isinstance(value, list):
        return [_literal(one) for one in value]
    return _VARIABLE.sub(r"\\$", value) if isinstance(value, str) else value


def _unshared(value: Any) -> Any:
    """A copy in which nothing stands for two things."""
    if isinstance(value, dict):
        return {name: _unshared(one) for name, one in value.items()}
    return [_unshared(one) for one in value] if isinstance(value, list) else value


def _deepen(into: dict[Any, Any], tree: Mapping[str, Any]) -> None:
    for name, value in tree.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _deepen(into[name], value)
        else:
            into[name] = value
