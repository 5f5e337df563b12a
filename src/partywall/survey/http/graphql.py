"""Attack GraphQL endpoints: one path, and behind it all that the schema has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.gql.endpoint import Endpoint, endpoints
from partywall.survey.http.gql.ground import Ground
from partywall.survey.http.gql.reading import read
from partywall.survey.http.gql.writing import write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.http.engine import Engine
    from partywall.survey.http.operations import Operation

__all__ = ["endpoints", "graphql"]


async def graphql(
    engine: Engine, pairs: Sequence[tuple[str, str]], spoken: Sequence[Operation]
) -> None:
    """Attack what `endpoints` found, in every direction."""
    for operation in spoken:
        if operation.method == "POST":
            await _attacked(engine, Endpoint(engine.world, operation), pairs)


async def _attacked(engine: Engine, endpoint: Endpoint, pairs: Sequence[tuple[str, str]]) -> None:
    for tenant in engine.world.tenants:
        await endpoint.introspect(tenant)
    grounds: dict[str, Ground] = {}
    for tenant, schema in endpoint.schemas.items():
        alike = next((one for one in grounds.values() if one.schema.told == schema.told), None)
        grounds[tenant] = alike or Ground(engine, endpoint, schema)
    try:
        for attack in (read, write):
            for attacker, victim in pairs:
                if victim in grounds:
                    await attack(grounds[victim], attacker, victim)
                elif attack is read:
                    because = endpoint.refusals[victim]
                    engine.open(endpoint.operation, attacker, victim, because)
    finally:
        for ground in {id(one): one for one in grounds.values()}.values():
            await ground.cleared()
