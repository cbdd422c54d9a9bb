"""An Airbyte declarative source, from a Python dict, run by its own entry point."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from airbyte_cdk.entrypoint import launch  # type: ignore[import-not-found]
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer  # type: ignore[import-not-found]
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (  # type: ignore[import-not-found]
    ConcurrentDeclarativeSource,
)


def manifest(base_url: str, take: int, connectors: list[str], schema: dict[str, Any]) -> dict[str, Any]:
    """The source, as the connector builder would write it."""
    pages = {
        "type": "DefaultPaginator",
        "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "skip"},
        "page_size_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "take"},
        "pagination_strategy": {"type": "OffsetIncrement", "page_size": take},
    }
    streams = [
        {
            "type": "DeclarativeStream",
            "name": connector,
            "primary_key": ["EntryNo"],
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {
                    "type": "HttpRequester",
                    "url_base": f"{base_url}/connectors/",
                    "path": connector,
                    "http_method": "GET",
                    "request_parameters": {"orderbyfieldids": "EntryNo"},
                },
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": ["rows"]},
                },
                "paginator": pages,
            },
            "schema_loader": {"type": "InlineSchemaLoader", "schema": schema},
        }
        for connector in connectors
    ]
    return {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": connectors[:1]},
        "streams": streams,
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
    }


def catalog(connectors: list[str], schema: dict[str, Any]) -> dict[str, Any]:
    """The configured catalog: every stream, in full."""
    return {
        "streams": [
            {
                "stream": {"name": name, "json_schema": schema, "supported_sync_modes": ["full_refresh"]},
                "sync_mode": "full_refresh",
                "destination_sync_mode": "overwrite",
            }
            for name in connectors
        ]
    }


def main(config: dict[str, Any]) -> None:
    """Read the connectors."""
    connectors, schema = config["connectors"], config["schema"]
    with tempfile.TemporaryDirectory() as folder:
        settings, configured = Path(folder, "config.json"), Path(folder, "catalog.json")
        settings.write_text("{}")
        configured.write_text(json.dumps(catalog(connectors, schema)))
        source = ConcurrentDeclarativeSource(
            catalog=ConfiguredAirbyteCatalogSerializer.load(catalog(connectors, schema)),
            config={},
            source_config=manifest(config["base_url"], config["take"], connectors, schema),
        )
        launch(source, ["read", "--config", str(settings), "--catalog", str(configured)])


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
