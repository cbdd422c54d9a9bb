"""A stand-in AFAS Profit environment: a real HTTP server with rows that live.

```python
with Sandbox(dataset(scale=0.1, now=amsterdam())) as sandbox:
    requests.get(f"{sandbox.base_url}/connectors/Profit_Debtor", ...)
```

It is built on what AFAS documents and what others have seen, and imports nothing of the tap.

Its oddities are options, all off at first (see `Options`): what it stores may differ from what it shows, and its
clocks from each other; a page may be shorter than asked, or read while rows change (`within_request`). `purge`,
`snapshot`, `restore` and `update(..., stamp=KEEP)` do to the rows what users, backups and imports do.
"""

from __future__ import annotations

from afas_sandbox.changes import KEEP, Change
from afas_sandbox.clock import Clock, amsterdam, stored, to_utc
from afas_sandbox.editing import Snapshot
from afas_sandbox.environment import Sandbox
from afas_sandbox.exchange import Request
from afas_sandbox.faults import Fault
from afas_sandbox.model import (
    Cell,
    ChangedDays,
    Connector,
    Dataset,
    DataType,
    DeletedRows,
    Field,
    Joined,
    Row,
    Table,
)
from afas_sandbox.options import Options

__all__ = [
    "KEEP",
    "Cell",
    "Change",
    "ChangedDays",
    "Clock",
    "Connector",
    "DataType",
    "Dataset",
    "DeletedRows",
    "Fault",
    "Field",
    "Joined",
    "Options",
    "Request",
    "Row",
    "Sandbox",
    "Snapshot",
    "Table",
    "amsterdam",
    "stored",
    "to_utc",
]
