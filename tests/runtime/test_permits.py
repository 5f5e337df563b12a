"""The accounting of connections, without connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from partywall.runtime.permits import Permit, Permits, Turn

if TYPE_CHECKING:
    from sqlalchemy.pool import ConnectionPoolEntry

PLACES = st.sampled_from("abcd")
LIMIT, SHARE = 3, 2


@dataclass(eq=False)
class Entry:
    """What a pool's entry is to the accounting: open, or closed."""

    dbapi_connection: Any = "open"


def entry() -> ConnectionPoolEntry:
    return cast("ConnectionPoolEntry", Entry())


def turn(permits: Permits, place: str, called: list[str]) -> Turn:
    queued = Turn(place, lambda: called.append(place))
    permits.queue(queued)
    return queued


def filled(limit: int, share: int, *places: str) -> tuple[Permits, list[ConnectionPoolEntry]]:
    """Permits of which each place holds an open connection."""
    permits, entries = Permits(limit, share), []
    for place in places:
        assert permits.take(place) == Permit()
        entries.append(entry())
    return permits, entries


def test_the_least_recently_used_idle_connection_gives_way() -> None:
    permits, (a, b) = filled(2, 2, "a", "b")
    permits.give_back("a", a)
    permits.give_back("b", b)
    assert permits.take("a") == Permit(a)
    permits.give_back("a", a)
    assert permits.take("c") == Permit(evicted=b, evicted_from="b")
    assert permits.take("d") == Permit(evicted=a, evicted_from="a")
    assert permits.take("e") is None


def test_a_tenant_does_not_evict_for_more_than_its_share() -> None:
    permits, (a, b) = filled(2, 1, "a", "b")
    permits.give_back("b", b)
    assert permits.take("a") is None
    permits.give_back("a", a)
    assert permits.take("a") == Permit(a)


def test_the_first_in_the_queue_is_served_first() -> None:
    permits, (a,) = filled(1, 1, "a")
    called: list[str] = []
    turns = [turn(permits, place, called) for place in "bcab"]
    permits.give_back("a", a)
    assert turns[0].permit == Permit(evicted=a, evicted_from="a")
    for _ in range(3):
        permits.give_back(called[-1], None)
    assert called == ["b", "c", "a", "b"]


def test_nobody_overtakes_the_queue() -> None:
    permits, (a,) = filled(1, 1, "a")
    called: list[str] = []
    turn(permits, "b", called)
    permits.give_back("a", a)
    assert permits.take("a") is None
    assert called == ["b"]


def test_who_waits_for_its_own_share_holds_up_nobody_else() -> None:
    permits, _ = filled(2, 1, "a")
    called: list[str] = []
    turn(permits, "a", called)
    assert permits.take("b") == Permit()
    turn(permits, "c", called)
    permits.give_back("b", None)
    assert called == ["c"]


def test_a_permit_that_came_too_late_is_undone() -> None:
    permits, (a,) = filled(1, 1, "a")
    called: list[str] = []
    late = turn(permits, "b", called)
    permits.give_back("a", a)
    permit = permits.leave(late)
    assert permit is not None
    permits.undo("b", permit)
    assert permits.take("a") == Permit(a), "it was not closed, so it is still there"


def test_the_garbage_collector_may_come_in_the_middle() -> None:
    """It gives a connection back in the thread that holds the lock."""
    permits, (a, b) = filled(2, 2, "a", "b")
    called: list[str] = []
    queued = Turn("c", lambda: permits.give_back("b", b))  # called with the lock held
    permits.queue(queued)
    turn(permits, "d", called)
    permits.give_back("a", a)
    assert queued.permit is not None
    assert called == ["d"]


class Accounting(RuleBasedStateMachine):
    """Any order of asking, waiting, giving back, failing, leaving and emptying."""

    def __init__(self) -> None:
        super().__init__()
        self.permits = Permits(LIMIT, SHARE)
        self.used: list[tuple[str, ConnectionPoolEntry]] = []
        self.idle: dict[ConnectionPoolEntry, str] = {}
        self.waiting: list[Turn] = []
        self.called: list[Turn] = []

    def spend(self, place: str, permit: Permit) -> None:
        """What a pool does with a permit."""
        if permit.evicted is not None:
            assert self.idle.pop(permit.evicted) == permit.evicted_from
        if permit.entry is not None:
            assert self.idle.pop(permit.entry) == place
        self.used.append((place, permit.entry or entry()))
        assert len(self.used) + len(self.idle) <= LIMIT

    def served(self) -> None:
        """Spend what those in the queue were granted."""
        for queued in [each for each in self.waiting if each.permit is not None]:
            assert queued in self.called
            earlier = self.waiting[: self.waiting.index(queued)]
            assert all(each.place != queued.place for each in earlier)
            self.waiting.remove(queued)
            permit = self.permits.leave(queued)
            assert permit is not None
            self.spend(queued.place, permit)

    @rule(place=PLACES)
    def ask(self, place: str) -> None:
        permit = self.permits.take(place)
        if permit is None:
            queued = Turn(place, lambda: self.called.append(queued))
            self.waiting.append(queued)
            self.permits.queue(queued)
            assert queued.permit is None
        else:
            self.spend(place, permit)

    @precondition(lambda self: self.used)
    @rule(data=st.data(), fate=st.sampled_from(["kept", "invalidated", "failed"]))
    def give_back(self, data: st.DataObject, fate: str) -> None:
        place, given = self.used.pop(data.draw(st.integers(0, len(self.used) - 1)))
        if fate == "kept":
            self.idle[given] = place
        elif fate == "invalidated":
            cast("Entry", given).dbapi_connection = None
        self.permits.give_back(place, None if fate == "failed" else given)
        self.served()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        queued = self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1)))
        assert self.permits.leave(queued) is None

    @precondition(lambda self: self.waiting and self.used)
    @rule(data=st.data())
    def leave_too_late(self, data: st.DataObject) -> None:
        place, given = self.used.pop(data.draw(st.integers(0, len(self.used) - 1)))
        self.idle[given] = place
        self.permits.give_back(place, given)
        late = next((each for each in self.waiting if each.permit is not None), None)
        if late is not None:
            self.waiting.remove(late)
            permit = self.permits.leave(late)
            assert permit is not None
            self.permits.undo(late.place, permit)
        self.served()

    @rule(place=st.one_of(st.none(), PLACES))
    def empty(self, place: str | None) -> None:
        found = self.permits.empty(place)
        assert {of for of, _ in found} <= ({place} if place else set("abcd"))
        for of, given in found:
            assert self.idle.pop(given) == of
            self.permits.give_back(of, None)
        self.served()

    @invariant()
    def what_is_counted_is_there(self) -> None:
        assert self.permits.counted() == (len(self.used) + len(self.idle), len(self.idle))

    @invariant()
    def nobody_has_more_than_its_share(self) -> None:
        held = [place for place, _ in self.used] + list(self.idle.values())
        assert all(held.count(place) <= SHARE for place in held)

    @invariant()
    def nobody_waits_in_vain(self) -> None:
        held = [place for place, _ in self.used]
        for queued in self.waiting:
            assert len(self.used) == LIMIT or held.count(queued.place) == SHARE


Accounting.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestAccounting = Accounting.TestCase
