"""SQL laid out for reading says what it said before."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from partywall.reports.breaches import lines

INSIDE = st.text("ab ;-$'\"\n", min_size=1, max_size=12)
LITERAL = INSIDE.map(lambda text: "'" + text.replace("'", "''") + "'")
NAME = INSIDE.map(lambda text: '"' + text.replace('"', '""') + '"')
WORD = st.sampled_from(["SELECT", "a", "=", "t.b", "$1", "::text", "(1,", "2)", "$$ x 'y $$"])
STATEMENT = st.lists(st.one_of(LITERAL, NAME, WORD), min_size=1, max_size=20).map(" ".join)
QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$.*?\$\$""", re.DOTALL)


def bare(sql: str) -> str:
    """All but white space outside quotes, and the end."""
    outside = QUOTED.sub("\x00", sql)
    return "".join(outside.split()).rstrip(";")


@given(STATEMENT, st.integers(10, 60))
def test_neither_words_nor_literals_are_changed(sql: str, width: int) -> None:
    laid = "\n".join(lines(sql, width))
    assert bare(laid) == bare(sql.strip().rstrip(";"))
    assert QUOTED.findall(laid) == QUOTED.findall(sql)


def test_lines_keep_to_the_width_and_equations_stay_together() -> None:
    sql = "SELECT count(*) FROM invoices WHERE org_id = 'b2222222' AND number = '17'"
    assert lines(sql, 40) == [
        "SELECT count(*) FROM invoices WHERE",
        "  org_id = 'b2222222' AND number = '17';",
    ]


def test_what_has_lines_of_its_own_keeps_them() -> None:
    assert lines("BEGIN;\n  SELECT 1;\n", 5) == ["BEGIN;", "  SELECT 1;"]


def test_what_is_not_surely_understood_is_left_alone() -> None:
    for sql in ("SELECT 1 -- not the end", r"SELECT E'it\'s one', 2", "SELECT 'open"):
        assert lines(sql, 8) == [sql + ";"]
