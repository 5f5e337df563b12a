"""A probe of an application that is served for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.survey.http.probing import probe
from partywall.survey.http.settings import ApiSettings, Credentials
from tests.probe.corpus.walls import KEYS
from tests.probe.serving import serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.survey.http.report import HttpReport


def probed(app: Callable[..., Any], /, **options: Any) -> HttpReport:  # noqa: ANN401 - fields of ApiSettings
    """What a probe of *app* says, for two tenants that show their tokens."""
    tenants = tuple(
        Credentials(name, {"Authorization": f"Bearer {KEYS[name]}"}) for name in ("acme", "globex")
    )
    with serving(app) as port:
        base = f"http://127.0.0.1:{port}"
        told = {"openapi": f"{base}/openapi.json", **options}
        return probe(ApiSettings(base=base, tenants=tenants, seed=5, **told))


def found(report: HttpReport) -> set[tuple[str, str, str]]:
    """Attack, operation and effect of each finding."""
    return {(one.name, one.at, one.effect) for one in report.findings}
