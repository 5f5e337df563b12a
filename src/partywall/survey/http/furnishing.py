"""Give each tenant something of everything, so that every list has something to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.survey.http.operations import shape

if TYPE_CHECKING:
    from partywall.survey.http.engine import Engine
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.slots import Slot
    from partywall.survey.http.world import World


async def furnish(engine: Engine, tenant: str) -> None:
    """One of each kind; then what stands in lists below them: comments, links, entries."""
    world = engine.world
    for kind in list(world.graph.kinds):
        await world.base(tenant, kind)
    for operation in world.api.operations:
        if filling(world, operation):
            ids = await bound(world, tenant, operation)
            if ids is not None:
                await world.perform(tenant, operation, ids)


async def bound(world: World, tenant: str, operation: Operation) -> dict[Slot, Any] | None:
    """The tenant's own ids for what an operation needs; None where it lacks one."""
    ids: dict[Slot, Any] = {}
    for slot in world.graph.slots[operation.at]:
        if slot.required:
            used = any(other.kind == slot.kind for other in ids)
            ids[slot] = await world.value(tenant, slot, another=used)
            if ids[slot] is None:
                return None
    return ids


def filling(world: World, operation: Operation) -> bool:
    """Whether it puts something into a list that nothing else fills.

    POST where GET shows a list: a comment; POST or PUT of two ids, of which the first has such a
    list: a link.
    """
    if operation.method not in {"POST", "PUT"} or world.left_out(operation) or not operation.names:
        return False
    shown = {shape(one.path) for one in world.api.operations if one.method == "GET"}
    path = shape(operation.path)
    makes = any(operation in kind.makers[:1] for kind in world.graph.kinds.values())
    if operation.method == "POST" and path in shown and not path.endswith("{}"):
        return not makes
    ids = [slot for slot in world.graph.slots[operation.at] if slot.place == "path"]
    linked = path.endswith("/{}") and path.removesuffix("/{}") in shown
    return linked and len(ids) > 1 and not makes
