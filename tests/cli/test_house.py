"""The commands on the control plane: what they print, what they change, how they end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from partywall.control import audit, domains, quotas, tables
from tests.cli.house import BOTH, House, only_postgresql, only_sqlite, settled

HEAVY = ["sqlalchemy", "alembic", "psycopg", "rich.table", "partywall.control", "dbos", "pglast"]


@pytest.fixture(params=BOTH)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    yield from settled(request, tmp_path)


# -- tenants ------------------------------------------------------------------------------------


def test_tenants_are_listed(house: House) -> None:
    done = house.run("tenants", "list")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "acme" in done.stdout
    assert "globex" in done.stdout
    listed = house.json("tenants", "list")["tenants"]
    assert [tenant["slug"] for tenant in listed] == ["acme", "globex"]
    assert (
        listed[0]
        | {
            "id": house.acme.id,
            "name": "Acme",
            "status": "active",
            "reason": "",
            "placement": "",
            "settings": {},
        }
        == listed[0]
    )
    assert listed[0]["created_at"].endswith("Z")


@only_sqlite
def test_tenants_are_listed_by_how_they_stand_and_page_by_page(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from partywall.cli.house import tenants as command  # noqa: PLC0415 - it loads SQLAlchemy

    monkeypatch.setattr(command, "PAGE", 1)
    assert len(house.json("tenants", "list")["tenants"]) == 2
    assert house.run("tenants", "suspend", "acme").exit_code == 0
    listed = house.json("tenants", "list", "--status", "suspended")["tenants"]
    assert [tenant["slug"] for tenant in listed] == ["acme"]
    assert "no tenants" in house.run("tenants", "list", "--status", "failed").stdout
    assert house.run("tenants", "list", "--status", "closed").exit_code == 2


@only_postgresql
def test_a_tenant_is_shown_with_all_that_is_its(house: House) -> None:
    with house.database.begin() as connection:
        quotas.set_limit(connection, house.acme.id, "members", 5)
    shown = house.json("tenants", "show", "acme")
    assert shown.keys() == {"tenant", "domains", "members", "quotas", "work"}
    assert shown["tenant"]["id"] == house.acme.id
    assert (shown["members"], shown["work"]) == ({"owner": 1}, None)
    done = house.run("tenants", "show", house.acme.id)
    assert done.exit_code == 0
    assert "1 owner" in done.stdout
    assert "active" in done.stdout


def test_a_tenant_is_suspended_and_resumed_and_its_log_says_by_whom(house: House) -> None:
    done = house.run("tenants", "suspend", "acme", "--reason", "did not pay")
    assert (done.exit_code, done.stdout) == (0, "acme is suspended\n")
    with house.database.reading() as connection:
        (entry,) = audit.entries(connection, house.acme.id)
    assert (entry.action, entry.detail) == ("tenant.suspended", {"reason": "did not pay"})
    assert entry.actor.startswith("console:")
    assert entry.source
    assert house.json("tenants", "resume", "acme")["tenant"]["status"] == "active"
    assert house.actions(house.acme) == ["tenant.suspended", "tenant.resumed"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["tenants", "show", "nobody"],
        ["tenants", "suspend", "00000000-0000-4000-8000-000000000000"],
        ["tenants", "resume", "acme"],
        ["members", "list", "nobody"],
        ["members", "add", "acme", "carol@example.com"],
        ["members", "add", "acme", "bob@example.com", "--role", "emperor"],
        ["members", "role", "acme", "ada@example.com", "member"],
        ["members", "remove", "acme", "ada@example.com", "--yes"],
        ["members", "remove", "acme", "bob@example.com", "--yes"],
        ["domains", "claim", "acme", "not a domain"],
        ["domains", "remove", "acme", "acme.example.com", "--yes"],
        ["domains", "verify", "acme", "acme.example.com"],
        ["quotas", "show", "nobody"],
        ["log", "show", "nobody"],
        ["log", "verify", "acme", "--head", "7"],
    ],
    ids=" ".join,
)
@only_sqlite
def test_unknown_and_conflicting_is_2_and_changes_nothing(
    house: House, arguments: list[str]
) -> None:
    done = house.run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("partywall: ")
    assert "internal error" not in done.stderr
    assert house.actions(house.acme) == []


@only_sqlite
def test_an_id_is_never_taken_for_a_stranger_s_slug(house: House) -> None:
    with house.database.begin() as connection:
        of_globex = update(tables.tenants).where(tables.tenants.c.id == house.globex.id)
        connection.execute(of_globex.values(slug=house.acme.id))
    assert house.run("tenants", "suspend", house.acme.id).exit_code == 0
    assert house.actions(house.acme) == ["tenant.suspended"]


@only_sqlite
def test_a_name_can_t_steer_a_terminal(house: House) -> None:
    with house.database.begin() as connection:
        evil = "Acme\x1b[2J\x1b]0;owned\x07\u202egnp\r\nline"
        of_acme = update(tables.tenants).where(tables.tenants.c.id == house.acme.id)
        connection.execute(of_acme.values(name=evil))
    for arguments in (["tenants", "list"], ["tenants", "show", "acme"]):
        done = house.run(*arguments)
        assert done.exit_code == 0
        assert not set(done.stdout) & set("\x1b\x07\u202e\r")
        assert "Acme\\x1b[2J" in done.stdout
    assert house.json("tenants", "show", "acme")["tenant"]["name"] == evil


# -- members, domains, quotas -------------------------------------------------------------------


@only_postgresql
def test_members_come_change_and_go(house: House) -> None:
    assert house.run("members", "add", "acme", "bob@example.com").exit_code == 0
    done = house.run("members", "role", "acme", "Bob@Example.com", "admin")
    assert (done.exit_code, done.stdout) == (0, "bob@example.com is admin of acme\n")
    found = house.json("members", "list", "acme")["members"]
    assert {member["email"]: member["role"] for member in found} == {
        "ada@example.com": "owner",
        "bob@example.com": "admin",
    }
    assert found[0].keys() == {"email", "name", "role", "user_id"}
    assert "bob@example.com" in house.run("members", "list", "acme").stdout
    assert house.run("members", "remove", "acme", house.bob.id, "--yes").exit_code == 0
    assert len(house.json("members", "list", "acme")["members"]) == 1
    assert house.actions(house.acme) == ["member.added", "member.role_changed", "member.removed"]


@only_sqlite
def test_what_destroys_asks_first_and_nobody_is_here_to_answer(house: House) -> None:
    house.run("members", "add", "acme", "bob@example.com")
    done = house.run("members", "remove", "acme", "bob@example.com")
    assert done.exit_code == 2
    assert "--yes" in done.stderr
    assert len(house.json("members", "list", "acme")["members"]) == 2


@only_sqlite
def test_domains_are_claimed_and_removed(house: House) -> None:
    done = house.run("domains", "claim", "acme", "Acme.Example.Com")
    assert done.exit_code == 0
    (claimed,) = house.json("domains", "list", "acme")["domains"]
    assert (claimed["name"], claimed["verified_at"]) == ("acme.example.com", None)
    assert claimed["challenge"] in done.stdout
    with house.database.begin() as connection:
        domains.verify(
            connection,
            house.acme.id,
            "acme.example.com",
            lookup=lambda _: [domains.record_value(domains.listed(connection, house.acme.id)[0])],
        )
    assert "acme.example.com" in house.run("domains", "list", "acme").stdout
    done = house.run("domains", "verify", "acme", "acme.example.com")
    assert (done.exit_code, done.stdout) == (0, "acme.example.com is verified, and leads to acme\n")
    assert house.run("domains", "remove", "acme", "acme.example.com", "--yes").exit_code == 0
    assert house.json("domains", "list", "acme")["domains"] == []
    assert house.actions(house.acme) == ["domain.claimed", "domain.removed"]


@only_sqlite
def test_quotas_are_set_shown_and_lifted(house: House) -> None:
    assert house.run("quotas", "set", "acme", "rows", "1000").exit_code == 0
    assert rows(house) == {"kind": "rows", "limit": 1000, "used": 0}
    assert "1,000" in house.run("quotas", "show", "acme").stdout
    assert house.run("quotas", "set", "acme", "rows", "none").exit_code == 0
    assert rows(house)["limit"] is None
    for kind in ("Rows", "rows\x1b[31m", "r" * 65):
        assert house.run("quotas", "set", "acme", kind, "1").exit_code == 2
    for wrong in ("many", "-1", "1.5", "9" * 16, ""):
        assert house.run("quotas", "set", "acme", "rows", wrong).exit_code == 2
    assert house.actions(house.acme) == ["quota.changed"] * 2


def rows(house: House) -> dict[str, object]:
    """The quota of Acme's rows."""
    quotas = house.json("quotas", "show", "acme")["quotas"]
    [found] = [each for each in quotas if each["kind"] == "rows"]
    return dict(found)


# -- as such ------------------------------------------------------------------------------------


def test_help_loads_nothing_of_the_control_plane() -> None:
    code = f"import sys, partywall.cli; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"
