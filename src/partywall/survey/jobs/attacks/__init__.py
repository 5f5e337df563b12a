"""Ways to get at another tenant's jobs: one file each."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from partywall.survey.trying import attacks_in

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from partywall.survey.trying import Attack

TABLES = frozenset({"jobs-of-another", "jobs-changed", "jobs-removed", "jobs-forged"})
QUEUES = frozenset({"queue-of-another"})
EXECUTIONS = frozenset({"execution-of-another"})
THROUGH = frozenset({"job-by-id", "left-in-worker"})


@cache
def every_attack() -> Sequence[Attack[Any, Any]]:
    """All attacks on jobs, by code."""
    return attacks_in(__name__, __path__)


def named(names: Collection[str]) -> Sequence[Attack[Any, Any]]:
    """Those of these names."""
    return [one for one in every_attack() if one.name in names]
