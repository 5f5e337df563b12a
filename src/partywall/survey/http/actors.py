"""Who asks: tenants with what they show at the door, nobody, and a stranger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Actor:
    """One identity, as the API sees it.

    Attributes:
        name: the tenant's, "nobody" or "stranger".
        headers, cookies: its credentials; a log-in renews them.
        own: values that are its own, by name of parameter.
        base: its own address, where a subdomain tells the tenant; "" for the API's.
    """

    name: str
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)
    base: str = ""

    def __hash__(self) -> int:
        """By identity: its credentials change in a run."""
        return id(self)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not stand in a report."""
        return tuple(v for v in (*self.headers.values(), *self.cookies.values()) if v)
