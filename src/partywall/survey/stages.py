"""The stages of a survey: one a database, and what is planted on each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from partywall.catalog.reader import snapshot
from partywall.errors import ConfigurationError
from partywall.survey import entering
from partywall.survey.attack import Neighbour, Step
from partywall.survey.connecting import log_on, opened
from partywall.survey.detect import detect
from partywall.survey.planting import plant
from partywall.survey.planting.seed import fresh_canary
from partywall.survey.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import ExitStack

    import psycopg

    from partywall.catalog.facts import Snapshot
    from partywall.model import TenancyModel
    from partywall.survey.attack import Place
    from partywall.survey.configuration import Configuration
    from partywall.survey.identity import Identity, Who
    from partywall.survey.world import World


class Stages:
    """One stage a database; on a copy one more for those whose sessions never had a context.

    On a copy what is planted is committed, so that sessions of the logins' own see it. On the
    target it stays in a transaction that is rolled back when the connection closes.
    """

    def __init__(
        self,
        stack: ExitStack,
        configuration: Configuration,
        identities: Mapping[Who, Identity],
        place: Place,
    ) -> None:
        self._identities = identities
        self._committed = place == "copy"
        self._stages: dict[tuple[str, bool], Stage] = {}
        self._key: dict[Who, tuple[str, bool]] = {}
        for who, identity in identities.items():
            key = (identity.database, self._committed and who == "none")
            self._key[who] = key
            if key not in self._stages:
                connection = opened(stack, configuration.url, identity.database)
                lodging = {w: entering.lodging(connection, i.login) for w, i in identities.items()}
                self._stages[key] = Stage(connection, identities, lodging)

    def of(self, who: Who) -> Stage:
        """The stage on which *who* acts."""
        return self._stages[self._key[who]]

    def admin(self, who: Who) -> psycopg.Connection[Any]:
        """The administrator's connection to the database of *who*."""
        return self.of(who).connection

    def plant(self, facts: Snapshot, model: TenancyModel) -> World:
        """Plant the tenants of A's database: both, unless each has one of its own."""
        apart = self._key["A"][0] != self._key["B"][0]
        world = self._plant("A", facts, model, ("A",) if apart else ("A", "B"))
        if not apart:
            return world
        return replace(world, canaries={**world.canaries, "B": fresh_canary("B")})

    def neighbour(
        self, configuration: Configuration, world: World, acting: Sequence[str], original: str
    ) -> Neighbour | None:
        """Plant B's own database, and see if A's login is let in; None when they share one.

        *original* is the target's own name of that database: there its login rules stand.
        """
        if self._key["A"][0] == self._key["B"][0]:
            return None
        facts = snapshot(self.admin("B"), acting=acting)
        model = detect(facts, self._identities)
        there = self._plant("B", facts, model, ("B",), {"B": world.canaries["B"]})
        return Neighbour(facts, there, _refusal(configuration, original))

    def _plant(
        self,
        who: Who,
        facts: Snapshot,
        model: TenancyModel,
        tenants: tuple[Who, ...],
        canaries: Mapping[Who, str] | None = None,
    ) -> World:
        stage = self.of(who)
        stage.connection.execute("BEGIN")
        world = plant(stage, facts, model, self._identities, canaries=canaries, tenants=tenants)
        stage.become("admin")
        if self._committed:
            _refresh(stage, facts)
            stage.connection.execute("COMMIT")
        return world


def _refresh(stage: Stage, facts: Snapshot) -> None:
    """Fill materialized views, those that build on others last."""
    views = [r for r in facts.relations.values() if r.kind == "matview"]
    for view in sorted(views, key=lambda relation: relation.oid):
        stage.run(Step("admin", f"REFRESH MATERIALIZED VIEW {view.qualified}"))


def _refusal(configuration: Configuration, database: str) -> str:
    """Why the first tenant's login can't connect to *database*, "" when it can."""
    try:
        log_on(configuration.tenants[0].url, database).close()
    except ConfigurationError as error:
        return str(error)
    return ""
