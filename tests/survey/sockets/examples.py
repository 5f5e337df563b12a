"""How an example of the attacks on sockets is run: its board is served, and surveyed as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from partywall.survey.declared import Table
from partywall.survey.sockets.settings import load
from partywall.survey.sockets.surveying import survey
from tests.probe.serving import serving
from tests.survey.sockets.board import Board, application, configuration

if TYPE_CHECKING:
    from collections.abc import Collection

    from partywall.survey.explaining.pages import Example
    from tests.conftest import Database

BOARDS = {"sound": Board, "asked_once": lambda: Board(asks_again=False)}


def of_sockets(example: Example, database: Database, folder: Path) -> Collection[str]:
    """The names of the attacks that got through at the board that the example names."""
    del database, folder
    with serving(application(BOARDS[example.case.rpartition(": ")[2]]())) as port:
        settings = load(Table(configuration(f"http://127.0.0.1:{port}"), "", Path()))
        assert settings is not None
        return {one.name for one in survey(settings).findings}
