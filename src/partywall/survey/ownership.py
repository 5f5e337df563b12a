"""Which tables belong to tenants, by which column: a vote of names, keys and policies."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from partywall.model import Ownership

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from partywall.catalog.facts import Column, Constraint, Relation, Snapshot
    from partywall.survey.expressions import Comparisons, Place

ORGANISATIONS = (
    "tenant|org|organi[sz]ation|workspace|account|team|company|companie|customer|client|merchant|site|shop|"
    "store|space|group|firm|business|businesse|school|clinic|agency|agencie|household|club|community|"
    "communitie|realm|subscriber|partner|installation|domain|hospital|practice|brand|studio|"
    "branch|franchise|landlord|owner_org"
)
TENANT_COLUMN = re.compile(
    rf"^(?P<word>{ORGANISATIONS})([_ -]?(id|uuid|key|slug|ref|name|code|no|nr|role|schema|uid|pk"
    r"|gid|handle))?$|"
    rf"^(own(er|ing)|parent|primary|home|current)_(?P<owned>{ORGANISATIONS})(_?id)?$|^id_(?P<led>{ORGANISATIONS})$",
    re.IGNORECASE,
)
REGISTRY = re.compile(
    rf"^(app_|core_|sys_|my_)?({ORGANISATIONS})(s|es|_registry|_list)?$", re.IGNORECASE
)
PERSON = re.compile(
    r"(^|_)(user|usr|member|profile|owner|author|creator|created|updated|deleted|assignee|assigned|invited|"
    r"sub|email|uid|person|employee|actor|sender|recipient|login|by)(_?(id|uuid|email))?$",
    re.IGNORECASE,
)
UUID = re.compile(r"^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$", re.IGNORECASE)
WHOLE = re.compile(r"^-?\d{1,18}$")
ENOUGH = 4


def fits(column: Column, values: Iterable[str]) -> bool:
    """Whether every one of *values* could be stored in *column*, by its type alone."""
    values = tuple(values)
    if column.base == "uuid":
        return all(UUID.match(value) for value in values)
    if column.category == "N":
        return all(WHOLE.match(value) for value in values)
    if column.enum:
        return all(value in column.enum for value in values)
    if column.length is not None and any(len(value) > column.length for value in values):
        return False
    return column.category == "S"


@dataclass
class Evidence:
    """What detection has to go by, beside the snapshot.

    Attributes:
        ids: the tenants' declared ids, () when none are declared.
        holding: columns in which every declared id was seen on the target.
        comparisons: what policies and functions compare.
    """

    comparisons: Comparisons
    ids: Sequence[str] = ()
    holding: frozenset[Place] = frozenset()


@dataclass
class Owners:
    """The vote as it goes on.

    Attributes:
        found: qualified table -> why it belongs to tenants.
        column_votes: names of tenant columns, by number of tables.
    """

    found: dict[str, Ownership] = field(default_factory=dict)
    column_votes: Counter[str] = field(default_factory=Counter)


def owners(snapshot: Snapshot, tables: Sequence[Relation], evidence: Evidence) -> Owners:
    """Find the tenant-owned among *tables*."""
    state = Owners()
    best = {table.qualified: _best_column(snapshot, table, evidence) for table in tables}
    for column, score in filter(None, best.values()):
        if score >= ENOUGH:
            state.column_votes[column.name] += score
    registries = _registries(snapshot, tables, evidence, state.column_votes, best)
    for qualified, key in registries.items():
        state.found[qualified] = Ownership("registry", key, reason=f"the list of tenants, by {key}")
    for table in tables:
        if table.qualified not in state.found:
            _claim_by_column(snapshot, table, best[table.qualified], registries, state, evidence)
    for table in tables:
        if table.qualified not in state.found:
            _claim_by_user(table, evidence, state)
    while _claim_by_parent(snapshot, tables, evidence, state):
        pass
    return state


def _score(snapshot: Snapshot, table: Relation, column: Column, evidence: Evidence) -> int:
    place = (table.qualified, column.name)
    if place in evidence.holding:
        score = 6
    elif evidence.ids and not fits(column, evidence.ids):
        # a slug may be the tenant's public id while keys are numbers: then only a foreign key tells
        score = 0 if _target(snapshot, table, column) is not None else -9
    else:
        score = 0
    matched = TENANT_COLUMN.match(column.name)
    if matched:
        score += 6 if "tenant" in column.name.lower() else 4
    elif PERSON.search(column.name):
        score -= 5
    asked = evidence.comparisons.contexts.get(place, ())
    if asked:
        score += 3 if not any("CURRENT_USER" in text.upper() for text in asked) else 2
    elif place in evidence.comparisons.guards:
        score += 2
    if column.name == "id" or (column.name,) == table.primary_key:
        score -= 4 if not matched else 1
    return score


def _best_column(
    snapshot: Snapshot, table: Relation, evidence: Evidence
) -> tuple[Column, int] | None:
    scored = [(_score(snapshot, table, column, evidence), column) for column in table.columns]
    scored = [(score, column) for score, column in scored if score > 0]
    if not scored:
        return None
    score, column = max(scored, key=lambda pair: (pair[0], -pair[1].number))
    return column, score


def _target(snapshot: Snapshot, table: Relation, column: Column) -> Relation | None:
    """The table that a single-column foreign key on *column* points at."""
    for key in table.foreign_keys:
        if key.columns == (column.name,) and key.target is not None:
            return snapshot.relations.get(key.target)
    return None


def _registries(
    snapshot: Snapshot,
    tables: Sequence[Relation],
    evidence: Evidence,
    votes: Counter[str],
    best: Mapping[str, tuple[Column, int] | None],
) -> dict[str, str]:
    """Tables that list the tenants: qualified name -> the column that is the tenant."""
    leading = {name for name, count in votes.items() if count * 2 >= max(votes.values())}
    found: dict[str, str] = {}
    for table in tables:
        for column in table.columns:
            target = _target(snapshot, table, column)
            if column.name not in leading or target is None or target.oid == table.oid:
                continue
            own = best.get(target.qualified)
            if own is None or own[1] < ENOUGH or own[0].name not in leading:
                key = next(c for c in table.foreign_keys if c.columns == (column.name,))
                found[target.qualified] = key.target_columns[0]
    referred = set(found) | {t.qualified for t in tables if _guarded(t, evidence)}
    for table in tables:
        own = best[table.qualified]
        named = REGISTRY.match(table.name)
        claimed = own is not None and own[1] >= ENOUGH and own[0].name not in table.primary_key
        if table.qualified in found or claimed or not named or len(table.primary_key) != 1:
            continue
        key_column = table.by_name[table.primary_key[0]]
        holding = [c for c in table.columns if (table.qualified, c.name) in evidence.holding]
        if referred and table.qualified not in referred and not holding:
            continue  # only its name speaks for it, and another is known to be the list
        if key_column in holding or not holding:
            if not evidence.ids or fits(key_column, evidence.ids):
                found[table.qualified] = key_column.name
        else:
            found[table.qualified] = holding[0].name
    return found


def _guarded(table: Relation, evidence: Evidence) -> bool:
    """Whether policies hold the key of a table that is named like a list of tenants."""
    if not REGISTRY.match(table.name) or len(table.primary_key) != 1:
        return False
    place = (table.qualified, table.primary_key[0])
    return place in evidence.comparisons.contexts or place in evidence.comparisons.guards


def _claim_by_column(
    snapshot: Snapshot,
    table: Relation,
    best: tuple[Column, int] | None,
    registries: Mapping[str, str],
    state: Owners,
    evidence: Evidence,
) -> None:
    for key in table.foreign_keys:
        target = snapshot.relations.get(key.target or 0)
        if target is None or target.qualified not in registries or len(key.columns) != 1:
            continue
        if key.target_columns[0] != registries[target.qualified]:
            continue
        column = table.by_name[key.columns[0]]
        if best is None or best[1] < ENOUGH or best[0].name == column.name:
            reason = f"{column.name} references {target.qualified}"
            state.found[table.qualified] = Ownership("column", column.name, reason=reason)
            return
    if best is None:
        return
    column, score = best
    target = _target(snapshot, table, column)
    elsewhere = target is not None and target.qualified not in registries
    leading = column.name in dict(state.column_votes.most_common(1))
    if elsewhere and not leading and (table.qualified, column.name) not in evidence.holding:
        return  # a customer of a tenant, not the tenant: its own table says whose it is
    if score >= ENOUGH:
        reason = f"{column.name} holds the tenant"
        state.found[table.qualified] = Ownership("column", column.name, reason=reason)


def _claim_by_user(table: Relation, evidence: Evidence, state: Owners) -> None:
    """A table that policies tie to the acting user and to nothing else."""
    for column in table.columns:
        asked = evidence.comparisons.contexts.get((table.qualified, column.name), ())
        if asked:
            reason = f"{column.name} holds who acts ({asked[0]})"
            state.found[table.qualified] = Ownership("user", column.name, reason=reason)
            return


def _claim_by_parent(
    snapshot: Snapshot, tables: Sequence[Relation], evidence: Evidence, state: Owners
) -> bool:
    """Claim one more generation of children; False when there was none."""
    claimed: dict[str, Ownership] = {}
    for table in tables:
        if table.qualified in state.found:
            continue
        keys = [key for key in table.foreign_keys if _leads(snapshot, table, key, state)]
        if not keys:
            continue
        key = max(keys, key=lambda k: _strength(table, k, evidence))
        parent = snapshot.relations[key.target or 0].qualified
        reason = f"{', '.join(key.columns)} leads to {parent}"
        claimed[table.qualified] = Ownership("parent", ",".join(key.columns), parent, reason)
    state.found.update(claimed)
    return bool(claimed)


def _leads(snapshot: Snapshot, table: Relation, key: Constraint, state: Owners) -> bool:
    target = snapshot.relations.get(key.target or 0)
    return target is not None and target.oid != table.oid and target.qualified in state.found


def _strength(table: Relation, key: Constraint, evidence: Evidence) -> tuple[bool, bool, bool]:
    """What speaks for this foreign key being the way to the tenant, strongest first."""
    guarded = any((table.qualified, name) in evidence.comparisons.guards for name in key.columns)
    required = all(table.by_name[name].not_null for name in key.columns)
    personal = any(PERSON.search(name) for name in key.columns)
    return guarded, not personal, required
