"""The report of `check` as plain text, for a terminal or a file."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from tap_afas.explore.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_afas.explore.findings import ConnectorReport, Report
    from tap_afas.explore.wording import Language

_WIDTH = 110
_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "of": "{connectors} connectors of {environment}, read at {read_at} with {requests} requests.",
        "one of": "{connectors} connector of {environment}, read at {read_at} with {requests} requests.",
        "sound": "Nothing to change: {names}.",
        "error": "ERROR",
        "warning": "WARNING",
        "note": "NOTE",
        "synced": "{sync}, key {key}, stamp {stamp}; {rows}",
        "none": "none",
        "incremental": "read by what changed",
        "full_table": "read whole by every run",
        "append": "each change a row more",
        "found": " (found)",
        "block": "To paste into the settings:",
        "doubtful": "Found, but look at these first:",
        "maps": "To hash or drop personal data:",
    },
    "nl": {
        "of": "{connectors} connectors van {environment}, gelezen op {read_at} met {requests} vragen.",
        "one of": "{connectors} connector van {environment}, gelezen op {read_at} met {requests} vragen.",
        "sound": "Niets aan te veranderen: {names}.",
        "error": "FOUT",
        "warning": "WAARSCHUWING",
        "note": "OPMERKING",
        "synced": "{sync}, sleutel {key}, gewijzigd op {stamp}; {rows}",
        "none": "geen",
        "incremental": "gelezen naar wat wijzigde",
        "full_table": "elke keer helemaal gelezen",
        "append": "elke wijziging een rij erbij",
        "found": " (gevonden)",
        "block": "Te plakken in de instellingen:",
        "doubtful": "Gevonden, maar kijk hier eerst naar:",
        "maps": "Om persoonsgegevens te hashen of weg te laten:",
    },
}


def to_text(report: Report, language: Language) -> str:
    """The report as text, the verdict first: connectors with errors, then those with warnings, then notes."""
    return "\n".join(map(_printable, _lines(report, language))) + "\n"


def _printable(line: str) -> str:
    """A line without what a terminal would obey: ids, labels and values are AFAS' own."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)


def _lines(report: Report, language: Language) -> Iterator[str]:
    words, wording = _WORDS[language], Wording(language)
    yield words["one of" if len(report.connectors) == 1 else "of"].format(
        connectors=wording.number(len(report.connectors)),
        environment=report.environment or "AFAS",
        read_at=report.read_at,
        requests=wording.number(report.requests),
    )
    ranked = sorted(
        (one for one in report.connectors if one.findings),
        key=lambda one: ("error", "warning", "note").index(one.worst or "note"),
    )
    for one in ranked:
        yield ""
        yield from _about(one, words, wording)
    sound = [one.connector for one in report.connectors if not one.findings]
    if sound:
        yield ""
        yield from textwrap.wrap(words["sound"].format(names=wording.listed(sound)), _WIDTH)
    for name, block in (
        ("block", {"streams": report.streams}),
        ("doubtful", {"streams": report.doubtful_streams}),
        ("maps", {"stream_maps": report.stream_maps}),
    ):
        if any(block.values()):
            yield ""
            yield words[name]
            yield from _block(block)


def _about(one: ConnectorReport, words: dict[str, str], wording: Wording) -> Iterator[str]:
    yield f"{one.connector}: {one.description}" if one.description else one.connector
    if one.failure is None:
        found = words["found"] if one.key_source == "found" else ""
        yield "  " + words["synced"].format(
            sync=words[one.sync],
            key=(wording.listed(one.key) if one.key else words["none"]) + found,
            stamp=one.replication_key or words["none"],
            rows=wording.rows(one.rows_read, complete=one.complete),
        )
    for problem in wording.problems(one):
        head = f"  {words[problem.severity]} {problem.code}: "
        yield from textwrap.wrap(head + problem.message, _WIDTH, subsequent_indent="    ", break_long_words=False)
        for step in problem.fix.splitlines():
            yield from _step(step)
    if one.cost is not None and one.cost.pages:
        yield from textwrap.wrap("  " + wording.cost(one.cost), _WIDTH, subsequent_indent="  ")


def _step(step: str) -> Iterator[str]:
    """A step; what is to be pasted stays in one piece."""
    told, brace, pasted = step.partition('{"')
    yield from textwrap.wrap(
        told, _WIDTH, initial_indent="    ", subsequent_indent="       ", break_long_words=False, break_on_hyphens=False
    )
    if brace:
        yield f"       {brace}{pasted}"


def _block(block: dict[str, Any]) -> Iterator[str]:
    for line in json.dumps(block, indent=2, ensure_ascii=False).splitlines():
        yield "  " + line
