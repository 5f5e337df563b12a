"""Where a tenant's file lies: one path for each id, never outside the folder."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.context import TenantContext
from partywall.errors import ConfigurationError, MissingTenant
from partywall.isolation import FilePerTenant
from partywall.isolation.file_per_tenant import mark_of, tombstone_of
from partywall.isolation.naming import tenant_of

MODEL = FilePerTenant(folder="/var/lib/tenants")
IDS = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9_.:@-]{0,18}[A-Za-z0-9])?", fullmatch=True)
HOSTILE = [
    "../x",
    "..",
    ".",
    "a/../../b",
    "/etc/passwd",
    "a\\b",
    'a"; drop table orders; --',
    "a\0b",
    "a\n",
    "a b",
    "ａcme",  # noqa: RUF001 - the look-alike is the point
    "аcme",  # noqa: RUF001 - the look-alike is the point
    "acme ",
    "t_acme.sqlite?mode=rwc/..",
    "%2e%2e%2fx",
    "",
    None,
    True,
    0,
    "a" * 64,
    "A" * 40,  # each capital takes three bytes
]


def folded(path: str) -> str:
    """As a file system that folds case compares it."""
    return path.casefold()


@given(one=IDS, other=IDS)
def test_no_two_tenants_share_a_file_even_where_case_is_folded(one: str, other: str) -> None:
    paths = {folded(MODEL.path(one)), folded(MODEL.path(other))}
    assert len(paths) == len({one, other})


@given(tenant=IDS)
def test_every_file_lies_two_levels_down_and_can_be_read_back(tenant: str) -> None:
    path = Path(MODEL.path(tenant))
    first, second, name = path.relative_to(MODEL.folder).parts
    assert re.fullmatch(r"[0-9a-f]{2}", first)
    assert re.fullmatch(r"[0-9a-f]{2}", second)
    assert re.fullmatch(r"t_[a-z0-9_$]+\.sqlite", name)
    assert tenant_of(path.stem) == tenant


@given(text=st.text())
def test_whatever_the_id_the_file_stays_in_the_folder(text: str) -> None:
    try:
        path = Path(MODEL.path(text))
    except MissingTenant:
        return
    assert path.parent.parent.parent == Path(MODEL.folder)
    assert ".." not in path.parts


@pytest.mark.parametrize("tenant", HOSTILE, ids=repr)
def test_what_is_no_id_has_no_file(tenant: object) -> None:
    with pytest.raises(MissingTenant):
        MODEL.path(tenant)


def test_case_twins_have_files_of_their_own() -> None:
    twins = [MODEL.path(each) for each in ("public", "PUBLIC", "Public", "a-b", "a_b", "a.b")]
    assert len({folded(path) for path in twins}) == len(twins)


@pytest.mark.parametrize("prefix", ["c", "co", "lpt", "t", "", "T_", "pg_", "../_", "a/_"])
def test_a_prefix_that_could_make_another_name_is_refused(prefix: str) -> None:
    # With the prefix "co" the tenant "n" would be con.sqlite, which is the console on Windows.
    with pytest.raises(ConfigurationError):
        FilePerTenant(folder="/var/lib/tenants", prefix=prefix).path("n")


@pytest.mark.parametrize("folder", ["", "a\0b"])
def test_a_folder_that_is_none_is_refused(folder: str) -> None:
    with pytest.raises(ConfigurationError, match="folder of their own"):
        FilePerTenant(folder=folder)


def test_a_relative_folder_does_not_move_with_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = FilePerTenant(folder="tenants")
    monkeypatch.chdir("/")
    assert model.path("a").startswith(f"{tmp_path}/tenants/")


def test_the_place_is_the_file() -> None:
    tenant = UUID("7b1c3f52-4f0e-4a51-9a39-0d7f6a3e2b11")
    place = MODEL.place(TenantContext(str(tenant)))
    assert place.name == "t_7b1c3f52_4f0e_4a51_9a39_0d7f6a3e2b11"
    assert place.database == MODEL.path(tenant)
    assert place.server == ""


def test_the_tombstone_lies_beside_the_file() -> None:
    assert Path(MODEL.tombstone("a")).parent == Path(MODEL.path("a")).parent
    assert MODEL.tombstone("a") == tombstone_of(MODEL.path("a")) != MODEL.path("a")


@given(one=IDS, other=IDS)
def test_marks_are_those_of_the_tenant_and_fit_sqlite(one: str, other: str) -> None:
    marks = {mark_of(MODEL.path(one)), mark_of(MODEL.path(other))}
    assert len(marks) == len({one, other})  # 31 bits: twice in 2**31 pairs
    assert all(0 < mark < 2**31 for mark in marks)
