"""What the survey of sockets is told: ``[sockets]``, and who leaves each tenant."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from partywall.errors import ConfigurationError
from partywall.survey.configuration import API_KEYS
from partywall.survey.declared import Table
from partywall.survey.http.tenants import address, credentials

if TYPE_CHECKING:
    from partywall.survey.http.settings import Credentials

KEYS = frozenset({"path", "events", "message", "publish", "within_s", "patience_s"})
ASKED = frozenset({"method", "path", "json", "as"})
LEAVER = frozenset({"headers", "cookies", "login", "leave", "join"})
ACTORS = ("stays", "leaves")
CANARY = "{canary}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that the configuration declares.

    Attributes:
        json: its body, None for none.
        leaves: whether the member who leaves asks it, and not the one who stays.
    """

    method: str
    path: str
    json: Any = None
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A tenant, who stays in it, and who leaves.

    Attributes:
        leaves: None where nobody was declared who does.
        leave, join: the requests that end the membership and give it back.
    """

    name: str
    stays: Credentials
    leaves: Credentials | None = None
    leave: Asked | None = None
    join: Asked | None = None


@dataclass(frozen=True, slots=True)
class SocketsSettings:
    """All that the survey of sockets is told.

    Attributes:
        base: the application's address.
        path: of a WebSocket, or of server-sent events where `events`.
        message: what a client sends when its socket is open, "" for nothing.
        publish: what who stays asks, so that a canary is heard.
        within_s: so long a socket may outlive its membership.
        patience_s: so long a message may take.
    """

    base: str
    path: str
    publish: Asked
    events: bool = False
    message: str = ""
    within_s: float = 5
    patience_s: float = 5
    verify: bool = True
    timeout_s: float = 10
    members: tuple[Member, ...] = ()
    hosts: tuple[str, ...] = field(default=())

    @property
    def at(self) -> str:
        """The surface, as reports and exceptions name it."""
        return f"sockets {'GET' if self.events else 'WS'} {self.path}"


def load(whole: Table) -> SocketsSettings | None:
    """Read ``[sockets]``; None where there is none.

    The application's address and the tenants' credentials are those of ``[api]`` and
    ``[tenants.NAME]``; who stays has them. ``[tenants.NAME.sockets]`` has the credentials of a
    second member, and the requests that end that membership and begin it again.

    Raises:
        ConfigurationError: something is missing or unknown; the message names the place.
    """
    if "sockets" not in whole.values:
        return None
    table, api = whole.table("sockets").only(KEYS), whole.table("api")
    base = address(api.text("base", ""), "[api] base")
    if not base:
        raise ConfigurationError(
            '[sockets] needs the application\'s address: [api] base = "http://127.0.0.1:8000"'
        )
    if ("path" in table.values) == ("events" in table.values):
        raise ConfigurationError(
            '[sockets] needs path = "/…" of a WebSocket, or events = "/…" of server-sent events'
        )
    publish = asked(table.table("publish"))
    if publish is None or CANARY not in f"{publish.path} {publish.json}":
        raise ConfigurationError(
            "[sockets.publish] is the request by which a member has something published: give its "
            'method, path and json, with "{canary}" where a text goes'
        )
    return SocketsSettings(
        base,
        path(table, "events" if "events" in table.values else "path"),
        publish,
        "events" in table.values,
        table.text("message", ""),
        seconds(table, "within_s"),
        seconds(table, "patience_s"),
        api.flag("verify", default=True),
        api.number("timeout_s", 10),
        tuple(member(name, entry) for name, entry in whole.named("tenants").items()),
        api.texts("hosts"),
    )


def member(name: str, entry: Table) -> Member:
    """A tenant's two members; one, where nobody leaves."""
    own = credentials(name, entry)
    table = entry.table("sockets").only(LEAVER)
    if not table.values:
        return Member(name, own)
    known = {key: value for key, value in table.values.items() if key in API_KEYS}
    leaves = credentials(f"{name}-leaver", replace(table, values=known))
    if not (leaves.headers or leaves.cookies or leaves.log_in):
        raise ConfigurationError(
            f"{table.where} says nothing that its member would be known by: give headers, cookies, "
            f"or {table.where[:-1]}.login]"
        )
    leave, join = asked(table.table("leave")), asked(table.table("join"))
    return Member(name, own, leaves, leave, join)


def asked(table: Table) -> Asked | None:
    """A declared request; None where there is none.

    Raises:
        ConfigurationError: it can't be one.
    """
    if not table.values:
        return None
    table.only(ASKED)
    who = table.text("as", ACTORS[0])
    if who not in ACTORS:
        raise ConfigurationError(f"{table.where} as is {who!r}; it is one of {', '.join(ACTORS)}")
    method = table.text("method", "POST").upper()
    return Asked(method, path(table, "path"), table.value("json"), who == "leaves")


def path(table: Table, name: str) -> str:
    """A path within the application."""
    found = table.text(name)
    if not found.startswith("/"):
        raise ConfigurationError(f'{table.where} {name} must begin with "/", as in "/live"')
    return found


def seconds(table: Table, name: str) -> float:
    """A time to wait; five seconds where none is given."""
    found = table.number(name, 5)
    if not found:
        raise ConfigurationError(f"{table.where} {name} is 0: nothing is heard in no time")
    return found
