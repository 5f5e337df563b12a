"""What each case of the corpus claims is true: executed, without the probe."""

from __future__ import annotations

import pytest

from tests.probe.clients import clients, nobody
from tests.probe.corpus.case import Case, Entry, entries
from tests.probe.corpus.walls import Client
from tests.probe.described import described_operations
from tests.probe.serving import serving

ENTRIES = entries()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda one: one.name)
def test_claims_what_is_true(entry: Entry) -> None:
    case = entry.case()
    with serving(case.app) as port, clients(case, port) as (a, b):
        assert missing(case, a) == set()
        assert open_doors(case, a) == case.public
        entry.truth(a, b)


def missing(case: Case, client: Client) -> set[str]:
    """Operations that the case names, and its description doesn't have."""
    named = {at for at, _ in case.leaks | case.also}
    named |= case.public | case.shared | case.common | case.undecided
    return (
        set() if case.routes or case.recorded else named - set(described_operations(case, client))
    )


def open_doors(case: Case, client: Client) -> set[str]:
    """Operations that somebody without a token is let in at; a log-in is none."""
    found = set()
    with nobody(client) as bare:
        for at, path in described_operations(case, client).items():
            method = at.split(" ")[0]
            answer = bare.request(method, path, json={} if method != "GET" else None)
            if answer.status_code != 401 and at not in logins(case):
                found.add(at)
    return found


def logins(case: Case) -> set[str]:
    """The operations by which the tenants of a case log in."""
    requests = [one["login"]["request"] for one in case.tenants.values() if "login" in one]
    return {f"{one['method']} {one['path']}" for one in requests}


def test_is_large_enough() -> None:
    faults = [one for one in ENTRIES if one.name.startswith("faults/")]
    assert len(faults) >= 45
    assert len(ENTRIES) - len(faults) >= 20


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda one: one.name)
def test_has_a_leak_where_it_is_a_fault(entry: Entry) -> None:
    assert bool(entry.case().leaks) == entry.name.startswith("faults/")
