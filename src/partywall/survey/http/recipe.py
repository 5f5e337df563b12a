"""How a breach is made again from nothing: what the emitted tests are written from.

A text of a request may hold names in double braces, also as the whole of a JSON value:
``{{note_id}}`` is what an earlier step took, ``{{fresh}}`` a text that is new in each run of a
test, ``{{fresh_number}}`` a number that is, and a name in capitals an environment variable:
``{{ACME_AUTHORIZATION}}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from partywall.survey.http.hiding import variable, variables
from partywall.survey.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.http.actors import Actor
    from partywall.survey.http.wire import Request

NAME = re.compile(r"{{(\w+)}}")


@dataclass(frozen=True, slots=True)
class Step:
    """One request, as somebody.

    Attributes:
        actor: the name, for the reader; the credentials are in the request.
        takes: name -> JSON pointer into the answer (RFC 6901).
    """

    actor: str
    request: Request
    takes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, actor: Actor, request: Request, takes: Mapping[str, str] | None = None) -> Self:
        """The step that *actor* takes: its credentials and its address by their variables."""
        named = {value: f"{{{{{name}}}}}" for name, value in variables(actor).items()}
        headers = {name: named.get(value, value) for name, value in actor.headers.items()}
        cookies = {name: named.get(value, value) for name, value in actor.cookies.items()}
        own = f"{{{{{variable(actor.name, 'base')}}}}}" if actor.base else ""
        shown = request.but(
            headers=tuple({**headers, **dict(request.headers)}.items()),
            cookies=tuple({**cookies, **dict(request.cookies)}.items()),
            base=request.base or own,
        )
        return cls(actor.name, shown, takes or {})


@dataclass(frozen=True, slots=True)
class Recipe:
    """What leads to a breach, and how one sees that it is mended: by one of the last three.

    Attributes:
        before: what the owner asks first, to have something that can be attacked, and to show that
            it can be had; each must succeed.
        attack: what the stranger asks. Where a step is refused, so that a later one lacks what it
            would have taken, the wall holds.
        after: what the owner asks in the end, to leave nothing behind; it may fail.
        absent: the text that must not be in the last answer to the attack; names may stand in it.
            It must not be in the attack itself, which an answer may echo.
        view: what the owner sees before and after the attack, which must be the same.
        part: a JSON pointer to the part of the view that counts; "" for all of it.
        alike: what must be answered with the same status as the attack's last step: the same
            for an id that nobody has.
    """

    before: tuple[Step, ...]
    attack: tuple[Step, ...]
    after: tuple[Step, ...] = ()
    absent: str = ""
    view: Step | None = None
    part: str = ""
    alike: Step | None = None


@dataclass(frozen=True, slots=True)
class HttpFinding(Finding):
    """A breach of an API, with the way to make it again; None where there is no sure one."""

    recipe: Recipe | None = None
