"""What SQL may do in a tenant's file: a list, which SQLite asks before it compiles a statement.

https://www.sqlite.org/c3ref/set_authorizer.html
"""

from __future__ import annotations

import sqlite3

from partywall.errors import WallError

DATA = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
    }
)
WRITES = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
ALTERATIONS = frozenset(
    {
        sqlite3.SQLITE_ALTER_TABLE,
        sqlite3.SQLITE_ANALYZE,
        sqlite3.SQLITE_CREATE_INDEX,
        sqlite3.SQLITE_CREATE_TABLE,
        sqlite3.SQLITE_CREATE_TRIGGER,
        sqlite3.SQLITE_CREATE_VIEW,
        sqlite3.SQLITE_DROP_INDEX,
        sqlite3.SQLITE_DROP_TABLE,
        sqlite3.SQLITE_DROP_TRIGGER,
        sqlite3.SQLITE_DROP_VIEW,
        sqlite3.SQLITE_DROP_VTABLE,
        sqlite3.SQLITE_REINDEX,
    }
)
MODULES = frozenset({"fts3", "fts4", "fts5", "geopoly", "rtree", "rtree_i32"})
"""The virtual tables that keep what they hold in the same file."""

CATALOG = frozenset(
    {"sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_sequence", "sqlite_stat1"}
)
"""Tables of SQLite's own that alterations write; it refuses statements that write them."""

OUTWARD = frozenset({"load_extension", "fts3_tokenizer"})
"""The functions of SQLite that reach out of the file: a library to load, an address to jump to.
Which others there are is the application's to say: it registers them."""

READABLE = frozenset(
    {
        "application_id",
        "compile_options",
        "data_version",
        "encoding",
        "foreign_keys",
        "freelist_count",
        "journal_mode",
        "page_count",
        "page_size",
        "query_only",
        "read_uncommitted",
        "schema_version",
        "synchronous",
        "user_version",
    }
)
"""PRAGMAs that may be asked, not set."""

TAKING = frozenset(
    {
        "defer_foreign_keys",  # until the end of the transaction
        "foreign_key_check",
        "foreign_key_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "integrity_check",
        "quick_check",
        "table_info",
        "table_list",
        "table_xinfo",
    }
)
"""PRAGMAs that may also be given an argument: the name of a table, in nearly all."""

SAID = {
    code: name.removeprefix("SQLITE_").replace("_", " ")
    for name, code in vars(sqlite3).items()
    if name.startswith(("SQLITE_ATTACH", "SQLITE_DETACH", "SQLITE_CREATE", "SQLITE_DROP"))
    or name in {"SQLITE_ALTER_TABLE", "SQLITE_ANALYZE", "SQLITE_REINDEX"}
}


class Warden:
    """The authorizer of one connection.

    Args:
        connection: asked whether a transaction is open.
        alterable: whether the schema may be changed.
    """

    def __init__(self, connection: sqlite3.Connection, *, alterable: bool) -> None:
        self._connection = connection
        self._alterable = alterable
        self.refused = ""

    def __call__(
        self,
        action: int,
        first: str | None,
        second: str | None,
        database: str | None,
        by: str | None,
    ) -> int:
        """SQLite's question; what the arguments are depends on *action*."""
        del database, by
        if action in DATA or self._may(action, (first or "").lower(), (second or "").lower()):
            return sqlite3.SQLITE_OK
        self.refused = said(action, first or "", second or "")
        return sqlite3.SQLITE_DENY

    def _may(self, action: int, first: str, second: str) -> bool:
        if action in WRITES:
            # SQLite asks to update its catalog before it declares the columns of a virtual table,
            # `json_each` among them, and itself refuses a statement that does.
            declared = action == sqlite3.SQLITE_UPDATE and first == "sqlite_master"
            owned = not first.startswith("sqlite_")
            return owned or declared or (self._alterable and first in CATALOG)
        if action == sqlite3.SQLITE_FUNCTION:
            return second not in OUTWARD
        if action == sqlite3.SQLITE_PRAGMA:
            return self._may_pragma(first, second)
        if action == sqlite3.SQLITE_CREATE_VTABLE:
            return self._alterable and second in MODULES
        return self._alterable and action in ALTERATIONS

    def _may_pragma(self, name: str, argument: str) -> bool:
        if name == "query_only" and argument:
            # The runtime sets it before BEGIN and after COMMIT, a session lives in between.
            return not self._connection.in_transaction
        if name == "user_version" and argument:
            return self._alterable
        return name in TAKING or (name in READABLE and not argument)

    def explain(self) -> WallError:
        """The refusal in words."""
        what, self.refused = self.refused or "this", ""
        return WallError(
            f"{what} is refused in a tenant's file, and nothing was executed: sessions read and "
            "write the tenant's tables, and may change them with FilePerTenant(alterable=True)"
        )


def said(action: int, first: str, second: str) -> str:
    """What a statement does, in its own words."""
    if action == sqlite3.SQLITE_PRAGMA:
        return f"PRAGMA {first}"
    if action == sqlite3.SQLITE_FUNCTION:
        return f"the function {second}()"
    if first == "sqlite_temp_master":
        return "a temporary table"
    return SAID.get(action, "a change of the schema" if first == "sqlite_master" else first)
