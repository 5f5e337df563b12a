"""PW112: the server's version has a known hole in what this database relies on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.survey.check import Hit, check
from partywall.survey.policies import applying

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall.survey.attack import Scene


@dataclass(frozen=True, slots=True)
class Hole:
    """A published vulnerability: the first fixed minor of each major, and when it matters.

    Attributes:
        fixed: major -> first minor without it; a major that is not listed never had it, unless it
            is older than all of them.
        used: whether this database uses what it is in.
    """

    name: str
    what: str
    fixed: tuple[tuple[int, int], ...]
    used: Callable[[Scene], bool]
    since: int = 0


def _switches(scene: Scene) -> bool:
    """Whether one login runs queries as several roles that policies tell apart."""
    roles = {i.role for i in scene.identities.values()}
    logins = {i.login for i in scene.identities.values()}
    named = {r for t in scene.snapshot.tables for p in t.policies for r in p.roles}
    return len(logins) < len(roles) and len(roles & named) > 1


def _split(scene: Scene) -> bool:
    """Whether a table's policies let a role insert what it may not update."""
    for table in scene.snapshot.tables:
        texts = {p.command: p.using or p.check for p in applying(scene, table, "A")}
        grants = scene.grants("A").tables.get(table.oid, frozenset())
        if table.rls and {"INSERT", "UPDATE"} <= grants & set(texts):
            return True
    return False


def _partitioned(scene: Scene) -> bool:
    return any(t.rls and t.kind == "partitioned" for t in scene.snapshot.tables)


def _secured(scene: Scene) -> bool:
    return any(t.rls for t in scene.snapshot.tables)


def _extended(scene: Scene) -> bool:
    return bool(scene.snapshot.statistics) and _secured(scene)


def _creates(scene: Scene) -> bool:
    database = scene.snapshot.databases.get(scene.identities["A"].database)
    return database is not None and scene.identities["A"].role in database.create


def _definers(scene: Scene) -> bool:
    mine = scene.snapshot.executable[scene.identities["A"].role]
    return any(f.definer and f.oid in mine for f in scene.snapshot.functions.values())


HOLES = (
    Hole("CVE-2025-8713", "planner statistics show sampled values past the policies of a "
         "partitioned table", ((13, 22), (14, 19), (15, 14), (16, 10), (17, 6)), _partitioned),
    Hole("CVE-2024-10976", "a plan made for one role is reused for another when row security "
         "applies below a subquery", ((12, 21), (13, 17), (14, 14), (15, 9), (16, 5), (17, 1)),
         _switches),
    Hole("CVE-2024-4317", "pg_stats_ext shows most common values to everyone",
         ((14, 12), (15, 7), (16, 3)), _extended, 14),
    Hole("CVE-2023-39418", "MERGE does not enforce policies for UPDATE and SELECT", ((15, 4),),
         _split, 15),
    Hole("CVE-2023-2455", "a plan made for one role is reused for another after inlining",
         ((11, 20), (12, 15), (13, 11), (14, 8), (15, 3)), _switches),
    Hole("CVE-2023-2454", "CREATE SCHEMA defeats the search_path of definer functions",
         ((11, 20), (12, 15), (13, 11), (14, 8), (15, 3)), _creates),
    Hole("CVE-2019-10208", "a type in pg_temp runs SQL inside a definer function",
         ((10, 10), (11, 5)), _definers),
    Hole("CVE-2019-10130", "planner statistics show values past row security",
         ((10, 8), (11, 3)), _secured),
)  # fmt: skip


@check("PW112", level="sql")
def server_version(scene: Scene) -> Iterator[Hit]:
    """Compare the server's version with the first fixed minors of known holes in row security.

    A hole in something that this database uses is a door; one in something that it does not use
    is advice. Holes of the tools around the server (pg_dump, libpq) are left to its packager.

    Affected:
        Servers that lack a minor release.

    Fix:
        Upgrade to the minor release that mends it.

    Source:
        https://www.postgresql.org/support/security/
        https://osv.dev/vulnerability/BIT-postgresql-2025-8713
        https://access.crunchydata.com/documentation/postgresql16/16.10/release-16-5.html
        https://postgresql.org/docs/current/release-16-3.html
        https://access.crunchydata.com/documentation/postgresql15/15.10/release-15-4.html
        https://osv.dev/vulnerability/BIT-postgresql-2023-2455
        https://postgresql.org/docs/12/release-12-15.html
        https://www.postgresql.org/support/security/CVE-2019-10208/
        https://raw.githubusercontent.com/CVEProject/cvelistV5/main/cves/2019/10xxx/CVE-2019-10130.json
    """
    major, minor = divmod(scene.snapshot.version, 10000)
    for hole in HOLES:
        fixed = dict(hole.fixed)
        affected = minor < fixed[major] if major in fixed else hole.since <= major < min(fixed)
        if affected:
            need = f"{major}.{fixed[major]}" if major in fixed else f"{min(fixed)} or later"
            yield Hit(
                f"PostgreSQL {major}.{minor}",
                f"{hole.name}: {hole.what}",
                f"upgrade to PostgreSQL {need}",
                hygiene=not hole.used(scene),
            )
