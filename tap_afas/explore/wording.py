"""Findings in words, in English or in Dutch: what is the matter, and step by step what to do about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from tap_afas.explore import wording_en, wording_nl
from tap_afas.explore.findings import Problem
from tap_afas.loaded_key import start_anew_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

    from tap_afas.explore.findings import ConnectorReport, Cost, Finding, Report

Language = Literal["en", "nl"]
_SECONDS_TOLD = 120
_LANGUAGES: dict[Language, ModuleType] = {"en": wording_en, "nl": wording_nl}


def language_of(setting: str) -> Language:
    """The language of a report for the setting `language`, such as nl-be."""
    return "nl" if setting.lower().startswith("nl") else "en"


class Wording:
    """Puts findings into words.

    Args:
        language: In which language.
        values: Whether values of rows may be told; a page that is passed on may hold none.
    """

    def __init__(self, language: Language, *, values: bool = True) -> None:
        self.texts = _LANGUAGES[language]
        self._values = values

    def problems(self, report: ConnectorReport) -> list[Problem]:
        """The findings about a connector."""
        return [self.problem(finding, report) for finding in report.findings]

    def problem(self, finding: Finding, report: ConnectorReport) -> Problem:
        """One of them."""
        message, steps = self.texts.TEXTS[finding.code]
        told = self._told(finding, report)
        written = [step.format_map(told) for step in steps]
        fix = written[0] if len(written) == 1 else "\n".join(f"{n}. {step}" for n, step in enumerate(written, start=1))
        return Problem(finding.code, finding.severity, finding.fields, message.format_map(told), fix)

    def number(self, value: float) -> str:
        """A whole number, in groups of three digits."""
        written: str = f"{round(value):,}".replace(",", self.texts.THOUSANDS)
        return written

    def decimal(self, value: float) -> str:
        """A number with one digit behind the point, or the comma."""
        return f"{value:.1f}".replace(".", self.texts.POINT)

    def cost(self, cost: Cost) -> str:
        """What reading a connector takes."""
        told: str = self.texts.COST.format(
            page_rows=self.number(cost.page_rows),
            seconds=self.decimal(cost.seconds),
            backfill=self.number(cost.backfill_requests),
            backfill_time=self._time(cost.backfill_seconds),
            hourly=self.number(cost.hourly_requests),
            hourly_time=self._time(cost.hourly_seconds),
        )
        if cost.counted == "at least":
            told += self.texts.COST_AT_LEAST.format(rows=self.number(cost.rows))
        return told

    def _time(self, seconds: float) -> str:
        return f"{self.decimal(seconds)} s" if seconds < _SECONDS_TOLD else f"{self.number(seconds / 60)} min"

    def listed(self, names: Iterable[str]) -> str:
        """Names as a list: `A, B and C`."""
        *others, last = [*names] or [self.texts.OR_NONE]
        return f"{', '.join(others)} {self.texts.AND} {last}" if others else last

    def rows(self, number: int, *, complete: bool) -> str:
        """In how many rows something was seen."""
        told: str = (self.texts.ALL_ROWS if complete else self.texts.SOME_ROWS).format(rows=self.number(number))
        return told

    def _told(self, finding: Finding, report: ConnectorReport) -> dict[str, Any]:
        """What stands between braces in a finding's sentences."""
        facts, texts = finding.facts, self.texts
        told: dict[str, Any] = {
            name: self.number(fact) if isinstance(fact, int) and not isinstance(fact, bool) else fact
            for name, fact in facts.items()
        }
        told |= {
            "connector": report.connector,
            "stream": report.stream,
            "fields": self.listed(finding.fields),
            "values": self._in_brackets(finding),
        }
        told |= {name: forms[len(finding.fields) > 1] for name, forms in texts.VERBS.items()}
        told["rows_told"] = self.rows(facts.get("rows", 0), complete=facts.get("complete", False))
        told["among"] = texts.AMONG.format(rows=self.number(facts.get("rows", 0)))
        for name in ("key", "varying"):
            told[name] = self.listed(facts.get(name, ()))
        told |= self._about_key(finding, report) if finding.code.startswith("key_") else self._about(finding, report)
        told["varying_told"] = texts.VARYING.format(varying=told["varying"]) if facts.get("varying") else ""
        return told

    def _in_brackets(self, finding: Finding) -> str:
        if not self._values or not finding.values:
            return ""
        shown = (f"{field} = {value or self.texts.EMPTY}" for field, value in finding.values.items())
        return f" ({', '.join(shown)})"

    # What a few of them need besides

    def _about_key(self, finding: Finding, report: ConnectorReport) -> dict[str, str]:
        facts, texts = finding.facts, self.texts
        why = texts.WHY_NONE.get(facts.get("why"), "").format(near=self.listed(finding.fields))
        command = start_anew_command(report.connector)
        anew = texts.ANEW_MELTANO if command else texts.ANEW
        return {
            "why": why,
            "nature": texts.NATURES.get(facts.get("nature"), ""),
            "added_told": texts.ADDED.format(added=self.listed(facts["added"])) if facts.get("added") else "",
            "as_configured": texts.AS_CONFIGURED if facts.get("unknown") else "",
            "doubts_told": "; ".join(self._doubt(*doubt) for doubt in facts.get("doubts", ())),
            "block": block_of(report.connector, report.proposed or report.doubtful),
            "anew": anew.format(stream=report.stream, command=command),
        }

    def _doubt(self, code: str, fields: Sequence[str], things: Sequence[str]) -> str:
        names: dict[str, str] = getattr(self.texts, "THINGS", {})
        told: str = self.texts.DOUBTS[code].format(
            fields=self.listed(fields), things=self.listed(names.get(thing, thing) for thing in things)
        )
        return told

    def _about(self, finding: Finding, report: ConnectorReport) -> dict[str, str]:
        facts, texts = finding.facts, self.texts
        told: dict[str, str] = {}
        if finding.code.startswith("stamp_"):
            days, created = facts.get("days"), facts.get("created")
            told["days_told"] = f" {self.listed(days)}?" if days else ""
            told["created"] = created if isinstance(created, str) else ""
            told["dummy_told"] = texts.DUMMIES[bool(facts.get("known"))]
            if further := facts.get("further"):
                read_by = texts.READ_BY[bool(facts.get("used"))]
                told["read_by"] = read_by.format(chosen=finding.fields[0], further=self.listed(further))
        elif finding.code == "name_too_long":
            told["named"] = facts.get("stream") or self.listed(finding.fields)
        elif finding.code == "unfit_value":
            told["kind_told"] = texts.KINDS[facts["kind"]]
            told["types"] = block_of(report.connector, {"types": dict.fromkeys(finding.fields, "string")})
        elif finding.code == "personal_data":
            told["sorts_told"] = ", ".join(f"{field} ({texts.SORTS[sort]})" for field, sort in facts["sorts"].items())
            told["maps"] = _json({"stream_maps": {report.stream: facts["masks"]}})
        elif finding.code == "slow":
            told["seconds"] = self.decimal(facts["seconds"])
        elif finding.code == "large_values":
            told |= {f"{name}_kb": self.number(facts[name] / 1024) for name in ("average", "largest")}
            told["total_mb"] = self.number(facts["total"] / 1024 / 1024)
        return told


def block_of(connector: str, proposed: dict[str, Any]) -> str:
    """The block to paste for one connector."""
    return _json({"streams": {connector: proposed}})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def to_json(report: Report, language: Language) -> dict[str, Any]:
    """The report for other tools: a contract, to which more may be added and of which nothing is taken away."""
    wording = Wording(language)
    return {
        "environment": report.environment,
        "read_at": report.read_at,
        "connectors": [
            {
                "connector": one.connector,
                "stream": one.stream,
                "description": one.description,
                "fields": one.fields,
                "sync": one.sync,
                "replication_key": one.replication_key,
                "key": list(one.key),
                "key_source": one.key_source,
                "rows_read": one.rows_read,
                "complete": one.complete,
                "problems": [
                    {
                        "code": problem.code,
                        "severity": problem.severity,
                        "fields": list(problem.fields),
                        "message": problem.message,
                        "fix": problem.fix,
                    }
                    for problem in wording.problems(one)
                ],
            }
            for one in report.connectors
        ],
        "streams": report.streams,
    }
