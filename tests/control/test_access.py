"""What `Access` answers, from the database and from memory, on PostgreSQL and on SQLite."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, event, insert

from partywall.control import tables
from partywall.control.access import LEFT, Access, Key, Member
from partywall.control.database import Database, now
from partywall.control.memory import Memory
from partywall.errors import DeletedTenant, InactiveTenant, Unavailable, UnknownTenant
from partywall.runtime.directory import refusal
from tests.control.directory import (
    ACME,
    ADA,
    BOB,
    EVE,
    GLOBEX,
    KEY,
    NOBODY,
    OF_ACME,
    OF_BOB,
    OF_GLOBEX,
    OF_KEY,
    SECRET,
    change,
    furnish,
    membership,
    queries,
    refurnish,
    rename,
    secret,
    tenant,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Executable

    from partywall.runtime.directory import Directory

BILLS = "bills.acme.test"
CLERK = frozenset({"invoices:read", "invoices:write"})

on_postgresql = pytest.mark.parametrize("house", ["postgresql"], indirect=True)

Asked = tuple[str, ...]
"""The name of a question, and what is asked."""


@pytest.fixture
def access(house: Database) -> Iterator[Access]:
    """With furniture, and ready to answer from memory."""
    furnish(house)
    with Access(house, heartbeat_s=0.5) as opened:
        assert opened.ready()
        yield opened


def ask(access: Access, asked: Asked) -> Any:  # noqa: ANN401 - an answer
    """The answer, of which only the id is of interest where it is a tenant."""
    answer = getattr(access, asked[0])(*asked[1:])
    return getattr(answer, "id", answer) if asked[0].startswith("tenant") else answer


async def async_ask(access: Access, asked: Asked) -> Any:  # noqa: ANN401 - as above
    answer = await getattr(access, f"async_{asked[0]}")(*asked[1:])
    return getattr(answer, "id", answer) if asked[0].startswith("tenant") else answer


ANSWERS: dict[Asked, object] = {
    ("tenant", ACME): ACME,
    ("tenant", NOBODY): None,
    ("tenant_by_slug", "acme"): ACME,
    ("tenant_by_slug", "AcMe"): ACME,
    ("tenant_by_slug", "initech"): None,
    ("tenant_by_domain", BILLS): ACME,
    ("tenant_by_domain", "BILLS.Acme.test."): ACME,
    ("tenant_by_domain", "acme.test"): None,
    ("member", ACME, ADA): Member(ACME, ADA, "owner", 1, frozenset({"*"})),
    ("member", ACME, BOB): Member(ACME, BOB, "clerk", 1, CLERK),
    ("member", GLOBEX, BOB): None,
    ("member", NOBODY, BOB): None,
    ("tenants_of", ADA): (ACME, GLOBEX),
    ("tenants_of", BOB): (ACME,),
    ("tenants_of", EVE): (),
    ("key", SECRET): Key(KEY, ACME, BOB, frozenset({"invoices:read"})),
    ("key", secret()): None,
    ("standing", ACME): "active",
    ("standing", NOBODY): None,
}


def test_an_answer_from_the_database_is_the_same_from_memory(
    access: Access, house: Database
) -> None:
    assert {asked: ask(access, asked) for asked in ANSWERS} == ANSWERS
    with queries(house) as made:
        assert {asked: ask(access, asked) for asked in ANSWERS} == ANSWERS
        assert {asked: asyncio.run(async_ask(access, asked)) for asked in ANSWERS} == ANSWERS
    assert made == []


def test_async_code_asks_in_a_thread_and_memory_without_one(access: Access) -> None:
    class Counting(ThreadPoolExecutor):
        used = 0

        def submit(self, *work: Any, **more: Any) -> Any:  # noqa: ANN401 - as its parent
            self.used += 1
            return super().submit(*work, **more)

    async def main() -> list[int]:
        threads = Counting(1)
        asyncio.get_running_loop().set_default_executor(threads)
        used = []
        for _ in range(3):
            for asked, answer in ANSWERS.items():
                assert await async_ask(access, asked) == answer
            used.append(threads.used)
        return used

    once = len(ANSWERS) - 4  # two are the same in capitals, two are `tenant`'s
    assert asyncio.run(main()) == [once] * 3


NO_IDS = ["x", ACME.upper(), ACME.replace("-", ""), "acme."]
NO_NAMES = [
    "", " ", "acme' OR true --", f"{{{ACME}}}", f"{ACME}\n", f" {ACME}", "\0", "a\0b", "é",
    "\u212aelvin", "\ud800", "a" * 100_000, "..", "-acme", "acme-", "acme:80", "*", "%", "a_b",
]  # fmt: skip


def test_what_nobody_can_have_is_not_looked_for(access: Access, house: Database) -> None:
    with queries(house) as made:
        for text in NO_IDS + NO_NAMES:
            assert access.tenant(text) is None
            assert access.member(text, ADA) is None
            assert access.member(ACME, text) is None
            assert access.tenants_of(text) == ()
            assert access.standing(text) is None
            assert asyncio.run(access.async_member(text, text)) is None
        for text in NO_NAMES:
            assert access.tenant_by_slug(text) is None
            assert access.tenant_by_domain(text) is None
            assert access.key(text) is None
            assert access.key("pw_" + text) is None
        assert access.key(SECRET + "x") is None
    assert made == []


def updated(table: str, **values: object) -> Executable:
    """An update of ACME's row, or of BOB's, or of the key's."""
    found = tables.metadata.tables[f"partywall.{table}"]
    column, value = {
        "tenants": (found.c.get("id"), ACME),
        "users": (found.c.get("id"), BOB),
        "memberships": (found.c.get("user_id"), BOB),
    }.get(table, (found.c.get("tenant_id"), ACME))
    assert column is not None
    return found.update().where(column == value).values(**values)


CHANGES: list[tuple[Executable, tuple[str, ...], Asked, object]] = [
    (updated("tenants", status="suspended"), (OF_ACME,), ("standing", ACME), "suspended"),
    (updated("tenants", status="deleted", slug=None, skeleton=None, former_slug="acme"),
     (OF_ACME,), ("tenant_by_slug", "acme"), None),
    (updated("tenants", status="deleted"), (OF_ACME,), ("member", ACME, BOB), None),
    (updated("tenants", status="deleted"), (OF_ACME,), ("tenants_of", ADA), (GLOBEX,)),
    (updated("tenants", status="deleted"), (OF_ACME,), ("key", SECRET), None),
    (insert(tables.tenants).values(tenant(NOBODY, "initech")), (f"tenant:{NOBODY}",),
     ("tenant_by_slug", "initech"), NOBODY),
    (insert(tables.tenants).values(tenant(NOBODY, "initech")), (f"tenant:{NOBODY}",),
     ("tenant", NOBODY), NOBODY),
    (updated("domains", tenant_id=GLOBEX), (OF_ACME, OF_GLOBEX),
     ("tenant_by_domain", BILLS), GLOBEX),
    (updated("domains", verified_at=None), (OF_ACME,), ("tenant_by_domain", BILLS), None),
    (delete(tables.domains), (OF_ACME,), ("tenant_by_domain", BILLS), None),
    (insert(tables.domains).values(name="acme.test", tenant_id=ACME, challenge="",
                                   verified_at=now(), created_at=now()),
     (OF_ACME,), ("tenant_by_domain", "acme.test"), ACME),
    (updated("memberships", ended_at=now()), (OF_ACME, OF_BOB), ("member", ACME, BOB), None),
    (updated("memberships", ended_at=now()), (OF_ACME, OF_BOB), ("tenants_of", BOB), ()),
    (updated("memberships", ended_at=now()), (OF_ACME, OF_BOB), ("key", SECRET), None),
    (updated("memberships", role="member", version=2), (OF_ACME, OF_BOB), ("key", SECRET),
     Key(KEY, ACME, BOB, frozenset())),
    (updated("memberships", version=2), (OF_BOB,), ("member", ACME, BOB),
     Member(ACME, BOB, "clerk", 2, CLERK)),
    (insert(tables.memberships).values(membership(GLOBEX, BOB, "owner")), (OF_GLOBEX, OF_BOB),
     ("tenants_of", BOB), (ACME, GLOBEX)),
    (insert(tables.memberships).values(membership(ACME, EVE, "owner")), (OF_ACME, f"user:{EVE}"),
     ("tenants_of", EVE), (ACME,)),
    (insert(tables.memberships).values(membership(GLOBEX, BOB, "owner")), (OF_GLOBEX, OF_BOB),
     ("member", GLOBEX, BOB), Member(GLOBEX, BOB, "owner", 1, frozenset({"*"}))),
    (updated("users", disabled_at=now()), (OF_BOB,), ("member", ACME, BOB), None),
    (updated("users", disabled_at=now()), (OF_BOB,), ("tenants_of", BOB), ()),
    (updated("users", disabled_at=now()), (OF_BOB,), ("key", SECRET), None),
    (updated("roles", permissions=["log:read"]), (OF_ACME,), ("member", ACME, BOB),
     Member(ACME, BOB, "clerk", 1, frozenset({"log:read"}))),
    (updated("roles", permissions=["log:read"]), (OF_ACME,), ("key", SECRET),
     Key(KEY, ACME, BOB, frozenset({"log:read"}))),
    (updated("api_keys", revoked_at=now()), (OF_KEY,), ("key", SECRET), None),
    (updated("api_keys", expires_at=now()), (OF_KEY,), ("key", SECRET), None),
    (updated("api_keys", permissions=["invoices:write"]), (OF_KEY,), ("key", SECRET),
     Key(KEY, ACME, BOB, frozenset({"invoices:write"}))),
]  # fmt: skip


def test_a_change_by_another_is_known_at_once(house: Database) -> None:
    other = Database(house.url)
    for number, (statement, announced, asked, after) in enumerate(CHANGES):
        refurnish(other)
        with Access(house) as access:
            assert access.ready()
            assert ask(access, asked) != after, number
            change(other, statement, *announced)
            begun = time.monotonic()
            while not house.sqlite and ask(access, asked) != after:
                assert time.monotonic() - begun < 10, f"change {number} is not known: {asked}"
            assert ask(access, asked) == after, number
    other.close()


@on_postgresql  # on SQLite everything is asked again
def test_what_has_not_changed_stays_in_memory(access: Access, house: Database) -> None:
    for asked in ANSWERS:
        ask(access, asked)
    other = Database(house.url)  # what `house` itself changes is forgotten before it is heard, too
    change(other, updated("users", name="Bob"), OF_BOB)
    other.close()
    until(lambda: asked_again(access, house, ("member", ACME, BOB)))
    assert [asked for asked in ANSWERS if asked_again(access, house, asked)] == [
        ("member", GLOBEX, BOB), ("member", NOBODY, BOB), ("tenants_of", BOB), ("key", SECRET),
    ]  # fmt: skip


def asked_again(access: Access, house: Database, asked: Asked) -> bool:
    """Whether the answer costs a query."""
    with queries(house) as made:
        ask(access, asked)
    return bool(made)


def test_an_unknown_name_is_remembered_for_a_moment_only(house: Database) -> None:
    furnish(house)
    asked = ("tenant_by_slug", "initech")
    with Access(house, unknown_s=0.3) as access:
        assert access.ready()
        assert asked_again(access, house, asked)
        assert not asked_again(access, house, asked)
        time.sleep(0.35)
        assert asked_again(access, house, asked)


def test_a_crowd_of_unknown_names_pushes_out_nothing(house: Database) -> None:
    furnish(house)
    known = ("tenant_by_slug", "acme")
    with Access(house, size=10, unknown=20, unknown_s=60) as access:
        assert access.ready()
        ask(access, known)
        for number in range(100):
            assert access.tenant_by_slug(f"name-{number}") is None
            assert access.member(ACME, f"{number:08}{NOBODY[8:]}") is None
            assert access.tenants_of(f"{number:08}{NOBODY[8:]}") == ()
            assert access.key(secret()) is None
        assert access.remembered == 21
        memory = access._memory  # noqa: SLF001 - nor does anything stay behind in it
        assert len(memory._hanging) <= 2 * 21  # noqa: SLF001 - as above
        assert not memory._readings  # noqa: SLF001 - as above
        assert not asked_again(access, house, known)


def test_memory_is_bounded_and_the_oldest_goes_first(house: Database) -> None:
    furnish(house)
    asked: list[Asked] = [("tenant", ACME), ("tenant", GLOBEX), ("tenants_of", ADA)]
    with Access(house, size=2) as access:
        assert access.ready()
        assert [asked_again(access, house, each) for each in asked] == [True] * 3
        assert access.remembered == 2
        assert [asked_again(access, house, each) for each in asked[1:]] == [False] * 2
        assert asked_again(access, house, asked[0])


def test_a_key_is_cut_to_what_its_user_may(access: Access, house: Database) -> None:
    for given, role, left in (
        (["*"], "clerk", CLERK),
        (["*"], "owner", {"*"}),
        (["invoices:read"], "owner", {"invoices:read"}),
        (["log:read"], "clerk", set()),
        ([], "owner", set()),
    ):
        change(house, updated("api_keys", permissions=given), OF_KEY)
        change(house, updated("memberships", role=role), OF_BOB)
        until(lambda left=left: access.key(SECRET) == Key(KEY, ACME, BOB, frozenset(left)))  # type: ignore[misc]  # a bound value


def test_a_key_expires_also_in_memory(access: Access, house: Database) -> None:
    ends = now() + dt.timedelta(seconds=0.5)
    change(house, updated("api_keys", expires_at=ends))
    access.forget(OF_KEY)  # and no announcement that could come later
    assert access.key(SECRET)
    with queries(house) as made:
        until(lambda: access.key(SECRET) is None)
    assert now() >= ends
    assert made == []


def test_a_key_is_not_in_memory(access: Access) -> None:
    access.key(SECRET)
    assert SECRET not in repr(vars(access._memory))  # noqa: SLF001 - what must not be there


def test_it_is_a_directory(access: Access, house: Database) -> None:
    directory: Directory = access
    refusals = {"suspended": InactiveTenant, "failed": InactiveTenant, "deleted": DeletedTenant}
    assert refusal(directory.standing(ACME)) is None
    assert isinstance(refusal(directory.standing(NOBODY)), UnknownTenant)
    for status, kind in refusals.items():
        change(house, updated("tenants", status=status), OF_ACME)
        access.forget(OF_ACME)
        assert isinstance(refusal(directory.standing(ACME)), kind)
        assert isinstance(refusal(asyncio.run(directory.async_standing(ACME))), kind)


def test_who_changed_something_forgets_it_at_once(access: Access, house: Database) -> None:
    for number in range(50):
        rename(house, f"Acme {number}")
        access.forget(OF_ACME)
        found = access.tenant(ACME)
        assert found
        assert found.name == f"Acme {number}"


def test_many_threads_and_a_writer_come_to_the_same_end(access: Access, house: Database) -> None:
    stop = False

    def read(_: int) -> int:
        count = 0
        while not stop:
            assert access.tenant(ACME)
            count += 1
            time.sleep(0.0001)
        return count

    with ThreadPoolExecutor(4) as threads:
        readers = [threads.submit(read, number) for number in range(3)]
        for number in range(40):
            rename(house, f"Acme {number}")
        stop = True
        counts = [reader.result() for reader in readers]
    assert min(counts) > 0
    until(lambda: (found := access.tenant(ACME)) and found.name == "Acme 39", within_s=1)
    time.sleep(0.05)
    assert (found := access.tenant(ACME))
    assert found.name == "Acme 39"


def test_after_it_was_closed_the_next_question_opens_it_again(
    access: Access, house: Database
) -> None:
    assert access.standing(ACME) == "active"
    access.close()
    assert access.remembered == 0
    assert access.standing(ACME) == "active"
    assert access.ready()
    change(house, updated("tenants", status="suspended"), OF_ACME)
    until(lambda: access.standing(ACME) == "suspended")


def test_a_file_that_can_not_be_opened(tmp_path: Path) -> None:
    with Access(Database(f"sqlite:///{tmp_path / 'no folder' / 'house.db'}")) as access:
        with pytest.raises(Unavailable, match="look whether it is up"):
            access.tenant(ACME)
        assert not access.ready(0.05)


def test_a_pool_that_is_used_up(house: Database) -> None:
    furnish(house)
    narrow = Database(house.url, connections=1, timeout_s=0.05)
    with Access(narrow) as access:
        assert access.ready()
        assert access.standing(ACME) == "active"
        with narrow.reading():
            assert access.standing(ACME) == "active"
            with pytest.raises(Unavailable) as caught:
                access.standing(GLOBEX)
        assert caught.value.retry_after_s > 0
        assert access.standing(GLOBEX) == "active"
    narrow.close()


def test_a_flood_of_unknown_names_leaves_connections_to_others(house: Database) -> None:
    """However many ask, few are at the database at once, and memory is bounded."""
    furnish(house)
    there, most = 0, 0
    counting = threading.Lock()

    def note(step: int) -> None:
        nonlocal there, most
        with counting:
            there += step
            most = max(most, there)

    event.listen(house.engine, "checkout", lambda *_: note(1))
    event.listen(house.engine, "checkin", lambda *_: note(-1))
    event.listen(house.engine, "before_cursor_execute", lambda *_: time.sleep(0.002))
    with Access(house, unknown=50) as access, ThreadPoolExecutor(16) as threads:
        assert access.ready()
        names = [f"name-{number}" for number in range(100)]
        assert set(threads.map(access.tenant_by_slug, names)) == {None}
        assert access.remembered == 50
    assert 0 < most <= house.connections - LEFT


def test_who_asks_the_same_at_once_makes_one_query(house: Database) -> None:
    furnish(house)
    narrow = Database(house.url, connections=1)
    event.listen(narrow.engine, "before_cursor_execute", lambda *_: time.sleep(0.02))
    with Access(narrow) as access, ThreadPoolExecutor(16) as threads:
        assert access.ready()
        with queries(narrow) as made:
            answers = list(threads.map(access.standing, [ACME] * 100))
    narrow.close()
    assert set(answers) == {"active"}
    assert len([each for each in made if each.startswith("SELECT")]) == 1


def test_what_was_nothing_and_is_something_is_kept_once() -> None:
    memory = Memory(size=2, unknown=2, unknown_s=60)
    with memory.reading() as reading:
        memory.keep(reading, "acme", None, frozenset({"tenant:"}))
        memory.keep(reading, "acme", "Acme", frozenset({"tenant:1"}))
        assert len(memory) == 1
    memory.announced("tenant:1")
    assert (memory.get("acme"), len(memory)) == (None, 0)


def test_who_waits_for_the_gate_in_vain_is_told_to_come_again(house: Database) -> None:
    furnish(house)
    narrow = Database(house.url, connections=1, timeout_s=0.05)
    with Access(narrow) as access:
        assert access.ready()
        begun = time.monotonic()
        with access._gate, pytest.raises(Unavailable, match="gives no answer"):  # noqa: SLF001 - held
            access.standing(ACME)
        assert time.monotonic() - begun < 10
        assert access.standing(ACME) == "active"
    narrow.close()
