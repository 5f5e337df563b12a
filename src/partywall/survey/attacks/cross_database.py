"""PW253: A's login connects to the database of B."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Neighbour, Outcome, Scene

DOOR = "SELECT has_database_privilege(current_database(), 'CONNECT')"


@attack("PW253", effect="read")
def cross_database(scene: Scene) -> Iterator[Attempt]:
    """Connect to B's database as A's login, and read whatever it may read there.

    CONNECT is PUBLIC's by default in every new database: a database per tenant is a wall only
    once it is revoked. A's login is tried for real; a pg_hba.conf that refuses it holds too.

    Affected:
        A database for each tenant on one server: everybody may connect to a new one.

    Applications:
        a database each, a database each

    Breaches:
        GRANT SELECT ON contacts TO PUBLIC;

    Holds:
        GRANT SELECT ON contacts TO PUBLIC;
        GRANT CONNECT ON DATABASE globex TO globex;
        REVOKE CONNECT ON DATABASE globex FROM PUBLIC;

    Fix:
        Take CONNECT from PUBLIC, and grant it to the tenant's own login.

    Source:
        https://www.postgresql.org/docs/current/ddl-priv.html
    """
    beyond = scene.neighbour
    if beyond is None or beyond.refusal:
        return
    login = scene.identities["A"].login
    if login == scene.identities["B"].login:
        return  # one login for all: the database it connects to is the context
    yield _catalog(scene, beyond)
    for relation in beyond.snapshot.relations.values():
        schema = beyond.snapshot.schemas.get(relation.schema)
        may = beyond.snapshot.grants.get(login)
        if (
            relation.extension is None
            and schema is not None
            and may is not None
            and login in schema.usage
        ):
            if may.may("SELECT", relation.oid):
                yield _read(scene, beyond, relation)
            row = beyond.world.spare.get((relation.qualified, "B"))
            if row is not None and may.may("INSERT", relation.oid):
                yield _write(scene, relation, row.insert())


def _repair(scene: Scene) -> tuple[str, ...]:
    """Close the database to everyone; its own tenant's login keeps a grant of its own."""
    owner = scene.identities["B"]
    database, login = sql.identifier(owner.database), sql.identifier(owner.login)
    return (
        f"GRANT CONNECT ON DATABASE {database} TO {login}",
        f"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC",
    )


def _catalog(scene: Scene, beyond: Neighbour) -> Attempt:
    """The names and sizes of B's tables: every login reads the catalog of a database it is in."""
    names = sorted(table for table, who in beyond.world.planted if who == "B")

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[0].scalar == "t" and outcomes[1].rows:
            return Breach("A's login may connect to the database of another tenant and lists it")
        return None

    listed = "SELECT relname FROM pg_class WHERE relkind = 'r' AND oid >= 16384"
    return Attempt(
        at=f"database {scene.identities['B'].database}",
        attacker="A",
        steps=(Step("A", DOOR), Step("A", listed)) if names else (Step("A", DOOR),),
        judge=judge if names else (lambda _: None),
        effect="detect",
        within="B",
        repair=lambda: _repair(scene),
    )


def _read(scene: Scene, beyond: Neighbour, relation: Relation) -> Attempt:
    tokens: frozenset[str] = beyond.world.tokens.get("B", frozenset())
    row = beyond.world.planted.get((relation.qualified, "B"))
    where = row.where if row is not None and scene.place == "target" else ""
    columns = [
        c.quoted
        for c in beyond.snapshot.grants[scene.identities["A"].login].columns_for("SELECT", relation)
    ]

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[0].scalar == "t" and outcomes[1].shows(tokens):
            return Breach(f"A's login reads {relation.qualified} in the database of another tenant")
        return None

    return Attempt(
        at=f"{scene.identities['B'].database}: {relation.qualified}",
        attacker="A",
        steps=(Step("A", DOOR), Step("A", sql.select(relation.qualified, columns, where))),
        judge=judge,
        within="B",
        repair=lambda: _repair(scene),
    )


def _write(scene: Scene, relation: Relation, insert: str) -> Attempt:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[0].scalar == "t" and outcomes[1].ok:
            return Breach(f"A's login writes {relation.qualified} in another tenant's database")
        return None

    return Attempt(
        at=f"{scene.identities['B'].database}: {relation.qualified}",
        attacker="A",
        steps=(Step("A", DOOR), Step("A", insert)),
        judge=judge,
        effect="write",
        within="B",
        repair=lambda: _repair(scene),
    )
