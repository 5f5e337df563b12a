"""Survey one database, from configuration to report."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from partywall.catalog.authority import read_large_objects
from partywall.catalog.reader import snapshot
from partywall.errors import ModelError
from partywall.model import TenancyModel
from partywall.survey import declarations, entering, readiness
from partywall.survey.addresses import without_secret
from partywall.survey.attack import Scene
from partywall.survey.attacks import every_attack
from partywall.survey.check import answers
from partywall.survey.checks import every_check
from partywall.survey.connecting import connect, log_in, opened, session
from partywall.survey.copying import copied
from partywall.survey.detect import detect
from partywall.survey.engine import Engine
from partywall.survey.evidence import doubles, holding, holding_rows
from partywall.survey.read_only import existing, hidden, reading
from partywall.survey.reporting import report
from partywall.survey.sessions import Sessions
from partywall.survey.stages import Stages
from partywall.survey.synthesis import tenants

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import psycopg

    from partywall.catalog.facts import Snapshot
    from partywall.survey.attack import Attack, Attempt, Place
    from partywall.survey.configuration import Configuration
    from partywall.survey.engine import Judged
    from partywall.survey.identity import Identity, Who
    from partywall.survey.verdict import Report


class Watch:
    """What a survey tells while it runs; every method may be overridden, none needs to be."""

    def stage(self, name: str) -> None:
        """A part of the survey begins."""

    def copied(self, connection: psycopg.Connection[Any]) -> None:
        """A's database is copied and nothing of the copy read: whoever wants may change it now."""

    def besides(self) -> Sequence[Attack]:
        """Further attacks, of which `judged` is told and the report is not."""
        return ()

    def model(self, model: TenancyModel, identities: Mapping[Who, Identity]) -> None:
        """The tenancy model the survey goes by."""

    def planned(self, attempts: int) -> None:
        """So many attempts will be made."""

    def judged(self, one: Judged) -> None:
        """An attempt has its verdict."""


def audit(
    configuration: Configuration,
    *,
    place: Place = "copy",
    read_only: bool = False,
    destructive: bool = False,
    watch: Watch | None = None,
    only: frozenset[str] | None = None,
) -> Report:
    """Survey the configured database and return the report; nothing is left behind.

    Args:
        read_only: with *place* "target": nothing is planted, only rows that exist are read.
        destructive: on the target, take locks stronger than ROW EXCLUSIVE as well.
        only: names of the attacks and checks to make; all of them when None.

    Raises:
        ConfigurationError: the database or a tenant can't be reached as declared.
        TargetError: the server refused what the survey needs.
    """
    began = time.perf_counter()
    watch = watch or Watch()
    with ExitStack() as stack:
        admin = opened(stack, configuration.url, "")
        configuration = complete(configuration, admin)
        if not read_only:
            readiness.write(admin, without_secret(configuration.url))
        declared = _identities(stack, configuration)
        log_in(configuration)
        names: Mapping[str, str] = {}
        if place == "copy":
            watch.stage("copying the structure")
            databases = dict.fromkeys(identity.database for identity in declared.values())
            there = partial(connect, configuration.url)
            names = stack.enter_context(copied(admin, databases, there))
        identities = {
            who: replace(identity, database=names.get(identity.database, identity.database))
            for who, identity in declared.items()
        }
        if place == "copy":
            watch.copied(opened(stack, configuration.url, identities["A"].database))
        watch.stage("reading the catalog")
        stages = Stages(stack, configuration, identities, place)
        target = opened(stack, configuration.url, declared["A"].database)
        acting = roles(identities)
        facts = snapshot(stages.admin("A"), acting=acting)
        # a copy holds no large objects: what matters is who owns and reads the target's
        facts = replace(facts, large_objects=read_large_objects(target, acting))
        model = _model(configuration, identities, facts, target)
        watch.model(model, identities)
        watch.stage("planting rows")
        world = (
            existing(stages.of("A"), facts, model, identities)
            if read_only
            else (stages.plant(facts, model))
        )
        scene = Scene(
            facts, model, world, identities, configuration.attacker, place,
            {public.table: public.when for public in configuration.public}, destructive,
            stages.neighbour(configuration, world, acting, declared["B"].database),
            holding_rows(target, doubles(facts, model)),
            {copy: original for original, copy in names.items()},
        )  # fmt: skip
        if place == "target":
            scene = replace(scene, hidden=_hidden(stages, scene))
        planned, unwritten = list(plan(scene, only)), None
        if read_only:
            planned, unwritten = reading(planned)
        sessions = Sessions(
            lambda who: session(configuration, identities["A"].database, who), identities
        )
        engine = Engine(stages.of, identities, scene, sessions)
        judged = _attacked(engine, planned, watch)
        for attack in watch.besides():
            for one in engine.run((attack, attempt) for attempt in attack.plan(scene)):
                watch.judged(one)
        asked = [check for check in every_check() if only is None or check.name in only]
        took = time.perf_counter() - began
        said = answers(scene, asked)
        whole = only is None
        return report(configuration, scene, engine, judged, said, took, unwritten, whole=whole)


def _attacked(
    engine: Engine, planned: Sequence[tuple[Attack, Attempt]], watch: Watch
) -> list[Judged]:
    """Make every attempt, and tell *watch* of each."""
    watch.stage("attacking")
    watch.planned(len(planned))
    judged = []
    for one in engine.run(planned):
        judged.append(one)
        watch.judged(one)
    return judged


def explain(
    configuration: Configuration,
) -> tuple[TenancyModel, Mapping[Who, Identity], Snapshot]:
    """Return what a survey would assume, from the catalog alone: nothing is attacked or written.

    Without declared tenants it is what the catalog gives away by itself.

    Raises:
        ConfigurationError: the database or a tenant can't be reached as declared.
    """
    with ExitStack() as stack:
        admin = opened(stack, configuration.url, "")
        alone = not (configuration.tenants or readiness.is_superuser(admin))
        try:
            configuration = configuration if alone else complete(configuration, admin)
        except ModelError:
            alone = True
        if alone:  # no tenants to enter: the catalog speaks
            readiness.serve(admin.info.server_version, without_secret(configuration.url))
            facts = snapshot(admin, acting=[])
            model = detect(facts, {}, columns=configuration.tables, shared=configuration.shared)
            return model, {}, facts
        identities = _identities(stack, configuration)
        target = opened(stack, configuration.url, identities["A"].database)
        facts = snapshot(target, acting=roles(identities))
        return _model(configuration, identities, facts, target), identities, facts


def complete(configuration: Configuration, admin: psycopg.Connection[Any]) -> Configuration:
    """Make up two tenants from the catalog where none are declared.

    Raises:
        ConfigurationError: the administrator can't act as the application's logins.
        ModelError: nothing in the catalog says how a session becomes a tenant.
    """
    readiness.administer(admin, without_secret(configuration.url))
    if configuration.tenants:
        return configuration
    made = tenants(snapshot(admin, acting=[]), configuration.url)
    return replace(configuration, tenants=made)


def _hidden(stages: Stages, scene: Scene) -> frozenset[str]:
    """Values of B's rows, where something other than a table could show them."""
    if all(r.kind not in {"foreign", "matview"} for r in scene.snapshot.relations.values()):
        return frozenset()
    facts, model = scene.snapshot, scene.model
    if scene.neighbour is not None:
        facts = scene.neighbour.snapshot
        model = detect(facts, scene.identities)
    return hidden(stages.of("B"), facts, model, scene.identities)


def roles(identities: Mapping[Who, Identity]) -> list[str]:
    """The roles that act and that log in, each once."""
    return sorted({role for i in identities.values() for role in (i.role, i.login)})


def _identities(stack: ExitStack, configuration: Configuration) -> dict[Who, Identity]:
    found = entering.identities(configuration, lambda name: opened(stack, configuration.url, name))
    entering.apart(found["A"], found["B"])
    return found


def _model(
    configuration: Configuration,
    identities: Mapping[Who, Identity],
    facts: Snapshot,
    target: psycopg.Connection[Any],
) -> TenancyModel:
    """Detect the model; which columns hold the declared ids, the target itself says."""
    declarations.confirm(configuration, facts, target)
    seen = holding(target, facts, [identities["A"].tenant, identities["B"].tenant])
    return detect(
        facts, identities, holding=seen, columns=configuration.tables, shared=configuration.shared
    )


def plan(scene: Scene, only: frozenset[str] | None = None) -> Iterator[tuple[Attack, Attempt]]:
    """Every attempt that the attacker of this survey would make; *only* by these attacks."""
    for attack in every_attack():
        if only is not None and attack.name not in only:
            continue
        for attempt in attack.plan(scene):
            if scene.allows(attempt.level or attack.level):
                yield attack, attempt
