"""Try a migration on disposable copies until it mends what it can and keeps nobody out; apply it.

What a statement about the whole server does (a role, a membership, a right to connect) no copy of
a database shows: those are applied untried, and the survey afterwards says what they did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from partywall.errors import TargetError
from partywall.survey.audit import Watch, audit
from partywall.survey.connecting import connect
from partywall.survey.mending.access import USE, had
from partywall.survey.mending.migration import Mend, Migration, Refusal, migration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from partywall.model import TenancyModel
    from partywall.survey.attack import Attack
    from partywall.survey.configuration import Configuration
    from partywall.survey.engine import Judged
    from partywall.survey.identity import Identity, Who
    from partywall.survey.mending.access import Access
    from partywall.survey.verdict import Finding, Report

ROUNDS = 5
"""So often a migration is corrected; each round takes a survey."""
LOCK_TIMEOUT, STATEMENT_TIMEOUT = "5s", "10min"


@dataclass(frozen=True)
class Surveyed:
    """A report, and what the tenants could do with their own."""

    report: Report
    access: frozenset[Access]


@dataclass(frozen=True)
class Proposal:
    """A migration that was tried on a copy.

    Attributes:
        before: the survey that it answers.
        after: the survey of a copy with it; the same as *before* where there is nothing to try.
    """

    migration: Migration
    before: Surveyed
    after: Surveyed

    @property
    def remaining(self) -> tuple[Finding, ...]:
        """Findings that it leaves, as far as a copy can show: they take a person."""
        untried = {
            (finding.name, finding.at)
            for mend in self.migration.mends
            if mend.of_server
            for finding in mend.findings
        }
        return tuple(f for f in self.after.report.findings if (f.name, f.at) not in untried)

    @property
    def lost(self) -> tuple[Access, ...]:
        """What a tenant could do with its own before it, and not after it."""
        return tuple(sorted(self.before.access - self.after.access))


@dataclass(frozen=True)
class Applied:
    """What came of a migration that was applied to the target."""

    mends: tuple[Mend, ...]
    before: Surveyed
    after: Surveyed

    @property
    def gone(self) -> tuple[Finding, ...]:
        """What was found before it, and is no longer."""
        left = {(f.name, f.at, f.effect) for f in self.after.report.findings}
        found = self.before.report.findings
        return tuple(f for f in found if (f.name, f.at, f.effect) not in left)

    @property
    def lost(self) -> tuple[Access, ...]:
        """What a tenant could do with its own before it, and not after it."""
        return tuple(sorted(self.before.access - self.after.access))


class _Trying(Watch):
    """Changes the copy, passes on what the survey tells, and keeps what `own_access` said."""

    def __init__(self, watch: Watch, mends: Sequence[Mend]) -> None:
        self._watch = watch
        self._mends = mends
        self.refused: list[Refusal] = []
        self.used: list[Judged] = []

    def copied(self, connection: psycopg.Connection[Any]) -> None:
        for mend in self._mends:
            try:
                connection.execute(mend.statement.encode())
            except psycopg.Error as error:
                words = (error.diag.message_primary or str(error)).strip()
                self.refused.append(Refusal(mend, f"the server refuses it: {words}"))

    def besides(self) -> Sequence[Attack]:
        return (USE,)

    def stage(self, name: str) -> None:
        self._watch.stage(name)

    def model(self, model: TenancyModel, identities: Mapping[Who, Identity]) -> None:
        self._watch.model(model, identities)

    def planned(self, attempts: int) -> None:
        self._watch.planned(attempts)

    def judged(self, one: Judged) -> None:
        if one.attack is USE:
            self.used.append(one)
        else:
            self._watch.judged(one)


def surveyed(
    configuration: Configuration,
    mends: Sequence[Mend] = (),
    *,
    watch: Watch | None = None,
    only: frozenset[str] | None = None,
) -> tuple[Surveyed, tuple[Refusal, ...]]:
    """Survey a copy of the target, changed by *mends*; say also which the server refused."""
    seen = _Trying(watch or Watch(), mends)
    report = audit(configuration, watch=seen, only=only)
    return Surveyed(report, had(seen.used)), tuple(seen.refused)


def propose(
    configuration: Configuration,
    *,
    watch: Watch | None = None,
    only: frozenset[str] | None = None,
) -> Proposal:
    """Survey the target, and put together the migration that mends what it found.

    It is tried on a copy of its own. What the server refuses there, and what would keep a tenant
    from its own rows, is taken out again; what comes to light only then is taken in.

    Raises:
        ConfigurationError: the database or a tenant can't be reached as declared.
        TargetError: the server refused what the survey needs.
    """
    before, _ = surveyed(configuration, watch=watch, only=only)
    found = dict.fromkeys(before.report.findings)
    planned = migration(found)
    refusals: tuple[Refusal, ...] = ()
    proposal = Proposal(planned, before, before)
    for _ in range(ROUNDS):
        proposal = Proposal(planned, before, before)
        if all(mend.of_server for mend in planned.mends):
            break
        tried = [mend for mend in planned.mends if not mend.of_server]
        after, refused = surveyed(configuration, tried, watch=watch, only=only)
        proposal = Proposal(planned, before, after)
        bad = refused or _blamed(proposal)
        refusals = (*refusals, *bad)
        if not bad and len(tried) == len(planned.mends):  # else the copy shows the old doors too
            found |= dict.fromkeys(after.report.findings)
        corrected = migration(found, refusals)
        if corrected.statements == planned.statements:
            break
        planned = corrected
    return proposal


def mended(
    configuration: Configuration, proposal: Proposal, *, watch: Watch | None = None
) -> Applied:
    """Apply a proposal, and survey the target again.

    Raises:
        ConfigurationError: the database can't be reached.
        TargetError: the server refused a statement; nothing is changed then.
    """
    apply(configuration, proposal.migration.mends)
    after, _ = surveyed(configuration, watch=watch)
    return Applied(proposal.migration.mends, proposal.before, after)


def apply(configuration: Configuration, mends: Sequence[Mend]) -> None:
    """Apply *mends* to A's database in one transaction: all of them, or none.

    Raises:
        ConfigurationError: the database can't be reached.
        TargetError: the server refused a statement; nothing is changed then.
    """
    login = configuration.tenants[0].url if configuration.tenants else ""
    database = str(conninfo_to_dict(login).get("dbname") or "")
    with connect(configuration.url, database) as connection, connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'".encode())
        connection.execute(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'".encode())
        for mend in mends:
            try:
                connection.execute(mend.statement.encode())
            except psycopg.Error as error:
                words = (error.diag.message_primary or str(error)).strip()
                message = f"nothing was changed: the server refused {mend.statement}: {words}"
                raise TargetError(message) from error


def _blamed(proposal: Proposal) -> tuple[Refusal, ...]:
    """The mends that speak of what a tenant lost, all that were tried where none does."""
    if not proposal.lost:
        return ()
    tried = [mend for mend in proposal.migration.mends if not mend.of_server]
    blamed: dict[Mend, str] = {}
    for lost in proposal.lost:
        about = [
            m for m in tried
            if lost.at in m.statement or any(f.at.startswith(lost.at) for f in m.findings)
        ]  # fmt: skip
        for mend in about or tried:
            said = f"{lost.tenant} could then no longer {lost.way} its own at {lost.at}"
            blamed.setdefault(mend, said)
    return tuple(Refusal(mend, because) for mend, because in blamed.items())
