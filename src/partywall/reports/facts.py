"""What the report's forms share: versions, the model in a sentence, surfaces counted by layer."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from partywall import __version__
from partywall.model import Isolation
from partywall.reports.style import listed
from partywall.survey.engine import WORST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.model import TenancyModel
    from partywall.survey.verdict import Report, State


def versions(report: Report) -> dict[str, str]:
    """Versions as people write them: PostgreSQL's number 150020 is 15.20."""
    server = report.versions.get("postgresql", "")
    return {**report.versions, "partywall": __version__, "postgresql": readable(server)}


def readable(version: str) -> str:
    """`server_version_num` as a version; what is one already stays as it is."""
    return f"{int(version) // 10000}.{int(version) % 10000}" if version.isdigit() else version


def sentence(model: TenancyModel) -> str:
    """How the walls are built and what carries the tenant, in a few words."""
    carriers = [f"the setting {listed(model.settings)}"] if model.settings else []
    carriers += ["the role"] if model.carried_by_role else []
    carriers += ["the search_path"] if model.carried_by_path else []
    if model.isolation is Isolation.NONE:
        return f"{model.isolation.value}: isolation rests on application code alone"
    carried = f"; the tenant is carried by {listed(carriers)}" if carriers else ""
    return f"{model.isolation.value}{carried}"


def coverage(report: Report) -> Mapping[str, Mapping[str, int]]:
    """Surfaces by layer and by the worst that was seen on each."""
    worst: dict[str, State] = {}
    for (at, _), state in report.cells.items():
        worst[at] = max(worst.get(at, state), state, key=WORST.index)
    layers: dict[str, Counter[State]] = defaultdict(Counter)
    for at, state in worst.items():
        layers[report.layers.get(at, "sql")][state] += 1
    return {
        layer: {"attacked": counts.total()} | {state: counts[state] for state in reversed(WORST)}
        for layer, counts in sorted(layers.items())
    }
