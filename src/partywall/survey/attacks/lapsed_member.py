"""PW204: a membership that has ended still opens the tenant's rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.attacks.join_tenant import personal_columns
from partywall.survey.surfaces import marks, reachable, relations, row, tenant_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Column, Relation
    from partywall.survey.attack import Judgement, Outcome, Scene

STATUS = re.compile(r"(^|_)(status|state)$", re.IGNORECASE)
ENDED = re.compile(
    r"revoked|removed|deleted|disabled|inactive|suspended|blocked|banned|expired|left|ended|"
    r"rejected|declined|cancell?ed|archived|former",
    re.IGNORECASE,
)
ENDED_AT = re.compile(
    r"^(revoked|removed|deleted|disabled|left|ended|expire[sd]?|suspended|deactivated|valid_to|"
    r"valid_until|end)(_?(at|on|date|time))?$",
    re.IGNORECASE,
)
ENDED_FLAG = re.compile(
    r"^(is_)?(revoked|removed|deleted|disabled|suspended|blocked)$", re.IGNORECASE
)
LIVE_FLAG = re.compile(r"^(is_)?(active|enabled|live|valid)$", re.IGNORECASE)
LONG_AGO = "2001-02-03 04:05:06"
DOORS = 12


@attack("PW204", effect="read")
def lapsed_member(scene: Scene) -> Iterator[Attempt]:
    """Give A's user a membership of B that has ended, and read B's rows with it.

    A policy that asks whether a membership exists and not whether it still holds lets everybody
    back in who was ever a member.

    Affected:
        Policies that look a user's tenants up in a table of memberships, where a membership can
        end.

    Breaches:
        CREATE TABLE shop.members (tenant text, person text, revoked_at timestamptz,
          PRIMARY KEY (tenant, person));
        GRANT SELECT ON shop.members TO app;
        ALTER POLICY own ON shop.invoices USING (tenant IN (
          SELECT m.tenant FROM shop.members m
          WHERE m.person = current_setting('app.person', true)));

    Holds:
        CREATE TABLE shop.members (tenant text, person text, revoked_at timestamptz,
          PRIMARY KEY (tenant, person));
        GRANT SELECT ON shop.members TO app;
        ALTER POLICY own ON shop.invoices USING (tenant IN (
          SELECT m.tenant FROM shop.members m
          WHERE m.person = current_setting('app.person', true)
          AND m.revoked_at IS NULL));

    Fix:
        Ask in every policy and function that reads memberships whether they still hold.

    Source:
        https://owasp.org/API-Security/editions/2023/en/0xa1-broken-object-level-authorization/
    """
    for relation in relations(scene):
        column = tenant_column(scene, relation)
        held = row(scene, relation, "B", spare=True)
        if column is None or held is None or not relation.stores_rows:
            continue
        personal = personal_columns(scene, relation, column.quoted)
        if not personal:
            continue
        for status in relation.columns:
            ended = _ended(status)
            if ended is not None and status.quoted in held.values:
                changes = {**personal, status.quoted: ended}
                yield _attempt(scene, relation, held.insert(changes=changes), status)


def _ended(column: Column) -> str | None:
    """What *column* holds in a membership that is over, None when it says nothing of that."""
    if ENDED_AT.match(column.name) and column.category == "D":
        return LONG_AGO
    if column.base == "bool":
        if ENDED_FLAG.match(column.name):
            return "t"
        return "f" if LIVE_FLAG.match(column.name) else None
    if not STATUS.search(column.name):
        return None
    if column.enum:
        return next((label for label in column.enum if ENDED.search(label)), None)
    return "revoked" if column.textual else None


def _attempt(scene: Scene, relation: Relation, membership: str, status: Column) -> Attempt:
    doors = [
        other
        for other in relations(scene)
        if other.qualified in scene.model.owned
        and other.oid != relation.oid
        and row(scene, other, "B")
        and reachable(scene, "A", other, "SELECT")
    ][:DOORS]
    tokens = marks(scene, "B")
    looks = [
        Step("A", sql.select(door.qualified, (), held.where))
        for door in doors
        if (held := row(scene, door, "B"))
    ]

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        planted, *read = outcomes
        if not planted.ok:
            return None
        for door, outcome in zip(doors, read, strict=True):
            if outcome.shows(tokens):
                return Breach(
                    f"a membership in {relation.qualified} that has ended by {status.name} still "
                    f"opens {door.qualified}"
                )
        return None

    return Attempt(
        at=relation.qualified,
        attacker="A",
        steps=(Step("admin", membership, loose=True), *looks),
        judge=judge,
        control=tuple(
            Step("B", sql.select(door.qualified, (), held.where))
            for door in doors[:1]
            if (held := row(scene, door, "B"))
        ),
        fix=f"ask for {status.name} in every policy and function that reads {relation.qualified}",
    )
