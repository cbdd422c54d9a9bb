"""What one writes in an afternoon: requests and json, pages by skip, one connector after the other."""

from __future__ import annotations

import json
import sys

import requests


def main(base_url: str, take: int, connectors: list[str]) -> None:
    """Read the connectors one after another."""
    session = requests.Session()
    for connector in connectors:
        skip = 0
        while True:
            params: dict[str, str | int] = {"skip": skip, "take": take, "orderbyfieldids": "EntryNo"}
            rows = session.get(f"{base_url}/connectors/{connector}", params=params, timeout=900).json()["rows"]
            for row in rows:
                sys.stdout.write(json.dumps({"type": "RECORD", "stream": connector, "record": row}) + "\n")
            skip += take
            if len(rows) < take:
                break


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
