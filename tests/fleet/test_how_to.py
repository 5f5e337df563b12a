"""The page on moving a schema onto row security does what it says."""

from __future__ import annotations

import pytest

from tests.blocks import blocks, run
from tests.conftest import Database
from tests.fleet.shops import SHOP, pending, shop

PAGE = "how-to/single-tenant-to-row-security.md"


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_the_page(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [before] = blocks(PAGE, "sql")
    assert before in SHOP.replace("\n\n", "\n")
    shop(database)
    monkeypatch.setenv("ADMIN_URL", database.url())
    monkeypatch.setenv("DATABASE_URL", database.url("app"))
    run(PAGE)
    *planned, acme, globex = capsys.readouterr().out.splitlines()
    assert planned[0].startswith('column make "partywall".tenant_id()')
    assert planned[-1] == "cutover put the new keys of public.users in the place of the old ones"
    assert (acme, globex) == ("200", "0")
    assert pending(database) == []
