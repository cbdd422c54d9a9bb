"""dlt's `rest_api` source: each row iterated over (`iterate`), or loaded into jsonl files (`jsonl`)."""

from __future__ import annotations

import sys
import tempfile
from typing import TYPE_CHECKING

import dlt  # type: ignore[import-not-found]
from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from dlt.sources.rest_api.typing import RESTAPIConfig  # type: ignore[import-not-found]


def main(what: str, base_url: str, take: int, connectors: list[str]) -> None:
    """Read the connectors."""
    config: RESTAPIConfig = {
        "client": {
            "base_url": f"{base_url}/connectors/",
            "paginator": {
                "type": "offset",
                "limit": take,
                "offset_param": "skip",
                "limit_param": "take",
                "total_path": None,
                "stop_after_empty_page": True,
            },
        },
        "resources": [
            {
                "name": connector,
                "primary_key": "EntryNo",
                "endpoint": {"path": connector, "params": {"orderbyfieldids": "EntryNo"}, "data_selector": "rows"},
            }
            for connector in connectors
        ],
    }
    source = rest_api_source(config)
    if what == "iterate":
        rows = sum(1 for _ in source)
        print(rows, file=sys.stderr)  # noqa: T201 - so that iterating has a use
        return
    with tempfile.TemporaryDirectory() as folder:
        destination = dlt.destinations.filesystem(bucket_url=f"{folder}/out")
        pipeline = dlt.pipeline("bench", destination=destination, dataset_name="afas", pipelines_dir=f"{folder}/dlt")
        pipeline.run(source, loader_file_format="jsonl")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:])
