"""What the README, docs/settings.md and meltano.yml say of the settings, made from the schema.

python tests/docs/settings_texts.py
"""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tap_afas.settings import SCHEMA, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
_WIDTH = 120
_INDENT = " " * 8
_OWN = [field.encode_name for field in msgspec.structs.fields(Settings)]
_NEEDED = ["environment_id", "token", "client_id", "client_secret", "connectors"]


def whole_table(properties: Mapping[str, Any]) -> str:
    """The table of all settings of the tap's own; the page points to the SDK's documentation for the others."""
    return _table(properties, _OWN)


def short_table(properties: Mapping[str, Any]) -> str:
    """The README's table of the settings without which nothing runs, and of the one that chooses what is loaded."""
    return _table(properties, _NEEDED)


def _table(properties: Mapping[str, Any], names: Sequence[str]) -> str:
    lines = ["| Setting | Default | What it is |", "| --- | --- | --- |"]
    for name in names:
        setting = properties[name]
        default = f"`{json.dumps(setting['default'])}`" if "default" in setting else ""
        secret = " *Secret.*" if "secret" in setting else ""
        choices = f" One of {', '.join(f'`{choice}`' for choice in setting['enum'])}." if "enum" in setting else ""
        lines.append(f"| `{name}` | {default} | {setting['description']}{choices}{secret} |")
    return "\n".join(lines) + "\n"


def declarations(properties: Mapping[str, Any]) -> str:
    """The tap's own settings as meltano.yml declares them."""
    lines = [line for name in _OWN for line in _declaration(name, properties[name])]
    return "".join(f"{_INDENT}{line}\n" for line in lines)


def _declaration(name: str, setting: Mapping[str, Any]) -> list[str]:
    (kind,) = set(setting["type"]) - {"null"}
    if "enum" in setting:
        kind = "options"
    elif setting.get("format") == "date-time":
        kind = "date_iso8601"
    description = setting["description"]
    if setting.get("default") not in (None, {}):
        default = setting["default"]
        description += f" Default {default if isinstance(default, str) else json.dumps(default)}."
    indent = "    "
    lines = [f"- name: {name}", f"  kind: {kind}"]
    if "secret" in setting:
        lines.append("  sensitive: true")
    lines += [
        f"  label: {setting['title']}",
        "  description: >-",
        *textwrap.wrap(
            description,
            _WIDTH - len(_INDENT),
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ),
    ]
    example = setting.get("examples", [None])[0]
    if isinstance(example, str):
        lines.append(f"  placeholder: {json.dumps(example)}")
    if "enum" in setting:
        options = [f"{indent}- {{ label: {value.capitalize()}, value: {value} }}" for value in setting["enum"]]
        lines += ["  options:", *options]
    return lines


def _between(mark: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- {mark} -->\n).*?(?=<!-- end of {mark} -->)", re.DOTALL)


PLACES: dict[str, tuple[re.Pattern[str], Callable[[Mapping[str, Any]], str]]] = {
    "README.md": (_between("needed settings"), short_table),
    "docs/settings.md": (_between("settings"), whole_table),
    "meltano.yml": (
        re.compile(r"(?<=# settings, made from tap_afas/settings.py\n).*?(?= *# end of settings\n)", re.DOTALL),
        declarations,
    ),
}
"""By file, what is made there, and by what."""


def main() -> None:
    """Write what the schema says to where it is told."""
    for name, (place, made) in PLACES.items():
        text = (ROOT / name).read_text("utf-8")
        (match,) = place.finditer(text)
        (ROOT / name).write_text(text[: match.start()] + made(SCHEMA["properties"]) + text[match.end() :], "utf-8")


if __name__ == "__main__":
    main()
