"""The application of the tutorial, with what a how-to puts in, served by this very process."""

from __future__ import annotations

import contextlib
import io
import re
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from partywall.control.migrations import migrate
from partywall.control.registration import NewUser
from tests.blocks import blocks
from tests.probe.serving import answering

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADDRESS = "http://127.0.0.1:8000"
ACCESS = re.compile(r"^access = .*$", re.MULTILINE)
PATIENCE_S = 20.0

TABLES, HOUSE, ROUTES = blocks("tutorial-fastapi.md", "python")[:3]

Names = dict[str, Any]


def ran(code: str, names: Names) -> str:
    """Run code as a program of its own would be; what it prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "a page", "exec", dont_inherit=True), names)  # noqa: S102 - ours
    return out.getvalue()


def placed(code: str, folder: Path) -> str:
    """Code of a page, its files in *folder* instead of the working folder."""
    return code.replace("data/", f"{folder}/data/")


def furnish(folder: Path) -> None:
    """Sign up the tutorial's two companies, whose owners have the passwords of its `visit.py`."""
    (folder / "data").mkdir()
    names: Names = {"__name__": "app"}
    ran(placed(TABLES + HOUSE, folder), names)
    plane = names["plane"]
    try:
        migrate(plane.database)
        plane.launch()
        for slug in ("acme", "globex"):
            owner = NewUser(f"ann@{slug}.example.com", f"the secret of {slug}")
            made = plane.register(slug=slug, name=slug.title(), owner=owner)
            ended(plane, made.tenant.id)
    finally:
        plane.close()
        plane.building.close()


def ended(plane: Any, tenant_id: str) -> None:  # noqa: ANN401 - a page's
    """Wait for the last work of a tenant."""
    end = time.monotonic() + PATIENCE_S
    while plane.work(tenant_id).state == "begun":
        assert time.monotonic() < end
        time.sleep(0.02)
    assert plane.work(tenant_id).state == "done"


@contextmanager
def serving(folder: Path, access: str, *more: str) -> Iterator[str]:
    """The tutorial's application with the `access` of a page and *more* of it; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        names: Names = {"__name__": "app"}
        house = placed(ACCESS.sub("", HOUSE), folder)
        code = "\n".join([TABLES, house, placed(access, folder), ROUTES, *more])
        ran(code.replace(ADDRESS, address), names)
        with answering(names["app"], listening):
            try:
                yield address
            finally:
                names["plane"].building.close()


def printed(check: str, address: str) -> str:
    """What a page's check prints when it is run against a server there."""
    assert ADDRESS in check
    names: Names = {"__name__": "__main__"}
    try:
        return ran(check.replace(ADDRESS, address), names)
    finally:
        names["server"].close()
