"""Objects, identities and bulk operations of one tenant, used as another."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.orm import make_transient, make_transient_to_detached
from sqlalchemy.orm.exc import DetachedInstanceError

from partywall.errors import TenantMismatch, WallError
from tests.runtime.breakin.conftest import EVERY
from tests.runtime.breakin.house import ACME, GLOBEX, ROWS, House

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.runtime.session import TenantSession


SHARING = pytest.mark.parametrize(
    "any_house",
    [pair for pair in EVERY if pair[0] in {"rows", "sealed", "scoped", "local"}],
    ids="-".join,
    indirect=True,
)
REFUSED = "row-level security|another tenant"


@pytest.fixture
def house(any_house: House) -> House:
    """All models: objects are SQLAlchemy's, whatever keeps the tenants apart."""
    return any_house


def loaded(house: House) -> Any:  # noqa: ANN401 - one of two classes
    """Note 1 of Globex, detached."""
    found = house.work(GLOBEX, lambda session: session.get(house.note, 1))
    assert found.body == "globex 1"
    return found


def test_the_same_primary_key_is_another_row_for_each(house: House) -> None:
    for context in (ACME, GLOBEX, ACME):
        found = house.work(context, lambda session: session.get(house.note, 1))
        assert found.body == ROWS[context.tenant_id][1]


def test_get_with_a_key_that_only_another_tenant_has(house: House) -> None:
    assert house.work(ACME, lambda session: session.get(house.note, 8)) is not None
    assert house.work(ACME, lambda session: session.get(house.note, 9)) is None


@SHARING
def test_get_with_another_tenants_whole_key(house: House) -> None:
    own, others = house.key(ACME, 1), house.key(GLOBEX, 1)
    assert house.work(ACME, lambda session: session.get(house.note, own)).body == "acme 1"
    for ident in (others, {"tenant_id": others[0], "id": 1}):
        with pytest.raises(TenantMismatch):
            house.work(ACME, lambda session, ident=ident: session.get(house.note, ident))  # type: ignore[misc]  # bound now


def test_get_with_another_tenants_identity_token(house: House) -> None:
    with pytest.raises(TenantMismatch):
        house.work(
            ACME, lambda session: session.get(house.note, 1, identity_token=GLOBEX.tenant_id)
        )


ATTEMPTS: dict[str, Callable[[TenantSession, Any], object]] = {
    "add": lambda session, note: session.add(note),
    "add_all": lambda session, note: session.add_all([note]),
    "delete": lambda session, note: session.delete(note),
    "merge": lambda session, note: session.merge(note),
    "merge without loading": lambda session, note: session.merge(note, load=False),
    "bulk_save_objects": lambda session, note: session.bulk_save_objects([note]),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_object_of_another_tenant_is_a_stranger(house: House, attempt: str) -> None:
    note = loaded(house)

    # The control: its own tenant may.
    def control(session: TenantSession) -> None:
        ATTEMPTS[attempt](session, note)
        session.rollback()

    house.work(GLOBEX, control)
    note = loaded(house)
    with pytest.raises(TenantMismatch):
        house.work(ACME, lambda session: ATTEMPTS[attempt](session, note))
    house.intact()


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_also_when_it_was_pickled(house: House, attempt: str) -> None:
    note = pickle.loads(pickle.dumps(loaded(house)))  # noqa: S301 - our own
    with pytest.raises(TenantMismatch):
        house.work(ACME, lambda session: ATTEMPTS[attempt](session, note))
    house.intact()


def test_a_stranger_reached_through_a_relationship(house: House) -> None:
    note = loaded(house)

    def act(session: TenantSession) -> None:
        session.add(house.line(id=3, note=note))
        session.flush()

    with pytest.raises(TenantMismatch):
        house.work(ACME, act)
    house.intact()


def test_a_stranger_made_transient(house: House) -> None:
    note = loaded(house)
    make_transient(note)
    with pytest.raises(TenantMismatch):
        house.work(ACME, lambda session: session.add(note))
    house.intact()


def test_an_object_made_detached_by_hand_is_nobodys(house: House) -> None:
    note = house.note(**({"tenant_id": house.key(GLOBEX, 1)[0]} if house.shared else {}), id=1)
    make_transient_to_detached(note)
    with pytest.raises(TenantMismatch):
        house.work(ACME, lambda session: session.add(note))


def test_refresh_of_another_tenants_object(house: House) -> None:
    note = loaded(house)
    with pytest.raises((InvalidRequestError, TenantMismatch)):
        house.work(ACME, lambda session: session.refresh(note))
    assert note.body == "globex 1"


def test_a_lazy_load_after_the_sessions_end(house: House) -> None:
    lines = house.work(GLOBEX, lambda session: len(session.get(house.note, 1).lines))
    assert lines == 1
    note = loaded(house)
    with pytest.raises(DetachedInstanceError):
        len(note.lines)


def test_lazy_loads_and_joins_stay_with_the_tenant(house: House) -> None:
    def act(session: TenantSession) -> set[str]:
        joined = session.scalars(select(house.note).join(house.line)).all()
        return {line.note.body for note in joined for line in note.lines}

    for context in (ACME, GLOBEX):
        assert house.work(context, act) == set(ROWS[context.tenant_id].values())


def test_bulk_updates_and_deletes_stay_with_the_tenant(house: House) -> None:
    house.work(ACME, lambda session: session.execute(update(house.note).values(body="x")))
    assert set(house.foundation.rows(ACME).values()) == {"x"}
    house.work(ACME, lambda session: session.execute(delete(house.line)))
    house.work(ACME, lambda session: session.execute(delete(house.note)))
    assert house.foundation.rows(ACME) == {}
    assert house.foundation.rows(GLOBEX) == ROWS[GLOBEX.tenant_id]


def test_bulk_inserts_and_updates_by_key_stay_with_the_tenant(house: House) -> None:
    def act(session: TenantSession) -> None:
        session.execute(insert(house.note), [{"id": 30, "body": "a"}, {"id": 31, "body": "b"}])
        session.bulk_insert_mappings(house.note.__mapper__, [{"id": 32, "body": "c"}])

    house.work(ACME, act)
    new = {30: "a", 31: "b", 32: "c"}
    assert house.foundation.rows(ACME) == {**ROWS[ACME.tenant_id], **new}
    assert house.foundation.rows(GLOBEX) == ROWS[GLOBEX.tenant_id]


@SHARING
@pytest.mark.parametrize("way", ["object", "insert", "mappings", "raw"])
def test_insert_with_another_tenants_id(house: House, way: str) -> None:
    def attempt(session: TenantSession, tenant: Any) -> None:  # noqa: ANN401 - a UUID
        row = {"tenant_id": tenant, "id": 50, "body": "new"}
        if way == "object":
            session.add(house.note(**row))
            session.flush()
        elif way == "insert":
            session.execute(insert(house.note).values(row))
        elif way == "mappings":
            session.bulk_insert_mappings(house.note.__mapper__, [row])
        else:
            values = f"('{tenant}', 50, 'new')"
            session.connection().exec_driver_sql(
                f"INSERT INTO note (tenant_id, id, body) VALUES {values}"
            )

    def control(session: TenantSession) -> None:
        attempt(session, house.key(ACME, 1)[0])
        session.rollback()

    house.work(ACME, control)
    with pytest.raises((DBAPIError, WallError), match=REFUSED):
        house.work(ACME, lambda session: attempt(session, house.key(GLOBEX, 1)[0]))
    house.intact()


@SHARING
@pytest.mark.parametrize("way", ["object", "update", "raw"])
def test_moving_a_row_to_another_tenant(house: House, way: str) -> None:
    def attempt(session: TenantSession) -> None:
        tenant = house.key(GLOBEX, 1)[0]
        if way == "object":
            session.get(house.note, 8).tenant_id = tenant
            session.flush()
        elif way == "update":
            session.execute(update(house.note).where(house.note.id == 8).values(tenant_id=tenant))
        else:
            own = house.key(ACME, 8)[0]
            query = f"UPDATE note SET tenant_id = '{tenant}' WHERE id = 8 AND tenant_id = '{own}'"
            session.connection().exec_driver_sql(query)

    with pytest.raises((SQLAlchemyError, WallError), match=REFUSED):
        house.work(ACME, attempt)
    house.intact()
