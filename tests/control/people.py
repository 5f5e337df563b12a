"""Tenants and users, made the way the control plane makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.control import memberships, tenants, users

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from partywall.control.tenants import Tenant
    from partywall.control.users import User


def tenant(connection: Connection, slug: str) -> Tenant:
    """A tenant that may be entered."""
    made = tenants.add(connection, slug=slug, name=slug.title())
    return tenants.set_status(connection, made.id, "active")


def user(connection: Connection, name: str) -> User:
    """A user without a password."""
    return users.add(connection, f"{name}@example.com", name=name.title())


def member(connection: Connection, tenant_id: str, name: str, role: str = "member") -> User:
    """A new user in a tenant."""
    made = user(connection, name)
    memberships.add(connection, tenant_id, made.id, role)
    return made
