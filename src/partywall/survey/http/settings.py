"""What a probe is told: ``[api]``, the tenants and their credentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from partywall.survey.configuration import Acceptance

Existence: TypeAlias = Literal["auto", "secret", "told"]


@dataclass(frozen=True, slots=True)
class LogIn:
    """A request that gives credentials, and what to take from its answer.

    Attributes:
        json, form: the body; None for none.
        headers: name -> template, ``Bearer {access_token}``; a name in braces is looked up in the
            JSON answer, dots lead inside.
        own: the same for values of its own.
    """

    method: str
    path: str
    json: Any = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Credentials:
    """One tenant, as the API knows it."""

    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    base: str = ""
    log_in: LogIn | None = None


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """All that a probe is told.

    Attributes:
        app: ``module:attribute`` of an ASGI or WSGI application; "" for none.
        deny: operations that are left out, ``METHOD /path`` with ``*``.
        public: operations that everybody may read, by design.
        existence: whether it is secret that another tenant has an id.
        every_pair: attack every ordered pair of tenants, not a ring of them.
        read_only: ask nothing but what promises to change nothing.
        websockets: paths of WebSockets, each perhaps with its first message after a space.
        socketio_events: events that join a room -> their arguments; a bare name is an id.
        time_limit_s: after that no further operation is begun; 0 for no limit.
        journal: where progress is kept, to go on after a stop.
    """

    base: str = ""
    openapi: str = ""
    app: str = ""
    har: tuple[Path, ...] = ()
    hosts: tuple[str, ...] = ()
    websockets: tuple[str, ...] = ()
    socketio_events: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rate: float = 0
    deny: tuple[str, ...] = ()
    follow_redirects: bool = False
    verify: bool = True
    hook: Path | None = None
    existence: Existence = "auto"
    timeout_s: float = 10
    tenants: tuple[Credentials, ...] = ()
    stranger: Credentials | None = None
    public: tuple[str, ...] = ()
    exceptions: tuple[Acceptance, ...] = ()
    seed: int = 0
    every_pair: bool = False
    read_only: bool = False
    timing: bool = False
    journal: Path | None = None
    time_limit_s: float = 720
