"""The surveys of a test's own database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import APPLICATION, Lab
from tests.survey.surveys import Survey

if TYPE_CHECKING:
    from tests.conftest import Database


@pytest.fixture
def survey(database: Database) -> Survey:
    """Surveys the test's own database."""
    return Survey(database)


@pytest.fixture
def lab(database: Database) -> Lab:
    """The application as it should be; a test adds the leak."""
    database.execute(APPLICATION)
    return Lab(database)
