"""The flow of a survey of every tenant: who they are, a turn each, one report."""

from __future__ import annotations

import hashlib
import os
import re
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from partywall.catalog.reader import snapshot
from partywall.errors import ConfigurationError
from partywall.survey import entering
from partywall.survey.acceptance import sort_out
from partywall.survey.addresses import without_secret
from partywall.survey.audit import complete, roles
from partywall.survey.connecting import log_in, opened
from partywall.survey.detect import detect
from partywall.survey.evidence import holding
from partywall.survey.fleet import drift, judging, rows
from partywall.survey.fleet.databases import Databases
from partywall.survey.fleet.door import Door
from partywall.survey.fleet.footing import footing
from partywall.survey.fleet.journal import Journal
from partywall.survey.fleet.roster import PLACE, Template, listed, lodgers, template
from partywall.survey.fleet.schemas import House, Schemas
from partywall.survey.fleet.workers import turns
from partywall.survey.sql import identifier
from partywall.survey.verdict import Fleet, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import psycopg

    from partywall.model import TenancyModel
    from partywall.survey.configuration import Configuration
    from partywall.survey.fleet.roster import Lodger
    from partywall.survey.fleet.turn import Place, Turn
    from partywall.survey.fleet.workers import Worker
    from partywall.survey.identity import Identity, Who
    from partywall.survey.verdict import Advice, Undecided

MOST_WORKERS = 32
FIXES = {
    "read-rows": "give every permissive policy for SELECT a USING that compares the tenant column "
    "with the context",
    "change-row": "give every permissive policy for UPDATE a USING that compares the tenant column",
    "delete-row": "give every permissive policy for DELETE a USING that compares the tenant column",
    "fall-through": "let each tenant's search_path name its own schema first, and no other's",
    "cross-database": "REVOKE CONNECT ON DATABASE … FROM PUBLIC, and grant it to its own login",
}
REVOKE = (
    "let a tenant's schema to its own role alone: REVOKE ALL ON SCHEMA …, and ON ALL TABLES IN "
    "SCHEMA …, FROM PUBLIC and from the roles of others"
)
SHALLOW = (
    "every tenant was let at every other's rows; the other attacks need two tenants only, and are "
    "made by `partywall audit` without --all-tenants"
)


class FleetWatch:
    """What a survey of all tenants tells while it runs; every method may be overridden."""

    def stage(self, name: str) -> None:
        """A part of the survey begins."""

    def planned(self, tenants: int, surfaces: int, done: int) -> None:
        """So many tenants there are, and so many have had their turn in an earlier run."""

    def turned(self, turn: Turn) -> None:
        """A tenant had its turn."""


@dataclass(frozen=True)
class Ground:
    """What one isolation model makes of the survey.

    Attributes:
        worker: makes one from an administrator's connection.
        places: surfaces and effects that are tried.
        left: what isn't, with the reason.
    """

    model: TenancyModel | None
    lodgers: Sequence[Lodger]
    worker: Callable[[psycopg.Connection[Any]], Worker]
    places: Sequence[Place]
    undecided: Sequence[Undecided] = ()
    advice: Sequence[Advice] = ()
    left: Sequence[str] = ()
    kinds: Mapping[str, str] | None = None
    fixes: Mapping[str, str] = field(default_factory=lambda: FIXES)


def survey(
    configuration: Configuration,
    *,
    writing: bool = False,
    workers: int = 0,
    journal: Path | None = None,
    watch: FleetWatch | None = None,
) -> Report:
    """Let every tenant at all others, on the target; nothing that is done stays done.

    Args:
        writing: also try to change and remove others' rows, in transactions that are rolled back.
        workers: connections at a time, beside one for the catalog; 0 for one a processor.
        journal: a file of what was done, to go on from after a stop.

    Raises:
        ConfigurationError: nobody knows who the tenants are, or how one is entered.
        TargetError: the server refused what the survey needs.
    """
    began = time.perf_counter()
    watch = watch or FleetWatch()
    many = min(workers or os.cpu_count() or 1, MOST_WORKERS)
    with ExitStack() as stack:
        admin = opened(stack, configuration.url, "")
        configuration = complete(configuration, admin)
        watch.stage("entering two tenants")
        with ExitStack() as entered:
            identities = entering.identities(
                configuration, lambda name: opened(entered, configuration.url, name)
            )
        log_in(configuration)
        home = opened(stack, configuration.url, identities["A"].database)
        home.execute("SET statement_timeout = 0")
        watch.stage("reading the catalog")
        ground = _ground(configuration, identities, home, writing=writing)
        about = {
            "target": without_secret(configuration.url),
            "database": identities["A"].database,
            "writing": writing,
            "places": hashlib.sha256(repr(sorted(ground.places)).encode()).hexdigest(),
            "walls": footing(home) if journal else "",
        }
        notes = stack.enter_context(Journal(journal, about))
        done = {one.id: notes.done[one.id] for one in ground.lodgers if one.id in notes.done}
        waiting = [one for one in ground.lodgers if one.id not in done]
        watch.stage("attacking")
        watch.planned(len(ground.lodgers), len({at for at, _ in ground.places}), len(done))
        crew = [
            ground.worker(opened(stack, configuration.url, identities["A"].database))
            for _ in range(min(many, len(waiting)))
        ]
        for turn in turns(crew, waiting) if crew else ():
            notes.note(turn)
            done[turn.id] = turn
            watch.turned(turn)
        took = time.perf_counter() - began
        report = _report(configuration, identities, ground, done, home, took, writing=writing)
        notes.end()
        return report


def _ground(
    configuration: Configuration,
    identities: Mapping[Who, Identity],
    home: psycopg.Connection[Any],
    *,
    writing: bool,
) -> Ground:
    a, b = identities["A"], identities["B"]
    if a.database != b.database:
        return _databases(configuration, home)
    schemas = tuple(_schema(home, one, other) for one, other in ((a, b), (b, a)))
    if all(schemas) and schemas[0] != schemas[1]:
        return _schemas(configuration, home, schemas)
    return _rows(configuration, identities, home, writing=writing)


def _schema(home: psycopg.Connection[Any], one: Identity, other: Identity) -> str:
    """The schema that is *one*'s alone, "" where it has none."""
    names = [one.tenant, *(s for s in one.search_path if s not in other.search_path)]
    query = "SELECT nspname::text FROM pg_namespace WHERE nspname = ANY(%s)"
    there = {row[0] for row in home.execute(query, [names])}
    return next((name for name in names if name in there), "")


def _rows(
    configuration: Configuration,
    identities: Mapping[Who, Identity],
    home: psycopg.Connection[Any],
    *,
    writing: bool,
) -> Ground:
    facts = snapshot(home, acting=roles(identities))
    seen = holding(home, facts, [identities["A"].tenant, identities["B"].tenant])
    model = detect(
        facts, identities, holding=seen, columns=configuration.tables, shared=configuration.shared
    )
    public = {one.table: one.when for one in configuration.public}
    surfaces, left = rows.surfaces(facts, model, public)
    how = template(configuration)
    query = configuration.fleet.tenants or _listing(model)
    where = "[fleet] tenants" if configuration.fleet.tenants else "the tenants' own tables"
    effects = ("read", "write", "destroy") if writing else ("read",)
    places = [
        (one.at, effect)
        for one in surfaces
        for effect in (effects if one.stores else effects[:1])
        if effect != "write" or one.column
    ]
    return Ground(
        model,
        listed(home, query, how, where),
        lambda connection: rows.Rows(Door(connection), surfaces, writing),
        places,
        [judging.unknown(at, because) for at, because in left.items()],
        kinds={r.qualified: r.kind for r in facts.relations.values()},
    )


def _listing(model: TenancyModel) -> str:
    """A query for all tenants: the list of them where there is one, else all that own something.

    Raises:
        ConfigurationError: no table holds a tenant's id.
    """
    registries = [(t, o.column) for t, o in model.owned.items() if o.kind == "registry"]
    columns = [(t, o.column) for t, o in model.owned.items() if o.kind == "column"]
    parts = [
        f"SELECT {identifier(column)}::text AS id FROM {table}"
        for table, column in registries[:1] or columns
    ]
    if not parts:
        raise ConfigurationError(
            "no table was found that holds the tenants' ids: say who they are with [fleet] "
            'tenants = "SELECT id FROM …" in partywall.toml'
        )
    return f"SELECT DISTINCT id FROM ({' UNION ALL '.join(parts)}) t WHERE id IS NOT NULL"


def _schemas(
    configuration: Configuration, home: psycopg.Connection[Any], two: tuple[str, ...]
) -> Ground:
    how = template(configuration, two)
    if query := configuration.fleet.tenants:
        found = listed(home, query, how, "[fleet] tenants")
    else:
        alike = "SELECT n.nspname::text FROM pg_namespace n WHERE EXISTS (SELECT FROM pg_class c \
JOIN pg_class d ON d.relname = c.relname WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p') \
AND d.relnamespace = %s::regnamespace AND d.relkind IN ('r', 'p'))"
        names = [row[0] for row in home.execute(alike, [identifier(two[0])])]
        found = lodgers(_ids(how.schema, names), how, f"schemas built as {two[0]} is")
    house = House.of(home, found)
    drifts, most = drift.drifts(home, [one.schema for one in found])
    doubts, advice = judging.drifted(drifts, most)
    logins = len({one.login for one in found})
    attacker = configuration.attacker
    left = []
    if logins == 1 and attacker == "query":
        left.append(
            "one login serves all schemas: what it can reach by a qualified name takes an attacker "
            "of level sql, and was not tried (attacker = query)"
        )
    return Ground(
        None,
        found,
        lambda connection: Schemas(Door(connection), house, attacker, logins),
        [(name, "read") for name in house.names],
        doubts,
        advice,
        left,
        dict.fromkeys(house.names, "table"),
        FIXES | dict.fromkeys(("read-rows", "change-row", "delete-row"), REVOKE),
    )


def _ids(pattern: str, names: Sequence[str]) -> list[dict[str, str]]:
    """The ids in *names* that look like *pattern*, ``tenant_{id}``."""
    before, _, after = PLACE.sub("\0", pattern).partition("\0")
    shape = re.compile(f"{re.escape(before)}(.+){re.escape(after)}")
    return [{"id": match[1]} for name in names if (match := shape.fullmatch(name))]


def _databases(configuration: Configuration, home: psycopg.Connection[Any]) -> Ground:
    how = template(configuration)
    if query := configuration.fleet.tenants:
        found = listed(home, query, how, "[fleet] tenants")
    else:
        pattern = _database_pattern(how)
        names = "SELECT datname::text FROM pg_database WHERE datallowconn AND NOT datistemplate"
        found = lodgers(
            _ids(pattern, [row[0] for row in home.execute(names)]), how, "databases on the server"
        )
    logins = len({one.login for one in found})
    left = ["one login serves all databases: which one it connects to is the context"]
    return Ground(
        None,
        found,
        lambda connection: Databases(connection, found, logins),
        [("database", "read")],
        left=left if logins == 1 else (),
        kinds={"database": "database"},
    )


def _database_pattern(how: Template) -> str:
    """How databases of tenants are called.

    Raises:
        ConfigurationError: their urls don't tell.
    """
    name = how.url.rpartition("/")[2].partition("?")[0]
    if not PLACE.search(name):
        raise ConfigurationError(
            "the tenants' databases are not named after their ids: say who the tenants are with "
            '[fleet] tenants = "SELECT id, database FROM …", url = "postgresql://…/{database}"'
        )
    return name


def _report(
    configuration: Configuration,
    identities: Mapping[Who, Identity],
    ground: Ground,
    done: Mapping[str, Turn],
    home: psycopg.Connection[Any],
    took_s: float,
    *,
    writing: bool,
) -> Report:
    found = judging.judge(ground.lodgers, done, ground.places, ground.fixes)
    today = datetime.now(UTC).date()
    findings, excepted, remarks = sort_out(found.findings, configuration.exceptions, today)
    cells = dict(found.cells)
    for one in excepted:
        cells[one.finding.at, one.finding.effect] = "excepted"
    undecided = (*found.undecided, *ground.undecided)
    for doubt in undecided:
        cells.setdefault((doubt.at, doubt.effect), "undecided")
    number = len(ground.lodgers)
    return Report(
        findings=findings,
        undecided=undecided,
        advice=tuple(ground.advice),
        excepted=excepted,
        cells=cells,
        layers={},
        controls={"proved": found.proved, "failed": sum(bool(t.failed) for t in done.values())},
        attempts=found.attempts,
        place="target" if writing else "target, read-only",
        attacker=configuration.attacker,
        target=without_secret(configuration.url),
        versions={"postgresql": str(home.info.server_version), "partywall": version("partywall")},
        duration_s=took_s,
        left=(SHALLOW, *ground.left),
        model=ground.model,
        identities=identities,
        kinds=ground.kinds or {},
        fleet=Fleet(number, number * (number - 1), len(done)),
        remarks=remarks,
    )
