"""PW105: a definer function looks names up where its caller says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.check import Hit, check
from partywall.survey.mending.functions import pinned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.attack import Scene


@check("PW105", level="sql", hygiene=True)
def unpinned_definers(scene: Scene) -> Iterator[Hit]:
    """Find SECURITY DEFINER functions without a search_path of their own, or with pg_temp first.

    The attack shadow-definers puts tables and functions before what they mean and calls them;
    where it gets nowhere today, the next unqualified name in the body opens the door.

    Affected:
        Databases with SECURITY DEFINER functions.

    Fires:
        CREATE FUNCTION total() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM public.invoice'
        CREATE FUNCTION total() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public AS 'SELECT count(*) FROM invoice'

    Silent:
        CREATE FUNCTION total() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT count(*) FROM public.invoice'
        CREATE FUNCTION total() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT count(*) FROM public.invoice'
        CREATE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.invoice'

    Fix:
        Give the function a search_path of its own that ends in pg_temp.

    Source:
        https://www.postgresql.org/docs/current/sql-createfunction.html
    """  # noqa: E501 - an example is one line
    mine = scene.snapshot.executable[scene.identities["A"].role]
    for function in scene.snapshot.functions.values():
        if not function.definer or function.extension is not None:
            continue
        if function.oid not in mine and not function.is_trigger:
            continue
        path = function.settings.get("search_path")
        names = [part.strip().strip('"') for part in (path or "").split(",")]
        if path is None or (names != [""] and names[-1] != "pg_temp"):
            why = "has no search_path of its own" if path is None else "leaves pg_temp first"
            yield Hit(
                function.signature,
                f"it runs with its owner's rights and {why}",
                f"ALTER FUNCTION {function.signature} SET search_path = pg_catalog, pg_temp, "
                "and qualify the names in its body",
                repair=pinned(scene, function),
            )
