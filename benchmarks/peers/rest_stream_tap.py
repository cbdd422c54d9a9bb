"""A tap for AFAS as the SDK's template makes it: RESTStream, its defaults, pages by offset."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream, Tap
from singer_sdk.pagination import BaseOffsetPaginator
from singer_sdk.streams import RESTStream

if TYPE_CHECKING:
    from collections.abc import Sequence


class ConnectorStream(RESTStream[int]):
    """A GetConnector."""

    records_jsonpath = "$.rows[*]"

    @property
    def url_base(self) -> str:
        """From the settings."""
        return f"{self.config['base_url']}/connectors"

    def get_new_paginator(self) -> BaseOffsetPaginator:
        """By offset, until a page is empty."""
        return BaseOffsetPaginator(start_value=0, page_size=self.config["take"])

    def get_url_params(self, context: Any, next_page_token: int | None) -> dict[str, Any]:
        """The page, and its order."""
        return {"skip": next_page_token or 0, "take": self.config["take"], "orderbyfieldids": "EntryNo"}


class RestStreamTap(Tap):
    """The tap."""

    name = "tap-rest-stream"
    config_jsonschema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {}}

    def discover_streams(self) -> Sequence[Stream]:
        """The connectors that the settings name."""
        streams = []
        for connector in self.config["connectors"]:
            stream = ConnectorStream(self, name=connector, schema=self.config["schema"], path=f"/{connector}")
            stream.primary_keys = ["EntryNo"]
            streams.append(stream)
        return streams


if __name__ == "__main__":
    RestStreamTap(config=json.loads(Path(sys.argv[1]).read_text())).sync_all()
