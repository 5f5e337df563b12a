"""The survey of a test's own database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import Survey

if TYPE_CHECKING:
    from tests.conftest import Database


@pytest.fixture
def survey(database: Database) -> Survey:
    """Surveys the test's own database."""
    return Survey(database)
