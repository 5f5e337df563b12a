"""Users: people who log in, each with one address; memberships say where they belong."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from partywall.control import ids, limits, passwords, tables
from partywall.control.addresses import addressed
from partywall.control.database import announce, inserting, new_id, now
from partywall.control.tenants import named
from partywall.errors import InvalidRecord, NotAuthenticated, RecordConflict, UnknownRecord

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Connection, Row

    from partywall.control.database import Database

USERS = tables.users

WINDOW_S = 900.0
OF_ACCOUNT, OF_SOURCE = 10, 100
"""Log-ins that may fail in a window: with one address, and from one place."""

REFUSED = "the e-mail address or the password is wrong"
"""The answer to every log-in that fails."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who can log in.

    Attributes:
        email: as it was given, in normal form.
        disabled_at: since when nobody logs in as this user; None while one can.
        version: counts up with each new password; a token that names an earlier one is void.
    """

    id: str
    email: str
    name: str
    disabled_at: dt.datetime | None
    version: int


COLUMNS = [USERS.c[name] for name in User.__slots__]


def add(
    connection: Connection,
    email: str,
    *,
    password: str | None = None,
    password_hash: str = "",
    name: str = "",
) -> User:
    """A new user; without a password where the application itself logs people in.

    Args:
        connection: the transaction.
        email: the address; whether it is the user's own is for the application to find out.
        password: hashed here, which takes some hundredths of a second.
        password_hash: instead of it, what `passwords.hashed` gave before the transaction began.
        name: what people read.

    Raises:
        InvalidRecord: for an address, a password or a name that can't be.
        RecordConflict: when somebody has the address.
    """
    address = addressed(email)
    user = User(new_id(), address.shown, named(name) if name else "", None, 1)
    row = {
        "id": user.id,
        "email": user.email,
        "email_key": address.key,
        "name": user.name,
        "password_hash": password_hash if password is None else passwords.hashed(password),
        "created_at": now(),
    }
    insert = inserting(connection, USERS)
    adding = insert.values(row).on_conflict_do_nothing(index_elements=[USERS.c.email_key])
    if connection.execute(adding.returning(USERS.c.id)).first() is None:
        raise RecordConflict("a user has this address already: log in with it")
    announce(connection, f"user:{user.id}")
    return user


def get(connection: Connection, user_id: str) -> User | None:
    """The user with that id."""
    if not ids.possible(user_id):
        return None
    return one(connection.execute(select(*COLUMNS).where(USERS.c.id == user_id)).first())


def by_email(connection: Connection, email: str) -> User | None:
    """The user with that address; None also for what is none."""
    key = key_of(email)
    if key is None:
        return None
    return one(connection.execute(select(*COLUMNS).where(USERS.c.email_key == key)).first())


def set_password(connection: Connection, user_id: str, password: str) -> None:
    """Give a user another password; tokens from before are void, API keys are not.

    Raises:
        InvalidRecord: for one that can't be.
        UnknownRecord: when there is no such user.
    """
    renewed = passwords.hashed(password)
    changed(connection, user_id, password_hash=renewed, version=USERS.c.version + 1)


def disable(connection: Connection, user_id: str) -> None:
    """Let nobody in as this user from now on, not with a token or a key either.

    Raises:
        UnknownRecord: when there is no such user.
    """
    changed(connection, user_id, disabled_at=now())


def enable(connection: Connection, user_id: str) -> None:
    """Let a disabled user in again.

    Raises:
        UnknownRecord: when there is no such user.
    """
    changed(connection, user_id, disabled_at=None)


def log_in(database: Database, email: str, password: str, *, source: str) -> User:
    """The user with this address and this password.

    Attempts that fail are counted by address, also one that nobody has, and by source, each in a
    transaction of its own, before the password is looked at: of many at once no more come through.
    Somebody can so keep a user from logging in, for as long as he goes on; tokens are not touched.

    Args:
        database: the control plane's; no connection is held while the password is hashed.
        email: the address.
        password: the password.
        source: from where, an address of the network without a port; of IPv6 its first 64 bits
            count. With "", where that is not known, only the address's attempts are limited.

    Raises:
        NotAuthenticated: when there is none, or it is disabled; it says and takes the same for
            every cause.
        TooManyAttempts: after too many, with this address or from this source.
    """
    key = key_of(email)
    counts = [(f"log-in from {place(source)}", OF_SOURCE)] if source else []
    counts += [(f"log-in of {email if key is None else key}", OF_ACCOUNT)]
    for counted, limit in counts:
        limits.attempt(database, counted, limit=limit, window_s=WINDOW_S)
    with database.reading() as connection:
        query = select(USERS.c.id, USERS.c.password_hash).where(USERS.c.email_key == key)
        row = connection.execute(query).first()
    kept = "" if row is None else row.password_hash
    if not passwords.matches(kept, password) or row is None:
        raise NotAuthenticated(REFUSED)
    renewed = passwords.renewed(kept, password)
    with database.begin() as connection:
        user = welcomed(connection, row.id, kept, renewed)
        for counted, _ in counts:
            limits.give_back(connection, counted, window_s=WINDOW_S)
    return user


def welcomed(connection: Connection, user_id: str, kept: str, renewed: str) -> User:
    """The user whose password was right, unless something has changed while it was looked at.

    Raises:
        NotAuthenticated: when the user is disabled, or has another password by now.
    """
    same = (USERS.c.id == user_id, USERS.c.password_hash == kept, USERS.c.disabled_at.is_(None))
    if kept != renewed:
        welcoming = update(USERS).where(*same).values(password_hash=renewed)
        user = one(connection.execute(welcoming.returning(*COLUMNS)).first())
    else:
        user = one(connection.execute(select(*COLUMNS).where(*same)).first())
    if user is None:
        raise NotAuthenticated(REFUSED)
    return user


def key_of(email: str) -> str | None:
    """An address as it is compared; None for what is none."""
    try:
        return addressed(email).key
    except InvalidRecord:
        return None


def place(source: str) -> str:
    """What counts as one place: whoever has one address of IPv6 has 2⁶⁴ of them."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.IPv6Network((int(address), 64), strict=False))


def changed(connection: Connection, user_id: str, **values: object) -> None:
    """Change a user, and say so.

    Raises:
        UnknownRecord: when there is no such user.
    """
    changing = update(USERS).where(USERS.c.id == user_id).values(values)
    if not ids.possible(user_id) or connection.execute(changing).rowcount == 0:
        raise UnknownRecord("there is no such user")
    announce(connection, f"user:{user_id}")


def one(row: Row[Any] | None) -> User | None:
    """A row as a user."""
    return None if row is None else User(**row._asdict())
