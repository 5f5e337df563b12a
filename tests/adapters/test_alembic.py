"""Alembic for real: revisions written by autogenerate, executed, and compared again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from partywall import RowSecurity, Tenancy, TenantContext
from tests.blocks import blocks
from tests.runtime.shop import WALLS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Database

[ENV] = blocks("how-to/alembic.md", "python")[:1]
TEMPLATE = '''"""${message}"""
from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
'''


class Project:
    """A folder of migrations for the shop, and a database that they are for."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.database = database
        (folder / "versions").mkdir()
        (folder / "script.py.mako").write_text(TEMPLATE)
        (folder / "env.py").write_text(ENV.replace("myapp.models", "tests.runtime.shop"))
        self.config = Config()
        self.config.set_main_option("script_location", str(folder))
        url = database.url("keeper").replace("postgresql:", "postgresql+psycopg:")
        self.config.set_main_option("sqlalchemy.url", url)
        database.execute("CREATE ROLE app LOGIN; CREATE ROLE keeper LOGIN")
        database.execute(f"GRANT CREATE ON DATABASE {database.name} TO keeper")
        database.execute("GRANT CREATE, USAGE ON SCHEMA public TO keeper")

    def revise(self) -> str:
        """Write a revision, and give back what its upgrade does."""
        script = command.revision(self.config, "change", autogenerate=True)
        assert script is not None
        assert not isinstance(script, list)
        with open(script.path, encoding="utf-8") as file:  # noqa: PTH123 - Alembic gives a str
            return file.read().partition("def upgrade() -> None:")[2]

    def upgrade(self) -> None:
        command.upgrade(self.config, "head")

    def downgrade(self) -> None:
        command.downgrade(self.config, "-1")

    def heads(self) -> int:
        return len(list(ScriptDirectory.from_config(self.config).walk_revisions()))


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Iterator[Project]:
    yield Project(tmp_path, database)
    for name in [n for n in sys.modules if n.startswith("env_py")]:
        del sys.modules[name]


def body(text: str, which: str = "upgrade") -> list[str]:
    """The statements of one half of a revision."""
    upgrade, _, downgrade = text.partition("def downgrade() -> None:")
    half = upgrade if which == "upgrade" else downgrade
    return [x.strip() for x in half.splitlines() if x.strip() and not x.strip().startswith("#")]


def test_the_first_revision_builds_the_walls_and_the_second_is_empty(project: Project) -> None:
    text = project.revise()
    project.upgrade()
    for statement in WALLS.grants("app"):
        project.database.execute(statement)
    assert "numbered=True)" in text
    assert text.count("op.build_wall(") == len(WALLS.owned)
    assert "key=" not in text
    context = TenantContext("a1111111-1111-4111-8111-111111111111")
    with (
        Tenancy(project.database.url("app"), WALLS.model) as tenancy,
        tenancy.plain(context) as connection,
    ):
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)
    assert body(project.revise()) == ["pass"]


DRIFT = {
    "ALTER TABLE orders NO FORCE ROW LEVEL SECURITY": "public.orders",
    "ALTER TABLE orders DISABLE ROW LEVEL SECURITY": "public.orders",
    "CREATE POLICY all_open ON orders USING (true)": "drop_policies=('all_open',)",
    "ALTER POLICY partywall_own ON orders USING (true)": "public.orders",
    "ALTER POLICY partywall_own ON orders WITH CHECK (true)": "public.orders",
    "ALTER POLICY partywall_own ON orders TO app": "public.orders",
    "DROP POLICY partywall_own ON orders": "public.orders",
    "ALTER TABLE orders ALTER tenant_id DROP DEFAULT": "public.orders",
    "ALTER TABLE partywall.counters DISABLE ROW LEVEL SECURITY": "partywall.counters",
    "ALTER FUNCTION partywall.tenant_id() SECURITY DEFINER": "op.lay_foundations(",
    "ALTER FUNCTION partywall.tenant_id() SET search_path = public": "op.lay_foundations(",
    "ALTER TABLE orders ALTER tenant_id SET DEFAULT gen_random_uuid()": "public.orders",
    "CREATE OR REPLACE FUNCTION partywall.tenant_id() RETURNS uuid LANGUAGE sql STABLE AS "
    "$$ SELECT NULL::uuid $$": "op.lay_foundations(",
}
"""What somebody did by hand -> what the next revision says."""

STATE = """
SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, p.polname, p.polroles::text,
       pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid),
       (SELECT string_agg(pg_get_expr(d.adbin, d.adrelid), ' ') FROM pg_attrdef d
        WHERE d.adrelid = c.oid),
       (SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'tenant_id')
FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
WHERE c.relname IN ('orders', 'counters') ORDER BY 1, 4
"""


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_drift_is_seen_and_mended_and_a_downgrade_brings_it_back(project: Project) -> None:
    project.revise()
    project.upgrade()
    sound = project.database.rows(STATE)
    for drift, said in DRIFT.items():
        project.database.execute(drift)
        drifted = project.database.rows(STATE)
        assert drifted != sound, drift
        text = project.revise()
        assert said in text.partition("def downgrade")[0], drift
        project.upgrade()
        assert project.database.rows(STATE) == sound, drift
        assert body(project.revise()) == ["pass"], drift
        project.upgrade()
        project.downgrade()
        project.downgrade()
        assert project.database.rows(STATE) == drifted, drift
        project.upgrade()
    assert project.heads() == 1 + 2 * len(DRIFT)


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_a_dropped_table_comes_back_with_its_wall(project: Project) -> None:
    project.revise()
    project.upgrade()
    project.database.execute(
        "CREATE TABLE old (tenant_id uuid PRIMARY KEY); ALTER TABLE old OWNER TO keeper;"
        "ALTER TABLE old ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY partywall_own ON old USING (tenant_id = (SELECT partywall.tenant_id()))"
    )
    walls = "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = 'old'"
    assert "op.drop_table('old')" in project.revise()
    project.upgrade()
    assert project.database.rows(walls) == []
    project.downgrade()
    assert project.database.rows(walls) == [(True, True)]


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_a_restrictive_policy_of_one_s_own_stays(project: Project) -> None:
    project.revise()
    project.upgrade()
    project.database.execute("CREATE POLICY open_only ON orders AS RESTRICTIVE USING (id > 0)")
    assert body(project.revise()) == ["pass"]
    project.upgrade()
    project.database.execute("ALTER TABLE orders NO FORCE ROW LEVEL SECURITY")
    assert "open_only" not in project.revise().partition("def downgrade")[0]


def test_a_wall_is_built_for_what_is_declared_otherwise(project: Project) -> None:
    project.database.execute(
        "CREATE TABLE things (owner bigint, id int, PRIMARY KEY (owner, id));"
        "ALTER TABLE things OWNER TO keeper; GRANT SELECT ON things TO app"
    )
    versions = project.config.get_main_option("script_location")
    with open(f"{versions}/versions/1.py", "w", encoding="utf-8") as file:  # noqa: PTH123 - a str
        file.write(
            "from alembic import op\nrevision, down_revision = '1', None\n"
            "declared = {'column': 'owner', 'type': 'bigint', 'setting': 'my.owner',"
            " 'schema': 'own'}\n"
            "def upgrade():\n    op.lay_foundations(**declared)\n"
            "    op.build_wall('public.things', **declared)\n"
        )
    project.upgrade()
    project.database.execute("GRANT USAGE ON SCHEMA own TO app")
    project.database.execute("GRANT EXECUTE ON FUNCTION own.tenant_id() TO app")
    project.database.execute("INSERT INTO things VALUES (1, 1), (2, 1)")
    url = project.database.url("app")
    model = RowSecurity(column="owner", type="bigint", setting="my.owner", schema="own")
    with Tenancy(url, model) as tenancy, tenancy.plain(TenantContext(2)) as connection:
        assert connection.execute("SELECT owner FROM things").fetchall() == [(2,)]
    with pytest.raises(Exception, match=r"no tenant is set in my\.owner"):
        project.database.rows("SELECT * FROM things", user="app")
