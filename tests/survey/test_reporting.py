"""What a report says of tables that could not be given a row."""

from __future__ import annotations

from partywall.survey.reporting import unplanted


def test_a_server_without_room_for_locks_is_told_how_to_get_it() -> None:
    """A survey of 5,000 tables on a stock server ends so for the last of them."""
    told = unplanted("out of shared memory (53200)")
    assert told.startswith("no row could be planted: out of shared memory (53200)")
    assert "ALTER SYSTEM SET max_locks_per_transaction" in told
    assert "max_locks" not in unplanted("a check refused it (23514)")
