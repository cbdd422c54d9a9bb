"""How the database reads a page: at one moment, or in pieces between which rows may change."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from afas_sandbox.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from afas_sandbox.selection import Selection
    from afas_sandbox.store import Store
    from afas_sandbox.stored_table import StoredTable


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """One page being read.

    Attributes:
        store: The rows.
        kept: Where those of the connector are.
        expression: The SQL to write a row.
    """

    store: Store
    kept: StoredTable
    expression: str

    def at_once(self, selection: Selection) -> list[str]:
        """The rows as they are now.

        Raises:
            RefusedError: The connector has got another definition meanwhile.
        """
        return [text for (text,) in self._find(selection, self.expression)]

    def in_pieces(self, selection: Selection, pieces: int, between: Callable[[], object]) -> list[str]:
        """The rows as a long query finds them where others may write (SQL Server's READ COMMITTED).

        It goes through the rows in the order asked. What changes ahead of it is seen, what changes behind it isn't:
        a row that moves ahead comes twice, one that moves behind not at all.

        Args:
            selection: Which rows.
            pieces: In how many pieces they are read, as many rows in each.
            between: Called between two pieces, with nothing held.

        Raises:
            RefusedError: The connector has got another definition meanwhile.
        """
        texts: list[str] = []
        size = -(-len(self._find(selection, "n")) // pieces)
        for _ in range(pieces - 1):
            piece = dataclasses.replace(
                selection, limit=size if selection.limit is None else min(size, selection.limit)
            )
            if found := self._find(piece, self.expression, *(sql for sql, _ in selection.order)):
                texts += [text for text, *_ in found]
                selection = selection.behind(found[-1][1:], len(found))
            between()
        return texts + self.at_once(selection)

    def _find(self, selection: Selection, *expressions: str) -> list[tuple[Any, ...]]:
        connector = self.kept.connector
        with self.store.lock:
            if self.store.connectors.get(connector.id) is not connector:
                raise RefusedError("unexpected")
            return self.store.find_all(connector.id, expressions, selection)
