"""A small sound database to change in one way at a time, and its facts as checks see them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from partywall.catalog.reader import snapshot
from partywall.survey.attack import Scene
from partywall.survey.detect import detect
from partywall.survey.explaining import applications
from partywall.survey.identity import Identity
from partywall.survey.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.attack import Level
    from partywall.survey.identity import Who
    from tests.conftest import Database

SHOP = applications.SHOP.script
TENANTS: Mapping[Who, tuple[str, str]] = {
    "A": ("app", "acme"),
    "B": ("app", "globex"),
    "none": ("guest", ""),
}


def scene(database: Database, *, attacker: Level = "sql", version: int = 0) -> Scene:
    """What checks are asked about: no row is planted, nothing is attempted."""
    identities: dict[Who, Identity] = {
        who: Identity(
            who, who, tenant, login, login, None, database.name, (), ("public",),
            (("app.tenant", tenant),) if tenant else (),
        )
        for who, (login, tenant) in TENANTS.items()
    }  # fmt: skip
    facts = snapshot(database.connection, acting=["app", "guest"])
    if version:
        facts = replace(facts, version=version)
    model = detect(facts, identities)
    return Scene(facts, model, World({}, {}, {}), identities, attacker)
