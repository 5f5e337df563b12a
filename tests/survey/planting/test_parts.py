"""The parts of planting that need no server."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from partywall.catalog.facts import Column, Constraint, Relation
from partywall.model import Ownership
from partywall.survey.identity import Identity
from partywall.survey.planting import checks, claims, hints, order, patterns
from partywall.survey.planting.claims import Claim
from partywall.survey.planting.fitting import fits
from partywall.survey.planting.seed import fresh_canary, fresh_seed
from partywall.survey.planting.values import FAMILIES, makers

SUB = "aaaaaaaa-0000-4000-8000-000000000001"


def column(name: str, base: str = "text", *, not_null: bool = False) -> Column:
    return Column(
        1, name, name, base, base, "S", "", None, not_null, None, "", generated=False, enum=(),
        domain_checks=(), deterministic=True,
    )  # fmt: skip


def table(oid: int, name: str, points_at: dict[str, int], *, bound: bool = False) -> Relation:
    columns = (column("id"), *(column(c, not_null=bound) for c in points_at))
    keys = tuple(
        Constraint(f"{name}_{c}_fkey", "foreign", oid, (c,), "", target, ("id",))
        for c, target in points_at.items()
    )
    return Relation(
        oid, "public", name, f"public.{name}", name, "table", "postgres", rls=False, forced=False,
        is_partition=False, parent=None, bound=None, options={}, definition=None, rows=-1, size=0,
        extension=None, server=None, updatable=28, columns=columns, constraints=keys,
    )  # fmt: skip


@pytest.mark.parametrize(
    "pattern",
    [
        "^[a-z0-9]+(-[a-z0-9]+)*$", "^INV-[0-9]{4}$", r"^\d{3}-\d{2,4}$", "^(GET|POST)$",
        "^[A-Z]{2,3}$",
        "^[^@ ]+@[^@ ]+[.][a-z]{2,}$", r"^\+[1-9]\d{1,14}$", "^(?:v)?[0-9]+[.][0-9]+$",
        "^[[:alpha:]_][[:alnum:]_]*$", "^.{3,40}$", "^/[a-z/]*$", "^#[0-9a-fA-F]{6}$", "abc",
    ],
)  # fmt: skip
def test_what_is_made_for_a_pattern_matches_it(pattern: str) -> None:
    made = patterns.matching(pattern, fresh_seed("pwbk2m3n4"))
    assert made is not None
    posix = pattern.replace("[[:alpha:]_]", "[A-Za-z_]").replace("[[:alnum:]_]", "[A-Za-z0-9_]")
    assert re.search(posix, made)


def test_a_pattern_with_room_carries_the_canary() -> None:
    seed = fresh_seed("pwbk2m3n4")
    assert "pwbk2m3n4" in (patterns.matching("^[a-z0-9-]{3,40}$", seed) or "")
    assert "PWBK2M3N4" in (patterns.matching("^ID-[A-Z0-9]+$", seed) or "")
    assert patterns.matching(r"^(a)\1$", seed) is None


def test_a_condition_names_its_columns_and_constants() -> None:
    check = checks.read(
        "c", "((kind = 'x'::text) AND (n > 5) AND (code ~ '^a'::text))", ["kind", "n", "code", "z"]
    )
    assert check.columns == ("kind", "n", "code")
    assert {"x", "5"} <= set(check.constants)
    assert check.patterns == ("^a",)
    listed = checks.read("c", "(s)::text = ANY ('{draft,\"in use\"}'::text[])", ["s"])
    assert {"draft", "in use"} <= set(listed.constants)


def test_conditions_that_share_a_column_are_solved_together() -> None:
    found = [checks.read(text, text, "abcd") for text in ("a > 0", "b > a", "c = 1", "d < 2")]
    groups = [names for names, _ in checks.connected(found, "abc")]
    assert sorted(map(sorted, groups)) == [["a", "b"], ["c"]]


def test_parents_come_first_and_circles_stay_together() -> None:
    tables = [
        table(1, "a_lines", {"order_ref": 2}), table(2, "orders", {"tenant": 9}),
        table(3, "p", {"latest": 4}), table(4, "q", {"p": 3}, bound=True),
        table(9, "z_tenants", {}),
    ]  # fmt: skip
    owned = {"public.z_tenants": Ownership("registry", "id")}
    found = [[t.name for t in circle] for circle in order.components(tables, owned)]
    assert found[0] == ["z_tenants"]
    assert found.index(["orders"]) < found.index(["a_lines"])
    assert ["p", "q"] in found  # p can wait for its latest q, q can't do without a p


def test_names_lead_to_parents_too_unless_a_key_says_otherwise() -> None:
    lines, orders = table(1, "lines", {}), table(2, "orders", {})
    lines = replace(lines, columns=(*lines.columns, column("order_id")))
    assert [c[0].name for c in order.components([lines, orders], {})] == ["orders", "lines"]
    orders = table(2, "orders", {"first": 1})
    assert [c[0].name for c in order.components([lines, orders], {})] == ["lines", "orders"]


def test_a_long_chain_of_tables_is_no_matter() -> None:
    chain = [table(n, f"t{n}", {"up": n - 1} if n > 1 else {}) for n in range(1, 3000)]
    found = order.components(reversed(chain), {})
    assert [circle[0].oid for circle in found] == list(range(1, 3000))


def test_claims_are_read_out_of_settings_and_documents() -> None:
    one = Identity(
        "A", "acme", "t-1", "app", "app", None, "db",
        (f"""SELECT set_config('request.jwt.claims', '{{"sub": "{SUB}", "org": "t-1", "x": [7]}}', true)""",  # noqa: E501
         "SET app.flag = 'on'", "SET ROLE someone", "SELECT public.login('sesame')"),
    )  # fmt: skip
    found = claims.claims(one)
    assert Claim("sub", SUB) in found
    assert Claim("x", "7") in found
    assert Claim("", "sesame") in found
    assert set(claims.settings(one)) == {"request.jwt.claims", "app.flag"}
    other = replace(one, who="B", tenant="t-2", enter=("SET app.flag = 'on'",))
    mine = claims.own({"A": one, "B": other}, ("A", "B"))["A"]
    assert Claim("sub", SUB) in mine
    assert not {"t-1", "on"} & {claim.value for claim in mine}
    assert claims.user_for(column("user_id", "uuid"), mine) == SUB


@pytest.mark.parametrize("base", sorted(FAMILIES))
def test_every_type_has_values_that_are_the_same_for_the_same_seed(base: str) -> None:
    seed = fresh_seed(fresh_canary("B"))
    for make in makers(column("c", base)):
        assert make(seed) == make(seed)


def test_flags_keep_a_row_alive_and_private() -> None:
    flags = {
        n: hints.flag(column(n, "bool")) for n in ("is_active", "deleted", "is_public", "inactive")
    }
    assert flags == {
        "is_active": "true", "deleted": "false", "is_public": "false", "inactive": "false",
    }  # fmt: skip
    assert hints.ranked(["public", "member", "owner"]) == ("owner", "member", "public")


@pytest.mark.parametrize(
    ("base", "value", "right"),
    [("int4", "7", True), ("int4", "9999999999", False), ("uuid", SUB, True), ("jsonb", "{}", True),
     ("uuid", "x", False), ("text", "x", True), ("bool", "true", True), ("date", "soon", False)],
)  # fmt: skip
def test_whether_a_value_fits(base: str, value: str, right: bool) -> None:  # noqa: FBT001
    assert fits(column("c", base), value) is right
