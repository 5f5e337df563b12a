"""Databases surveyed for real: load them, name the tenants, get the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from partywall.survey.audit import audit
from partywall.survey.configuration import Configuration, TenantSettings

if TYPE_CHECKING:
    from partywall.survey.attack import Level, Place
    from partywall.survey.verdict import Report
    from tests.conftest import Database

WALLED = """
CREATE ROLE keeper NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO keeper;
GRANT USAGE ON SCHEMA public TO app;
CREATE TABLE notes (
    org int NOT NULL, id uuid NOT NULL DEFAULT gen_random_uuid(), body text NOT NULL,
    PRIMARY KEY (org, id)
);
ALTER TABLE notes OWNER TO keeper;
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO app;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (org = (SELECT current_setting('app.org', true)::int));
INSERT INTO notes (org, body) VALUES (1, 'of one'), (2, 'of two');
"""
"""A sound database of one table; its login is `app`, and `app.org` is 1 or 2."""

SCHEMAS = """
CREATE ROLE {login_a} LOGIN;
CREATE SCHEMA one;
CREATE SCHEMA two;
CREATE TABLE one.orders (id int PRIMARY KEY, memo text NOT NULL);
CREATE TABLE two.orders (id int PRIMARY KEY, memo text NOT NULL);
GRANT USAGE ON SCHEMA one TO {login_a};
GRANT USAGE ON SCHEMA two TO {login_b};
GRANT SELECT, INSERT, UPDATE, DELETE ON one.orders TO {login_a};
GRANT SELECT, INSERT, UPDATE, DELETE ON two.orders TO {login_b};
"""
"""Schema per tenant, `one` and `two`."""
ONE_LOGIN = SCHEMAS.format(login_a="app", login_b="app")
TWO_LOGINS = "CREATE ROLE app_two LOGIN;" + SCHEMAS.format(login_a="app_one", login_b="app_two")


@dataclass(frozen=True, slots=True)
class Survey:
    """Surveys one database; every attack and check that is not named is left out."""

    database: Database

    def __call__(
        self,
        *only: str,
        attacker: Level = "sql",
        place: Place = "copy",
        logins: tuple[str, str] = ("app", "app"),
        enter: str = "SELECT set_config('app.org', '{id}', true)",
        ids: tuple[str, str] = ("1", "2"),
        databases: tuple[str, str] | None = None,
        **options: Any,  # noqa: ANN401 - further fields of Configuration
    ) -> Report:
        """Survey it and return the report; *enter* says how a session becomes a tenant."""
        places = databases or (self.database.name, self.database.name)
        statements = [s.strip() for s in enter.split(";") if s.strip()]
        tenants = tuple(
            TenantSettings(
                name, tenant, self.database.server.url(place_, login),
                tuple(s.format(id=tenant) for s in statements),
            )
            for name, tenant, login, place_ in zip(("A", "B"), ids, logins, places, strict=True)
        )  # fmt: skip
        configuration = Configuration(self.database.url(), attacker, tenants, **options)
        return audit(configuration, place=place, only=frozenset(only) or None)


def found(report: Report) -> set[tuple[str, str]]:
    """What the report names: (effect, where)."""
    return {(finding.effect, finding.at) for finding in report.findings}


def quiet(report: Report) -> bool:
    """Whether the named attacks found nothing and left nothing open, or had nothing to do."""
    nothing = "nothing was there to attack"
    open_ = [one for one in report.undecided if not one.because.startswith(nothing)]
    return not report.findings and not open_
