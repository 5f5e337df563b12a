"""What a survey is told: `partywall.toml`, or ``[tool.partywall]`` of `pyproject.toml`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, cast

from partywall.errors import ConfigurationError
from partywall.survey.declared import document
from partywall.survey.layers import FURTHER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from partywall.survey.attack import Level
    from partywall.survey.declared import Table

LEVELS = ("query", "sql", "context")
TABLES = frozenset(
    {
        "database", "survey", "tenants", "anonymous", "public", "exceptions", "model", "api",
        "control", "stranger", "fleet", *FURTHER,
    }
)  # fmt: skip
LOGIN_KEYS = frozenset({"id", "url", "enter", "prove"})
API_KEYS = frozenset({"headers", "cookies", "own", "base", "login"})
LAYER_KEYS = frozenset(FURTHER)
"""What a tenant shows to a layer, each in a table of its own: ``[tenants.acme.cache]``."""
ROWS_KEYS, OPERATION_KEYS = frozenset({"table", "when"}), frozenset({"operation"})
OPERATION = re.compile(r"[A-Z]+ /")
"""How what stands at an API's operation begins; no surface of a database does."""
FURTHER_SURFACE = re.compile(rf"({'|'.join(FURTHER)}) ")
"""How the surfaces of the other layers begin; their names end with the space."""
QUOTED = re.compile(r'"(?:[^"]|"")*"')
"""A name that may hold anything."""


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """How the application becomes one tenant; assumed when nobody declared it."""

    name: str
    id: str
    url: str
    enter: tuple[str, ...] = ()
    prove: tuple[str, ...] = ()
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class PublicRows:
    """Rows that everyone may read, by design."""

    table: str
    when: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A finding that is accepted: by name and surface, with a reason, perhaps for a while."""

    finding: str
    at: str
    because: str
    until: date | None = None

    def holds(self, today: date) -> bool:
        """Whether it has not expired."""
        return self.until is None or today <= self.until


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """Who all the tenants are, where the database doesn't tell, and how any is entered.

    Attributes:
        tenants: a query; its first column is the tenant's id, the others go by their names.
        enter: statements with ``{id}`` or another column's name in them.
        url: the same of the login's address, "" where the declared tenants tell it.
    """

    tenants: str = ""
    enter: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that a survey of a database is told.

    Attributes:
        url: an administrator's: reads the catalog, plants rows, makes the copy.
        tenants: at least two where any are declared; the first two are A and B.
        tables: declared tenant columns, qualified table -> column.
        shared: tables declared to be shared.
        title: what reports call the target, where its address says nothing.
        notes: how the target was made; reports tell them.
    """

    url: str
    attacker: Level = "query"
    tenants: tuple[TenantSettings, ...] = ()
    anonymous: TenantSettings | None = None
    public: tuple[PublicRows, ...] = ()
    exceptions: tuple[Acceptance, ...] = ()
    tables: Mapping[str, str] = field(default_factory=dict)
    shared: tuple[str, ...] = ()
    fleet: FleetSettings = field(default_factory=FleetSettings)
    title: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """Where the control plane is.

    Attributes:
        url: of its own database, "" when nothing says it.
        app: the application's `ControlPlane`, as ``module:attribute``; "" when nothing says it.
    """

    url: str
    app: str


def control(path: Path | None = None, *, url: str = "", app: str = "") -> ControlSettings:
    """Read where the control plane is; *url* and *app* override what the file says.

    The file is looked for as `load` does; ``PARTYWALL_CONTROL`` overrides its url.

    Raises:
        ConfigurationError: something is unknown or of a wrong kind; the message names the place.
    """
    table = known(path).table("control")
    return ControlSettings(
        url or os.environ.get("PARTYWALL_CONTROL") or table.text("url", ""),
        app or table.text("app", ""),
    )


def load(
    path: Path | None = None, *, url: str = "", attacker: str = "", secrets: bool = True
) -> Configuration:
    """Read the configuration; *url* and *attacker* override what the file says.

    Without *path* it is looked for as ``partywall.toml``, then in ``pyproject.toml``, both in the
    working folder. Values may name environment variables: ``${NAME}``; ``PARTYWALL_DATABASE_URL``,
    ``PARTYWALL_TENANT_<NAME>_URL`` and ``PARTYWALL_ANONYMOUS_URL`` override the URLs. Without
    *secrets* a variable that isn't set counts as empty: a disposable server asks for no password.

    What only the surveys of other layers read is left alone: operations in ``[[public]]``,
    ``[[exceptions]]`` of other layers' surfaces, and tenants of which no login is said.

    Raises:
        ConfigurationError: something is missing or unknown; the message names the place.
    """
    whole = known(path, secrets=secrets)
    survey = whole.table("survey").only({"attacker"})
    model = whole.table("model").only({"tenant_columns", "shared"})
    database = whole.table("database").only({"url"})
    fleet = whole.table("fleet").only({"tenants", "enter", "url"})
    found = url or os.environ.get("PARTYWALL_DATABASE_URL") or database.text("url", "")
    if not found:
        message = (
            "no database to survey: give `partywall audit --url postgresql://…`, set "
            'PARTYWALL_DATABASE_URL, or write `[database] url = "postgresql://…"` in partywall.toml'
        )
        raise ConfigurationError(message)
    level = attacker or survey.text("attacker", "query")
    if level not in LEVELS:
        message = f"[survey] attacker is {level!r}; it is one of {', '.join(LEVELS)}"
        raise ConfigurationError(message)
    tenants, anonymous = logins(whole)
    if len(tenants) == 1:
        message = f"only [tenants.{tenants[0].name}] is declared: a survey needs two to hold apart"
        raise ConfigurationError(message)
    return Configuration(
        found,
        cast("Level", level),
        tenants,
        anonymous,
        tuple(
            PublicRows(entry.text("table"), entry.text("when"))
            for entry in whole.tables("public")
            if not only_for(OPERATION_KEYS, ROWS_KEYS, entry)
        ),
        tuple(one for one in exceptions(whole) if layer_of(one.at) == "database"),
        model.pairs("tenant_columns"),
        model.texts("shared"),
        FleetSettings(fleet.text("tenants", ""), fleet.texts("enter"), fleet.text("url", "")),
    )


def known(path: Path | None, *, secrets: bool = True) -> Table:
    """The whole file, with no table that neither a survey nor the control plane reads."""
    whole = document(path, TABLES, secrets=secrets)
    whole.table("control").only({"url", "app"})
    return whole


def only_for(theirs: AbstractSet[str], ours: AbstractSet[str], entry: Table) -> bool:
    """Whether an entry says something to the other kind of survey, and nothing to this one.

    Raises:
        ConfigurationError: it has a key that neither knows.
    """
    said = set(entry.only(theirs | ours).values)
    return bool(said) and said <= theirs


def exceptions(whole: Table) -> list[Acceptance]:
    """Every accepted finding, of a database or of an API."""
    return [_exception(entry) for entry in whole.tables("exceptions")]


def layer_of(at: str) -> str:
    """The layer that a surface belongs to, by how reports print it."""
    if OPERATION.match(at):
        return "api"
    found = FURTHER_SURFACE.match(at)
    return found[1] if found else "database"


def of_layer(whole: Table, layer: str, keys: AbstractSet[str]) -> dict[str, Table]:
    """What each tenant shows to a layer, by the tenant's name: ``[tenants.acme.cache]``.

    Raises:
        ConfigurationError: one tenant alone does, or a table has other keys than *keys*.
    """
    found = {
        name: entry.table(layer).only(keys)
        for name, entry in whole.named("tenants").items()
        if layer in entry.values
    }
    if len(found) == 1:
        raise ConfigurationError(
            f"only [tenants.{next(iter(found))}.{layer}] is declared: a survey needs two to hold "
            "apart"
        )
    return found


def logins(whole: Table) -> tuple[tuple[TenantSettings, ...], TenantSettings | None]:
    """The tenants of which a database login is said, and nobody's where it is declared.

    Raises:
        ConfigurationError: something is missing or unknown; the message names the place.
    """
    tenants = tuple(
        _tenant(name, entry)
        for name, entry in whole.named("tenants").items()
        if not only_for(API_KEYS | LAYER_KEYS, LOGIN_KEYS, entry)
    )
    anonymous = whole.table("anonymous")
    if "anonymous" not in whole.values or only_for(LAYER_KEYS, LOGIN_KEYS, anonymous):
        return tenants, None
    return tenants, _tenant("anonymous", anonymous)


def _tenant(name: str, entry: Table) -> TenantSettings:
    entry.only(LOGIN_KEYS | LAYER_KEYS | (API_KEYS if name != "anonymous" else frozenset()))
    variable = (
        "PARTYWALL_ANONYMOUS_URL"
        if name == "anonymous"
        else f"PARTYWALL_TENANT_{re.sub('[^A-Z0-9]', '_', name.upper())}_URL"
    )
    url = os.environ.get(variable) or entry.text("url")
    needed = None if name != "anonymous" else ""
    return TenantSettings(
        name, entry.text("id", needed), url, entry.texts("enter"), entry.texts("prove")
    )


def _exception(entry: Table) -> Acceptance:
    entry.only({"finding", "at", "because", "until"})
    finding, at, because = (entry.text(name) for name in ("finding", "at", "because"))
    until = entry.values.get("until")
    if until is not None and not isinstance(until, date):
        message = f"[[exceptions]] for {at}: until must be a date, as in 2027-06-30 (no quotes)"
        raise ConfigurationError(message)
    if not because.strip():
        message = f"[[exceptions]] for {at}: because must give a reason"
        raise ConfigurationError(message)
    if "*" in QUOTED.sub("", at):
        message = (
            f"[[exceptions]] for {at}: an exception names one surface as the report prints it, "
            "without patterns, so that a new leak is a new decision"
        )
        raise ConfigurationError(message)
    return Acceptance(finding, at, because, until)
