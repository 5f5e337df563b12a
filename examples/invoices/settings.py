"""What the application is told from outside, by environment variables, when it starts."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from partywall import (
    ConfigurationError,
    DatabasePerTenant,
    FilePerTenant,
    RowSecurity,
    SchemaPerTenant,
    ScopedQueries,
)
from partywall.isolation import IsolationModel

Isolation = Literal["rows", "schemas", "databases", "files", "scoped"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings; each is the environment variable INVOICES_… of the same name.

    Attributes:
        isolation: how the companies are kept apart. The one setting that chooses the walls.
        url: the database, as the login that requests use. `files` needs none, and `scoped` keeps
            to a SQLite file in `folder` where there is none.
        owner_url: the same as the role that owns the tables; requests never use it.
        control_url: the control plane's database.
        folder: for attachments and exports, for `files`, and by default for the control plane.
        redis: a Redis, which several processes need to share cached lists and live comments.
        domain: companies are reached as <slug>.<domain>.
        connections: how many to the database at once.
        sign_ups: how many companies may sign up in an hour, from one address.
        key: the PEM of the key that signs tokens; without one, tokens end with the process.
        secret: at least 32 characters that encrypt what exports are started with; without one,
            those that have not ended end with the process.
    """

    isolation: Isolation = "files"
    url: str = "sqlite://"
    owner_url: str = "sqlite://"
    control_url: str = ""
    folder: str = "invoices-data"
    redis: str = ""
    domain: str = "localhost"
    connections: int = 10
    sign_ups: int = 20
    key: str = ""
    secret: str = ""

    @classmethod
    def from_environment(cls) -> Settings:
        """The settings of this process.

        Raises:
            ConfigurationError: for an isolation model that there isn't.
        """
        said: dict[str, Any] = {}
        for each in fields(cls):
            if value := os.environ.get(f"INVOICES_{each.name.upper()}"):
                said[each.name] = int(value) if isinstance(each.default, int) else value
        settings = cls(**said)
        if settings.isolation not in get_args(Isolation):
            raise ConfigurationError(
                f"INVOICES_ISOLATION={settings.isolation!r} is no isolation model: say one of "
                f"{', '.join(get_args(Isolation))}"
            )
        if settings.isolation == "scoped" and settings.url == "sqlite://":
            shared = f"sqlite:///{Path(settings.folder).absolute() / 'invoices.db'}"
            return replace(settings, url=shared, owner_url=shared)
        return settings

    @property
    def control(self) -> str:
        """The control plane's database; a file where nothing else is said."""
        return self.control_url or f"sqlite:///{Path(self.folder).absolute() / 'control.db'}"

    @property
    def works(self) -> str:
        """Where workflows are kept: beside the control plane's own, in its database or its file."""
        return f"{self.control}.works" if self.control.startswith("sqlite:") else self.control

    @property
    def shared_tables(self) -> bool:
        """Whether all companies' rows stand in the same tables."""
        return self.isolation in {"rows", "scoped"}

    def walls(self) -> IsolationModel:
        """The isolation model that was chosen."""
        match self.isolation:
            case "rows":
                return RowSecurity()
            case "schemas":
                return SchemaPerTenant(roles=True)
            case "databases":
                return DatabasePerTenant()
            case "files":
                return FilePerTenant(folder=f"{self.folder}/tenants")
            case "scoped":
                return ScopedQueries()


settings = Settings.from_environment()
