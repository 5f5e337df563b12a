"""Arguments that a stranger would try on a function: by its parameters, from the victim's rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.survey.bodies import of_function
from partywall.survey.parameters import candidates, family, is_tenant
from partywall.survey.sql import literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from partywall.catalog.facts import Function
    from partywall.survey.attack import Scene
    from partywall.survey.identity import Who

BREAKING = ("x' OR true --", "x') OR true --", "%' OR '1'='1", "true")
"""Arguments that leave a string literal, a parenthesis or nothing at all open to more."""
UNCALLABLE = {"cstring", "trigger", "event_trigger", "anyenum", "anyrange"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function with its arguments, as SQL."""

    sql: str
    arguments: tuple[str | None, ...] = ()

    def echoes(self, token: str) -> bool:
        """Whether seeing *token* in the answer may be the argument coming back."""
        said = [a.lower() for a in self.arguments if a]
        return any(token.lower() in a or (len(a) > 3 and a in token.lower()) for a in said)  # noqa: PLR2004 - shorter ones occur by chance


def executable(scene: Scene, who: Who, function: Function) -> bool:
    """Whether the acting role of *who* may call it, of whatever kind it is, from a query at all.

    What takes or gives `internal` only the server itself can call.
    """
    role = scene.identities[who].role
    schema = scene.snapshot.schemas.get(function.schema)
    return (
        function.extension is None
        and not function.is_trigger
        and function.oid in scene.snapshot.executable[role]
        and (schema is None or role in schema.usage)
        and "internal" not in {function.returns, *(kind for _, kind in function.arguments)}
    )


def callable_by(
    scene: Scene,
    who: Who,
    function: Function,
    kinds: AbstractSet[str] = frozenset({"function", "procedure"}),
) -> bool:
    """Whether the acting role of *who* may call it, and arguments for it can be made up."""
    return (
        executable(scene, who, function)
        and function.kind in kinds
        and not any(kind in UNCALLABLE for _, kind in function.arguments)
    )


def enters(scene: Scene, function: Function) -> bool:
    """Whether the application enters a tenant by calling it: then it is the context itself."""
    called = re.compile(rf"\b{re.escape(function.name)}\b\W*\(")
    return any(called.search(text) for i in scene.identities.values() for text in i.enter)


def form(function: Function, arguments: Sequence[str | None]) -> Call:
    """Call *function* with the first parameters given; every value is a literal of its type."""
    typed = zip(arguments, function.arguments, strict=False)
    given = ", ".join(f"{literal(value)}::{_type(kind)}" for value, (_, kind) in typed)
    call = f"{function.qualified}({given})"
    if function.kind == "procedure":
        return Call(f"CALL {call}", tuple(arguments))
    if function.kind in {"aggregate", "window"}:
        over = " OVER ()" if function.kind == "window" else ""
        call = call if function.arguments else f"{function.qualified}(*)"
        return Call(f"SELECT {call}{over}", tuple(arguments))
    bare = function.returns in {"record", "SETOF record", "void"}
    return Call(f"SELECT {'' if bare else '* FROM '}{call}", tuple(arguments))


def calls(scene: Scene, function: Function, *, guessable: bool = False) -> tuple[Call, ...]:
    """Calls with B's values, A's tenant and B's values, what is ordinary, and nothing.

    *guessable* leaves out ids that nobody can know, and takes rows that are yet to come.
    """
    drawn = [
        list(dict.fromkeys(candidates(scene, function, number, "B", guessable=guessable)))
        for number in range(len(function.arguments))
    ]
    vectors: list[tuple[str | None, ...]] = [
        tuple(_at(values, choice) for values in drawn) for choice in range(4 if drawn else 1)
    ]
    for number, (name, _) in enumerate(function.arguments):
        if len(drawn) > 1 and is_tenant(scene, name):
            own = scene.identities["A"].tenant
            vectors += [(*v[:number], own, *v[number + 1 :]) for v in vectors[:2]]
    reach = of_function(scene.snapshot, function)
    texts = [family(kind) == "text" for _, kind in function.arguments]
    if any(texts):
        for payload in ("%", *(BREAKING if reach.dynamic or reach.opaque else ())):
            vectors.append(
                tuple(payload if t else v for t, v in zip(texts, vectors[0], strict=True))
            )
    vectors.append(tuple(None for _ in drawn))
    if function.defaults:
        vectors.append(vectors[0][: len(drawn) - function.defaults])
    return tuple(form(function, vector) for vector in dict.fromkeys(vectors))


def _type(kind: str) -> str:
    return "text" if kind == "anyelement" else kind


def _at(values: Sequence[str | None], place: int) -> str | None:
    return values[min(place, len(values) - 1)]
