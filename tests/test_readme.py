"""The README's settings table is made from `tap-afas --about`; `python tests/test_readme.py` writes it anew."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
from typing import Any

README = pathlib.Path(__file__).parent.parent / "README.md"
TABLE = re.compile(r"(?<=<!-- settings -->\n).*?(?=<!-- end of settings -->)", re.DOTALL)
# The SDK describes its own at length; the README points to its documentation.
OF_THE_SDK = {
    "stream_maps",
    "stream_map_config",
    "faker_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_max_key_length",
    "flattening_separator",
}


def about() -> dict[str, Any]:
    command = [sys.executable, "-m", "tap_afas", "--about", "--format=json"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    settings: dict[str, Any] = json.loads(output)["settings"]["properties"]
    return settings


def table() -> str:
    lines = ["| Setting | Default | What it is |", "| --- | --- | --- |"]
    for name, setting in about().items():
        if name not in OF_THE_SDK:
            default = f"`{json.dumps(setting['default'])}`" if "default" in setting else ""
            secret = " *Secret.*" if setting.get("secret") or setting.get("writeOnly") else ""
            choices = f" One of {', '.join(f'`{choice}`' for choice in setting['enum'])}." if "enum" in setting else ""
            lines.append(f"| `{name}` | {default} | {setting['description']}{choices}{secret} |")
    return "\n".join(lines) + "\n"


def test_settings_table_is_what_about_says() -> None:
    assert TABLE.findall(README.read_text("utf-8")) == [table()]


def test_settings_of_the_sdk_are_there() -> None:
    assert about().keys() >= OF_THE_SDK


if __name__ == "__main__":
    README.write_text(TABLE.sub(lambda _: table(), README.read_text("utf-8")), "utf-8")
