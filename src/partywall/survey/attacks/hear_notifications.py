"""PW214: another tenant's row in the payload of a notification."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import HEAR, Attempt, Breach, Step, Unclear, attack
from partywall.survey.bodies import of_function
from partywall.survey.surfaces import plain_column, row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Function, Relation, Trigger
    from partywall.survey.attack import Judgement, Outcome, Scene

SENDS = re.compile(r"\bpg_notify\s*\(|\bnotify\b")
CHANNEL = re.compile(r"\bpg_notify\s*\(\s*'([^']+)'|\bnotify\s+\"?(\w+)", re.IGNORECASE)
EAR = """
CREATE SCHEMA partywall_ear; GRANT USAGE ON SCHEMA partywall_ear TO PUBLIC;
CREATE TABLE partywall_ear.heard (channel text, payload text);
GRANT INSERT, SELECT ON partywall_ear.heard TO PUBLIC;
CREATE FUNCTION partywall_ear.pg_notify(text, text) RETURNS void LANGUAGE sql
AS 'INSERT INTO partywall_ear.heard VALUES ($1, $2)'
""".strip()
HEARD = "SELECT channel, payload FROM partywall_ear.heard"


@attack("PW214", effect="read", level="sql")
def hear_notifications(scene: Scene) -> Iterator[Attempt]:
    """Listen as A while B writes rows whose triggers notify: a channel has no owner and no policy.

    Any session may LISTEN on any channel of its database, and hears what every tenant's triggers
    put into the payload. On the target nothing may be sent to other clients: there the triggers'
    functions find, in a transaction that is rolled back, a `pg_notify` that only takes notes.

    Affected:
        Applications whose triggers send rows by NOTIFY, for live updates or to wake up workers.

    Breaches:
        CREATE FUNCTION shop.tell() RETURNS trigger LANGUAGE plpgsql
          SET search_path = pg_catalog, pg_temp
          AS $$ BEGIN PERFORM pg_notify('invoices', NEW.number); RETURN NULL; END $$;
        CREATE TRIGGER tell AFTER INSERT ON shop.invoices FOR EACH ROW EXECUTE FUNCTION shop.tell();

    Holds:
        CREATE FUNCTION shop.tell() RETURNS trigger LANGUAGE plpgsql
          SET search_path = pg_catalog, pg_temp
          AS $$ BEGIN PERFORM pg_notify('invoices', NEW.tenant); RETURN NULL; END $$;
        CREATE TRIGGER tell AFTER INSERT ON shop.invoices FOR EACH ROW EXECUTE FUNCTION shop.tell();

    Fix:
        Send an id at most, and let the listener read the row as its tenant.

    Source:
        https://www.postgresql.org/docs/current/sql-notify.html
    """
    for relation in scene.snapshot.tables:
        if relation.qualified not in scene.model.owned:
            continue
        for trigger in relation.triggers:
            function = scene.snapshot.functions.get(trigger.function)
            if function is not None and trigger.enabled:
                code = of_function(scene.snapshot, function).code
                if SENDS.search(code):
                    yield from _attempts(scene, relation, trigger, function, code)


def _attempts(
    scene: Scene, relation: Relation, trigger: Trigger, function: Function, code: str
) -> Iterator[Attempt]:
    writes = _writes(scene, relation, trigger)
    if not writes:
        return
    if scene.place == "copy":
        yield _listening(scene, relation, trigger, writes, _channels(scene, code))
    else:
        yield _noting(scene, relation, trigger, function, writes)


def _listening(
    scene: Scene, relation: Relation, trigger: Trigger, writes: list[str], channels: list[str]
) -> Attempt:
    tokens = scene.world.tokens["B"]

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if not any(outcome.ok for outcome in outcomes[1 : 1 + len(writes)]):
            return Unclear(f"no write of {relation.qualified} went through: {outcomes[1].message}")
        if outcomes[-2].shows(tokens):
            return _breach(relation, trigger)
        return None

    return Attempt(
        at=f"{relation.qualified} ({trigger.name})",
        attacker="A",
        steps=(
            Step("A", "; ".join(f"LISTEN {sql.identifier(name)}" for name in channels)),
            *(Step("B", write) for write in writes),
            Step("A", HEAR),
            Step("admin", _clean(scene, relation), quiet=True),
        ),
        judge=judge,
        commits=True,
        fix=_fix(trigger),
    )


def _noting(
    scene: Scene, relation: Relation, trigger: Trigger, function: Function, writes: list[str]
) -> Attempt:
    path = function.settings.get("search_path", "")
    inherited = path or "pg_catalog, " + ", ".join(
        sql.identifier(schema) for schema in scene.identities["B"].search_path
    )
    aside = re.sub(r"\bpg_catalog\b", "partywall_ear, pg_catalog", inherited, count=1)
    aside = aside if "partywall_ear" in aside else f"partywall_ear, pg_catalog, {inherited}"
    tokens = scene.world.tokens["B"]

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[-1].shows(tokens):
            return _breach(relation, trigger)
        if not outcomes[0].ok or not outcomes[1].ok or not any(o.ok for o in outcomes[2:-1]):
            words = next(o.message for o in outcomes if not o.ok)
            return Unclear(f"no write of {relation.qualified} could be listened to: {words}")
        if not outcomes[-1].rows:
            return Unclear("what it sends could not be overheard without sending it: use --on copy")
        return None

    return Attempt(
        at=f"{relation.qualified} ({trigger.name})",
        attacker="A",
        steps=(
            Step("admin", EAR, quiet=True),
            Step(
                "admin",
                f"ALTER FUNCTION {function.signature} SET search_path = {aside}",
                quiet=True,
            ),
            *(Step("B", write) for write in writes),
            Step("A", HEARD),
        ),
        judge=judge,
        fix=_fix(trigger),
    )


def _breach(relation: Relation, trigger: Trigger) -> Breach:
    said = f"the trigger {trigger.name} of {relation.qualified} sends rows to whoever listens"
    return Breach(said)


def _fix(trigger: Trigger) -> str:
    return f"let {trigger.name} send an id at most, and let the listener read the row as its tenant"


def _writes(scene: Scene, relation: Relation, trigger: Trigger) -> list[str]:
    """Writes by B that fire the trigger; what they make can be removed again."""
    head = trigger.definition.partition(" ON ")[0]
    planted, spare = row(scene, relation, "B"), row(scene, relation, "B", spare=True)
    writes = []
    if "INSERT" in head and spare is not None:
        writes.append(spare.insert())
    column = plain_column(scene, relation, "B")
    if "UPDATE" in head and planted is not None and column is not None:
        same = {column.quoted: planted.values[column.quoted]}
        writes.append(sql.update(relation.qualified, same, planted.where))
    if "DELETE" in head and spare is not None:
        writes += [w for w in (spare.insert(),) if w not in writes]
        writes.append(sql.delete(relation.qualified, spare.where))
    return writes


def _clean(scene: Scene, relation: Relation) -> str:
    spare = row(scene, relation, "B", spare=True)
    quietly = "SET LOCAL session_replication_role = replica"
    if spare is None:
        return quietly
    return f"{quietly}; {sql.delete(relation.qualified, spare.where)}"


def _channels(scene: Scene, code: str) -> list[str]:
    """Channels that the code names, and those that it may make of names of tables and tenants."""
    named = [found for match in CHANNEL.findall(code) for found in match if found]
    words = re.findall(r"'([a-z_][\w.:-]*)'", code)
    tenant = scene.identities["B"].tenant
    made = [word + tail for word in words for tail in ("", tenant)]
    tables = [relation.name for relation in scene.snapshot.tables]
    return list(dict.fromkeys([*named, *made, *tables, tenant]))[:200]
