"""Sessions of each identity's own, which commit: for what one rolled-back transaction can't show.

A notification arrives only after a commit, and `pg_stat_activity` shows only other sessions. Each
identity logs in as it really does; every step is one transaction that enters the tenant first.
Runs on a copy, or on the target for attempts that write nothing.
"""

from __future__ import annotations

from contextlib import ExitStack
from select import select
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import pq

from partywall.errors import ConfigurationError
from partywall.survey.attack import HEAR, Outcome
from partywall.survey.stage import read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from partywall.survey.attack import Step
    from partywall.survey.identity import Identity, Who

HEARING_S = 1.0
REFUSED = "08004"


class Sessions:
    """Opens a session for each identity that acts and closes it after the attempt.

    Only the real log-in counts: an administrator in disguise would see, and be seen, as one.
    *connect* logs in as an identity, as the administrator for None.
    """

    def __init__(
        self,
        connect: Callable[[Identity | None], psycopg.Connection[Any]],
        identities: Mapping[Who, Identity],
    ) -> None:
        self._connect = connect
        self._identities = identities

    def play(self, steps: Sequence[Step]) -> list[Outcome]:
        """Run *steps* in their order; what they did stays done."""
        with ExitStack() as stack:
            opened: dict[Who, psycopg.Connection[Any] | Outcome] = {}
            for who in dict.fromkeys(step.who for step in steps):
                try:
                    opened[who] = stack.enter_context(self._connect(self._identities.get(who)))
                except (psycopg.Error, ConfigurationError) as error:
                    opened[who] = Outcome(sqlstate=REFUSED, message=str(error).strip())
            return [self._run(opened[step.who], step) for step in steps]

    def _run(self, session: psycopg.Connection[Any] | Outcome, step: Step) -> Outcome:
        if isinstance(session, Outcome):
            return session
        identity = self._identities.get(step.who)
        parts = ["BEGIN", *(identity.enter if identity else ()), step.sql, "COMMIT"]
        pgconn = session.pgconn
        pgconn.send_query("; ".join(parts).encode())
        results = []
        while (result := pgconn.get_result()) is not None:
            results.append(result)
        failed = [r for r in results if r.status == pq.ExecStatus.FATAL_ERROR]
        if failed:
            pgconn.exec_(b"ROLLBACK")
        told = _heard(pgconn) if step.sql == HEAR else []
        return read(failed[0] if failed else results[-2], told)


def _heard(pgconn: pq.abc.PGconn) -> list[str]:
    """Notifications that have arrived, or arrive within a second."""
    heard: list[str] = []
    ready = True
    while ready:
        while (notify := pgconn.notifies()) is not None:
            heard.append(f"{notify.relname.decode()}: {notify.extra.decode(errors='replace')}")
        ready = bool(select([pgconn.socket], [], [], 0 if heard else HEARING_S)[0])
        pgconn.consume_input()
    return heard
