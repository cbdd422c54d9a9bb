"""The command `tap-afas-explore`; imports nothing of the extra `explore`, which may not be installed."""

from __future__ import annotations

import importlib.util
import sys

_OF_THE_EXTRA = ("jinja2", "rich", "ruamel.yaml")
_INPUTS = 78


def main() -> None:
    """The command `tap-afas-explore`."""
    if not all(map(_is_there, _OF_THE_EXTRA)):
        print(  # noqa: T201 - there is no log yet
            "tap-afas-explore needs the extra `explore`: `pip install 'tap-afas[explore]'`, or with Meltano"
            " `pip_url: tap-afas[explore]` and `meltano install`.",
            file=sys.stderr,
        )
        sys.exit(_INPUTS)
    from tap_afas.explore.cli import run  # noqa: PLC0415 - only now is it known that it can be loaded

    sys.exit(run())


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
