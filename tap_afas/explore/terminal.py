"""What is printed: tables for people, lines for programs; nothing that AFAS sends steers a terminal."""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from tap_afas.writer import OutputError, check_output

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType

# Of no terminal; lines are as long as what stands in them.
_WIDEST = 100_000
# Control characters, breaks of lines, and what turns the direction of text or has no width; lone surrogates have no
# bytes.
_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_PICTURES = 0x2400
_SPACE = 0x20
_DELETE = 0x7F


def neutral(text: str) -> str:
    """A text in which what would steer a terminal is shown instead: `␛`, `<U+202E>`."""
    return _STEERING.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < _SPACE:
        return chr(_PICTURES + code)
    return "␡" if code == _DELETE else f"<U+{code:04X}>"


def to_json(value: Any, *, indent: int | None = 2) -> str:
    """JSON in which what would steer a terminal is escaped, which is the same JSON."""
    return escaped(json.dumps(value, ensure_ascii=False, indent=indent))


def escaped(text: str) -> str:
    """JSON, or a JSON string, with escapes in place of what would steer a terminal; its line breaks stay."""
    return _STEERING.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    if found[0] in "\n\r\t":
        return found[0]
    code = ord(found[0])
    if code > 0xFFFF:  # noqa: PLR2004 - what four digits hold
        high, low = divmod(code - 0x10000, 0x400)
        return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
    return f"\\u{code:04x}"


def on_terminal() -> bool:
    """Whether somebody looks at the output."""
    return sys.stdout is not None and sys.stdout.isatty()


def write(text: str) -> None:
    """Write to stdout, in UTF-8 whatever the locale.

    Raises:
        OutputError: It can't be written.
    """
    check_output(to_target=False)
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.flush()
    except OSError as error:
        raise OutputError(error, to_target=False) from None


def plain(value: object, style: str = "") -> Text:
    """A text as it is, without markup, that can't steer the terminal."""
    return Text(neutral(str(value)), style=style, overflow="fold")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table; cells are texts of rich, or anything, which is shown as it is."""
    made = Table(box=None, pad_edge=False, header_style="bold", show_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        made.add_column(plain(name), overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else plain(cell) for cell in row))
    return made


def show(*parts: RenderableType) -> None:
    """Print for people: as wide as the terminal, or where there is none as wide as need be.

    Raises:
        OutputError: It can't be written.
    """
    console = _console()
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def show_records(records: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print records as a table, or where that is wider than the terminal one by one, a field a line."""
    wide = table(columns, ([_value(record.get(name)) for name in columns] for record in records))
    console = _console()
    needed = Measurement.get(console, console.options.update(max_width=_WIDEST), wide).maximum
    if needed <= console.width:
        show(wide)
        return
    for number, record in enumerate(records, start=1):
        head = plain(f"{number}", "dim")
        show(head, table(("", ""), ((plain(name, "bold"), _value(record.get(name))) for name in columns)))


def _value(value: object) -> Text:
    if value is None:
        return plain("null", "dim")
    return plain(value if isinstance(value, str) else json.dumps(value) if isinstance(value, bool) else value)


def _console() -> Console:
    seen = on_terminal()
    width = shutil.get_terminal_size().columns if seen else _WIDEST
    # With a height too, what the terminal calls itself doesn't count.
    return Console(
        file=io.StringIO(),
        width=width,
        height=25,
        force_terminal=seen,
        markup=False,
        highlight=False,
        emoji=False,
    )
