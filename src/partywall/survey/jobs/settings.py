"""What a survey of jobs is told: ``[jobs]``, and how each tenant reaches the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from partywall.errors import ConfigurationError
from partywall.survey.configuration import of_layer
from partywall.survey.declared import meant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from partywall.survey.declared import Table

Engine: TypeAlias = Literal["dbos", "procrastinate", "celery", "temporal"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
SCHEMAS: Mapping[Engine, str] = {"dbos": "dbos", "procrastinate": "public"}
KEYS = frozenset({
    "engine", "url", "schema", "api_key", "certificate", "key", "authority", "start", "status",
    "result", "cancel", "list", "fail", "rounds", "wait_s",
})  # fmt: skip
TENANT_KEYS = frozenset({"url", "enter", "row", "schema", "queue", "prefix", "namespace",
                         "api_key", "certificate", "key", "authority"})  # fmt: skip
ROUNDS = 6


@dataclass(frozen=True, slots=True)
class TemporalLogin:
    """What Temporal is shown; files are named, and read when they are needed.

    Attributes:
        certificate, key: of the client, for mTLS. authority: who signed the server's.
    """

    api_key: str = field(default="", repr=False)
    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None


@dataclass(frozen=True, slots=True)
class JobsLogin:
    """How one tenant's code reaches the engine.

    Attributes:
        enter: statements that begin each of its transactions (DBOS, Procrastinate).
        row: columns of a job by which it is this tenant's; ``{run}`` stands for this survey.
        schema: of the engine's tables.
        queue, prefix: of Celery: its queue, and what all its keys begin with.
        namespace, temporal: of Temporal.
    """

    name: str
    url: str
    enter: tuple[str, ...] = ()
    row: Mapping[str, str] = field(default_factory=dict)
    schema: str = ""
    queue: str = "celery"
    prefix: str = ""
    namespace: str = "default"
    temporal: TemporalLogin = TemporalLogin()


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the application starts jobs and tells of them: ``POST /exports``, ``{id}`` in a path.

    Attributes:
        start: "" for whatever answers that it was accepted (202).
        listing: of one's own jobs.
        fail: starts a job that fails; between two rounds.
        rounds: how often both tenants' jobs are run in turn.
        wait_s: so long a job may take.
    """

    start: str = ""
    status: str = ""
    result: str = ""
    cancel: str = ""
    listing: str = ""
    fail: str = ""
    rounds: int = ROUNDS
    wait_s: float = 30

    @property
    def asked(self) -> bool:
        """Whether anything says how to ask for a job that was started."""
        return bool(self.status or self.result or self.cancel or self.listing)


@dataclass(frozen=True, slots=True)
class JobsSettings:
    """All that a survey of jobs is told.

    Attributes:
        url: an administrator's: plants a job for each tenant, and removes it. "" for none.
        attacker: ``query`` reaches a login that tenants share only through the application.
    """

    engine: Engine | None
    url: str
    tenants: Mapping[str, JobsLogin]
    endpoints: Endpoints = field(default_factory=Endpoints)
    attacker: str = "query"
    temporal: TemporalLogin = TemporalLogin()


def load(whole: Table) -> JobsSettings | None:
    """Read ``[jobs]`` and ``[tenants.NAME.jobs]``; None where there is no ``[jobs]``.

    Raises:
        ConfigurationError: something is missing or unknown; the message names the place.
    """
    if "jobs" not in whole.values:
        return None
    table = whole.table("jobs").only(KEYS)
    url = table.text("url", "")
    engine = _engine(table) if url or "engine" in table.values else None
    if engine and not url:
        raise ConfigurationError(
            '[jobs] needs url = "…", an administrator\'s address of the engine'
        )
    schema = table.text("schema", SCHEMAS.get(engine, "") if engine else "")
    told = of_layer(whole, "jobs", TENANT_KEYS)
    tenants = {name: _login(name, entry, schema) for name, entry in told.items()}
    start, status, result, cancel, listing, fail = (
        _operation(table, name) for name in ("start", "status", "result", "cancel", "list", "fail")
    )
    rounds, wait_s = int(table.number("rounds", ROUNDS)), table.number("wait_s", 30)
    endpoints = Endpoints(start, status, result, cancel, listing, fail, rounds, wait_s)
    attacker = whole.table("survey").text("attacker", "query")
    return JobsSettings(engine, url, tenants, endpoints, attacker, _temporal(table))


def _engine(table: Table) -> Engine:
    said = table.text("engine")
    if said not in ENGINES:
        raise ConfigurationError(
            f"[jobs] engine is {meant(ENGINES)(said)}; it is one of {', '.join(ENGINES)}"
        )
    return said


def _login(name: str, table: Table, schema: str) -> JobsLogin:
    return JobsLogin(
        name,
        table.text("url"),
        table.texts("enter"),
        table.pairs("row"),
        table.text("schema", schema),
        table.text("queue", "celery"),
        table.text("prefix", ""),
        table.text("namespace", "default"),
        _temporal(table),
    )


def _temporal(table: Table) -> TemporalLogin:
    files = (table.path(name) for name in ("certificate", "key", "authority"))
    return TemporalLogin(table.text("api_key", ""), *files)


def _operation(table: Table, name: str) -> str:
    said = table.text(name, "")
    method, _, path = said.partition(" ")
    if said and not (method.isupper() and path.startswith("/")):
        raise ConfigurationError(f'[jobs] {name} is {said!r}; write it as "GET /exports/{{id}}"')
    if said and name in {"status", "result", "cancel"} and "{id}" not in path:
        raise ConfigurationError(f"[jobs] {name} needs {{id}} in its path, where the job's id goes")
    return said
