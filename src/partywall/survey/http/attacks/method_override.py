"""Attack: a harmless method, and a header that says another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import VICTIM, Attempt, Extra, Sight, alike, attack

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")


@attack(
    "PW310",
    effect="write",
    fix="turn method overrides off, or apply them before anything is authorised",
    detour=True,
)
def method_override(sight: Sight) -> Iterator[Attempt]:
    """Send POST, and name the operation's own method in a header or a parameter.

    A gateway or a middleware checks the method that it sees; the framework behind runs another.

    Affected:
        Frameworks that let a POST stand for another method, by a header or a parameter.

    Breaches:
        faults/method_override: DELETE /memos/{memo_id}
        globex deletes its own memo: 204
        acme posts to globex's memo that DELETE is meant: 204, and it is gone

    Holds:
        sound/consistent_403: DELETE /keys/{key_id}
        globex deletes its own key: 204
        acme posts to globex's key that DELETE is meant: refused, and it is still there

    Source: CWE-650, Trusting HTTP Permission Methods on the Server Side
    (https://cwe.mitre.org/data/definitions/650.html).
    """
    operation = sight.operation
    if operation.method not in {"PUT", "PATCH", "DELETE"} or not sight.at("path"):
        return
    choices, method = {sight.at("path")[-1]: VICTIM}, alike(operation.method)
    headers = tuple(Extra("header", name, method) for name in HEADERS)
    query = (Extra("query", "_method", method),)
    yield Attempt("POST with an override header", choices, headers, method="POST")
    yield Attempt("POST with _method", choices, query, method="POST")
