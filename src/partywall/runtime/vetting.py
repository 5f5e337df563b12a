"""Refuse to start with a login that could get round the walls."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from partywall.errors import UnsafeLogin
from partywall.isolation.login import LoginFacts, dangers
from partywall.isolation.login_query import answered, query

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection

    from partywall.isolation.plan import IsolationModel


def vet(engine: Engine, model: IsolationModel) -> None:
    """Ask the server, at the first connection of *engine*, what its login could do.

    Raises (when connecting):
        UnsafeLogin: naming each way round the walls, and the statement that closes it.
    """
    vetted: set[str] = set()
    asking = threading.Lock()
    shared = [s if "." in s else f"public.{s}" for s in getattr(model, "shared", ())]

    def ask(connection: DBAPIConnection, _: object) -> None:
        with asking:
            if vetted:
                return
        facts = facts_of(connection, model)
        found = dangers(facts, shared=shared)
        if found:
            lines = "".join(f"\n- {danger.what}\n  {danger.mend}" for danger in found)
            raise UnsafeLogin(f"the login {facts.login} could get round the walls:{lines}")
        with asking:
            vetted.add(facts.login)

    event.listen(engine, "connect", ask)


def facts_of(connection: Any, model: IsolationModel) -> LoginFacts:
    """What the server says of the login of a driver's connection, in one query."""
    cursor = connection.cursor()
    try:
        cursor.execute(query(model))
        return answered(cursor.fetchone())
    finally:
        cursor.close()
