"""The REST services of Profit, as far as they concern GetConnectors."""

from __future__ import annotations

import dataclasses
import json
import random
import threading
from typing import TYPE_CHECKING, Any

from afas_sandbox import answers, metainfo
from afas_sandbox.access import Access
from afas_sandbox.exchange import Answer, Asked, Request
from afas_sandbox.faults import Fault, FaultPlan
from afas_sandbox.query import Query, parse
from afas_sandbox.reading import Reading
from afas_sandbox.refusals import NAMED, Language, Refusal, RefusedError, language_of, write
from afas_sandbox.selection import DatabaseHabits, Selection, select
from afas_sandbox.sides import Sides
from afas_sandbox.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from afas_sandbox.clock import Clock
    from afas_sandbox.model import Connector
    from afas_sandbox.options import Options
    from afas_sandbox.store import Store

_JSON = {"Content-Type": "application/json; charset=utf-8"}


class Services:
    """The REST services of one environment.

    Attributes:
        options: How it behaves.
        faults: What goes wrong.
        traffic: The log.
        access: The door.
        before_request: Called before each query on rows, with the request.
        within_request: Called between the pieces of a page, likewise.
        meanwhile: Called before each query on rows too, with the connector asked: what others do.
    """

    def __init__(
        self, store: Store, options: Options, clock: Clock, seed: int, pause: Callable[[float], object]
    ) -> None:
        self._store = store
        self.options = options
        self._clock = clock
        self._seed = seed
        self._pause = pause
        self._chance = random.Random(seed)
        self._first_pages: dict[str, Answer] = {}
        self._lock = threading.Lock()
        self.faults = FaultPlan([], seed)
        self.traffic = Traffic(options.log_length, clock)
        self.access = Access(options)
        self.before_request: Callable[[Request], object] | None = None
        self.within_request: Callable[[Request], object] | None = None
        self.meanwhile: Callable[[str | None], object] | None = None

    def plan(self, faults: Iterable[Fault | Mapping[str, Any]]) -> None:
        """Set what goes wrong from now on."""
        self.faults = FaultPlan(faults, self._seed)
        self._first_pages.clear()

    def answer(self, asked: Asked) -> Answer:
        """Answer a request below `/ProfitRestServices`."""
        with self.traffic.under_way(asked) as request:
            struck = self.faults.strike(request)
            request.fault = bool(struck)
            language = language_of(asked.headers.get("accept-language"), self.options.language)
            try:
                answer = self._crowded(request) or self._disturbed(asked, request, struck, language)
            except RefusedError as error:
                answer = self._refuse(error.refusal, language, error.subject)
            for fault in struck:
                answer.headers |= fault.headers
                if fault.cut is not None:
                    answer.sent = fault.cut
            answer.headers["X-Trace-Identifier"] = request.trace
            request.status = 0 if answer.reset else answer.status
            request.rows = answer.rows
            request.size = len(answer.body) if isinstance(answer.body, bytes) else 0
            return answer

    def _refuse(self, refusal: Refusal, language: Language, subject: str = "") -> Answer:
        return write(refusal, language=language, subject=subject, content_type_lies=self.options.content_type_lies)

    def _crowded(self, request: Request) -> Answer | None:
        options = self.options
        all_full = options.max_parallel is not None and request.in_flight > options.max_parallel
        most = options.max_parallel_connector
        if all_full or (most is not None and request.in_flight_connector > most):
            return Answer(reset=True) if options.over_parallel == "reset" else self._refuse(NAMED["unavailable"], "en")
        return None

    def _disturbed(self, asked: Asked, request: Request, struck: list[Fault], language: Language) -> Answer:
        self._pause(sum(fault.delay for fault in struck))
        for fault in struck:
            if fault.expire_bearers:
                self.access.expire_bearers()
            if answer := self._broken(fault, language):
                return answer
        if any(fault.same_page for fault in struck) and request.kind == "rows":
            with self._lock:
                first = self._first_pages.get(asked.path)
                if first is None:
                    first = self._first_pages[asked.path] = self._served(asked, request, struck, language)
            return dataclasses.replace(first, headers=dict(first.headers))
        return self._served(asked, request, struck, language)

    def _broken(self, fault: Fault, language: Language) -> Answer | None:
        """The answer of a fault that leaves nothing of the real one."""
        if fault.reset:
            return Answer(reset=True)
        if fault.garbage is not None:
            return Answer(200, random.Random(self._seed).randbytes(fault.garbage), dict(_JSON))
        if fault.redirect is not None:
            return Answer(fault.status or 302, b"", {"Location": fault.redirect})
        if fault.refuse is not None:
            refusal = NAMED[fault.refuse]
            changes = {"status": fault.status, "shape": fault.shape, "retry_after": fault.retry_after}
            given = {name: value for name, value in changes.items() if value is not None}
            return self._refuse(dataclasses.replace(refusal, **given), fault.language or language, "X")  # type: ignore[arg-type] # each value has its field's type
        if fault.body is not None or fault.status is not None:
            return Answer(fault.status or 200, (fault.body or "").encode())
        return None

    def _served(self, asked: Asked, request: Request, struck: list[Fault], language: Language) -> Answer:
        if asked.query_length > self.options.max_query:
            raise RefusedError("not_found")
        if request.kind == "token":
            return self.access.give_bearer(asked)
        if request.kind == "other":
            raise RefusedError("not_found")
        if asked.method != "GET":
            raise RefusedError("method_not_allowed")
        if refused := self.access.check(asked):
            return refused
        match request.kind:
            case "version":
                if not self.options.version:
                    raise RefusedError("not_found")
                return Answer(200, json.dumps({"version": self.options.version}).encode(), dict(_JSON))
            case "metainfo" if request.connector is None:
                listed = self._store.connectors.values()
                return Answer(200, metainfo.environment(listed, self.options, language), dict(_JSON))
            case "metainfo":
                fields = metainfo.connector_fields(self._connector(request.connector), language)
                return Answer(200, fields, dict(_JSON))
            case _:
                return self._rows(request, struck)

    def _connector(self, connector_id: str | None) -> Connector:
        connector = self._store.connectors.get(connector_id or "")
        if connector is None:
            raise RefusedError("not_authorized" if self.options.unknown_connector == 500 else "unauthorized")  # noqa: PLR2004 - a plain HTTP status
        return connector

    def _rows(self, request: Request, struck: list[Fault]) -> Answer:
        if self.before_request is not None:
            self.before_request(request)
        if self.meanwhile is not None:
            self.meanwhile(request.connector)
        connector = self._connector(request.connector)
        options = self.options
        if connector.id in options.blocked:
            raise RefusedError("blocked")
        query = parse(connector, request.parameters)
        limit = _least(query.limit, options.take_cap, *(fault.cap_take for fault in struck))
        most = None if options.max_cells is None else options.max_cells // max(len(connector.fields), 1)
        rows = self._find(connector, query, request, struck, _least(limit, None if most is None else most + 1))
        if most is not None and len(rows) > most:
            raise RefusedError("out_of_memory")
        body = answers.page(rows, query.skip, query.take, old_json=options.old_json)
        if len(body) > options.max_bytes:
            raise RefusedError("too_large")
        self._pause(
            options.seconds_per_call
            + options.seconds_per_row * len(rows)
            + options.seconds_per_skipped_row * query.offset
        )
        return Answer(200, body, dict(_JSON), rows=len(rows), skipped=query.offset)

    def _find(
        self, connector: Connector, query: Query, request: Request, struck: list[Fault], limit: int | None
    ) -> list[str]:
        options = self.options
        if any(fault.ignore_filter for fault in struck):
            query = dataclasses.replace(query, groups=())
        orders = {fault.order for fault in struck}
        if "reverse" in orders:
            turned = tuple(dataclasses.replace(order, descending=not order.descending) for order in query.order)
            query = dataclasses.replace(query, order=turned)
        if "random" in orders:
            query = dataclasses.replace(query, order=())
        writing = answers.Writing(
            old_json=options.old_json,
            replaced={name: text for fault in struck for name, text in fault.replace.items()},
            dropped=[name for fault in struck for name in fault.drop],
            added={name: value for fault in struck for name, value in fault.add.items()},
        )
        habits = DatabaseHabits(options.wildcards, options.shuffle or "random" in orders, options.shuffle_ties)
        sides, selection = self._select(connector, query, habits)
        selection = dataclasses.replace(selection, limit=limit)
        reading = Reading(self._store, sides.kept, answers.row_expression(sides, writing))
        hook = self.within_request
        if hook is None:
            return reading.at_once(selection)
        return reading.in_pieces(selection, options.pieces, lambda: hook(request))

    def _select(self, connector: Connector, query: Query, habits: DatabaseHabits) -> tuple[Sides, Selection]:
        own = parse(connector, self.options.own_filters.get(connector.id, {}))
        with self._store.lock:
            if self._store.connectors.get(connector.id) is not connector:
                raise RefusedError("unexpected")
            sides = Sides(self._store.stored_table(connector.id), self.options)
        return sides, select(sides.read(query, self._clock()).within(own), sides, habits, self._chance)

    def numbers(self, connector_id: str, parameters: Mapping[str, str]) -> list[int]:
        """The numbers of the rows that a request with these parameters finds when nothing goes wrong.

        Raises:
            KeyError: There is no such connector.
            RefusedError: AFAS would refuse them.
        """
        connector = self._store.stored_table(connector_id).connector
        _, selection = self._select(connector, parse(connector, parameters), DatabaseHabits())
        return self._store.page(connector_id, "n", selection)


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
