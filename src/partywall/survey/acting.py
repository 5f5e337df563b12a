"""A tenant in somebody's own test: acts as the survey would, and asserts nothing without a control.

Tenants take turns on one administrator's connection (SET SESSION AUTHORIZATION, then `enter`), all
in one transaction that is rolled back: each sees what the others have written in the same test.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg
from pglast import ast, parse_sql
from pglast.parser import ParseError
from psycopg.rows import tuple_row

from partywall.errors import ConfigurationError, TargetError
from partywall.survey.addresses import login_of
from partywall.survey.audit import complete
from partywall.survey.connecting import connect
from partywall.survey.entering import lodging
from partywall.survey.sql import identifier
from partywall.survey.stage import RESET, disguise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from partywall.survey.configuration import Configuration, TenantSettings

    Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any] | None
    Rows: TypeAlias = list[tuple[Any, ...]]

PASSING = frozenset({"08", "25", "40", "53", "55", "57", "58", "XX"})
"""Classes of errors that come from the moment, not from who asks: they refuse nothing."""
SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = session_user"


class Ground:
    """A connection on which tenants take turns.

    *lent* is one of somebody else's: every call leaves it as it was.
    """

    def __init__(self, connection: psycopg.Connection[Any], *, lent: bool) -> None:
        self.connection = connection
        self.lent = lent

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undo in the end what was done within, also who acts."""
        with self.connection.transaction(force_rollback=True):
            yield

    def run(self, entry: str, statement: str, parameters: Parameters) -> Rows:
        """Enter a tenant and run one statement; an error undoes both."""
        with self.connection.transaction(), self.connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(f"{RESET}; {entry}".encode())
            cursor.execute(statement.encode(), parameters, prepare=False)
            return [] if cursor.description is None else cursor.fetchall()


@dataclass(frozen=True)
class Tenant:
    """One tenant as the application enters it.

    Statements are psycopg's, with ``%s`` for parameters.
    """

    name: str
    ground: Ground
    entry: str = field(repr=False)  # may hold what proves the tenant

    def execute(self, statement: str, parameters: Parameters = None) -> Rows:
        """Run a statement as this tenant and give its rows; later calls of the test see its work.

        On a connection that the test has lent it is undone at once.

        Raises:
            psycopg.Error: the server refused it; nothing of it stays.
        """
        if not self.ground.lent:
            return self.ground.run(self.entry, statement, parameters)
        with self.ground.undone():
            return self.ground.run(self.entry, statement, parameters)

    def cannot_read(self, query: str, parameters: Parameters = None, *, owner: Tenant) -> None:
        """Assert that no row which *owner* reads by *query* is among those that this tenant reads.

        Raises:
            AssertionError: one is; or it is undecided, since *owner* reads none either.
        """
        __tracebackhide__ = True
        self._meet(owner)
        theirs, failed = owner._tried(query, parameters)
        if not theirs:
            reason = (
                f"{owner.name} could not do it either ({_words(failed)})"
                if failed
                else f"{owner.name} reads no row this way, so that nothing was there to be read"
            )
            raise AssertionError(_undecided(reason, query))
        mine, failed = self._tried(query, parameters)
        if failed:
            self._refused(failed, query)
        elif seen := sum(row in mine for row in theirs):
            said = f"{self.name} reads {seen} of the {len(theirs)} rows that {owner.name} reads by"
            raise AssertionError(f"{said}\n    {query}")

    def cannot_write(
        self,
        statement: str,
        parameters: Parameters = None,
        *,
        owner: Tenant,
        seen: str = "",
    ) -> None:
        """Assert that *statement* by this tenant is refused, or changes nothing that *owner* sees.

        Args:
            seen: what *owner* looks at before and after; the whole table where *statement* is an
                INSERT, UPDATE, DELETE, MERGE or TRUNCATE.

        Raises:
            AssertionError: *owner* sees a change; or it is undecided, since *owner* doing the same
                would change nothing that it sees.
            ConfigurationError: *seen* is missing, and the statement doesn't say it.
        """
        __tracebackhide__ = True
        self._meet(owner)
        look = seen or self._table(statement, parameters)
        failed, changed = owner._changing(owner, statement, parameters, look)
        if failed or not changed:
            reason = (
                f"{owner.name} could not do it either ({_words(failed)})"
                if failed
                else f"{owner.name} doing it changes nothing that {owner.name} sees by {look}"
            )
            raise AssertionError(_undecided(reason, statement))
        failed, changed = self._changing(owner, statement, parameters, look)
        if failed:
            self._refused(failed, statement)
        elif changed:
            said = f"{self.name} changes what {owner.name} sees ({look}) by"
            raise AssertionError(f"{said}\n    {statement}")

    def _tried(self, query: str, parameters: Parameters) -> tuple[Rows, psycopg.Error | None]:
        with self.ground.undone():
            try:
                return self.ground.run(self.entry, query, parameters), None
            except psycopg.Error as error:
                return [], error

    def _changing(
        self, owner: Tenant, statement: str, parameters: Parameters, look: str
    ) -> tuple[psycopg.Error | None, bool]:
        """The error of the statement, and whether *owner* sees something else after it."""
        __tracebackhide__ = True
        with ExitStack() as stack:
            for ground in dict.fromkeys((owner.ground, self.ground)):
                stack.enter_context(ground.undone())
            try:
                before = owner.ground.run(owner.entry, look, None)
            except psycopg.Error as error:
                reason = f"{owner.name} can't look ({_words(error)})"
                raise AssertionError(_undecided(reason, look)) from None
            try:
                self.ground.run(self.entry, statement, parameters)
            except psycopg.Error as error:
                return error, False
            after = owner.ground.run(owner.entry, look, None)
            return None, sorted(map(repr, before)) != sorted(map(repr, after))

    def _refused(self, error: psycopg.Error, statement: str) -> None:
        """Nothing, unless the error came from the moment."""
        __tracebackhide__ = True
        if (error.sqlstate or "XX")[:2] in PASSING:
            reason = f"{self.name} was not refused, it failed ({_words(error)})"
            raise AssertionError(_undecided(reason, statement))

    def _meet(self, owner: Tenant) -> None:
        if owner.entry == self.entry:
            raise ConfigurationError(f"{self.name} and its owner {owner.name} are the same tenant")
        mine, theirs = self.ground, owner.ground
        if (mine.lent or theirs.lent) and mine.connection is not theirs.connection:
            raise ConfigurationError(
                f"{self.name} and {owner.name} act on different connections, where one need not "
                "see what the other has written: lend both the same one, or none"
            )

    def _table(self, statement: str, parameters: Parameters) -> str:
        """How to see all of the table that *statement* changes."""
        try:
            written = psycopg.ClientCursor(self.ground.connection).mogrify(statement, parameters)
            [raw] = parse_sql(written)
        except (ParseError, ValueError):
            raw = None
        change = getattr(raw, "stmt", None)
        if isinstance(change, ast.TruncateStmt) and len(change.relations) == 1:
            table = change.relations[0]
        else:
            table = getattr(change, "relation", None)
        if not isinstance(table, ast.RangeVar):
            raise ConfigurationError(
                f'say what its owner looks at, seen="SELECT …", for\n    {statement}'
            )
        names = filter(None, (table.schemaname, table.relname))
        return f"TABLE {'.'.join(map(identifier, names))}"


class Tenants:
    """The tenants of a configuration by name, for one test."""

    def __init__(self, url: str, declared: Mapping[str, TenantSettings], stack: ExitStack) -> None:
        self._url = url
        self._declared = declared
        self._stack = stack
        self._grounds: dict[str, Ground] = {}

    def __call__(self, name: str, connection: psycopg.Connection[Any] | None = None) -> Tenant:
        """The tenant of that name, on *connection* where one is lent; else undone with the test.

        ``anonymous`` is a session that has entered no tenant.

        Raises:
            ConfigurationError: there is no such tenant, or *connection* can't be used.
            TargetError: it could not be entered as declared.
        """
        declared = self._declared.get(name)
        if declared is None:
            known = ", ".join(self._declared)
            raise ConfigurationError(f"there is no tenant {name}; the configuration has {known}")
        login, database = login_of(declared.url, f"[tenants.{name}] url")
        ground = self._ground(database) if connection is None else lent(connection)
        with ground.undone():
            settings = lodging(ground.connection, login)
            entry = disguise(login, settings, (*declared.enter, *declared.prove))
            try:
                ground.run(entry, "SELECT", None)
            except psycopg.Error as error:
                raise TargetError(
                    f"{name} could not be entered: {_words(error)}; "
                    "look at `url` and `enter` of that tenant in partywall.toml"
                ) from None
        return Tenant(name, ground, entry)

    def _ground(self, database: str) -> Ground:
        if database not in self._grounds:
            connection = self._stack.enter_context(closing(connect(self._url, database)))
            self._grounds[database] = ground = Ground(connection, lent=False)
            self._stack.enter_context(ground.undone())
        return self._grounds[database]


@contextmanager
def tenants(configuration: Configuration) -> Iterator[Tenants]:
    """The tenants of *configuration*; what they do within the block is undone after it.

    Raises:
        ConfigurationError: the database can't be reached, or not as a superuser.
        ModelError: no tenants are declared, and the catalog doesn't say who they are.
    """
    with closing(connect(configuration.url)) as admin:
        told = complete(configuration, admin)
    nobody = told.anonymous or replace(told.tenants[0], enter=(), prove=())
    declared = {one.name: one for one in told.tenants} | {"anonymous": nobody}
    with ExitStack() as stack:
        yield Tenants(configuration.url, declared, stack)


def lent(connection: psycopg.Connection[Any]) -> Ground:
    """A ground on somebody's own connection.

    Raises:
        ConfigurationError: it is none of psycopg 3, or of no superuser's.
    """
    if not isinstance(connection, psycopg.Connection):
        kind = f"{type(connection).__module__}.{type(connection).__qualname__}"
        raise ConfigurationError(
            f"as_tenant takes a connection of psycopg 3, and this is a {kind}: SQLAlchemy has it "
            "as session.connection().connection.driver_connection, Django as connection.connection"
        )
    ground = Ground(connection, lent=True)
    with ground.undone(), connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(SUPERUSER).fetchone()
    if row is None or not row[0]:
        raise ConfigurationError(
            f"the connection is of {connection.info.user}, who is no superuser: only superusers "
            "can take the session identity of the application's logins"
        )
    return ground


def _words(error: psycopg.Error) -> str:
    """The server's own words, without DETAIL and so without data."""
    return f"{error.diag.message_primary or error} ({error.sqlstate or 'no SQLSTATE'})"


def _undecided(reason: str, statement: str) -> str:
    return f"undecided: {reason}:\n    {statement}"
