"""What may go wrong, and when: a plan that tests and people can set while the environment runs."""

from __future__ import annotations

import dataclasses
import fnmatch
import random
import threading
from typing import TYPE_CHECKING, Any, Literal

from afas_sandbox.refusals import NAMED, Language, Shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from afas_sandbox.exchange import Request


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong.

    The first five attributes say when, the others what; several may go wrong at once.

    Attributes:
        path: Glob pattern on the path; case doesn't count.
        connector: Glob pattern on the connector id; its metainfo counts too, unless `kind` says otherwise.
        kind: Only requests of this kind: `rows`, `metainfo`, `token` or `version`.
        nth: Which of the requests that match, 1 for the first; several, or any.
        probability: Chance at each.
        times: After so many times it is over.
        refuse: Name of a refusal.
        shape: How the body of the refusal is written.
        language: In which language, whatever was asked.
        retry_after: Seconds to wait, for a refusal.
        status: Status instead of the refusal's, or of an answer of its own.
        body: Body of an answer of its own.
        headers: Its headers; or more headers on whatever the answer is.
        delay: Seconds before anything is done.
        reset: The connection is reset, with nothing sent.
        cut: The part of the body that is sent before the connection breaks.
        garbage: So many bytes of nonsense with status 200.
        redirect: Another address to go to.
        order: Rows come in the opposite or in a random order, whatever was asked.
        ignore_filter: Rows come as if there were no filter.
        same_page: Every page is the first that was asked.
        cap_take: No more rows than this.
        expire_bearers: All bearer tokens given out so far end.
        replace: Fields whose every value becomes a text, such as `(vervangen)`.
        drop: Fields left out of the rows.
        add: Fields that the definition doesn't know, with their value.
    """

    path: str = "*"
    connector: str | None = None
    kind: Literal["rows", "metainfo", "token", "version", "other"] | None = None
    nth: int | tuple[int, ...] | None = None
    probability: float = 1.0
    times: int | None = None

    refuse: str | None = None
    shape: Shape | None = None
    language: Language | None = None
    retry_after: int | None = None
    status: int | None = None
    body: str | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    delay: float = 0.0
    reset: bool = False
    cut: float | None = None
    garbage: int | None = None
    redirect: str | None = None
    order: Literal["reverse", "random"] | None = None
    ignore_filter: bool = False
    same_page: bool = False
    cap_take: int | None = None
    expire_bearers: bool = False
    replace: Mapping[str, str] = dataclasses.field(default_factory=dict)
    drop: tuple[str, ...] = ()
    add: Mapping[str, object] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.refuse is not None and self.refuse not in NAMED:
            raise ValueError(f"no refusal is called {self.refuse!r}; there are: {', '.join(NAMED)}")

    def concerns(self, request: Request) -> bool:
        """Whether path, connector and kind of a request match."""
        return (
            fnmatch.fnmatchcase(request.path.lower(), self.path.lower())
            and self.kind in {None, request.kind}
            and (self.connector is None or fnmatch.fnmatchcase(request.connector or "", self.connector))
        )

    @classmethod
    def of(cls, plan: Fault | Mapping[str, Any]) -> Fault:
        """A fault from JSON: flat, or with `match` and `do`; a `do` may be the name of a refusal or of a switch.

        Raises:
            ValueError: It isn't a fault.
        """
        if isinstance(plan, Fault):
            return plan
        flat: dict[str, Any] = {name: value for name, value in plan.items() if name not in {"match", "do"}}
        flat |= plan.get("match") or {}
        do = plan.get("do") or {}
        if isinstance(do, str):
            do = {"refuse": do} if do in NAMED else {do: True}
        flat |= do
        for name in ("nth", "drop"):
            if isinstance(flat.get(name), list):
                flat[name] = tuple(flat[name])
        try:
            return cls(**flat)
        except TypeError as error:
            raise ValueError(f"not a fault: {error}") from None


class FaultPlan:
    """The faults in force, and how often each had its chance."""

    def __init__(self, faults: Iterable[Fault | Mapping[str, Any]], seed: int) -> None:
        self.faults = [Fault.of(fault) for fault in faults]
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._seen = [0] * len(self.faults)
        self._fired = [0] * len(self.faults)

    def strike(self, request: Request) -> list[Fault]:
        """The faults that are at work on a request."""
        with self._lock:
            return [fault for number, fault in enumerate(self.faults) if self._strikes(number, fault, request)]

    def _strikes(self, number: int, fault: Fault, request: Request) -> bool:
        if not fault.concerns(request):
            return False
        self._seen[number] += 1
        nth = (fault.nth,) if isinstance(fault.nth, int) else fault.nth
        its_turn = nth is None or self._seen[number] in nth
        over = fault.times is not None and self._fired[number] >= fault.times
        if not its_turn or over or (fault.probability < 1 and self._chance.random() >= fault.probability):
            return False
        self._fired[number] += 1
        return True
