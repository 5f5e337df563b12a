"""What an answer leads to: the links of a description (OpenAPI 3.1, Link Object)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.survey.http.following import Document

RESPONSE = "$response.body#/"


class Link(NamedTuple):
    """Something in an answer is the id that another operation takes.

    Attributes:
        target: the other operation's name, or ``METHOD /path``.
        parameter: where the id goes there.
        field: what it is called in the answer.
    """

    target: str
    parameter: str
    field: str


def links(of: Document, responses: object, where: str) -> Iterator[Link]:
    """The links of all answers that take an id from the answer's body."""
    answers = of.table(responses, where)
    for status in answers:
        at = f"{where}.{status}"
        told = of.table(of.table(answers[status], at).get("links"), f"{at}.links")
        for name in told:
            link = of.table(told[name], f"{at}.links.{name}")
            given = of.table(link.get("parameters"), f"{at}.links.{name}.parameters")
            for parameter in given:
                value = str(given[parameter])
                if value.startswith(RESPONSE):
                    field = value.removeprefix(RESPONSE).rpartition("/")[2]
                    yield Link(_target(link), parameter.rpartition(".")[2], field)


def _target(link: Mapping[str, Any]) -> str:
    """By its name, or by a reference into the same document: ``#/paths/~1notes~1{id}/get``."""
    if name := link.get("operationId"):
        return str(name)
    path, _, method = str(link.get("operationRef") or "").partition("#/paths/")[2].rpartition("/")
    return f"{method.upper()} {path.replace('~1', '/').replace('~0', '~')}"
