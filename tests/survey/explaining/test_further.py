"""What a page of a further layer shows as a breach is one, and what it shows as held holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.explaining.further import RUNNERS, example, examples, without_runner

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Database

RUN = [one for one in examples() if one[0] in RUNNERS]


def test_the_examples_of_each_layer_are_run() -> None:
    assert without_runner() == set(), "say in tests/survey/explaining/further.py how they are run"


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
@pytest.mark.parametrize(
    ("layer", "name", "leaky"),
    RUN,
    ids=[f"{name}-{'breaches' if leaky else 'holds'}" for _, name, leaky in RUN],
)
def test_an_example_is_what_its_page_says(
    layer: str, name: str, *, leaky: bool, database: Database, tmp_path: Path
) -> None:
    through = RUNNERS[layer](example(name, leaky=leaky), database, tmp_path)
    assert (name in through) is leaky, through
