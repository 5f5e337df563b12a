"""What a tenant's `enter` statements say about who acts: settings, ids, the claims of a token."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pglast import ast, parse_sql
from pglast.parser import ParseError
from pglast.visitors import Visitor

from partywall.survey.planting import hints
from partywall.survey.planting.checks import constant_of, name_of
from partywall.survey.planting.fitting import UUID_FORM, fits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from partywall.catalog.facts import Column
    from partywall.survey.identity import Identity, Who

ROLES = {"role", "session_authorization"}
QUOTED = re.compile(r"'((?:[^']|'')*)'")
LOCAL = {"true", "false", "t", "f", "on", "off"}


@dataclass(frozen=True, slots=True)
class Claim:
    """A value that a tenant's context names, and the last word of what it is called."""

    label: str
    value: str


class _Constants(Visitor):  # type: ignore[misc] # pglast is untyped to us
    def __init__(self) -> None:
        self.texts: list[str] = []

    def visit_A_Const(self, _: object, node: ast.A_Const) -> None:  # noqa: N802 - pglast's name
        text = constant_of(node)
        if text is not None:
            self.texts.append(text)


def settings(identity: Identity) -> dict[str, str]:
    """The settings that make a session this tenant's, by name; roles are left out."""
    found = dict(identity.settings)
    for statement in identity.enter:
        found |= dict(_assignments(statement))
    if identity.search_path and "search_path" not in found:
        found["search_path"] = ", ".join(f'"{schema}"' for schema in identity.search_path)
    return {name: value for name, value in found.items() if name.lower() not in ROLES}


def _assignments(statement: str) -> Iterator[tuple[str, str]]:
    """The (name, value) of ``SET name = value`` and ``set_config('name', 'value', …)``."""
    try:
        tree = parse_sql(statement)
    except ParseError:
        return
    for raw in tree:
        node = raw.stmt
        if isinstance(node, ast.VariableSetStmt) and node.args:
            values = [constant_of(a) or "" for a in node.args if isinstance(a, ast.A_Const)]
            if node.name == "search_path":
                values = [f'"{value}"' for value in values]
            yield str(node.name), ", ".join(values)
        elif isinstance(node, ast.SelectStmt):
            for target in node.targetList or ():
                call: Any = target.val
                if isinstance(call, ast.FuncCall) and name_of(call.funcname) == "set_config":
                    name, value = (_text(argument) for argument in (call.args or ())[:2])
                    if name is not None and value is not None:
                        yield name, value


def _text(node: Any) -> str | None:  # noqa: ANN401 - a node of pglast's tree
    while isinstance(node, ast.TypeCast):
        node = node.arg
    return constant_of(node) if isinstance(node, ast.A_Const) else None


def claims(identity: Identity) -> tuple[Claim, ...]:
    """Every value that the context of *identity* names."""
    found: dict[Claim, None] = {}
    for name, value in settings(identity).items():
        if name != "search_path":
            found |= dict.fromkeys(_leaves(name.rpartition(".")[2], value))
    for statement in identity.enter:
        for text in _constants(statement):
            if text not in LOCAL:
                found |= dict.fromkeys(_leaves("", text))
    known = {claim.value for claim in found if claim.label}
    return tuple(claim for claim in found if claim.label or claim.value not in known)


def _constants(statement: str) -> list[str]:
    try:
        tree = parse_sql(statement)
    except ParseError:
        return [text.replace("''", "'") for text in QUOTED.findall(statement)]
    visitor = _Constants()
    visitor(tree)
    return visitor.texts


def _leaves(label: str, text: str) -> Iterator[Claim]:
    """The scalar values of *text*: itself, or the leaves of the JSON document it is."""
    if text[:1] in {"{", "["}:
        try:
            document = json.loads(text)
        except ValueError:
            document = text
        yield from _inside(label, document)
    elif text:
        yield Claim(label, text)


def _inside(label: str, node: Any) -> Iterator[Claim]:  # noqa: ANN401 - a JSON document
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _inside(str(key), value)
    elif isinstance(node, list):
        for value in node:
            yield from _inside(label, value)
    elif isinstance(node, (str, int)) and not isinstance(node, bool):
        yield Claim(label, str(node))


def own(identities: Mapping[Who, Identity], tenants: Iterable[Who]) -> dict[Who, tuple[Claim, ...]]:
    """Each tenant's claims that are its own: no other names the value, nor is it the tenant."""
    every = {who: claims(identities[who]) for who in tenants}
    ids = {identities[who].tenant for who in every}
    found: dict[Who, tuple[Claim, ...]] = {}
    for who, mine in every.items():
        others = {c.value for other, theirs in every.items() if other != who for c in theirs}
        found[who] = tuple(c for c in mine if c.value not in others | ids)
    return found


def spoken(identities: Mapping[Who, Identity], who: Who) -> set[str]:
    """Values that others' contexts name, and the ids of other tenants: no token of *who*."""
    same = {who, "empty"} if who == "A" else {who}  # an empty context is A's, emptied
    found: set[str] = set()
    for other, identity in identities.items():
        if other not in same and other != "admin":
            found |= {claim.value for claim in claims(identity)} | {identity.tenant}
    return found


def user_for(column: Column, mine: Iterable[Claim]) -> str | None:
    """Return the acting user's id as *column* can hold it, None when no claim is one."""
    fitting = [claim for claim in mine if fits(column, claim.value)]
    email = "email" in column.name.lower()
    for claim in fitting:
        if email and "@" in claim.value:
            return claim.value
        if not email and (hints.names_user(claim.label) or claim.label in {"user", "login"}):
            return claim.value
    ids = [c for c in fitting if UUID_FORM.fullmatch(c.value) or c.value.isdigit()]
    typed = column.base in {"uuid", "int2", "int4", "int8"}
    return ids[0].value if typed and not email and len(ids) == 1 else None
