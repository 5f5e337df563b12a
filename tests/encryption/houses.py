"""The same tables with encrypted columns in every isolation model, for two tenants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import LargeBinary, MetaData, Text, create_engine, type_coerce
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from partywall import FilePerTenant, RowSecurity, SchemaPerTenant, ScopedQueries, Tenancy
from partywall.encryption import BlindIndex, Encrypted
from partywall.runtime import housing
from partywall.runtime.tables import wall
from tests.encryption.keys import ACME, GLOBEX

if TYPE_CHECKING:
    from pathlib import Path

    from partywall.encryption import Keyring
    from partywall.isolation import IsolationModel
    from tests.conftest import Database


@dataclass
class House:
    """A tenancy whose engines seal, and the class of its rows."""

    tenancy: Tenancy
    person: Any
    model: IsolationModel
    url: str

    def another(self, keyring: Keyring, url: str = "") -> Tenancy:
        return Tenancy(url or self.url, self.model, guards=[keyring.guard])

    def new(self, **values: Any) -> Any:  # noqa: ANN401 - a row
        """A person with what every one has."""
        return self.person(**{"name": "Ann", "email": "ann@example.com", **values})


def raw(column: Any) -> Any:  # noqa: ANN401 - an expression
    """A column as it stands in the database."""
    return type_coerce(column, LargeBinary)


def people(*, shared: bool) -> Any:  # noqa: ANN401 - a mapped class
    """The class of a table with encrypted columns, with or without the tenant in its rows."""

    class Base(DeclarativeBase):
        metadata = MetaData()

    class Person(Base):
        __tablename__ = "people"
        if shared:
            tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
        id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
        name: Mapped[str | None] = mapped_column(Encrypted("id"))
        other: Mapped[str | None] = mapped_column(Encrypted("id"))
        email: Mapped[str | None] = mapped_column(Encrypted())
        email_index: Mapped[Any] = mapped_column(
            BlindIndex("email", fold=str.casefold), index=True, nullable=True
        )
        notes: Mapped[Any] = mapped_column(Encrypted("id", form="json"), nullable=True)
        photo: Mapped[bytes | None] = mapped_column(Encrypted("id", form="bytes"))
        role: Mapped[str] = mapped_column(Text, default="member")

        def __init__(self, **values: Any) -> None:  # noqa: ANN401 - as the columns
            if "email" in values:
                values.setdefault("email_index", values["email"])
            super().__init__(**values)

    return Person


def url_of(database: Database, user: str, driver: str) -> str:
    return database.url(user).replace("postgresql:", f"postgresql+{driver}:")


def rows(database: Database, folder: Path, driver: str) -> tuple[IsolationModel, Any, str]:
    del folder
    person, model = people(shared=True), RowSecurity()
    wall(person.metadata, model)
    database.execute("CREATE ROLE app LOGIN; CREATE ROLE keeper LOGIN")
    database.execute("GRANT CREATE, USAGE ON SCHEMA public TO keeper")
    database.execute(f"GRANT CREATE ON DATABASE {database.name} TO keeper")
    engine = create_engine(url_of(database, "keeper", "psycopg"))
    person.metadata.create_all(engine)
    engine.dispose()
    for statement in person.metadata.info["partywall"].grants("app"):
        database.execute(statement)
    return model, person, url_of(database, "app", driver)


def scoped(database: Database, folder: Path, driver: str) -> tuple[IsolationModel, Any, str]:
    del folder
    person, model = people(shared=True), ScopedQueries()
    database.execute("CREATE ROLE app LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO app")
    engine = create_engine(url_of(database, "app", "psycopg"))
    person.metadata.create_all(engine)
    engine.dispose()
    return model, person, url_of(database, "app", driver)


def schemas(database: Database, folder: Path, driver: str) -> tuple[IsolationModel, Any, str]:
    del folder
    person, model = people(shared=False), SchemaPerTenant()
    database.execute("CREATE ROLE app LOGIN; ALTER ROLE app SET search_path = ''")
    for context in (ACME, GLOBEX):
        for statement in model.provision(context.tenant_id, "app"):
            database.execute(statement)
        place = model.schema(context.tenant_id)
        engine = create_engine(url_of(database, "postgres", "psycopg"))
        with engine.begin() as connection:
            placed = connection.execution_options(schema_translate_map={None: place})
            person.metadata.create_all(placed)
        engine.dispose()
        database.execute(f'GRANT USAGE ON SCHEMA "{place}" TO app')
        database.execute(f'GRANT ALL ON ALL TABLES IN SCHEMA "{place}" TO app')
    return model, person, url_of(database, "app", driver)


def files(database: Database | None, folder: Path, driver: str) -> tuple[IsolationModel, Any, str]:
    del database
    person, model = people(shared=False), FilePerTenant(folder=str(folder / "tenants"))
    for context in (ACME, GLOBEX):
        housing.provision(model, context.tenant_id, person.metadata)
    return model, person, f"sqlite+{driver}://"


def scoped_file(
    database: Database | None, folder: Path, driver: str
) -> tuple[IsolationModel, Any, str]:
    del database
    person, model = people(shared=True), ScopedQueries()
    url = f"sqlite+{driver}:///{folder / 'app.db'}"
    engine = create_engine(url.replace(driver, "pysqlite"))
    person.metadata.create_all(engine)
    engine.dispose()
    return model, person, url


Made = tuple["IsolationModel", Any, str]

HOUSES: dict[str, tuple[Callable[..., Made], bool]] = {
    # name -> what makes it, and whether in PostgreSQL
    "rows": (rows, True),
    "scoped": (scoped, True),
    "schemas": (schemas, True),
    "files": (files, False),
    "scoped_file": (scoped_file, False),
}


def superuser(database: Database, statement: str) -> None:
    """Change what stands there behind everybody's back."""
    with psycopg.connect(database.url(), autocommit=True) as connection:
        connection.execute(statement.encode())
