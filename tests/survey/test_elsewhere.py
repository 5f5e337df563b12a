"""The tenants of a configuration on another server, and what the catalog says of its walls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg.conninfo import conninfo_to_dict

from partywall.errors import ConfigurationError
from partywall.survey.configuration import Configuration, TenantSettings
from partywall.survey.elsewhere import moved
from tests.survey.surveys import WALLED

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.survey.surveys import Survey

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
AWAY = "postgresql://app:s%20x@far.example:6000/shop?sslmode=prefer&hostaddr=10.0.0.1"


def tenant(name: str, url: str) -> TenantSettings:
    return TenantSettings(name, name, url, ("SELECT 1",))


def test_host_port_and_database_become_those_of_the_address(database: Database) -> None:
    nobody = tenant("anonymous", "host=far.example user=anon dbname=shop")
    one = Configuration(database.url(), tenants=(tenant("a", AWAY),) * 2, anonymous=nobody)
    found = moved(one)
    there = {"host": "127.0.0.1", "port": str(database.server.port), "dbname": database.name}
    for turned in found.tenants:
        known = conninfo_to_dict(turned.url)
        assert known == there | {"user": "app", "password": "s x", "sslmode": "prefer"}
        assert turned.enter == ("SELECT 1",)
    assert found.anonymous is not None
    assert conninfo_to_dict(found.anonymous.url) == there | {"user": "anon"}


def test_tenants_with_databases_of_their_own_keep_them(database: Database) -> None:
    tenants = (tenant("a", AWAY), tenant("b", "postgresql://b@far.example"))
    found = moved(Configuration(database.url(), tenants=tenants))
    assert [conninfo_to_dict(one.url)["dbname"] for one in found.tenants] == ["shop", "b"]


def test_an_address_where_nobody_answers_is_refused(database: Database) -> None:
    url = "postgresql://postgres@127.0.0.1:1/app"
    with pytest.raises(ConfigurationError, match="can't connect"):
        moved(Configuration(url, tenants=(tenant("a", database.url()),)))


MORE = """
CREATE POLICY late ON notes AS RESTRICTIVE FOR DELETE TO app USING (id IS NOT NULL);
CREATE VIEW mine WITH (security_invoker = true) AS SELECT body FROM notes;
GRANT SELECT (body) ON mine TO app;
CREATE TABLE untouched (x int);
CREATE FUNCTION raised() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE ROLE helper NOLOGIN;
GRANT helper TO app;
"""


def test_what_walls_are_built_of_is_told_in_sentences(survey: Survey) -> None:
    survey.database.execute(WALLED + MORE)
    assert survey("unsafe-login").walls == {
        "public.notes": (
            "row security, also for its owner",
            "policy late: restrictive DELETE to app using ((id IS NOT NULL))",
            (
                "policy own: ALL to public using ((org = ( SELECT "
                "(current_setting('app.org'::text, true))::integer AS current_setting)))"
            ),
            "app may SELECT, INSERT, UPDATE, DELETE",
        ),
        "public.mine": ("security_invoker = true", "app may SELECT"),
        "public.raised()": ("runs as postgres, called by app",),
        "role app": ("may become helper",),
    }
