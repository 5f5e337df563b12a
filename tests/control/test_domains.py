from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from partywall.control import domains
from partywall.errors import InvalidRecord, RecordConflict, Unavailable, UnknownRecord
from tests.control import people

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.control.database import Database


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
        ("acme。com", "acme.com"),
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
            domains.claim(connection, acme.id, name, beside=["app.io"])
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
