"""Survey every layer that the configuration names, and join what they say.

A further layer is a package of its name beside this module. It has

- ``settings.load(whole) -> Settings | None``, None where the configuration has no table of it;
- ``surveying.survey(settings, watch) -> LayerReport``: the layer by its own addresses;
- and where it can be reached through the application's API too, ``through.survey(settings, drive,
  watch) -> LayerReport``, a coroutine function that drives the API as the tenants.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg

from partywall.errors import ConfigurationError, TargetError, Unavailable, Unreachable
from partywall.survey import configuration, layers
from partywall.survey.acceptance import sort_out
from partywall.survey.layers import FURTHER, LAYERS, LayerReport, WholeReport, unsurveyed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from partywall.survey.configuration import Acceptance
    from partywall.survey.declared import Table
    from partywall.survey.driving.drive import Drive
    from partywall.survey.http.engine import Engine
    from partywall.survey.layers import AnyLayer

    Direct: TypeAlias = Callable[[Any, Any], AnyLayer]
    Through: TypeAlias = Callable[[Any, Drive, layers.Watch], Awaitable[LayerReport]]

Watching: TypeAlias = "Callable[[str], AbstractContextManager[Any]]"
"""What is told of a layer's survey, by the layer's name, as long as a block lasts."""

TENANT_KEYS = configuration.LOGIN_KEYS | configuration.API_KEYS | configuration.LAYER_KEYS
REMAINS = "could not be removed"
UNREACHED = (TargetError, Unreachable, Unavailable, psycopg.OperationalError, ConnectionError)
"""A target that isn't there, or went away: its layer is undecided. What is configured wrongly is an
error of the whole run."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer, ready to be surveyed.

    Attributes:
        direct: surveys it by its own addresses; None for the API, which all drive together.
        through: surveys it through the API; None where there is no such way, or no API.
        exceptions: accepted findings of its surfaces.
    """

    name: str
    settings: Any
    direct: Direct | None = None
    through: Through | None = None
    exceptions: tuple[Acceptance, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be surveyed.

    Attributes:
        api: how the application is reached, where the configuration says it.
        left: sentences on layers that are declared and left out.
    """

    layers: tuple[Layer, ...]
    api: Any = None
    left: tuple[str, ...] = ()


def load(
    path: Path | None = None, *, only: Collection[str] = (), skip: Collection[str] = ()
) -> Plan:
    """Read what is to be surveyed: the layers whose tables stand in the file, all fully read.

    Args:
        path: the file; it is looked for as `partywall.survey.configuration.load` does.
        only: names of layers; all that are declared when empty.
        skip: names of layers that are left out.

    Raises:
        ConfigurationError: no layer is left, one that is asked for isn't declared, or something in
            the tables of those that are surveyed is missing or unknown.
    """
    whole = configuration.known(path)
    for entry in whole.named("tenants").values():
        entry.only(TENANT_KEYS)
    declared = [name for name in LAYERS if name in whole.values]
    if missing := [name for name in LAYERS if name in set(only) - set(declared)]:
        raise ConfigurationError(
            f"--only {missing[0]}: partywall.toml has no table [{missing[0]}] that says where it is"
        )
    chosen = [name for name in declared if name not in skip and (not only or name in only)]
    if not chosen:
        tables = ", ".join(f"[{name}]" for name in LAYERS)
        said = "every layer is left out" if declared else "no layer to survey"
        raise ConfigurationError(f"{said}: partywall.toml says what there is by {tables}")
    drivable = any(_has(name, "through") for name in chosen)
    api = _api(path) if "api" in chosen or ("api" in declared and drivable) else None
    return Plan(
        tuple(_layer(name, whole, path, api) for name in chosen),
        api,
        tuple(f"[{name}] is left out (--only, --skip)" for name in declared if name not in chosen),
    )


def _layer(name: str, whole: Table, path: Path | None, api: Any) -> Layer:  # noqa: ANN401 - ApiSettings, which need an extra
    if name == "database":
        return Layer(name, configuration.load(path), _audited)
    if name == "api":
        return Layer(name, api)
    if not _has(name, "settings"):
        raise ConfigurationError(f"[{name}]: this partywall has no survey of that layer")
    package = f"{__package__}.{name}"
    settings = import_module(f"{package}.settings").load(whole)
    accepted = [a for a in configuration.exceptions(whole) if configuration.layer_of(a.at) == name]
    driven = api is not None and _has(name, "through")
    return Layer(
        name,
        settings,
        import_module(f"{package}.surveying").survey if _has(name, "surveying") else None,
        import_module(f"{package}.through").survey if driven else None,
        tuple(accepted),
    )


def _has(name: str, module: str) -> bool:
    """Whether the package of a further layer is there, and has that module."""
    if name not in FURTHER or find_spec(f"{__package__}.{name}") is None:
        return False
    return find_spec(f"{__package__}.{name}.{module}") is not None


def _api(path: Path | None) -> Any:  # noqa: ANN401 - ApiSettings, which need an extra
    from partywall.survey.http.loading import load as load_api  # noqa: PLC0415 - partywall[probe]

    return load_api(path)


def _audited(settings: Any, watch: Any) -> AnyLayer:  # noqa: ANN401 - of the audit
    from partywall.survey.audit import audit  # noqa: PLC0415 - 0.3 s, where no database is asked for

    return audit(settings, watch=watch)


def survey(plan: Plan, watching: Watching | None = None) -> WholeReport:
    """Survey all layers of *plan*; nothing is left behind, also when it is interrupted.

    Raises:
        ConfigurationError: a layer can't be surveyed as it is declared. One that can't be reached
            is undecided instead.
    """
    began = time.perf_counter()
    watching = watching or (lambda _: nullcontext(None))
    found: dict[str, AnyLayer] = {}
    for one in plan.layers:
        if one.direct is not None:
            found[one.name] = _attempted(one, partial(_directly, one, watching))
    through, stays = _driven(plan, watching)
    for name, report in through.items():
        before = found.get(name)
        if isinstance(before, LayerReport) and isinstance(report, LayerReport):
            report = layers.joined(before, report)  # noqa: PLW2901 - both ways, one layer
        found[name] = report
    unreached = "nothing says how to reach it: neither its own address nor [api] is declared"
    told = {
        one.name: _sorted_out(one, found.get(one.name) or unsurveyed(one.name, unreached))
        for one in plan.layers
    }
    return WholeReport(told, time.perf_counter() - began, (*plan.left, *stays))


def _directly(one: Layer, watching: Watching) -> AnyLayer:
    assert one.direct is not None  # noqa: S101 - asked before
    with watching(one.name) as watch:
        return one.direct(one.settings, watch or layers.Watch())


def _attempted(one: Layer, run: Callable[[], AnyLayer]) -> AnyLayer:
    """What *run* says; of a layer that can't be reached, that nothing can be said.

    Raises:
        ConfigurationError: as `survey` does.
    """
    try:
        return run()
    except UNREACHED as error:
        return unsurveyed(one.name, " ".join(str(error).split()))


def _driven(plan: Plan, watching: Watching) -> tuple[dict[str, AnyLayer], Sequence[str]]:
    """The API, and what is done through it: signed in and furnished once for all.

    Returns: the reports, and where the API's own isn't among them what could not be removed there.
    """
    probed = [one for one in plan.layers if one.name == "api"]
    driven = [one for one in plan.layers if one.through is not None]
    if not probed and not driven:
        return {}, ()
    from partywall.survey.driving.drive import Drive  # noqa: PLC0415 - partywall[probe]
    from partywall.survey.http.probing import probe  # noqa: PLC0415 - as above

    found: dict[str, AnyLayer] = {}

    async def besides(engine: Engine) -> None:
        drive = Drive(engine)
        for one in _calmest_first(driven):
            assert one.through is not None  # noqa: S101 - asked above
            watch = _Staged(engine, one.name)
            try:
                found[one.name] = await one.through(one.settings, drive, watch)
            except UNREACHED as error:
                found[one.name] = unsurveyed(one.name, " ".join(str(error).split()))

    try:
        with watching("api") as watch:
            report = probe(plan.api, watch, besides=besides, attacking=bool(probed))
    except UNREACHED as error:
        because = " ".join(str(error).split())
        missing = [one.name for one in (*probed, *driven) if one.name not in found]
        return found | {name: unsurveyed(name, because) for name in missing}, ()
    stays = [] if probed else [one for one in report.left if REMAINS in one]
    return found | {one.name: report for one in probed}, stays


class _Staged(layers.Watch):
    """Tells the stages of a layer that is surveyed through the API, as those of the API."""

    def __init__(self, engine: Engine, layer: str) -> None:
        self._engine, self._layer = engine, layer

    def stage(self, name: str) -> None:
        """Name what begins."""
        self._engine.watch.stage(f"{self._layer}: {name}")


def _calmest_first(driven: Sequence[Layer]) -> Sequence[Layer]:
    """In their order, but storms on the pool last: they may leave the application shaken."""
    return sorted(driven, key=lambda one: one.name == "pool")


def _sorted_out(one: Layer, report: AnyLayer) -> AnyLayer:
    """*report* without what the configuration accepts; audit and probe do it themselves."""
    if not isinstance(report, LayerReport) or one.name not in FURTHER:
        return report
    today = datetime.now(tz=UTC).date()
    findings, excepted, remarks = sort_out(report.findings, one.exceptions, today)
    counted = {(f.at, f.name) for f in findings}
    places = {(e.finding.at, e.finding.name) for e in excepted} - counted
    return replace(
        report,
        findings=findings,
        excepted=(*report.excepted, *excepted),
        remarks=(*report.remarks, *remarks),
        tried=layers.settled(report.tried, places, "excepted"),
    )
