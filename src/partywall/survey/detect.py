"""Make out the tenancy model of a database from its catalog, without annotation."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from partywall.model import Isolation, Ownership, TenancyModel
from partywall.survey import expressions, ownership
from partywall.survey.expressions import Comparisons, Tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from partywall.catalog.facts import Relation, Snapshot
    from partywall.survey.expressions import Place
    from partywall.survey.identity import Identity, Who

KNOWN: WeakKeyDictionary[Snapshot, Tables] = WeakKeyDictionary()

SYSTEM_SETTINGS = {"search_path", "role", "session_authorization", "row_security"}


def comparisons(snapshot: Snapshot) -> Comparisons:
    """What all policies, views and functions of the database compare columns with."""
    tables = known_tables(snapshot)
    found = Comparisons()
    for relation in snapshot.relations.values():
        for policy in relation.policies:
            for text in filter(None, (policy.using, policy.check)):
                found.absorb(expressions.in_policy(text, relation.qualified, tables))
        if relation.definition and relation.extension is None:
            found.absorb(expressions.in_function(relation.definition, "sql", tables))
    guards = set(found.guards)
    for function in snapshot.functions.values():
        if function.extension is None:
            found.absorb(expressions.in_function(function.source, function.language, tables))
    found.guards = guards
    return found


def known_tables(snapshot: Snapshot) -> Tables:
    """All relations as names that expressions may use; made once for each snapshot."""
    if snapshot not in KNOWN:
        KNOWN[snapshot] = _known_tables(snapshot)
    return KNOWN[snapshot]


def _known_tables(snapshot: Snapshot) -> Tables:
    unqualified: dict[str, list[str]] = defaultdict(list)
    for relation in sorted(
        snapshot.relations.values(), key=lambda r: (r.schema != "public", r.qualified)
    ):
        unqualified[relation.name].append(relation.qualified)
    asking = {
        function.name
        for function in snapshot.functions.values()
        if function.volatility != "immutable" or "current_setting" in function.source
    }
    return Tables(
        {r.qualified: frozenset(r.by_name) for r in snapshot.relations.values()},
        {name: tuple(found) for name, found in unqualified.items()},
        frozenset(asking | {"current_setting"}),
    )


def detect(
    snapshot: Snapshot,
    identities: Mapping[Who, Identity],
    *,
    holding: Iterable[Place] = (),
    columns: Mapping[str, str] | None = None,
    shared: Iterable[str] = (),
) -> TenancyModel:
    """Detect the model; *identities* are the declared tenants, already entered once.

    Args:
        holding: columns of the target in which the declared ids were seen.
        columns: declared tenant columns, qualified table -> column; they override detection.
        shared: tables declared to be shared.
    """
    found = comparisons(snapshot)
    tenants = [identities[who] for who in ("A", "B") if who in identities]
    schemas = tenant_schemas(snapshot, tenants)
    isolation = _isolation(snapshot, tenants, schemas)
    placed = _placed(snapshot, isolation, schemas)
    ids = [] if placed else [t.tenant for t in tenants if t.tenant]
    rest = [t for t in snapshot.tables if t.qualified not in placed]
    evidence = ownership.Evidence(found, ids, frozenset(holding))
    declared = {t: Ownership("column", c, reason="declared") for t, c in (columns or {}).items()}
    owned = placed | ownership.owners(snapshot, rest, evidence).found | declared
    if isolation is Isolation.SCHEMA:
        # without policies only a column with the tenant's own id makes a shared table a tenant's
        owned = {
            t: o for t, o in owned.items()
            if o.kind == "schema" or o.reason == "declared" or (t, o.column) in evidence.holding
        }  # fmt: skip
    for table in shared:
        owned.pop(table, None)
    return TenancyModel(
        isolation=isolation,
        owned=dict(sorted(owned.items())),
        shared={t.qualified: _why_shared(t) for t in rest if t.qualified not in owned},
        settings=tuple(sorted(_settings(found, tenants))),
        carried_by_role=len({t.role for t in tenants}) > 1,
        carried_by_path=len({t.search_path for t in tenants}) > 1,
        logins=tuple(
            sorted({i.login for i in identities.values()} or set(likely_logins(snapshot)))
        ),
        schemas=schemas,
        context_columns={place: texts[0] for place, texts in found.contexts.items()},
        policy_literals={place: tuple(texts) for place, texts in found.literals.items()},
        null_columns=frozenset(found.nulls),
        notes=tuple(_notes(snapshot, isolation, owned)),
    )


def tenant_schemas(snapshot: Snapshot, tenants: Sequence[Identity]) -> dict[str, str]:
    """Schema per tenant: part -> schema, from the id or from where each search_path leads."""
    found: dict[str, str] = {}
    for tenant in tenants:
        others = {s for t in tenants if t.who != tenant.who for s in t.search_path}
        own = [s for s in tenant.search_path if s not in others and s in snapshot.schemas]
        if tenant.tenant in snapshot.schemas:
            own.insert(0, tenant.tenant)
        if own:
            found[tenant.who] = own[0]
    return found if len(set(found.values())) == len(tenants) > 1 else {}


def _isolation(
    snapshot: Snapshot, tenants: Sequence[Identity], schemas: Mapping[str, str]
) -> Isolation:
    if len({t.database for t in tenants}) > 1:
        return Isolation.DATABASE
    if schemas:
        return Isolation.SCHEMA
    if any(t.rls for t in snapshot.tables) or any(t.policies for t in snapshot.tables):
        return Isolation.ROW_SECURITY
    return Isolation.NONE


def _placed(
    snapshot: Snapshot, isolation: Isolation, schemas: Mapping[str, str]
) -> dict[str, Ownership]:
    """Tables whose place alone says whose they are."""
    if isolation is Isolation.DATABASE:
        return {
            t.qualified: Ownership("database", reason="it stands in the tenant's database")
            for t in snapshot.tables
        }
    inside = set(schemas.values())
    return {
        t.qualified: Ownership("schema", reason=f"it stands in the schema {t.schema}")
        for t in snapshot.tables
        if isolation is Isolation.SCHEMA and t.schema in inside
    }


def _settings(found: Comparisons, tenants: Sequence[Identity]) -> set[str]:
    entered = {name for tenant in tenants for name, _ in tenant.settings}
    return (found.settings | entered) - SYSTEM_SETTINGS


def _why_shared(table: Relation) -> str:
    if table.policies:
        return "its policies look at no tenant"
    return "no column and no foreign key leads to a tenant"


def _notes(
    snapshot: Snapshot, isolation: Isolation, owned: Mapping[str, Ownership]
) -> Iterable[str]:
    if isolation is Isolation.NONE:
        yield (
            "There is no wall in the database: no row security, one schema, one login. "
            "Isolation rests on application code alone."
        )
    bare = sorted(
        t for t, o in owned.items()
        if isolation is Isolation.ROW_SECURITY and not snapshot.by_qualified[t].rls
        and o.kind != "registry"
    )  # fmt: skip
    if bare:
        yield f"Tenant-owned tables without row security: {', '.join(bare[:8])}" + (
            f" and {len(bare) - 8} more" if len(bare) > 8 else ""  # noqa: PLR2004 - as many as fit a line
        )


def likely_logins(snapshot: Snapshot) -> list[str]:
    """Login roles that an application would use: they log in, own nothing, and hold grants.

    Where there are none it is those who own: nothing then is granted to anybody else.
    """
    owners = {relation.owner for relation in snapshot.relations.values()}
    granted = {
        role.name
        for role in snapshot.roles.values()
        if role.login and not role.superuser and role.name not in owners
    }
    policies = {role for t in snapshot.tables for policy in t.policies for role in policy.roles}
    named = [
        name for name in sorted(granted)
        if {name, *snapshot.roles[name].can_become} & policies
    ]  # fmt: skip
    owning = (n for n, r in snapshot.roles.items() if n in owners and r.login and not r.superuser)
    grantees = {grantee for grants in snapshot.given.values() for _, grantee in grants}
    here = [name for name in sorted(granted) if {name, *snapshot.roles[name].can_become} & grantees]
    return named or here or sorted(granted) or sorted(owning)
