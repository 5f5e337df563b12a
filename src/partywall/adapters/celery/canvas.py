"""Signatures of a tenant: chains, groups, chords and callbacks, each member with its context.

The members of a chain and callbacks are published by workers, later. Each carries the context in
its headers, sealed. What holds them to their arguments is the seal of the message in whose body
they travel: they are published only while that message is worked on, verified. An error callback,
which may have to be published without it, is sealed for itself.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from json import loads
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

DIRECT = frozenset({"celery.map", "celery.starmap", "celery.chunks"})


def plain(value: object) -> Any:
    """What is left of *value* when it has been through JSON; equal before and after a journey.

    Celery's own JSON, which also says dates, UUIDs and the like, as marked objects.

    Raises:
        ConfigurationError: for what JSON can't say.
    """
    try:
        return loads(json.dumps(value))
    except TypeError as error:
        raise ConfigurationError(
            f"arguments of a tenant's task are what JSON can say, and these are not ({error})"
        ) from error


def message(name: str, task_id: str, args: Any, kwargs: Any, embedded: dict[str, Any]) -> str:
    """What the envelope of a message is sealed for: this task, this id, this body."""
    return digest("message", name, task_id, plain([args or (), kwargs or {}, embedded]))


def then(name: str) -> str:
    """What the envelope of a signature is sealed for that its verified parent publishes."""
    return digest("then", name)


def tick(name: str, args: Any, kwargs: Any) -> str:
    """What the envelope of an entry of beat's schedule is sealed for."""
    return digest("tick", name, plain([args or (), kwargs or {}]))


def afterwards(name: str, args: Any, kwargs: Any, embedded: dict[str, Any]) -> str:
    """What the envelope of an error callback is sealed for, without the id of what failed.

    Workers also publish error callbacks of messages that nobody has verified: of tasks of no
    tenant, or whose process was ended. So nothing of such a signature may be another's.
    """
    return digest("error", name, plain([args or (), kwargs or {}, embedded]))


def fresh_id(tenant: str) -> str:
    """An id for Celery, under the tenant's prefix; a tenant's id has no slash."""
    return f"{tenant}/{uuid.uuid4()}"


def linked(options: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """What is linked to a task or a canvas."""
    found = options.get(kind) or []
    return [found] if isinstance(found, dict) else list(found)


def members(node: dict[str, Any]) -> list[dict[str, Any]]:
    """What a canvas is made of."""
    kind, inner = node.get("subtask_type"), node.get("kwargs") or {}
    if kind == "chord":
        header = inner.get("header") or []
        found = [header] if isinstance(header, dict) else list(header)
        return found + ([inner["body"]] if inner.get("body") else [])
    return list(inner.get("tasks", ())) if kind in {"chain", "group"} else []


def leaves(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The tasks of a canvas that run unless something fails, in order; no callbacks."""
    inner = members(node)
    for member in inner:
        yield from leaves(member)
    if not inner:
        yield node


@dataclass(frozen=True, slots=True)
class Stamp:
    """Gives every task of a canvas the tenant's envelope, and an id under its prefix.

    Args:
        tenant: the tenant's id.
        sealed: task's name, audience -> envelope; it raises for a task of no tenant.
    """

    tenant: str
    sealed: Callable[[str, str], str]

    def __call__(self, signature: Signature, app: Celery) -> Signature:
        """A stamped copy.

        Raises:
            ConfigurationError: for `map`, `starmap` and `chunks`, which call a task's body
                directly, and for a canvas as an error callback.
        """
        copy = plain(signature)
        self._on(copy, "then")
        return Signature.from_dict(copy, app=app)

    def _on(self, node: dict[str, Any], role: str) -> None:
        name, options = node["task"], node["options"]
        if name in DIRECT or (role == "error" and node.get("subtask_type")):
            raise ConfigurationError(
                f"{name} can't carry a context here: map, starmap and chunks call a task's body "
                "past it (use a group), and an error callback is one task"
            )
        for kind, inside in (("link", "then"), ("link_error", "error")):
            for callback in linked(options, kind):
                self._on(callback, inside)
        for member in members(node):
            self._on(member, "then")
        options["task_id"] = fresh_id(self.tenant)
        if not node.get("subtask_type") and not name.startswith(BUILT_IN):
            said = self._said(node, role)
            options["headers"] = {**(options.get("headers") or {}), HEADER: said}

    def _said(self, node: dict[str, Any], role: str) -> dict[str, Any]:
        name, options = node["task"], node["options"]
        if role == "then":
            return {"role": role, "seal": self.sealed(name, then(name))}
        args, kwargs = list(node.get("args") or ()), node.get("kwargs") or {}
        audience = afterwards(name, args, kwargs, embedded(options))
        return {"role": role, "args": args, "seal": self.sealed(name, audience)}


def open_ended(node: dict[str, Any]) -> None:
    """Take the id off what a canvas ends with, for `Task.replace` to give it the replaced one's."""
    node["options"].pop("task_id", None)
    inner = members(node)
    if inner and node.get("subtask_type") != "group":
        open_ended(inner[-1])


def embedded(options: dict[str, Any]) -> dict[str, Any]:
    """What travels in the body of a message beside its arguments, as options of a signature."""
    return {
        "callbacks": linked(options, "link") or None,
        "errbacks": linked(options, "link_error") or None,
        "chain": options.get("chain"),
        "chord": options.get("chord"),
    }
