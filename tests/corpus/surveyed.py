"""The corpus as the survey meets it: a partywall.toml for each case, and what must come out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from partywall.survey.verdict import Report
from tests.corpus.truth import DATABASE, Case, Server

EFFECTS = {  # what a truth calls a leak -> the effects by which a finding may name it
    "read": {"read"},
    "write": {"write"},
    "destroy": {"destroy", "write"},
    "oracle": {"detect"},
    "metadata": {"detect", "read"},
    "dos": {"disrupt"},
    "latent": {"latent"},
}
EXIT_CODES = {"breached": 1, "held": 0}

ROLES = """
    SELECT r.*, array(SELECT m::text FROM pg_auth_members m WHERE m.member = r.oid ORDER BY 1)
    FROM pg_authid r ORDER BY r.oid
"""
ELSEWHERE = (
    "SELECT datname, datdba, datacl::text FROM pg_database ORDER BY 1",
    "SELECT * FROM pg_db_role_setting ORDER BY setdatabase, setrole",
    "SELECT slot_name FROM pg_replication_slots ORDER BY 1",
    "SELECT gid FROM pg_prepared_xacts",
    ROLES,
)
OWN = "relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
CLASSES = f"""
    SELECT oid, relname, relowner, relacl::text, relrowsecurity, relforcerowsecurity, reltuples,
           reloptions FROM pg_class WHERE {OWN} ORDER BY oid
"""
STRUCTURE = (
    CLASSES,
    "SELECT oid, proname, prosrc, proowner, proacl::text FROM pg_proc WHERE oid > 16383 ORDER BY 1",
    "SELECT oid, polname, polroles::text, polqual::text, polwithcheck::text FROM pg_policy",
    "SELECT oid, tgname, tgenabled FROM pg_trigger ORDER BY oid",
    "SELECT oid, nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY oid",
    "SELECT oid, lomowner, lomacl::text FROM pg_largeobject_metadata ORDER BY oid",
    "SELECT loid, pageno, data FROM pg_largeobject ORDER BY 1, 2",
)
KEEPING = f"SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'm') AND {OWN}"


def toml(case: Case, server: Server) -> str:
    """The configuration that the case's application would write."""
    truth, quoted = case.truth, json.dumps
    lines = ["[database]", f"url = {quoted(server.url(database=DATABASE))}", "", "[survey]"]
    lines.append(f"attacker = {quoted('sql' if truth['attacker'] == 'sql' else 'query')}")
    for table, when in truth.get("public", {}).items():
        lines += ["", "[[public]]", f"table = {quoted(table)}", f"when = {quoted(when)}"]
    for key, tenant in zip("AB", truth["tenants"], strict=True):
        database = tenant if truth["model"] == "database" else DATABASE
        url = server.url(database=database, user=truth["login"][key])
        lines += ["", f"[tenants.{key}]", f"id = {quoted(tenant)}", f"url = {quoted(url)}"]
        lines += [f"enter = {quoted(truth['context'].get(key, []))}"]
    url = server.url(database=DATABASE, user=truth["login"]["none"])
    lines += ["", "[anonymous]", f"url = {quoted(url)}"]
    lines += [f"enter = {quoted(truth['context'].get('none', []))}"]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Told:
    """What a report says, whether it came as a value or as JSON."""

    verdict: str
    effects: frozenset[str]
    bare: tuple[str, ...]  # breaches without a witness, facts without a reason
    undecided: tuple[str, ...]


def told(report: Report) -> Told:
    return Told(
        report.verdict,
        frozenset(finding.effect for finding in report.findings),
        tuple(
            f"{f.name} at {f.at}"
            for f in report.findings
            if not (f.witness or (f.layer == "catalog" and f.because))
        ),
        tuple(f"{u.name} at {u.at}: {u.because}" for u in report.undecided),
    )


def complaints(case: Case, found: Told) -> list[str]:
    """Where a report differs from the truth; nothing when it is right."""
    wanted = "breached" if case.truth["leak"] else "held"
    wrong = [f"{bare} is not shown" for bare in found.bare]
    if found.verdict != wanted:
        wrong.append(f"{found.verdict} instead of {wanted}, {sorted(found.effects)}")
    elif case.truth["leak"] and not found.effects & EFFECTS[case.truth["kind"]]:
        wrong.append(f"{sorted(found.effects)} instead of {case.truth['kind']}")
    if not case.truth["leak"]:
        wrong += [f"undecided: {line}" for line in found.undecided]
    return wrong


def fingerprint(case: Case, server: Server) -> Mapping[str, object]:
    """All that a survey must leave as it was: databases, roles, structure, rows, large objects.

    Not the positions of sequences: those no rollback takes back.
    """
    seen: dict[str, object] = {}
    for database in case.scripts:
        with psycopg.connect(server.url(database=database), autocommit=True) as admin:
            for query in (*ELSEWHERE, *STRUCTURE):
                name = f"{database}: {' '.join(query.split())}"
                seen[name] = admin.execute(query.encode()).fetchall()
            for (table,) in admin.execute(KEEPING.encode()).fetchall():
                rows = admin.execute(f"SELECT ctid, xmin, t::text FROM ONLY {table} t".encode())
                seen[f"{database}: {table}"] = rows.fetchall()
    return seen


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """What is no longer as it was."""
    names = sorted({*before, *after})
    return [f"left changed: {name}" for name in names if before.get(name) != after.get(name)]
