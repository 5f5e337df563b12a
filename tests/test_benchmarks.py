"""What is measured is sound and realistic, or the figures would say nothing."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from benchmarks.schema import DATABASE, LOGIN, configuration, load, schema
from partywall.servers import Postgres
from partywall.survey.audit import audit
from partywall.survey.configuration import load as read

TABLES = 10


def test_the_measured_schema_is_held(postgres18: Postgres, tmp_path: Path) -> None:
    file = tmp_path / "partywall.toml"
    try:
        load(postgres18, TABLES)
        file.write_text(configuration(postgres18))
        report = audit(read(file))
    finally:
        with psycopg.connect(postgres18.url(), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())
            admin.execute(f"DROP ROLE {LOGIN}".encode())
    assert (report.verdict, report.undecided, report.advice) == ("held", (), ())
    assert report.model
    assert len(report.model.owned) == TABLES
    tables = [at for at, _ in report.cells if at.startswith("public.t0")]
    assert len({at.partition(" ")[0] for at in tables}) >= TABLES - 1


@pytest.mark.parametrize("tables", [2, 50])
def test_a_schema_has_as_many_tables_as_asked_for(tables: int) -> None:
    assert schema(tables).count("CREATE TABLE") == tables
