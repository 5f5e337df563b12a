"""Scripts cut into statements: by the parser, with the line that each begins in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.errors import MigrationError
from partywall.survey.migrations.statements import statements, units
from partywall.survey.migrations.tool import Script

BODIES = """-- ein Kommentar; mit ü€😀
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT ';' $$;
CREATE FUNCTION two() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
/* ; */ INSERT INTO "a;b" VALUES ('ü€😀;');
SELECT 3"""


def read(text: str, *, whole: bool = True) -> Script:
    return Script(Path("1_a.sql"), text, whole)


def test_semicolons_within_a_statement_do_not_end_it() -> None:
    found = statements(read(BODIES))

    assert [one.line for one in found] == [2, 3, 4, 5]
    assert found[1].text.endswith("SELECT 2; END")
    assert found[2].text == "INSERT INTO \"a;b\" VALUES ('ü€😀;')"


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0'\\"))))
def test_any_text_within_quotes_stays_where_it_is(texts: list[str]) -> None:
    script = "\n".join(f"SELECT '{text}';" for text in texts)

    assert [one.text for one in statements(read(script))] == [f"SELECT '{text}'" for text in texts]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT 'ü€😀';\n\nSELEC 2;", r'1_a\.sql:3: syntax error at or near "SELEC"'),
        (
            "SELECT 1;\n\\connect other\n",
            r"1_a\.sql:2: \\connect is a command of psql, .* one database",
        ),
        ("\\i tables.sql", r"1_a\.sql:1: \\i is .*: put the included file into the folder|own$"),
        ("\\set who `whoami`", r"1_a\.sql:1: \\set is a command of psql"),
        ("SELECT 1;\nGRANT ALL ON a TO :owner;", r"1_a\.sql:2: .*variable of psql"),
        ("COPY a (b) FROM stdin;\n1\n\\.\n", r"1_a\.sql:2: the rows of COPY .*pg_dump --inserts"),
        ("CREATE TABLE a (", r"1_a\.sql:1: syntax error at end of input"),
    ],
)
def test_what_is_no_sql_is_named_with_its_line(text: str, words: str) -> None:
    with pytest.raises(MigrationError, match=words):
        statements(read(text))


def test_what_only_tells_psql_how_to_talk_is_left_out() -> None:
    text = "\\restrict abc\n\\set ON_ERROR_STOP on\n\\echo a; b\nSELECT '\\echo';\n\\unrestrict abc"

    assert [(one.text, one.line) for one in statements(read(text))] == [("SELECT '\\echo'", 4)]


@pytest.mark.parametrize(
    ("whole", "expected"),
    [(True, [["1", "2", "3", "4"]]), (False, [["1"], ["2", "3"], ["4"], []])],
)
def test_units_are_what_runs_in_one_transaction(*, whole: bool, expected: list[list[str]]) -> None:
    script = read("SELECT 1; BEGIN; SELECT 2; SELECT 3; COMMIT; SELECT 4;", whole=whole)

    found = [[one.text.removeprefix("SELECT ") for one in unit]
             for unit in units(script, statements(script))]  # fmt: skip

    assert found == expected
