from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from sqlalchemy import event

from partywall.control import domains, tenants
from partywall.control.access import Access
from partywall.control.database import Database, new_id
from partywall.errors import (
    DeletedTenant,
    InvalidRecord,
    RecordConflict,
    Unavailable,
    UnknownRecord,
    UnknownTenant,
)
from tests.control import people
from tests.control.directory import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def name_server(records: dict[str, list[str]] | None) -> Iterator[dns.resolver.Resolver]:
    """A real one on the loopback interface; with None it fails at every question."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 0))
    listening.settimeout(0.1)
    stopping = threading.Event()

    def answer() -> None:
        while not stopping.is_set():
            try:
                asked, client = listening.recvfrom(4096)
            except TimeoutError:
                continue
            question = dns.message.from_wire(asked)
            reply = dns.message.make_response(question)
            name = question.question[0].name.to_text().rstrip(".")
            if records is None:
                reply.set_rcode(dns.rcode.SERVFAIL)
            elif name not in records:
                reply.set_rcode(dns.rcode.NXDOMAIN)
            else:
                texts = [f'"{each}"' for each in records[name]]
                if texts:
                    reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "TXT", *texts))
            listening.sendto(reply.to_wire(), client)

    thread = threading.Thread(target=answer)
    thread.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = listening.getsockname()[1]
    try:
        yield resolver
    finally:
        stopping.set()
        thread.join()
        listening.close()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("www.acme.com", "www.acme.com"), ("ACME.com.", "acme.com"), (" acme.com ", "acme.com"),
        ("bücher.de", "xn--bcher-kva.de"), ("xn--bcher-kva.de", "xn--bcher-kva.de"),
        ("acme。com", "acme.com"), ("\uff41cme\uff0ecom", "acme.com"), ("faß.de", "xn--fa-hia.de"),
        ("fass.de", "fass.de"), ("\u0430cme.com", "xn--cme-5cd.com"),
        ("ac\u00adme.com", "acme.com"), (f"{'a' * 63}.com", f"{'a' * 63}.com"),
    ],
)  # fmt: skip
def test_one_way_to_write_a_domain(given: str, kept: str) -> None:
    assert domains.canonical(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "", "com", "localhost", "127.0.0.1", "[::1]", "::1", "*.acme.com", "acme.com:80",
        "acme.com/x", "-acme.com", "acme-.com", "a..com", "_dmarc.acme.com", "acme.local",
        "acme.test", "10.in-addr.arpa", "acme.com\nevil.com", "acme.com\x00", f"{'a' * 64}.com",
        f"{'a.' * 130}com", "xn--zz.com", "acme.123",
        "acme.com:443", "ac\u200dme.com", "acme.com/", "user@acme.com", "acme..com", ".acme.com",
        "\ud83d.com", "XN--BCHER-KVA .de", f"{'a' * 62}." * 4 + "info", "acme.onion", "arpa.arpa",
    ],
)  # fmt: skip
def test_what_is_no_domain_of_a_tenant(given: str) -> None:
    with pytest.raises(InvalidRecord):
        domains.canonical(given)


@pytest.mark.parametrize("name", ["app.io", "acme.app.io", "APP.io"])
def test_the_applications_own_is_nobodys(house: Database, name: str) -> None:
    with house.begin() as connection:
        acme = people.tenant(connection, "acme")
        with pytest.raises(InvalidRecord, match="belongs to the application"):
            domains.claim(connection, acme.id, name, beside=["App.io."])
        other = domains.claim(connection, acme.id, "notapp.io", beside=["app.io"])
        assert other.name == "notapp.io"


def test_a_domain_is_used_once_the_dns_says_so(house: Database) -> None:
    with house.begin() as connection:
        acme = people.tenant(connection, "acme")
        claimed = domains.claim(connection, acme.id, "acme.com")
        assert domains.claim(connection, acme.id, "acme.com") == claimed
        assert domains.by_name(connection, "acme.com") is None
    place = domains.record_name("acme.com")
    said: dict[str, list[str]] = {}
    with name_server(said) as resolver:

        def lookup(name: str) -> list[str]:
            return domains.txt_records(name, resolver=resolver)

        with house.begin() as connection:
            for wrong in ([], ["other"], [claimed.challenge], [domains.record_value(claimed)[:-1]]):
                said[place] = wrong or ["v=spf1 -all"]
                with pytest.raises(RecordConflict, match="_partywall-challenge"):
                    domains.verify(connection, acme.id, "acme.com", lookup=lookup)
            said[place] = ["v=spf1 -all", domains.record_value(claimed)]
            found = domains.verify(connection, acme.id, "acme.com", lookup=lookup)
            assert found.verified_at is not None
            assert domains.by_name(connection, "acme.com") == acme.id
            said.clear()
            assert domains.verify(connection, acme.id, "acme.com", lookup=lookup) == found


def test_nothing_is_proved_by_a_name_that_is_not_there() -> None:
    with name_server({}) as resolver:
        assert domains.txt_records("nobody.acme.com", resolver=resolver) == []


def test_a_name_server_that_fails_proves_nothing() -> None:
    with name_server(None) as resolver, pytest.raises(Unavailable):
        domains.txt_records("acme.com", resolver=resolver)


def test_who_proves_it_gets_it(house: Database) -> None:
    """Anybody can claim; the domain's owner decides, whoever claimed first."""
    with house.begin() as connection:
        acme, globex = (people.tenant(connection, slug) for slug in ("acme", "globex"))
        squatted = domains.claim(connection, globex.id, "acme.com")
        claimed = domains.claim(connection, acme.id, "acme.com")
        assert claimed.challenge != squatted.challenge
        with pytest.raises(UnknownRecord):
            domains.verify(
                connection, globex.id, "acme.com",
                lookup=lambda _: [domains.record_value(squatted)],
            )  # fmt: skip
        with pytest.raises(RecordConflict):  # the record that the other one was told of
            domains.verify(
                connection, acme.id, "acme.com", lookup=lambda _: [domains.record_value(squatted)]
            )
        domains.verify(
            connection, acme.id, "acme.com", lookup=lambda _: [domains.record_value(claimed)]
        )
        with pytest.raises(RecordConflict):
            domains.claim(connection, globex.id, "acme.com")
        with pytest.raises(UnknownRecord):
            domains.remove(connection, globex.id, "acme.com")
        assert domains.by_name(connection, "acme.com") == acme.id


def test_a_claim_that_is_taken_over_while_the_dns_is_asked(house: Database) -> None:
    with house.begin() as connection:
        acme, globex = (people.tenant(connection, slug) for slug in ("acme", "globex"))
        claimed = domains.claim(connection, acme.id, "acme.com")

        def meanwhile(_: str) -> list[str]:
            domains.claim(connection, globex.id, "acme.com")
            return [domains.record_value(claimed)]

        with pytest.raises(UnknownRecord, match="meanwhile"):
            domains.verify(connection, acme.id, "acme.com", lookup=meanwhile)
        assert domains.by_name(connection, "acme.com") is None


def test_what_is_removed_is_free(house: Database) -> None:
    with house.begin() as connection:
        acme, globex = (people.tenant(connection, slug) for slug in ("acme", "globex"))
        claimed = domains.claim(connection, acme.id, "acme.com")
        domains.verify(
            connection, acme.id, "acme.com", lookup=lambda _: [domains.record_value(claimed)]
        )
        domains.remove(connection, acme.id, "acme.com")
        assert domains.by_name(connection, "acme.com") is None
        assert domains.claim(connection, globex.id, "acme.com").verified_at is None
        assert domains.listed(connection, acme.id) == []


def test_a_tenant_has_so_many(house: Database) -> None:
    with house.begin() as connection:
        acme = people.tenant(connection, "acme")
        for number in range(domains.MOST):
            domains.claim(connection, acme.id, f"a{number}.com")
        with pytest.raises(RecordConflict, match="at most"):
            domains.claim(connection, acme.id, "more.com")


def test_one_more_claim_of_ones_own_is_none_too_many(house: Database) -> None:
    with house.begin() as connection:
        acme = people.tenant(connection, "acme")
        for number in range(domains.MOST):
            domains.claim(connection, acme.id, f"a{number}.com")
        assert len(domains.listed(connection, acme.id)) == domains.MOST
        assert domains.claim(connection, acme.id, "a7.com").name == "a7.com"


def test_a_tenant_lists_and_removes_its_own(house: Database) -> None:
    with house.begin() as connection:
        acme, globex = (people.tenant(connection, slug) for slug in ("acme", "globex"))
        domains.claim(connection, acme.id, "acme.com")
        domains.claim(connection, globex.id, "globex.com")
        assert [each.name for each in domains.listed(connection, acme.id)] == ["acme.com"]
        for act in (domains.remove, domains.verify, domains.of_tenant):
            with pytest.raises(UnknownRecord):
                act(connection, acme.id, "globex.com")
            with pytest.raises(UnknownRecord):
                act(connection, acme.id, "nobody.com")
        domains.remove(connection, acme.id, "acme.com")
        assert [each.name for each in domains.listed(connection, globex.id)] == ["globex.com"]


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_others_hear_of_a_domain_that_is_used_and_used_no_more(house: Database) -> None:
    with house.begin() as connection:
        acme = people.tenant(connection, "acme")
        claimed = domains.claim(connection, acme.id, "acme.com")
    other = Database(house.url)
    with Access(other, heartbeat_s=60, unknown_s=600) as access:
        assert access.ready()
        assert access.tenant_by_domain("acme.com") is None
        with house.begin() as connection:
            domains.verify(
                connection, acme.id, "acme.com", lookup=lambda _: [domains.record_value(claimed)]
            )
        until(lambda: access.tenant_by_domain("acme.com"))
        with house.begin() as connection:
            domains.remove(connection, acme.id, "acme.com")
        until(lambda: access.tenant_by_domain("acme.com") is None)
    other.close()


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_a_claim_that_is_taken_over_by_another_transaction(house: Database) -> None:
    """Two prove one domain in the same moment: it is the one's whose challenge stands."""
    with house.begin() as connection:
        acme, globex = (people.tenant(connection, slug) for slug in ("acme", "globex"))
        first = domains.claim(connection, acme.id, "acme.com")

    def meanwhile(_: str) -> list[str]:
        with house.begin() as other:
            again = domains.claim(other, globex.id, "acme.com")
            domains.verify(
                other, globex.id, "acme.com", lookup=lambda _: [domains.record_value(again)]
            )
        return [domains.record_value(first)]

    with house.begin() as connection, pytest.raises(UnknownRecord, match="meanwhile"):
        domains.verify(connection, acme.id, "acme.com", lookup=meanwhile)
    with house.reading() as connection:
        assert domains.by_name(connection, "acme.com") == globex.id


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_a_claim_that_is_taken_over_while_it_is_removed(house: Database) -> None:
    with house.begin() as connection:
        acme, globex = (people.tenant(connection, slug) for slug in ("acme", "globex"))
        domains.claim(connection, acme.id, "acme.com")
    other = Database(house.url)

    def meanwhile(*told: Any) -> None:  # noqa: ANN401 - as SQLAlchemy calls it
        if told[2].startswith("DELETE"):
            with other.begin() as connection:
                domains.claim(connection, globex.id, "acme.com")

    event.listen(house.engine, "before_cursor_execute", meanwhile)
    with house.begin() as connection:
        domains.remove(connection, acme.id, "acme.com")
    with other.reading() as connection:
        assert domains.of_tenant(connection, globex.id, "acme.com").tenant_id == globex.id
    other.close()


def test_a_claim_that_is_made_anew_while_the_dns_is_asked(house: Database) -> None:
    """What proved an earlier claim of the same tenant proves none that it has made since."""
    with house.begin() as connection:
        acme, globex = (people.tenant(connection, slug) for slug in ("acme", "globex"))
        first = domains.claim(connection, acme.id, "acme.com")

        def meanwhile(_: str) -> list[str]:
            domains.claim(connection, globex.id, "acme.com")
            domains.claim(connection, acme.id, "acme.com")
            return [domains.record_value(first)]

        with pytest.raises(UnknownRecord, match="meanwhile"):
            domains.verify(connection, acme.id, "acme.com", lookup=meanwhile)


def test_a_record_may_be_long_and_stand_among_strange_ones() -> None:
    with name_server({"a.acme.com": ["x" * 200 + '" "' + "y" * 100, "\\255"]}) as resolver:
        found = domains.txt_records("a.acme.com", resolver=resolver)
    assert set(found) == {"x" * 200 + "y" * 100, "\ufffd"}


def test_a_name_that_has_other_records_only_proves_nothing() -> None:
    with name_server({"a.acme.com": []}) as resolver:
        assert domains.txt_records("a.acme.com", resolver=resolver) == []


def test_a_name_server_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domains, "TIMEOUT_S", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], silent.getsockname()[1]
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            domains.txt_records("acme.com", resolver=resolver)
        assert time.monotonic() - begun < 4


def test_of_two_claims_at_once_the_last_that_is_left_is_taken_by_one(house: Database) -> None:
    with house.begin() as connection:
        acme = people.tenant(connection, "acme")
        for number in range(domains.MOST - 1):
            domains.claim(connection, acme.id, f"a{number}.com")

    def attempt(number: int) -> bool:
        try:
            with house.begin() as connection:
                domains.claim(connection, acme.id, f"b{number}.com")
        except RecordConflict:
            return False
        return True

    with ThreadPoolExecutor(1) as threads:
        with house.begin() as connection:
            domains.claim(connection, acme.id, "last.com")
            other = threads.submit(attempt, 1)
            time.sleep(0.1)
            assert not other.done()
        assert not other.result()


def test_who_is_deleted_or_nobody_claims_nothing(house: Database) -> None:
    with house.begin() as connection:
        acme = people.tenant(connection, "acme")
        tenants.set_status(connection, acme.id, "suspended")
        tenants.set_status(connection, acme.id, "deleted")
        with pytest.raises(DeletedTenant):
            domains.claim(connection, acme.id, "acme.com")
        with pytest.raises(UnknownTenant):
            domains.claim(connection, new_id(), "acme.com")
