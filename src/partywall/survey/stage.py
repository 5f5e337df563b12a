"""One administrator's connection that becomes each identity in turn, inside a transaction.

PostgreSQL lets a superuser take another role's whole session identity (SET SESSION
AUTHORIZATION): `session_user`, `current_user` and every privilege are then the login's own, and
one transaction can hold the attack, the victim's look at the result, and the rollback.
What a login would also get, its role and database settings, is applied as the server would.
Source: https://www.postgresql.org/docs/current/sql-set-session-authorization.html
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg import pq

from partywall.errors import TargetError
from partywall.survey.attack import Outcome, Step
from partywall.survey.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import psycopg

    from partywall.survey.identity import Identity, Who

RESET = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL"
DONE = {pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.EMPTY_QUERY}


class Stage:
    """Runs steps as any identity on one connection; whatever they do is rolled back.

    *connection* is a superuser's in autocommit mode; *lodging* are the settings each identity's
    login gets when it logs in (ALTER ROLE … SET, ALTER DATABASE … SET), in the server's order.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        identities: Mapping[Who, Identity],
        lodging: Mapping[Who, Mapping[str, str]],
    ) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._identities = identities
        self._entry = {
            who: disguise(identity.login, lodging.get(who, {}), identity.enter)
            for who, identity in identities.items()
        }
        self._acting: tuple[Who, bool] = ("admin", False)
        self._notices: list[str] = []
        connection.add_notice_handler(self._notice)

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """The administrator's connection beneath."""
        return self._connection

    def run(self, step: Step) -> Outcome:
        """Run one step; a failure is an outcome and leaves the transaction usable."""
        self.become(step.who, loose=step.loose)
        outcome = self._send(f"SAVEPOINT partywall_step; {step.sql}")
        if not outcome.ok:
            self._send("ROLLBACK TO SAVEPOINT partywall_step")
        return outcome

    def play(self, steps: Sequence[Step]) -> list[Outcome]:
        """Run *steps* and undo them all; only this stage's transaction ever sees their work.

        Opening, becoming somebody and the step itself travel in one message each time.
        """
        outer = self._connection.info.transaction_status == pq.TransactionStatus.IDLE
        self.become("admin")
        prefix = "BEGIN" if outer else "SAVEPOINT partywall_scene"
        acting: tuple[Who, bool] = ("admin", False)
        outcomes: list[Outcome] = []
        try:
            for number, step in enumerate(steps):
                wanted = (step.who, step.loose)
                entry = "" if wanted == acting else self._entered(step)
                save = f"SAVEPOINT partywall_{number}"
                acting = wanted
                outcome = self._send("; ".join(filter(None, [prefix, entry, save, step.sql])))
                prefix = "" if outcome.ok else f"ROLLBACK TO {save}"
                if entry and not outcome.ok:
                    self._entry_held(step.who, outcome, prefix)
                    prefix = ""
                outcomes.append(outcome)
        finally:
            scene = "ROLLBACK TO SAVEPOINT partywall_scene; RELEASE SAVEPOINT partywall_scene"
            self._must("ROLLBACK" if outer else scene)
        return outcomes

    def _entered(self, step: Step) -> str:
        """The statements that make this session *step*'s, whoever it was before."""
        loose = "SET session_replication_role = replica" if step.loose else ""
        entry = "" if step.who == "admin" else self._entry[step.who]
        return "; ".join(filter(None, [RESET, loose, entry]))

    def _entry_held(self, who: Who, failed: Outcome, back: str) -> None:
        """Go back to before the step that *failed*; where there is no such place, entering did."""
        if not self._send(back).ok:
            raise TargetError(self._not_entered(who, failed))

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undo on leaving whatever is done within, also who acts.

        Opens a transaction where none is open, else a savepoint: then nothing is locked longer
        than the block lasts, and rows planted before in the same transaction stay.
        """
        outer = self._connection.info.transaction_status == pq.TransactionStatus.IDLE
        self.become("admin")
        self._must("BEGIN" if outer else "SAVEPOINT partywall_scene")
        try:
            yield
        finally:
            self._must(
                "ROLLBACK"
                if outer
                else "ROLLBACK TO SAVEPOINT partywall_scene; RELEASE SAVEPOINT partywall_scene"
            )
            if outer:
                self._must(RESET)
            self._acting = ("admin", False)

    def become(self, who: Who, *, loose: bool = False) -> None:
        """Take the session identity of *who* and enter its tenant; `admin` is the way back.

        *loose* switches foreign keys and triggers off for as long as that identity acts.

        Raises:
            TargetError: one of the statements that enter the tenant failed.
        """
        if (who, loose) == self._acting:
            return
        self._must(RESET)
        self._acting = ("admin", False)
        if loose:
            self._must("SET session_replication_role = replica")
        if who == "admin":
            self._acting = ("admin", loose)
            return
        outcome = self._send(self._entry[who])
        if not outcome.ok:
            raise TargetError(self._not_entered(who, outcome))
        self._acting = (who, loose)

    def _not_entered(self, who: Who, outcome: Outcome) -> str:
        name = self._identities[who].name if who in self._identities else who
        return (
            f"{name} could not be entered: {outcome.message} ({outcome.sqlstate}); "
            "look at `url` and `enter` of that tenant in partywall.toml"
        )

    def _must(self, sql: str) -> None:
        outcome = self._send(sql)
        if not outcome.ok:
            message = f"the server refused `{sql[:80]}`: {outcome.message} ({outcome.sqlstate})"
            raise TargetError(message)

    def _notice(self, diagnostic: Any) -> None:  # noqa: ANN401 - psycopg's Diagnostic, all optional
        self._notices.append(
            " ".join(filter(None, [diagnostic.message_primary, diagnostic.message_detail]))
        )

    def _send(self, sql: str) -> Outcome:
        self._notices.clear()
        result = self._pgconn.exec_(sql.encode())
        copied: list[tuple[str | None, ...]] = []
        while result.status == pq.ExecStatus.COPY_OUT:
            size, data = self._pgconn.get_copy_data(0)
            if size > 0:
                copied.append((bytes(data).decode(errors="replace").rstrip("\n"),))
                continue
            following = self._pgconn.get_result()
            while following is not None:
                result, following = following, self._pgconn.get_result()
        outcome = read(result, self._notices)
        return Outcome(tuple(copied), len(copied)) if copied and outcome.ok else outcome


def disguise(login: str, lodging: Mapping[str, str], enter: Iterable[str]) -> str:
    """The statements by which a superuser's session becomes *login*'s, and then a tenant's."""
    settings = [
        f"SELECT set_config({literal(name)}, {literal(value)}, false)"
        for name, value in lodging.items()
    ]
    return ";\n".join([*settings, f"SET SESSION AUTHORIZATION {identifier(login)}", *enter])


def read(result: pq.abc.PGresult, notices: Sequence[str] = ()) -> Outcome:
    """Turn libpq's result into an `Outcome`; every cell as PostgreSQL prints it."""
    if result.status not in DONE:
        field = pq.DiagnosticField

        def words(kind: pq.DiagnosticField) -> str:
            return (result.error_field(kind) or b"").decode(errors="replace")

        told = [words(k) for k in (field.MESSAGE_DETAIL, field.MESSAGE_HINT, field.CONTEXT)]
        return Outcome(
            sqlstate=words(field.SQLSTATE) or "08000",
            message=words(field.MESSAGE_PRIMARY) or result.get_error_message(),
            told="\n".join([*filter(None, told), *notices]),
            constraint=words(field.CONSTRAINT_NAME),
            column=words(field.COLUMN_NAME),
            table=words(field.TABLE_NAME),
        )
    rows = tuple(
        tuple(
            None if (cell := result.get_value(i, j)) is None else cell.decode(errors="replace")
            for j in range(result.nfields)
        )
        for i in range(result.ntuples)
    )
    count = result.command_tuples
    return Outcome(rows, -1 if count is None else count, told="\n".join(notices))
