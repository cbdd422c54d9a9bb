"""The report of `check` as a page that can be passed on: self-contained, in both languages, without a row's values."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup, escape

from tap_afas.explore.findings import SEVERITIES
from tap_afas.explore.html_words import WORDS
from tap_afas.explore.wording import Wording
from tap_afas.log_sanitizer import sanitized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.explore.findings import Block, ConnectorReport, Problem, Report, RowsOverTime
    from tap_afas.explore.wording import Language

_LANGUAGES: tuple[Language, ...] = ("en", "nl")
_SOUND = "sound"
_MOST_BARS = 60


@dataclasses.dataclass(frozen=True, slots=True)
class Bar:
    """A month or year in the chart; heights are per cent of the highest."""

    name: str
    rows: int
    height: float


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """A connector in one language."""

    problems: Sequence[tuple[Problem, Sequence[str]]]
    how: str
    rows: str
    cost: str
    chart: str


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A connector on the page.

    Attributes:
        report: What was found out.
        anchor: Of the link to it.
        worst: Its worst severity, or `sound`.
        codes: The problems that it has.
        told: By language.
        bars: Its rows by month, the last ones.
        search: What the search looks in.
    """

    report: ConnectorReport
    anchor: str
    worst: str
    codes: Sequence[str]
    told: dict[Language, Told]
    bars: Sequence[Bar]
    search: str


def to_html(report: Report, language: Language) -> str:
    """The report as a page.

    Args:
        report: What was found out.
        language: The one in which it opens; the reader can change it.
    """
    entries = [_entry(one) for one in report.connectors]
    counts = {one: sum(entry.worst == one for entry in entries) for one in (*SEVERITIES, _SOUND)}
    files = resources.files("tap_afas.explore")
    style, script = ((files / name).read_text("utf-8") for name in ("page.css", "page.js"))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters |= {"plain": _plain, "marked": _marked}
    template = environment.from_string((files / "page.html").read_text("utf-8"))
    return template.render(
        language=language,
        languages=_LANGUAGES,
        words=WORDS,
        wordings={one: Wording(one, values=False) for one in _LANGUAGES},
        report=report,
        environment=sanitized(report.environment) or "AFAS",
        entries=sorted(entries, key=lambda entry: (*SEVERITIES, _SOUND).index(entry.worst)),
        counts=counts,
        verdict="error" if counts["error"] else "warning" if counts["warning"] else _SOUND,
        codes=sorted({code for entry in entries for code in entry.codes}),
        blocks=_blocks(report),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - likewise
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _plain(text: object) -> str:
    """What AFAS tells, without signs that turn a direction or break a line."""
    return sanitized(str(text))


def _marked(text: str) -> Markup:
    """A sentence with what stands between backticks, or is JSON to paste, as code."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(_plain(text))))
    return Markup(re.sub(r"(\{&#34;.*\})", r"<code>\1</code>", marked))  # noqa: S704 - escaped just above


def _hash(text: str) -> str:
    """As a Content-Security-Policy names what it lets run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _entry(one: ConnectorReport) -> Entry:
    codes = list(dict.fromkeys(finding.code for finding in one.findings))
    over_time = _shown_over_time(one)
    return Entry(
        report=one,
        anchor="c-" + "".join(letter if letter.isalnum() else f".{ord(letter):x}." for letter in one.connector),
        worst=one.worst or _SOUND,
        codes=codes,
        told={language: _told(one, language) for language in _LANGUAGES},
        bars=_bars(over_time) if over_time else (),
        search=" ".join([one.connector, one.description, *(f for found in one.findings for f in found.fields)]).lower(),
    )


def _told(one: ConnectorReport, language: Language) -> Told:
    words, wording = WORDS[language], Wording(language, values=False)
    key = wording.listed(one.key) if one.key else words["none"]
    found = words["found"] if one.key_source == "found" else ""
    over_time = _shown_over_time(one)
    return Told(
        problems=[(problem, _steps(problem)) for problem in map(_without_rows(words), wording.problems(one))],
        how=words[one.sync].format(key=key + found, stamp=one.replication_key or words["none"]),
        rows=wording.rows(one.rows_read, complete=one.complete),
        cost=wording.cost(one.cost) if one.cost and one.cost.pages else "",
        chart=words["chart"].format(
            field=over_time.field,
            first=next(iter(over_time.months), ""),
            last=next(reversed(over_time.months), ""),
            empties=wording.number(over_time.empties),
        )
        if over_time
        else "",
    )


def _shown_over_time(one: ConnectorReport) -> RowsOverTime | None:
    """How the rows spread; not by a date of birth and the like."""
    over_time = one.over_time
    return over_time if over_time and over_time.months and over_time.field not in one.masks else None


def _without_rows(words: dict[str, str]) -> Any:
    """What AFAS or the tap says of a failure may hold a row's key: it stands in text and JSON."""

    def changed(problem: Problem) -> Problem:
        if problem.code != "not_readable":
            return problem
        return type(problem)(problem.code, problem.severity, problem.fields, words["not_readable"], problem.fix)

    return changed


def _steps(problem: Problem) -> list[str]:
    steps = problem.fix.splitlines()
    return [step.partition(". ")[2] for step in steps] if len(steps) > 1 else steps


def _bars(over_time: RowsOverTime) -> list[Bar]:
    """A bar for each month, also for those without a row; for each year, where the months are too many."""
    counts = over_time.months
    first, last = (int(month[:4]) * 12 + int(month[5:7]) - 1 for month in (min(counts), max(counts)))
    if last - first < _MOST_BARS:
        names = [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(first, last + 1)]
        rows = {name: counts.get(name, 0) for name in names}
    else:
        names = [f"{year:04}" for year in range(max(first // 12, last // 12 - _MOST_BARS + 1), last // 12 + 1)]
        rows = {name: sum(many for month, many in counts.items() if month.startswith(f"{name}-")) for name in names}
    highest = max(rows.values()) or 1
    return [Bar(name, many, round(100 * many / highest, 1)) for name, many in rows.items()]


def _blocks(report: Report) -> dict[str, str]:
    parts: dict[str, tuple[str, Block]] = {
        "block": ("streams", report.streams),
        "doubtful": ("streams", report.doubtful_streams),
        "maps": ("stream_maps", report.stream_maps),
    }
    return {
        name: json.dumps({setting: block}, indent=2, ensure_ascii=False)
        for name, (setting, block) in parts.items()
        if block
    }
