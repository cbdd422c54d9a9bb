"""How deep the property tests go: HYPOTHESIS_PROFILE=deep takes ten times the examples, and shallow a tenth."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

_SHRINK = os.environ.get("NO_SHRINK") is None
_PROFILE = os.environ.get("HYPOTHESIS_PROFILE")
_DEEP = _PROFILE == "deep"
_TIMES = {"deep": 10, "shallow": 0.1}.get(_PROFILE or "", 1)


def depth(examples: int) -> settings:
    """The settings of a property test that takes so many examples at CI depth."""
    return settings(
        max_examples=max(round(examples * _TIMES), 3),
        deadline=None,
        derandomize=not _DEEP,
        print_blob=True,
        database=None,
        phases=[phase for phase in Phase if phase is not Phase.explain and (phase is not Phase.shrink or _SHRINK)],
        # An example is a run of the tap against a server: slow, and each loads the shared server anew.
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
    )
