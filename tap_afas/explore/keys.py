"""What there is to say of a connector's key: the one in force, held against the rows, or one that was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_afas.explore.findings import Finding
from tap_afas.profit.key_proof import KeyProof
from tap_afas.profit.key_search import varying

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_afas.explore.findings import KeySource, Severity
    from tap_afas.profit.key_finder import KeyVerdict
    from tap_afas.profit.page import Page

_MOST_VARYING = 8


class Rows(msgspec.Struct, frozen=True):
    """In how many rows something was seen, and whether those are all."""

    number: int
    complete: bool

    @property
    def facts(self) -> dict[str, Any]:
        """For sentences."""
        return {"rows": self.number, "complete": self.complete}


def refuted_key(page: Page, key: tuple[str, ...], source: KeySource | None, fields: Iterable[str]) -> list[Finding]:
    """A key in force that repeats or is empty in a page; in how many rows, `in_rows` adds.

    Args:
        page: The page.
        key: The key.
        source: Where the key is from.
        fields: The fields of the page.
    """
    proof = KeyProof(key)
    proof.add(page)
    differing = varying(page, key, fields) if proof.repeated else ()
    found = []
    facts: dict[str, Any] = {"source": source}
    if proof.repeated is not None:
        found.append(
            Finding(
                code="key_repeats",
                severity="error",
                fields=proof.fields,
                facts={**facts, "varying": differing[:_MOST_VARYING]},
                values=shown(proof.repeated),
            )
        )
    if proof.empty is not None:
        empty = [field for field, value in proof.empty.items() if value is None]
        found.append(
            Finding(
                code="key_empty",
                severity="error",
                fields=tuple(empty),
                facts={**facts, "key": proof.fields},
                values=shown(proof.empty),
            )
        )
    return found


def in_rows(findings: Iterable[Finding], rows: Rows) -> list[Finding]:
    """Findings with how many rows were read in the end."""
    return [msgspec.structs.replace(found, facts={**found.facts, **rows.facts}) for found in findings]


def proposed_key(verdict: KeyVerdict, rows: Rows, *, has_stamp: bool, extended: bool = False) -> list[Finding]:
    """A key that was found, or why none was.

    Args:
        verdict: What the search found.
        rows: In how many rows.
        has_stamp: Whether the connector has a stamp, by which it could be read if it had a key.
        extended: Whether there is a key in force, which the rows refute.
    """
    severity: Severity = "warning" if has_stamp and not extended else "note"
    if verdict.key:
        doubts = tuple((doubt.code, doubt.fields, doubt.things) for doubt in verdict.doubts)
        facts = {**rows.facts, "nature": verdict.nature, "has_stamp": has_stamp, "unknown": not extended}
        if added := tuple(field for field in verdict.key if field not in verdict.needed):
            facts["added"] = added
        if doubts:
            return [
                Finding(code="key_doubtful", severity=severity, fields=verdict.key, facts={**facts, "doubts": doubts})
            ]
        return [Finding(code="key_found", severity=severity, fields=verdict.key, facts=facts)]
    found = [
        Finding(
            code="key_unknown",
            severity=severity,
            fields=verdict.near,
            facts={**rows.facts, "why": verdict.why, "has_stamp": has_stamp},
        )
    ]
    if verdict.why == "equal rows":
        found.append(Finding(code="rows_equal", severity="warning", facts=rows.facts))
    if not extended:
        found.extend(
            Finding(
                code="join_repeats",
                severity="note",
                fields=refuted.varying[:_MOST_VARYING],
                facts={**rows.facts, "key": refuted.fields},
                values=shown(refuted.example),
            )
            for refuted in verdict.refuted[-1:]
            if refuted.varying
        )
    return found


def shown(values: Any) -> dict[str, str]:
    """Values of a row as text."""
    return {field: "" if value is None else str(value)[:200] for field, value in values.items()}
