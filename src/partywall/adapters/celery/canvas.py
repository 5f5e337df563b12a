"""Signatures of a tenant: chains, groups, chords and callbacks, each member with its context.

The members of a chain and callbacks are published by workers, later. Each carries the context in
its headers, sealed; what holds them together, and to their arguments, is the seal of the message in
whose body they travel.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from celery import Signature
from kombu.utils import json

from partywall.adapters.envelope import digest
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from celery import Celery

HEADER = "partywall"
"""The header of a message, and of a signature, in which the envelope is."""

BUILT_IN = "celery."
"""What Celery itself puts into a canvas has such names; it has no tenant's body to protect."""


def plain(value: object) -> Any:
    """What is left of *value* when it has been through JSON; equal before and after a journey.

    Raises:
        ConfigurationError: for what JSON can't say.
    """
    try:
        return json.loads(json.dumps(value))
    except TypeError as error:
        raise ConfigurationError(
            f"arguments of a tenant's task are what JSON can say, and these are not ({error})"
        ) from error


def audience(name: str, task_id: str, args: Any, kwargs: Any, embedded: dict[str, Any]) -> str:
    """What the envelope of a message is sealed for: this task, this id, this body."""
    body = json.loads(json.dumps([args or (), kwargs or {}, embedded]), object_hook=dict)
    return digest("message", name, task_id, body)


def standing(name: str) -> str:
    """What the envelope of a signature is sealed for: a task, whose arguments come later."""
    return digest("signature", name)


def fresh_id(tenant: str) -> str:
    """An id for Celery, under the tenant's prefix; a tenant's id has no slash."""
    return f"{tenant}/{uuid.uuid4()}"


def leaves(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The tasks of a canvas that run unless something fails, in order; no callbacks."""
    kind, inner = node.get("subtask_type"), node.get("kwargs") or {}
    if kind in {"chain", "group"}:
        for member in inner.get("tasks", ()):
            yield from leaves(member)
    elif kind == "chord":
        header = inner.get("header") or ()
        for member in [header] if isinstance(header, dict) else header:
            yield from leaves(member)
        if inner.get("body"):
            yield from leaves(inner["body"])
    else:
        yield node


def callbacks(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is linked to a task or a canvas."""
    for kind in ("link", "link_error"):
        linked = node["options"].get(kind) or ()
        yield from [linked] if isinstance(linked, dict) else linked


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every part of a canvas: itself, its members, its callbacks, and theirs."""
    yield node
    inner = node.get("kwargs") or {}
    parts = list(callbacks(node))
    if node.get("subtask_type") in {"chain", "group"}:
        parts += inner.get("tasks", ())
    elif node.get("subtask_type") == "chord":
        header = inner.get("header") or ()
        parts += [header] if isinstance(header, dict) else header
        parts += [inner["body"]] if inner.get("body") else []
    for part in parts:
        yield from nodes(part)


def stamped(
    signature: Signature, *, app: Celery, tenant: str, sealed: Callable[[str], str]
) -> Signature:
    """A copy in which each task has the tenant's envelope and an id under its prefix.

    Args:
        signature: any canvas.
        app: whose tasks these are.
        tenant: the tenant's id.
        sealed: task's name -> envelope of a signature; it raises for a task of no tenant.

    Raises:
        ConfigurationError: for `map`, `starmap` and `chunks`, which call a task's body directly.
    """
    copy = plain(signature)
    for node in nodes(copy):
        kind, options = node.get("subtask_type"), node["options"]
        if kind in {"xmap", "xstarmap", "chunks", "map", "starmap"}:
            raise ConfigurationError(
                f"{kind} calls a task's body past its context: use a group of signatures"
            )
        options["task_id"] = fresh_id(tenant)
        if kind is None and not node["task"].startswith(BUILT_IN):
            options["headers"] = {**(options.get("headers") or {}), HEADER: sealed(node["task"])}
    return Signature.from_dict(copy, app=app)
