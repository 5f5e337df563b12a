"""What the ORM sends is the tenant's, whatever form it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, func, insert, literal, select, union_all, update
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    aliased,
    contains_eager,
    joinedload,
    mapped_column,
    selectinload,
    subqueryload,
)

from partywall import ConfigurationError, MissingTenantFilter, TenantMismatch
from tests.runtime.scoping.shop import ACME, GLOBEX, MINE, THEIRS, Line, Note, Plan, Tag, Visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.runtime.scoping import ScopedSession
    from tests.runtime.scoping.shop import Shop

other, third = aliased(Note), aliased(Note)
hers = select(Note).where(Note.id > 0).subquery()
HerNote = aliased(Note, hers)
recent = select(Note.id, Note.body).cte("recent")
steps = select(Note.id).where(Note.id == 1).cte("steps", recursive=True)
steps = steps.union_all(select(Note.id).join(steps, Note.id == steps.c.id + 1))

both = union_all(select(Note.id), select(other.id)).subquery()
either = aliased(Note, union_all(select(Note), select(other)).subquery())

READS: dict[str, tuple[Any, set[Any]]] = {
    "select": (select(Note.body), {"a1", "a2"}),
    "alias": (select(other.body), {"a1", "a2"}),
    "subquery": (select(HerNote.body), {"a1", "a2"}),
    "cte": (select(recent.c.body), {"a1", "a2"}),
    "recursive cte": (select(func.count()).select_from(steps), {2}),
    "union": (union_all(select(Note.body), select(other.body)), {"a1", "a2"}),
    "union as a class": (select(either.body), {"a1", "a2"}),
    "union in a subquery": (select(func.count()).select_from(both), {4}),
    "join": (select(Line.id).join(Line.note).where(Note.body.like("%1")), {10, 11}),
    "any join": (select(func.count()).select_from(Note).join(Line, literal(1) == 1), {8}),
    "two of one class": (select(Note.body).join(other, other.id == Note.id + 1), {"a1"}),
    "two aliases": (select(other.body).join(third, third.id == other.id + 1), {"a1"}),
    "two aliases, outer": (
        select(third.body).select_from(other).outerjoin(third, third.id == other.id + 1),
        {"a2", None},
    ),
    "outer join": (select(Line.id).outerjoin(Note, Note.id == Line.note_id + 7), {10, 11, 20, 21}),
    "exists": (select(Note.body).where(Note.lines.any(Line.id == 11)), {"a1"}),
    "in": (select(Note.body).where(Note.id.in_(select(other.id))), {"a1", "a2"}),
    "count": (select(func.count(Note.id)), {2}),
    "column property": (select(Note.size), {2}),
    "shared": (select(Plan.name).join(Note, Note.plan_id == Plan.id), {"basic"}),
    "many to many": (select(Tag.id).join(Tag.notes), {1}),
    "from statement": (
        select(Note.body).from_statement(select(Note.body).where(Note.tenant_id == MINE)),
        {"a1", "a2"},
    ),
}


@pytest.mark.parametrize("form", READS)
def test_every_form_of_a_select_sees_the_tenants_rows(shop: Shop, form: str) -> None:
    statement, expected = READS[form]
    assert shop.as_acme(lambda s: set(s.scalars(statement))) == expected


def test_a_statement_compiled_for_one_tenant_serves_the_other(shop: Shop) -> None:
    query = select(Note.body, Note.size).join(Note.lines).order_by(Note.body).distinct()
    for context, expected in ((ACME, "a1 a2"), (GLOBEX, "b1 b2 b9"), (ACME, "a1 a2")):
        found = shop.as_tenant(context, lambda s: [tuple(row) for row in s.execute(query)])
        assert found == [(body, 2) for body in expected.split()]


def test_a_joined_load_from_a_shared_table_is_refused(shop: Shop) -> None:
    query = select(Plan).options(joinedload(Plan.notes))
    with pytest.raises(MissingTenantFilter, match="note AS note_1 is not tied"):
        shop.as_acme(lambda s: s.scalars(query).unique().all())

    def work(session: ScopedSession) -> list[list[int]]:
        plans = session.scalars(select(Plan).options(selectinload(Plan.notes)).order_by(Plan.id))
        return [sorted(note.id for note in plan.notes) for plan in plans]

    assert shop.as_acme(work) == [[1, 2], []]
    lazily = select(Plan).where(Plan.id == 1)
    assert shop.as_acme(lambda s: len(s.scalars(lazily).one().notes)) == 2


@pytest.mark.parametrize("load", [selectinload, subqueryload, joinedload])
def test_eager_loads_stay_with_the_tenant(shop: Shop, load: Callable[..., Any]) -> None:
    def work(session: ScopedSession) -> list[tuple[int, int, int]]:
        query = select(Note).options(load(Note.lines), load(Note.tags)).order_by(Note.id)
        notes = session.scalars(query).unique()
        return [(n.id, len(n.lines), len(n.tags)) for n in notes]

    assert shop.as_acme(work) == [(1, 2, 1), (2, 2, 0)]


def test_lazy_loads_refresh_and_get_stay_with_the_tenant(shop: Shop) -> None:
    def work(session: ScopedSession) -> None:
        note = session.get_one(Note, 1)
        assert [line.tenant_id for line in note.lines] == [MINE, MINE]
        assert [tag.tenant_id for tag in note.tags] == [MINE]
        assert note.size == 2
        assert note.plan is not None
        assert note.plan.name == "basic"
        session.expire(note)
        assert (note.body, note.size) == ("a1", 2)
        session.refresh(note)
        query = select(Note).join(Note.lines).options(contains_eager(Note.lines))
        assert {len(n.lines) for n in session.scalars(query).unique()} == {2}
        assert session.query(Note).filter_by(id=2).one().body == "a2"
        assert session.get(Note, 9) is None

    shop.as_acme(work)


def test_bulk_updates_and_deletes_change_the_tenants_rows_only(shop: Shop) -> None:
    def work(session: ScopedSession) -> None:
        session.execute(update(Note).where(Note.id == 1).values(body="new"))
        session.query(Note).filter(Note.id == 2).update({"body": "newer"})
        session.execute(update(Note), [{"id": 1, "body": "newest"}])
        session.execute(delete(Line))
        session.query(Tag).filter(Tag.id == 7).delete()

    shop.as_acme(work)
    assert shop.notes(MINE) == {1: "newest", 2: "newer"}
    assert shop.notes(THEIRS) == {1: "b1", 2: "b2", 9: "b9"}
    assert shop.as_acme(lambda s: s.scalar(select(func.count(Line.id)))) == 0


def test_new_rows_get_the_tenant(shop: Shop) -> None:
    def work(session: ScopedSession) -> None:
        note = Note(id=3, body="a3", lines=[Line(id=30)], tags=[Tag(id=3)])
        session.add_all([note, Visit(id=1)])
        session.flush()
        assert note.tenant_id == note.lines[0].tenant_id == MINE
        with session.begin_nested():
            session.merge(Note(id=4, tenant_id=MINE, body="a4"))
        session.execute(insert(Note), [{"id": 5, "body": "a5"}, {"id": 6, "body": "a6"}])
        session.execute(insert(Note), {"id": 7, "body": "a7"})
        many = [{"id": n, "body": f"a{n}"} for n in range(100, 110)]
        assert len(session.scalars(insert(Note).returning(Note.id), many).all()) == 10
        session.bulk_insert_mappings(Note.__mapper__, [{"id": 8, "body": "a8"}])
        session.bulk_update_mappings(Note.__mapper__, [{"id": 8, "body": "a8!"}])
        session.bulk_save_objects([Note(id=10, body="a10", tenant_id=MINE)])
        note.body = "a3!"
        session.delete(note.lines[0])
        session.flush()

    shop.as_acme(work)
    found = shop.notes(MINE)
    assert found.keys() == {*range(1, 9), 10, *range(100, 110)}
    assert (found[3], found[8]) == ("a3!", "a8!")
    assert shop.notes(THEIRS).keys() == {1, 2, 9}


def moved(session: ScopedSession) -> None:
    session.get_one(Note, 1).tenant_id = THEIRS
    session.flush()


def added(session: ScopedSession) -> None:
    session.add(Note(id=5, body="x", tenant_id=THEIRS))
    session.flush()


MISMATCHED: dict[str, Callable[[ScopedSession], Any]] = {
    "an object of another": added,
    "a row moved": moved,
    "get": lambda s: s.get(Note, (THEIRS, 1)),
    "merge": lambda s: s.merge(Note(id=1, tenant_id=THEIRS, body="x")),
    "bulk insert": lambda s: s.execute(insert(Note), [{"id": 5, "body": "x", "tenant_id": THEIRS}]),
    "insert().values()": lambda s: s.execute(insert(Note).values(id=5, body="x", tenant_id=THEIRS)),
    "bulk_insert_mappings": lambda s: s.bulk_insert_mappings(
        Note.__mapper__, [{"id": 5, "body": "x", "tenant_id": THEIRS}]
    ),
    "bulk_update_mappings": lambda s: s.bulk_update_mappings(
        Note.__mapper__, [{"id": 1, "body": "x", "tenant_id": THEIRS}]
    ),
    "bulk_save_objects": lambda s: s.bulk_save_objects([Note(id=5, body="x", tenant_id=THEIRS)]),
    "bulk update of the tenant": lambda s: s.execute(update(Note).values(tenant_id=THEIRS)),
    "bulk update by key": lambda s: s.execute(
        update(Note), [{"id": 1, "tenant_id": THEIRS, "body": "x"}]
    ),
}


@pytest.mark.parametrize("attempt", MISMATCHED)
def test_what_names_another_tenant_is_refused(shop: Shop, attempt: str) -> None:
    with pytest.raises(TenantMismatch):
        shop.as_acme(MISMATCHED[attempt])
    assert shop.notes(THEIRS) == {1: "b1", 2: "b2", 9: "b9"}
    assert shop.notes(MINE).keys() == {1, 2}


def test_a_table_whose_key_lacks_the_tenant_is_refused(shop: Shop) -> None:
    class Other(DeclarativeBase):
        pass

    class Loose(Other):
        __tablename__ = "loose"
        id: Mapped[int] = mapped_column(primary_key=True)

    for attempt in (lambda s: s.scalars(select(Loose)), lambda s: s.add(Loose(id=1)) or s.flush()):
        with pytest.raises(ConfigurationError, match="primary key lacks the tenant"):
            shop.as_acme(attempt)


def test_every_tenant_sees_all_and_is_the_way_out(shop: Shop) -> None:
    with shop.tenancy.every_tenant(reason="a count", by="a test") as session:
        assert session.scalar(select(func.count(Note.id))) == 5
    with (
        pytest.raises(MissingTenantFilter),
        shop.tenancy.connection(ACME) as connection,
    ):
        connection.execute(select(Note.__table__))
