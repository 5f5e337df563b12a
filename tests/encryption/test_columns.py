from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    create_engine,
    exc,
    func,
    insert,
    literal,
    null,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upserting
from sqlalchemy.orm import aliased

from partywall import Tenancy
from partywall.encryption import BlindIndex, Encrypted
from partywall.errors import (
    ConfigurationError,
    MissingTenant,
    NotSealed,
    SealBroken,
    UnsafeLogin,
    WallError,
)
from tests.encryption.houses import HOUSES, House, raw, url_of
from tests.encryption.keys import ACME, GLOBEX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from partywall.encryption import Keyring
    from tests.conftest import Database

HIDDEN = "the one secret word"
DRIVERS = {True: "psycopg", False: "pysqlite"}
ASYNC_DRIVERS = {True: ("psycopg", "asyncpg"), False: ("aiosqlite",)}


def housed(
    request: pytest.FixtureRequest, kind: str, folder: Path, keyring: Keyring
) -> Iterator[House]:
    make, on_postgres = HOUSES[kind]
    database = request.getfixturevalue("database") if on_postgres else None
    model, person, url = make(database, folder, DRIVERS[on_postgres])
    with Tenancy(url, model, guards=[keyring.guard]) as tenancy:
        yield House(tenancy, person, model, url)


@pytest.fixture(params=HOUSES)
def home(request: pytest.FixtureRequest, tmp_path: Path, keyring: Keyring) -> Iterator[House]:
    yield from housed(request, request.param, tmp_path, keyring)


@pytest.fixture
def files(request: pytest.FixtureRequest, tmp_path: Path, keyring: Keyring) -> Iterator[House]:
    yield from housed(request, "files", tmp_path, keyring)


@pytest.fixture
def rows(request: pytest.FixtureRequest, tmp_path: Path, keyring: Keyring) -> Iterator[House]:
    yield from housed(request, "rows", tmp_path, keyring)


def ann(home: House, **values: Any) -> UUID:  # noqa: ANN401 - as the columns
    """A row of ACME's, by its id."""
    with home.tenancy.session(ACME) as session:
        person = home.new(**values)
        session.add(person)
        session.flush()
        found: UUID = person.id
        return found


def stands(home: House, row: UUID, column: str) -> bytes:
    """What stands in the database."""
    person = home.person
    with home.tenancy.session(ACME) as session:
        query = select(raw(getattr(person, column))).where(person.id == row)
        return bytes(session.execute(query).scalar_one())


def put(home: House, row: UUID, column: str, data: bytes) -> None:
    """Have something else stand there."""
    person = home.person.__table__
    own = [person.c.tenant_id == UUID(ACME.tenant_id)] if "tenant_id" in person.c else []
    with home.tenancy.connection(ACME) as connection:
        value = {person.c[column]: literal(data, raw(person.c[column]).type)}
        done = connection.execute(update(person).where(person.c.id == row, *own).values(value))
        assert done.rowcount == 1


def read(home: House, row: UUID, column: str = "name") -> Any:  # noqa: ANN401 - of the column
    with home.tenancy.session(ACME) as session:
        return getattr(session.get(home.person, row), column)


def test_what_is_written_is_read_and_stands_there_sealed(home: House) -> None:
    person = home.person
    notes = {"b": [1, None, "ü"], "a": {}}
    with home.tenancy.session(ACME) as session:
        anns = home.new(name="Ann Äpfel", notes=notes, photo=b"\x00\xff")
        bob = home.new(name="Bob", email="bob@example.com")
        session.add_all([anns, bob])
    with home.tenancy.session(ACME) as session:
        found = session.get(person, anns.id)
        told = (found.name, found.notes, found.photo, found.other)
        assert told == ("Ann Äpfel", notes, b"\x00\xff", None)
        [it] = session.scalars(select(person).where(person.email_index == "BOB@example.com"))
        assert it.id == bob.id
        either = person.email_index.in_(["bob@EXAMPLE.com", "ann@example.com", "nobody"])
        assert len(session.scalars(select(person).where(either)).all()) == 2
        it.name = "Robert"
    with home.tenancy.session(ACME) as session:
        names = {
            row.id: row.n for row in session.execute(select(person.id, person.name.label("n")))
        }
        assert names == {anns.id: "Ann Äpfel", bob.id: "Robert"}
        columns = [raw(getattr(person, name)) for name in ("name", "email", "notes", "photo")]
        for row in session.execute(select(*columns).where(person.id == anns.id)):
            assert all(bytes(data).startswith(b"\xffpw\x01") for data in row)
            assert not any(b"pfel" in bytes(data) for data in row)
        assert session.scalars(select(person.id).where(person.other.is_(None))).all()
    with home.tenancy.session(GLOBEX) as session:
        assert session.scalars(select(person)).all() == []


@pytest.mark.parametrize("kind", HOUSES)
def test_async_sessions_and_streams_too(
    request: pytest.FixtureRequest, tmp_path: Path, keyring: Keyring, kind: str
) -> None:
    make, on_postgres = HOUSES[kind]
    database = request.getfixturevalue("database") if on_postgres else None
    model, person, url = make(database, tmp_path, DRIVERS[on_postgres])
    home = House(Tenancy(url, model), person, model, url)

    async def lived(driver: str) -> None:
        keyring.forget()  # so that keys are loaded where they must be awaited
        async with home.another(keyring, url.replace(DRIVERS[on_postgres], driver)) as tenancy:
            async with tenancy.async_session(ACME) as session:
                people = [home.new(name=f"{driver} {n}", email=f"{n}@{driver}") for n in range(50)]
                session.add_all(people)
            keyring.forget()
            async with tenancy.async_session(ACME) as session:
                query = select(person).where(person.email_index == f"7@{driver}")
                result = await session.execute(query)
                assert [each.name for each in result.scalars()] == [f"{driver} 7"]
                found = await session.stream_scalars(select(person).execution_options(yield_per=7))
                names = {each.name async for each in found}
                assert {f"{driver} {n}" for n in range(50)} <= names

    for driver in ASYNC_DRIVERS[on_postgres]:
        asyncio.run(lived(driver))


def test_every_way_to_write_seals_for_its_row(home: House) -> None:
    person, table = home.person, home.person.__table__
    shared = "tenant_id" in table.c
    own = {"tenant_id": UUID(ACME.tenant_id)} if shared else {}
    ids = [uuid4() for _ in range(7)]
    given = [{**own, "id": each, "name": f"n{n}", "role": "r"} for n, each in enumerate(ids)]
    with home.tenancy.session(ACME) as session:
        one = session.execute(insert(person).values(given[0]).returning(person.id, person.name))
        assert one.one() == (ids[0], "n0")
        many = session.scalars(insert(person).returning(person), given[1:4])
        assert [each.name for each in many] == ["n1", "n2", "n3"]
        session.bulk_insert_mappings(person, given[4:5])
    with home.tenancy.connection(ACME) as connection:
        connection.execute(insert(table).values(given[5:]))
    with home.tenancy.session(ACME) as session:
        changes = [{**own, "id": each, "name": f"m{n}"} for n, each in enumerate(ids[:3])]
        session.execute(update(person), changes)
        session.execute(update(person).where(person.id == ids[3]).values(name="m3"))
    tied = [table.c.tenant_id == own["tenant_id"]] if shared else []
    with home.tenancy.connection(ACME) as connection:
        connection.execute(update(table).where(table.c.id == ids[4], *tied).values(name="m4"))
    with home.tenancy.session(ACME) as session:
        stored = {each.id: each.name for each in session.scalars(select(person))}
    assert stored == {each: f"m{n}" if n < 5 else f"n{n}" for n, each in enumerate(ids)}


@pytest.mark.parametrize("kind", ["schemas", "files"])
def test_columns_may_have_names_that_drivers_can_not_take(
    request: pytest.FixtureRequest, tmp_path: Path, keyring: Keyring, kind: str
) -> None:
    for home in housed(request, kind, tmp_path, keyring):
        table = Table("people", MetaData(), Column("id", Uuid, key="the key", primary_key=True))
        table.append_column(Column("name", Encrypted("the key"), key="first (name)"))
        table.append_column(Column("role", Text))
        rows = [{"the key": uuid4(), "first (name)": str(n), "role": "r"} for n in range(2)]
        with home.tenancy.connection(ACME) as connection:
            connection.execute(insert(table), rows)
            found = connection.execute(select(table).order_by(table.c["the key"])).all()
        assert {each[0]: each[1] for each in found} == {
            row["the key"]: row["first (name)"] for row in rows
        }
        assert read(home, found[0][0]) == found[0][1]


def test_every_way_to_read_opens(home: House) -> None:
    person, row = home.person, ann(home, name=HIDDEN, email="a")
    other = ann(home, name="Bob", email="b")
    first, second = aliased(person), aliased(person)
    with home.tenancy.session(ACME) as session:
        pairs = select(first.id, first.name, second.id, second.name).where(
            first.id != second.id, second.role == first.role
        )
        found = {(a, b, c, d) for a, b, c, d in session.execute(pairs)}
        assert (row, HIDDEN, other, "Bob") in found
        inner = select(person.id, person.name, person.role).subquery()
        assert {each.name for each in session.execute(select(inner))} == {HIDDEN, "Bob"}
        lazily = session.scalars(select(person).execution_options(yield_per=1))
        assert sorted(each.name for each in lazily) == ["Bob", HIDDEN]
        assert session.execute(select(person.email).order_by(person.email_index)).first()
        assert session.execute(select(person.name, person.id)).fetchmany(1)
        assert session.scalars(select(person.name).where(person.id == row)).all() == [HIDDEN]
        written = session.get(person, row)
        session.refresh(written, ["name"])
        session.expire(written, ["notes"])
        assert (written.name, written.notes) == (HIDDEN, None)


def test_a_value_moved_to_another_row_column_or_tenant_is_broken(rows: House) -> None:
    row, other = ann(rows, name="one", other="two"), ann(rows, name="three")
    name = stands(rows, row, "name")
    put(rows, row, "other", name)
    put(rows, other, "name", name)
    for at, column in ((row, "other"), (other, "name")):
        with pytest.raises(SealBroken):
            read(rows, at, column)
    assert_moved(rows, row)


def assert_moved(rows: House, row: UUID) -> None:
    """Have a superuser give the row to the other tenant."""
    with rows.tenancy.session(GLOBEX) as session:
        session.add(rows.new(name="theirs"))
    person = rows.person.__table__
    engine = create_engine(rows.url.replace("//app@", "//postgres@"))
    with engine.begin() as connection:
        own = person.c.id == row
        connection.execute(update(person).where(own).values(tenant_id=UUID(GLOBEX.tenant_id)))
    engine.dispose()
    with rows.tenancy.session(GLOBEX) as session:
        with pytest.raises(SealBroken):
            session.execute(select(rows.person.email).where(rows.person.id == row)).all()
        with pytest.raises(SealBroken):
            session.get(rows.person, row)


def test_a_change_of_any_byte_is_seen(files: House) -> None:
    row = ann(files, name="x")
    right = stands(files, row, "name")
    for place in range(len(right)):
        put(files, row, "name", right[:place] + bytes([right[place] ^ 1]) + right[place + 1 :])
        with pytest.raises(NotSealed if place < 4 else SealBroken):
            read(files, row)
    for cut in (4, 20, 44, 59, len(right) - 1):
        put(files, row, "name", right[:cut])
        with pytest.raises(SealBroken):
            read(files, row)
    put(files, row, "name", right + b"\x00")
    with pytest.raises(SealBroken):
        read(files, row)
    put(files, row, "name", right)
    assert read(files, row) == "x"


def test_plaintext_is_an_error_unless_the_column_is_migrating(files: House) -> None:
    row = ann(files)
    put(files, row, "name", b"plain")
    with pytest.raises(NotSealed, match=r"people\.name, which is encrypted") as raised:
        read(files, row)
    assert "plain" not in str(raised.value).replace("plaintext", "")
    files.person.__table__.c.name.type.migrating = True
    assert read(files, row) == "plain"


def test_a_statement_that_does_not_say_which_row_is_refused(home: House) -> None:
    person, table = home.person, home.person.__table__
    row, other = ann(home), aliased(person)
    own = [table.c.tenant_id == UUID(ACME.tenant_id)] if "tenant_id" in table.c else []
    refused = (
        select(person.name),
        update(person).values(name="all"),
        select(person.name).where((person.id == row) | (person.role == "x")),
        select(other.name).where(person.id == row, other.role == person.role),
        update(person).where((person.id == row) | (person.role == "x")).values(name="all"),
        update(person).where(person.id == row).values(id=uuid4()),
        select(func.max(person.name)),
    )
    for statement in refused:
        with (
            home.tenancy.session(ACME) as session,
            pytest.raises(ConfigurationError, match="bound to"),
        ):
            session.execute(statement)
    numbered = Table("numbered", MetaData(), Column("id", Integer, primary_key=True))
    numbered.append_column(Column("name", Encrypted("id")))
    with home.tenancy.connection(ACME) as connection, pytest.raises(ConfigurationError):
        connection.execute(insert(numbered).values(name="x"))
    with home.tenancy.connection(ACME) as connection, pytest.raises(ConfigurationError):
        connection.execute(update(table).where(*own).values(name="x"))
    moving = update(numbered).values(id=numbered.c.id + 1)
    with home.tenancy.connection(ACME) as connection, pytest.raises(ConfigurationError):
        connection.execute(moving)


def test_an_upsert_may_reach_no_other_row_than_it_is_sealed_for(rows: House) -> None:
    person, row = rows.person, ann(rows, name="before")
    values = {"tenant_id": UUID(ACME.tenant_id), "id": row, "name": "after", "role": "r"}
    adding = upserting(person).values(values)
    renamed = {"name": adding.excluded.name}
    with rows.tenancy.session(ACME) as session, pytest.raises(ConfigurationError, match="CONFLICT"):
        session.execute(adding.on_conflict_do_update(index_elements=["email_index"], set_=renamed))
    with rows.tenancy.session(ACME) as session:
        session.execute(
            adding.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=renamed)
        )
    assert read(rows, row) == "after"


def test_what_is_sealed_is_not_compared_or_sorted(files: House) -> None:
    person = files.person
    for where in (person.name == "x", person.name != None, person.name == person.other):  # noqa: E711
        with files.tenancy.session(ACME) as session:
            if where.right.__visit_name__ == "null":
                assert session.scalars(select(person.id).where(where)).all() == []
                continue
            with pytest.raises(ConfigurationError, match="BlindIndex"):
                session.execute(select(person.id, person.name).where(where))
    compares: tuple[Callable[[], object], ...] = (
        lambda: person.name.like("x%"),
        lambda: person.name.in_(["x"]),
        person.name.desc,
        lambda: person.name < person.other,
        lambda: person.notes["a"],
    )
    for compare in compares:
        with pytest.raises(ConfigurationError, match="BlindIndex"):
            compare()


def test_an_encrypted_column_is_not_written_without_its_index(files: House) -> None:
    person, row = files.person, ann(files)
    with files.tenancy.session(ACME) as session:
        session.get(person, row).email = "new@example.com"
        with pytest.raises(ConfigurationError, match="email_index"):
            session.flush()
        session.rollback()
    forgetting = update(person).where(person.id == row).values(email=null())
    with files.tenancy.session(ACME) as session, pytest.raises(ConfigurationError, match="_index"):
        session.execute(forgetting)
    with files.tenancy.session(ACME) as session:
        found = session.get(person, row)
        found.email = found.email_index = "New@example.com"
    with files.tenancy.session(ACME) as session:
        query = select(person.email).where(person.email_index == "new@example.com")
        assert session.scalars(query).all() == ["New@example.com"]


def test_an_index_is_another_for_every_tenant(rows: House) -> None:
    person = rows.person
    for context in (ACME, GLOBEX):
        with rows.tenancy.session(context) as session:
            session.add(rows.new(email="same@example.com"))
    found = set()
    for context in (ACME, GLOBEX):
        with rows.tenancy.session(context) as session:
            [index] = session.scalars(select(person.email_index)).all()
            found.add(index)
    assert [len(each) for each in found] == [16, 16]


def test_without_a_tenant_or_a_keyring_nothing_is_written_and_nothing_read(
    files: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    person = files.person
    caplog.set_level(logging.DEBUG)
    engine = create_engine(f"sqlite:///{tmp_path / 'plain.db'}", echo=True)
    person.metadata.create_all(engine)
    table = person.__table__
    with engine.begin() as connection, pytest.raises(exc.SQLAlchemyError) as refused:
        connection.execute(insert(table).values(name=HIDDEN, role="r"))
    with engine.begin() as connection:
        stored = b"\xffpw\x01" + b"0" * 60
        values = {table.c.name: literal(stored, raw(table.c.name).type), table.c.role: "r"}
        connection.execute(insert(table).values(values))
        with pytest.raises(MissingTenant, match="guards"):
            connection.execute(select(table.c.id, table.c.name)).all()
    engine.dispose()
    assert "SealedBySessionsOnly" in str(refused.value)
    assert HIDDEN not in str(refused.value) + caplog.text


def test_a_session_of_every_tenant_opens_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, keyring: Keyring
) -> None:
    for home in housed(request, "scoped_file", tmp_path, keyring):
        ann(home)
        with home.tenancy.every_tenant(reason="a count", by="ann") as session:
            assert session.scalar(select(func.count()).select_from(home.person)) == 1
            with pytest.raises(MissingTenant, match=r"tenancy\.session"):
                session.scalars(select(home.person)).all()


def test_no_error_quotes_what_was_to_be_sealed(home: House) -> None:
    unfit: tuple[dict[str, object], ...]
    unfit = (
        {"role": object()},
        {"notes": {HIDDEN: object()}},
        {"photo": HIDDEN},
        {"id": "no uuid"},
    )
    for values in unfit:
        with pytest.raises((exc.SQLAlchemyError, TypeError, WallError)) as raised:
            ann(home, name=HIDDEN, **values)
        assert HIDDEN not in f"{raised.value}{raised.value!r}{raised.value.__cause__}"
    row = ann(home, name=HIDDEN)
    with pytest.raises(exc.IntegrityError) as twice:
        ann(home, name=HIDDEN, id=row)
    assert HIDDEN not in str(twice.value)


def place(column: Column[Any]) -> tuple[str, ...]:
    """What the values of an encrypted column or of its index are bound to."""
    assert isinstance(column.type, (Encrypted, BlindIndex))
    return column.type.place


def test_a_mark_belongs_to_one_column() -> None:
    mark = Encrypted()
    with pytest.raises(ConfigurationError, match="one column"):
        Table("t", MetaData(), Column("a", mark), Column("b", mark))
    table = Table("t", MetaData(), Column("a", Encrypted()), Column("b", BlindIndex("a")))
    copied = table.to_metadata(MetaData(), name="other")
    assert place(copied.c.a) == ("column", "other.a")
    assert place(table.c.a) == ("column", "t.a")
    assert place(copied.c.b) == ("index", "column", "other.a")
    with pytest.raises(ConfigurationError, match="can't stand for itself"):
        _ = Encrypted().place
    with pytest.raises(ConfigurationError):
        Encrypted(form="xml")  # type: ignore[arg-type]  # what is tried
    with pytest.raises(ConfigurationError):
        BlindIndex("a", size=0)
    wrong = Table("t", MetaData(), Column("a", Integer), Column("b", BlindIndex("a")))
    with pytest.raises(ConfigurationError, match="no column 'a' that is Encrypted"):
        _ = place(wrong.c.b)


def test_a_mark_that_stands_for_itself_is_refused(files: House) -> None:
    with files.tenancy.connection(ACME) as connection, pytest.raises(ConfigurationError):
        connection.execute(select(type_coerce("x", Encrypted())))
    named = text("SELECT id, name FROM people").columns(name=Encrypted())
    with files.tenancy.connection(ACME) as connection, pytest.raises(ConfigurationError):
        connection.execute(named)


def test_a_column_keeps_the_name_it_was_sealed_under(files: House) -> None:
    row = ann(files, email="kept", email_index="kept")
    person = files.person.__table__
    person.c.email.type.name = "users.mail"
    with pytest.raises(SealBroken):
        read(files, row)
    person.c.email.type.name = "people.email"
    assert read(files, row, "email") == "kept"


def test_a_login_that_reaches_the_wrapped_keys_is_refused(
    database: Database, rows: House, keyring: Keyring
) -> None:
    database.execute("CREATE SCHEMA IF NOT EXISTS partywall")
    database.execute("CREATE TABLE partywall.data_keys (wrapped bytea)")
    ann(rows)
    database.execute("REVOKE USAGE ON SCHEMA partywall FROM app, PUBLIC")
    database.execute("GRANT SELECT ON partywall.data_keys TO app")
    with rows.another(keyring) as tenancy, tenancy.session(ACME) as session:
        assert session.scalars(select(rows.person.email)).all()  # without the schema it can't
    database.execute("GRANT USAGE ON SCHEMA partywall TO app")
    for url in (rows.url, url_of(database, "app", "asyncpg")):
        with rows.another(keyring, url) as tenancy, pytest.raises(UnsafeLogin, match="REVOKE ALL"):
            tenancy.position(ACME)
