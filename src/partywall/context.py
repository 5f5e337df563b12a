"""Who acts for which tenant: made in one place, and passed on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from partywall.errors import MissingTenant

if TYPE_CHECKING:
    from collections.abc import Iterable

ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.:@-]{0,126}[A-Za-z0-9])?\Z")
"""What a tenant's id may be. ASCII alone, so that no two ids look alike or fold into one."""


def identified(value: object) -> str:
    """The id of a tenant as text.

    Args:
        value: text that `ID` allows, a UUID (written in lower case with hyphens), or a positive
            whole number.

    Raises:
        MissingTenant: for anything else; `None`, `""` and `True` among it. The message doesn't
            repeat the value.
    """
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    if isinstance(value, str) and ID.match(value):
        return str.__str__(value)  # str() of a member of an enumeration is its name
    said = "is empty" if value is None or value == "" else "is not one"
    raise MissingTenant(
        f"the tenant id {said}: pass TenantContext an id of 1 to 128 ASCII letters, digits and "
        "any of _ . : @ - between them, a UUID, or a positive whole number"
    )


@dataclass(frozen=True, slots=True, init=False)
class TenantContext:
    """Who acts for which tenant; immutable, hashable, and serialisable for jobs and logs.

    Attributes:
        tenant_id: the tenant's immutable id, never its slug; text, see `identified`.
        user_id: who acts, "" for the application itself.
        roles: the user's roles in this tenant.
        permissions: what the user may do in this tenant.
    """

    tenant_id: str
    user_id: str
    roles: frozenset[str]
    permissions: frozenset[str]

    def __init__(
        self,
        tenant_id: str | UUID | int,
        user_id: str | UUID | int = "",
        roles: Iterable[str] = (),
        permissions: Iterable[str] = (),
    ) -> None:
        """Hold what is given to what the attributes promise: a context is made in one place.

        Raises:
            MissingTenant: when *tenant_id* is empty or can't be an id.
            TypeError: when *roles* or *permissions* is one name and not a set of them.
        """
        object.__setattr__(self, "tenant_id", identified(tenant_id))
        object.__setattr__(self, "user_id", str(user_id or ""))
        object.__setattr__(self, "roles", names("roles", roles))
        object.__setattr__(self, "permissions", names("permissions", permissions))

    def to_json(self) -> str:
        """The context as one line of JSON; its keys and its lists are sorted."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(fields, default=sorted, sort_keys=True)  # sorted: the sets

    @classmethod
    def from_json(cls, text: str | bytes) -> TenantContext:
        """The context that `to_json` wrote.

        Raises:
            MissingTenant: when it is no such text, has an unknown key, or names no tenant.
        """
        try:
            fields = json.loads(text)
        except ValueError as error:
            raise MissingTenant("this is no serialised TenantContext: it is not JSON") from error
        if not isinstance(fields, dict) or not fields.keys() <= set(cls.__slots__):
            raise MissingTenant("this is no serialised TenantContext: use TenantContext.to_json()")
        return cls(**{"tenant_id": "", **fields})


def names(what: str, given: Iterable[str]) -> frozenset[str]:
    """A set of names.

    Raises:
        TypeError: for a bare string, which would become the set of its letters, and for what is
            no text.
    """
    if isinstance(given, (str, bytes)):
        raise TypeError(f"{what} are a set of names, not one: write {what}={{...}}")
    found = frozenset(given)
    if not all(isinstance(name, str) for name in found):
        raise TypeError(f"{what} are names: text, each of them")
    return found


def required(context: object, without: str) -> TenantContext:
    """Take nothing but a context.

    Args:
        context: what was passed.
        without: what is said where it is something else.

    Raises:
        MissingTenant: for None, an id, a dictionary: a context is made in one place.
    """
    if not isinstance(context, TenantContext):
        raise MissingTenant(without)
    return context
