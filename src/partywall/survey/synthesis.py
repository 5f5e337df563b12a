"""Two tenants for a database whose configuration declares none: made up from its catalog."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

from psycopg.conninfo import make_conninfo

from partywall.errors import ModelError
from partywall.survey.configuration import TenantSettings
from partywall.survey.detect import comparisons, likely_logins
from partywall.survey.ownership import Evidence, owners
from partywall.survey.sql import identifier, literal

if TYPE_CHECKING:
    from partywall.catalog.facts import Snapshot
    from partywall.survey.expressions import Comparisons

IDS = {
    "uuid": ("a0000000-0000-4000-8000-00000000a0a0", "b0000000-0000-4000-8000-00000000b0b0"),
    "N": ("910001", "920002"),
    "S": ("pw-tenant-a", "pw-tenant-b"),
}
USERS = ("a1111111-0000-4000-8000-00000000a1a1", "b1111111-0000-4000-8000-00000000b1b1")
CLAIM = re.compile(r"->>?\s*(?:CAST\()?'([^']+)'")
SIGNED_IN = "authenticated"
CLAIMS = "request.jwt.claims"
OLDER = re.compile(r"request\.jwt\.claim(\.|$)")
"""Settings that PostgREST set before 9.0, one a claim; where `CLAIMS` is read they may be empty."""
ROLE_WORDS = ("CURRENT_USER", "SESSION_USER", "CURRENT_ROLE")
PERSONAL = re.compile(r"user|sub|uid|member|email|person", re.IGNORECASE)


def tenants(
    snapshot: Snapshot, url: str, known: tuple[str, str] | None = None
) -> tuple[TenantSettings, TenantSettings]:
    """Make up two tenants, and how the application would become them.

    *url* is an administrator's; the tenants' name the application's login. *known* are two ids that
    the tenant columns really hold.

    Raises:
        ModelError: the catalog does not say how a session becomes a tenant.
    """
    found = comparisons(snapshot)
    login = _login(snapshot)
    schemas = twin_schemas(snapshot)
    if schemas and not any(t.policies for t in snapshot.tables):
        made = [_of_schema(snapshot, schema, login, url) for schema in schemas]
        return made[0], made[1]
    if by_role := _by_role(snapshot, found, login, url):
        return by_role
    ids = known or _ids(snapshot, found)
    pairs = []
    for number, name in enumerate(("A", "B")):
        enter = _enter(snapshot, found, ids[number], USERS[number], login)
        pairs.append(
            TenantSettings(name, ids[number], _for(url, login), tuple(enter), assumed=True)
        )
    if (
        not pairs[0].enter
        and not any(t.rls for t in snapshot.tables)
        and not owners(snapshot, snapshot.tables, Evidence(found)).found
    ):
        message = (
            "nothing in the catalog says who the tenants are: declare two in partywall.toml, "
            "[tenants.acme] with id, url and enter"
        )
        raise ModelError(message)
    return pairs[0], pairs[1]


def _of_schema(snapshot: Snapshot, schema: str, login: str, url: str) -> TenantSettings:
    """The tenant of a schema: its own login where one has its name or searches it."""
    own = [
        name for name in likely_logins(snapshot)
        if name == schema or schema in snapshot.roles[name].settings.get("search_path", "")
    ]  # fmt: skip
    enter = f"SET LOCAL search_path = {identifier(schema)}, public"
    return TenantSettings(schema, schema, _for(url, [*own, login][0]), (enter,), assumed=True)


def _by_role(
    snapshot: Snapshot, found: Comparisons, login: str, url: str
) -> tuple[TenantSettings, TenantSettings] | None:
    """Two tenants whose roles tell them apart, where policies ask for the role and nothing else."""
    asked = {text.upper() for texts in found.contexts.values() for text in texts}
    if any("." in name for name in found.settings) or not any(
        word in text for text in asked for word in ROLE_WORDS
    ):
        return None
    logins = likely_logins(snapshot)
    taken = sorted(
        name for name in snapshot.roles[login].can_become - {login}
        if not snapshot.roles[name].superuser and not snapshot.roles[name].bypasses_rls
    )  # fmt: skip
    if len(logins) > 1:
        made = [TenantSettings(n, n, _for(url, n), assumed=True) for n in logins[:2]]
    elif len(taken) > 1:
        made = [
            TenantSettings(
                name, name, _for(url, login), (f"SET LOCAL ROLE {identifier(name)}",),
                assumed=True,
            )
            for name in taken[:2]
        ]  # fmt: skip
    else:
        return None
    return made[0], made[1]


def _for(url: str, role: str) -> str:
    """*url* with *role* in it, whose name may be any."""
    return make_conninfo(url, user=role, password="")


def twin_schemas(snapshot: Snapshot) -> tuple[str, ...]:
    """The two first schemas that hold the same tables, () when there are none."""
    shapes: dict[frozenset[str], list[str]] = {}
    for name in sorted(snapshot.schemas):
        tables = frozenset(t.name for t in snapshot.tables if t.schema == name)
        if tables and name != "public":
            shapes.setdefault(tables, []).append(name)
    best = max(shapes.values(), key=len, default=[])
    return tuple(best[:2]) if len(best) > 1 else ()


def _login(snapshot: Snapshot) -> str:
    logins = likely_logins(snapshot)
    if not logins:
        message = (
            "no login role of an application was found (LOGIN, no superuser, with grants): declare "
            "the tenants in partywall.toml with the url the application really uses"
        )
        raise ModelError(message)
    return logins[0]


def _ids(snapshot: Snapshot, found: Comparisons) -> tuple[str, str]:
    votes: Counter[str] = Counter()
    for qualified, owner in owners(snapshot, snapshot.tables, Evidence(found)).found.items():
        if owner.kind in {"column", "registry"}:
            column = snapshot.by_qualified[qualified].by_name[owner.column]
            asked = found.contexts.get((qualified, owner.column), ())
            uuids = column.base == "uuid" or any("AS UUID" in text.upper() for text in asked)
            votes["uuid" if uuids else column.category] += 1
    kind = votes.most_common(1)[0][0] if votes else "uuid"
    if kind == "S" and "uuid" in votes:  # a text may hold one
        kind = "uuid"
    return IDS.get(kind, IDS["S"])


def _enter(snapshot: Snapshot, found: Comparisons, tenant: str, user: str, login: str) -> list[str]:
    """Statements that set every setting the policies read: a tenant's, a user's, or claims."""
    enter = []
    role = snapshot.roles[login]
    policies = {r for t in snapshot.tables for p in t.policies for r in p.roles} - {"public", login}
    reachable = sorted(policies & role.can_become)
    if reachable and not role.acts_as & policies:
        preferred = SIGNED_IN if SIGNED_IN in reachable else reachable[0]
        enter.append(f"SET LOCAL ROLE {identifier(preferred)}")
    elif not role.inherits and SIGNED_IN in role.can_become:
        enter.append(f"SET LOCAL ROLE {identifier(SIGNED_IN)}")
    sources = [text for texts in found.contexts.values() for text in texts]
    sources += [f.source for f in snapshot.functions.values() if "current_setting" in f.source]
    for name in sorted(found.settings):
        if "." not in name or (CLAIMS in found.settings and OLDER.match(name)):
            continue
        value = user if PERSONAL.search(name) else tenant
        if name.endswith(("claims", "jwt", "token")):
            readers = [f"{f.name}(" for f in snapshot.functions.values() if name in f.source]
            reading = [s for s in sources if name in s or any(reader in s for reader in readers)]
            paths = {tuple(CLAIM.findall(text)) for text in reading}
            value = json.dumps(_claims(paths, tenant, user))
        enter.append(f"SELECT set_config({literal(name)}, {literal(value)}, true)")
    return enter


def _claims(paths: set[tuple[str, ...]], tenant: str, user: str) -> dict[str, object]:
    claims: dict[str, object] = {"sub": user, "role": "authenticated"}
    for path in paths:
        place = claims
        for step in path[:-1]:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                break
            place = inner
        else:
            if path and path[-1] not in place:
                place[path[-1]] = user if PERSONAL.search(path[-1]) else tenant
    return claims
