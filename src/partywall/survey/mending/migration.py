"""The repairs of all findings as one migration: in a sound order, each statement once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pglast import ast, parse_sql
from pglast.enums import ObjectType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from partywall.survey.verdict import Finding

ORDER = (
    r"GRANT|REVOKE|ALTER (ROLE|DATABASE|DEFAULT)",
    r"ALTER (FUNCTION|PROCEDURE)",
    r'ALTER TABLE ("([^"]|"")+"|[^"\s])+ (OWNER|ADD|DROP|ALTER)|DROP INDEX|CREATE UNIQUE',
    r"ALTER VIEW|CREATE OR REPLACE VIEW",
    r"CREATE POLICY",
)
"""What comes first: who may do what, then code, then keys, then what shows rows, then walls."""
OF_SERVER: tuple[Any, ...] = (
    ast.AlterRoleStmt, ast.AlterRoleSetStmt, ast.GrantRoleStmt,
    ast.AlterDatabaseStmt, ast.AlterDatabaseSetStmt,
)  # fmt: skip
"""Statements about what all databases of a server share: no copy of one can try them."""
GRANT: Any = ast.GrantStmt


@dataclass(frozen=True, slots=True)
class Mend:
    """One statement, and the findings that it mends.

    Attributes:
        of_server: it changes what the whole server shares, a role or a database's own privileges.
    """

    statement: str
    findings: tuple[Finding, ...]

    @property
    def of_server(self) -> bool:
        """Whether it changes what all databases of the server share."""
        found: Any = parse_sql(self.statement)[0].stmt
        if isinstance(found, GRANT):
            return bool(found.objtype == ObjectType.OBJECT_DATABASE)
        return isinstance(found, OF_SERVER)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A statement that a trial has shown to be of no use, and why."""

    mend: Mend
    because: str


@dataclass(frozen=True)
class Migration:
    """What mends a survey's findings, and the findings that take a person.

    Attributes:
        refusals: what was tried and taken out again.
    """

    mends: tuple[Mend, ...]
    unmended: tuple[Finding, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @property
    def statements(self) -> tuple[str, ...]:
        """The SQL alone, in its order."""
        return tuple(mend.statement for mend in self.mends)


def migration(findings: Iterable[Finding], refusals: Sequence[Refusal] = ()) -> Migration:
    """Put the repairs of *findings* in order, but for those with a refused statement."""
    refused = {refusal.mend.statement for refusal in refusals}
    by_statement: dict[str, dict[Finding, None]] = {}
    unmended: dict[Finding, None] = {}
    for finding in sorted(findings, key=_rank):
        if not finding.repair or refused & set(finding.repair):
            unmended[finding] = None
            continue
        for statement in finding.repair:
            by_statement.setdefault(statement, {})[finding] = None
    mends = (Mend(statement, tuple(found)) for statement, found in by_statement.items())
    return Migration(tuple(mends), tuple(unmended), tuple(refusals))


def _rank(finding: Finding) -> tuple[int, bool, str, str]:
    first = finding.repair[0] if finding.repair else ""
    place = next((n for n, form in enumerate(ORDER) if re.match(form, first)), len(ORDER))
    # a key that a reference points at can be changed only once the reference points elsewhere
    refers = any("FOREIGN KEY" in statement for statement in finding.repair)
    return place, not refers, finding.at, finding.code
