"""The rule that nothing is passed over: what a tenant's session can reach, some attack has tried.

A surface is whatever an ordinary query can be aimed at: a relation with a privilege to read or to
write it, a function, procedure, aggregate or window function with EXECUTE, a sequence that no
table's column explains. Types, domains, operators and casts are none by themselves: what they run
are functions. Members of extensions are taken at their word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.arguments import enters, executable
from partywall.survey.surfaces import attackers, level, reachable, relations
from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from partywall.catalog.facts import Function, Relation, Sequence
    from partywall.survey.attack import Effect, Scene

SHARED = "declare it in [model] shared if it holds no tenant's rows, "
UNCOVERED = ("PW299", "no-attack")
PRIVILEGES: tuple[tuple[str, Effect], ...] = (
    ("SELECT", "read"), ("INSERT", "write"), ("UPDATE", "write"), ("DELETE", "destroy"),
    ("TRUNCATE", "destroy"),
)  # fmt: skip


def uncovered(
    scene: Scene, tried: Collection[str], meant: Collection[str] = ()
) -> Iterator[Undecided]:
    """Every surface that some identity reaches and that *tried* doesn't name, with the reason.

    Tables of *meant* are declared to hold no tenant's rows. What takes a stronger attacker than
    this survey's is left out: the report says so elsewhere.
    """
    known = {*tried} | {at.partition(" (")[0] for at in tried}
    known |= set(meant)
    for relation in relations(scene):
        if relation.qualified not in known and (found := _way_in(scene, relation)):
            privilege, effect = found
            what = f"{relation.kind} with {privilege}"
            yield _undecided(relation.qualified, effect, what, SHARED)
    for function in scene.snapshot.functions.values():
        if function.signature not in known and _callable(scene, function):
            yield _undecided(function.signature, "read", f"{function.kind} with EXECUTE")
    for sequence in scene.snapshot.sequences.values():
        if sequence.qualified not in known and _standing_alone(scene, sequence):
            yield _undecided(sequence.qualified, "detect", "sequence of no table's column")


def _undecided(at: str, effect: Effect, what: str, declare: str = "") -> Undecided:
    because = (
        f"no attack covers it ({what}): take the right to it from the application's login, "
        f"{declare}or judge it yourself and keep it in a baseline"
    )
    return Undecided(*UNCOVERED, effect, at, because)


def _way_in(scene: Scene, relation: Relation) -> tuple[str, Effect] | None:
    """The first privilege by which an identity reaches it; None where none does."""
    for privilege, effect in PRIVILEGES:
        for who in attackers(scene):
            if scene.allows(level(scene, relation, who)) and reachable(
                scene, who, relation, privilege
            ):
                return privilege, effect
    return None


def _callable(scene: Scene, function: Function) -> bool:
    return not enters(scene, function) and any(
        executable(scene, who, function) and scene.allows(level(scene, function, who))
        for who in attackers(scene)
    )


def _standing_alone(scene: Scene, sequence: Sequence) -> bool:
    """Whether it is reached, and its numbers are for no column whose table is surveyed.

    One in a tenant's own schema counts for that tenant alone.
    """
    if sequence.users or sequence.schema in scene.model.schemas.values():
        return False
    apart = scene.identities["A"].database != scene.identities["B"].database
    schema = scene.snapshot.schemas[sequence.schema]
    roles = {scene.identities[who].role for who in attackers(scene)}
    return not apart and any(
        role in schema.usage and scene.snapshot.sequence_grants[role].get(sequence.oid)
        for role in roles
    )
