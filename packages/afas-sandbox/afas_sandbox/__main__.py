"""The command `afas-sandbox`: a Dutch trading company's environment on this machine, to try the tap on."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from afas_sandbox.clock import amsterdam
from afas_sandbox.data import dataset
from afas_sandbox.environment import Sandbox
from afas_sandbox.options import Options

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox until Ctrl-C."""
    asked = _parser().parse_args(arguments)
    company = dataset(scale=asked.scale, seed=asked.seed, now=amsterdam())
    options = {"language": asked.language, "display": asked.display, "seconds_per_call": asked.delay}
    options |= ({"token": asked.token} if asked.token else {}) | dict(asked.option)
    try:
        sandbox = Sandbox(
            company,
            host=asked.host,
            port=asked.port,
            seed=asked.seed,
            changes_per_minute=asked.changes_per_minute,
            **options,
        )
    except ValueError as error:
        print(f"An option that makes no sense: {error}", file=sys.stderr)  # noqa: T201 - a command speaks
        return 1
    except OSError as error:
        print(f"Can't listen on {asked.host}:{asked.port}: {error.strerror or error}", file=sys.stderr)  # noqa: T201 - a command speaks
        return 1
    with sandbox:
        try:
            _tell(sandbox)
            while True:
                # Windows doesn't break off a wait without end.
                time.sleep(1)
        except KeyboardInterrupt:
            return 0


def _tell(sandbox: Sandbox) -> None:
    rows = sum(sandbox.count(connector_id) for connector_id in sandbox.connectors)
    config = {"base_url": sandbox.base_url, "token": sandbox.token}
    lines = [
        f"AFAS Profit sandbox: {len(sandbox.connectors)} GetConnectors, {rows:,} rows. Ctrl-C ends it.",
        f"  address        {sandbox.base_url}",
        f"  token          {sandbox.token}",
        f"  client id      {sandbox.client_id}",
        f"  client secret  {sandbox.client_secret}",
        "Settings for tap-afas:",
        json.dumps(config),
    ]
    print("\n".join(lines), flush=True)  # noqa: T201 - a command speaks


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="afas-sandbox", description="A stand-in AFAS Profit environment.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port; 0 for any that is free (default: %(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="size; 1 is about 90,000 rows (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another number, other data (default: %(default)s)")
    parser.add_argument(
        "--changes-per-minute", type=float, default=0.0, metavar="N", help="rows that change by themselves (default: 0)"
    )
    parser.add_argument("--token", help="data part of the token (default: made up)")
    parser.add_argument("--language", choices=["nl", "en"], default="nl", help="the environment's (default: nl)")
    parser.add_argument(
        "--display", choices=["rounded", "cut", "exact"], default="rounded", help="of milliseconds (default: rounded)"
    )
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="for each call (default: 0)")
    parser.add_argument(
        "--option",
        type=_option,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="""any other option of afas_sandbox.Options, its value in JSON or a plain text; may be repeated:
            --option stamp_unit=minute --option 'padded={"ItemCode": 10}'""",
    )
    return parser


def _option(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    if name not in {field.name for field in dataclasses.fields(Options)}:
        raise argparse.ArgumentTypeError(f"the sandbox has no option {name!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        if value.startswith(("{", "[")):
            raise argparse.ArgumentTypeError(f"{name} is not JSON: {value}") from None
        return name, value


if __name__ == "__main__":
    sys.exit(main())
