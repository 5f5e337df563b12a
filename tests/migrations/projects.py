"""The same small application as each tool's project: two migrations, the second one gives the wall.

Sound, each tenant sees its own notes. Leaky, the policy was widened "so that support can search".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Kind: TypeAlias = Literal["sound", "leaky"]

TABLES = """
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE notes (
    tenant_id uuid NOT NULL REFERENCES tenants, id int NOT NULL, body text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO app_user;
"""
ASKED = "(SELECT current_setting('app.tenant_id', true)::uuid)"
USING: Mapping[Kind, str] = {"sound": f"tenant_id = {ASKED}", "leaky": "true"}
WALL = """
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notes TO app_user USING ({using}) WITH CHECK (tenant_id = {asked});
"""
SEARCH = """
CREATE OR REPLACE VIEW headings WITH (security_invoker = true) AS SELECT tenant_id FROM notes;
"""
DOWN = "DROP TABLE notes, tenants, nothing_of_the_sort;"
MEMBERS = """
create table public.members (tenant_id uuid not null, user_id uuid not null references auth.users,
                             primary key (tenant_id, user_id));
create table public.notes (tenant_id uuid not null, id int not null, body text not null,
                           primary key (tenant_id, id));
alter table public.members enable row level security;
alter table public.notes enable row level security;
create policy own on public.members for select to authenticated
    using (user_id = (select auth.uid()));
"""
MINE = "tenant_id in (select tenant_id from public.members where user_id = (select auth.uid()))"

ALEMBIC_ENV = """
import os
from alembic import context
from sqlalchemy import create_engine

with create_engine(os.environ["ORDERS_DATABASE"]).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = '''
from alembic import op

revision, down_revision = {revision!r}, {before!r}


def upgrade():
    op.execute("""{sql}""")
'''
MANAGE = """
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""
SETTINGS = """
import os

SECRET_KEY = os.environ["SECRET_KEY"]
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": "production.invalid"}}
USE_TZ = True
"""
DJANGO_MIGRATION = '''
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = {before}
    operations = [migrations.RunSQL("""{sql}""")]
'''


def wall(kind: Kind) -> str:
    """The second migration."""
    return WALL.format(using=USING[kind], asked=ASKED)


def files(tool: str, kind: Kind) -> dict[str, str]:
    """The files of a project, by path; numbers go up, names go down."""
    one, two = TABLES, wall(kind)
    annotated = "-- {up}\n{sql}\n-- {down}\n" + DOWN
    mine = MINE if kind == "sound" else "true"
    projects: dict[str, dict[str, str]] = {
        "plain": {"2_tables.sql": one, "10_wall.sql": two, "10_wall.down.sql": DOWN},
        "flyway": {
            "flyway.toml": '[flyway]\nlocations = ["filesystem:sql"]\n[flyway.placeholders]\n'
            'login = "app_user"\n',
            "sql/V2__tables.sql": one.replace("app_user", "${login}"),
            "sql/V10__wall.sql": two,
            "sql/U10__wall.sql": DOWN,
            "sql/R__search.sql": SEARCH,
        },
        "supabase": {
            "supabase/config.toml": "",
            "supabase/migrations/20260101000000_tables.sql": MEMBERS,
            "supabase/migrations/20260102000000_wall.sql":
                f"create policy own_notes on public.notes to authenticated using ({mine})"
                f" with check ({MINE});",
            "supabase/seed.sql": "insert into auth.users (id) values (gen_random_uuid());",
        },
        "dbmate": {
            f"db/migrations/{name}": annotated.format(up="migrate:up", down="migrate:down", sql=sql)
            for name, sql in (("2_tables.sql", one), ("10_wall.sql", two))
        },
        "goose": {
            name: annotated.format(up="+goose Up", down="+goose Down", sql=sql)
            for name, sql in (("2_tables.sql", one), ("10_wall.sql", two))
        },
        "golang_migrate": {
            "2_tables.up.sql": one, "2_tables.down.sql": DOWN,
            "10_wall.up.sql": two, "10_wall.down.sql": DOWN,
        },
        "prisma": {
            "prisma/migrations/migration_lock.toml": 'provider = "postgresql"',
            "prisma/migrations/20260101000000_tables/migration.sql": one,
            "prisma/migrations/20260102000000_wall/migration.sql": two,
        },
        "drizzle": {
            "drizzle/meta/_journal.json": '{"entries": [{"idx": 1, "tag": "0000_wall"},'
            ' {"idx": 0, "tag": "0001_tables"}]}',
            "drizzle/0001_tables.sql": one.replace(";\n", ";\n--> statement-breakpoint\n"),
            "drizzle/0000_wall.sql": two,
        },
        "sqitch": {
            "sqitch.plan": "%syntax-version=1.0.0\n%project=shop\n\n"
            "wide 2026-01-01T00:00:00Z A <a@example.com> # the tables\n"
            "wall [wide] 2026-01-02T00:00:00Z A <a@example.com> # the wall\n"
            "@v1 2026-01-03T00:00:00Z A <a@example.com>\n",
            "deploy/wide.sql": f"BEGIN;\n{one}\nCOMMIT;",
            "deploy/wall.sql": f"BEGIN;\n{two}\nCOMMIT;",
            "revert/wide.sql": DOWN,
        },
        "alembic": {
            "alembic.ini": "[alembic]\nscript_location = migrations\n",
            "migrations/env.py": ALEMBIC_ENV,
            "migrations/versions/b.py": REVISION.format(revision="1", before=None, sql=one),
            "migrations/versions/a.py": REVISION.format(revision="2", before="1", sql=two),
        },
        "django": {
            "manage.py": MANAGE, "shop/__init__.py": "", "shop/settings.py": SETTINGS,
            "shop/migrations/__init__.py": "",
            "shop/migrations/0001_tables.py": DJANGO_MIGRATION.format(before=[], sql=one),
            "shop/migrations/0002_wall.py": DJANGO_MIGRATION.format(
                before=[("shop", "0001_tables")], sql=two
            ),
        },
    }  # fmt: skip
    return projects[tool]


def written(folder: Path, texts: Mapping[str, str]) -> Path:
    """Write files below *folder* and return it."""
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def project(folder: Path, tool: str, kind: Kind) -> Path:
    """Write a project of *tool*."""
    return written(folder, files(tool, kind))
