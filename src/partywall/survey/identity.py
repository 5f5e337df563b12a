"""Who attacks and who is attacked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Who: TypeAlias = Literal["A", "B", "none", "empty", "admin"]
"""A attacks B; `none` has no context at all, `empty` an empty one; `admin` plants and looks."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One way to act on the target, exactly as the application does it.

    Attributes:
        who: its part in the attacks.
        name: what the configuration calls it: ``acme``, ``anonymous``.
        tenant: the tenant's id: its value in tenant columns, its schema, or its database.
        login: the role the application logs in as.
        role: the role that acts once `enter` has run (SET ROLE); the login where nothing changes.
        url: how to connect as the login, None where only the administrator can act as it.
        database: the database it works in.
        enter: statements that make a transaction the tenant's.
        proof: those of them that only the application can say, since they hold a secret of its.
        search_path: schemas that unqualified names are looked up in, once entered.
        settings: the context's settings once entered, by name.
    """

    who: Who
    name: str
    tenant: str
    login: str
    role: str
    url: str | None
    database: str
    enter: tuple[str, ...]
    search_path: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    proof: tuple[str, ...] = ()
