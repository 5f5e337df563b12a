"""Schemas made ahead: with all their tables, handed out by a rename.

What is ready is what the catalog shows: schemas whose names no tenant's can have, with a mark that
names their tables. So the stock needs no table, survives a crash, serves all processes, and a stock
of an older version of the tables is never handed out.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from partywall.control.database import new_id
from partywall.control.provisioning.marks import Mark
from partywall.control.provisioning.owner import sent
from partywall.isolation.naming import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sqlalchemy import Connection

    from partywall.control.provisioning.owner import Owner

LOG = logging.getLogger("partywall.works")

READY = "_ready_"
"""Begins the names of what is ready; a tenant's begins with a letter."""

# By name, so that the index is used; the lock keeps two from taking the same one.
FREE = """
SELECT n.nspname FROM pg_catalog.pg_namespace AS n
WHERE n.nspname >= '_ready_' AND n.nspname < '_ready`'
    AND pg_catalog.obj_description(n.oid, 'pg_namespace') = {mark}
    AND pg_catalog.pg_try_advisory_xact_lock(2037, n.oid::pg_catalog.int8::bit(32)::pg_catalog.int4)
LIMIT 1
"""
ALL = """
SELECT n.nspname, pg_catalog.obj_description(n.oid, 'pg_namespace')
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname >= '_ready_' AND n.nspname < '_ready`' ORDER BY 1
"""
ONE_AT_A_TIME = "SELECT pg_catalog.pg_advisory_xact_lock(2037, 0)"

GONE = frozenset({"3F000", "XX000"})
"""What is said of a schema that another process renamed meanwhile: no such schema, or `tuple
concurrently updated`."""


TRIES = 10
"""How often a schema is looked for where others take them at the same time."""


class Ahead:
    """A stock of schemas that are ready.

    Args:
        owner: the owner's connections.
        digest: of the tables they have.
        build: makes one of a name on a connection, with its tables, without its mark.
        dropping: the statements that drop one.
        wanted: how many are to be ready.
        roles: whether each has a role of its name.
    """

    def __init__(
        self,
        owner: Owner,
        *,
        digest: Callable[[], str],
        build: Callable[[Connection, str], None],
        dropping: Callable[[str], tuple[str, ...]],
        wanted: int,
        roles: bool = False,
    ) -> None:
        self._owner = owner
        self._digest = digest
        self._build, self._dropping = build, dropping
        self._wanted, self._roles = wanted, roles
        self._waking = threading.Lock()
        self._thread: threading.Thread | None = None

    def handed_out(self, name: str, mark: Mark) -> bool:
        """Rename one that is ready to *name* and mark it, in one transaction; False without one.

        Raises:
            psycopg.Error: also where something of that name is there.
        """
        ready = str(Mark("", tables=mark.tables))
        with self._owner.session() as connection:
            for _ in range(TRIES):
                free = sent(connection, "BEGIN", FREE.format(mark=literal(ready)))
                if not free:
                    sent(connection, "ROLLBACK")
                    break
                try:
                    self._take(connection, free[0][0], name, mark)
                except Exception as error:
                    sent(connection, "ROLLBACK")
                    if getattr(error, "sqlstate", None) not in GONE:
                        raise
                    continue
                return True
        return False

    def _take(self, connection: Any, ready: str, name: str, mark: Mark) -> None:  # noqa: ANN401 - a driver's
        own = identifier(name)
        statements = [f"ALTER SCHEMA {identifier(ready)} RENAME TO {own}"]
        if self._roles:
            statements.append(f"ALTER ROLE {identifier(ready)} RENAME TO {own}")
        statements.append(f"COMMENT ON SCHEMA {own} IS {literal(str(mark))}")
        sent(connection, *statements, "COMMIT")

    def replenish(self) -> int:
        """Make as many as are missing, and drop those of other tables; how many were made.

        Each is made in a transaction of its own, under a lock that all processes share.
        """
        for made in range(self._wanted):
            if not self._one_more():
                return made
        return self._wanted

    def _one_more(self) -> bool:
        ready = str(Mark("", tables=self._digest()))
        with self._owner.transaction() as connection:
            driver = connection.connection.driver_connection
            found = sent(driver, ONE_AT_A_TIME, ALL)
            for name in [name for name, said in found if said != ready and Mark.read(said)]:
                sent(driver, *self._dropping(name))
            if sum(said == ready for _, said in found) >= self._wanted:
                return False
            name = READY + new_id().replace("-", "")
            self._build(connection, name)
            sent(driver, f"COMMENT ON SCHEMA {identifier(name)} IS {literal(ready)}")
        return True

    def wake(self) -> None:
        """Replenish in a thread, unless one is at it."""
        with self._waking:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._replenish, name="partywall ahead", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """Wait for the thread."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _replenish(self) -> None:
        try:
            self.replenish()
        except Exception as error:  # noqa: BLE001 - without a stock tenants are provisioned as well
            LOG.warning("no schemas could be made ahead: %s", type(error).__name__)
