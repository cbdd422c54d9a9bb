"""What README and meltano.yml say of the settings; `tests/docs/settings_texts.py` writes it anew from the schema."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tap_afas.settings import SCHEMA, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[2]
_WIDTH = 120
_INDENT = " " * 8
_OWN = [field.encode_name for field in msgspec.structs.fields(Settings)]


def table(properties: Mapping[str, Any]) -> str:
    """The README's table of the tap's own settings; the README points to the SDK's documentation for the others."""
    lines = ["| Setting | Default | What it is |", "| --- | --- | --- |"]
    for name in _OWN:
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


PLACES: dict[str, tuple[re.Pattern[str], Callable[[Mapping[str, Any]], str]]] = {
    "README.md": (re.compile(r"(?<=<!-- settings -->\n).*?(?=<!-- end of settings -->)", re.DOTALL), table),
    "meltano.yml": (
        re.compile(r"(?<=# settings, made from tap_afas/settings.py\n).*?(?= *# end of settings\n)", re.DOTALL),
        declarations,
    ),
}
"""By file, what is made there, and by what."""


if __name__ == "__main__":
    for name, (place, made) in PLACES.items():
        text = (ROOT / name).read_text("utf-8")
        (old,) = place.findall(text)
        (ROOT / name).write_text(text.replace(old, made(SCHEMA["properties"])), "utf-8")
