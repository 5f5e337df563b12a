"""Generated schemas: a sound one is held, one with a broken wall is breached where it is broken.

The same generator as `python -m benchmarks.schemas`, which surveys two hundred of each.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks.schemas.drawing import WAYS
from benchmarks.schemas.growing import LARGEST, SMALLEST, grow
from benchmarks.schemas.judging import judge
from benchmarks.schemas.mutations import CATALOGUE, Broken, kinds, mutate

if TYPE_CHECKING:
    from benchmarks.schemas.drawing import Way
    from partywall.servers import Postgres

SEEDS = st.integers(0, 2**32)


@given(seed=SEEDS, size=st.integers(SMALLEST, SMALLEST + 3), way=st.sampled_from(WAYS))
@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # to shrink one takes a survey for each step
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_sound_schema_is_held(postgres18: Postgres, seed: int, size: int, way: Way) -> None:
    assert judge(postgres18, grow(seed, size, way)).faults == ()


@pytest.mark.parametrize("seed", [4, 11, 22, 33])
def test_a_broken_wall_is_found_and_named(postgres15: Postgres, seed: int) -> None:
    schema = grow(seed, SMALLEST)
    assert judge(postgres15, schema, mutate(schema, seed)).faults == ()


def test_a_survey_that_misses_it_is_told(postgres15: Postgres) -> None:
    schema = grow(4, SMALLEST)
    nothing = Broken((), ("two.",), frozenset({"read"}), name="nothing-at-all")
    assert judge(postgres15, schema, nothing).faults == (
        "missed: nothing-at-all at two.; the report says held",
    )


@given(seed=SEEDS, size=st.integers(SMALLEST, LARGEST), way=st.sampled_from(WAYS))
@settings(max_examples=60, deadline=None)
def test_a_schema_is_the_same_every_time(seed: int, size: int, way: Way) -> None:
    schema = grow(seed, size, way)
    assert schema == grow(seed, size, way)
    assert size - 1 <= len(schema.tables) <= size
    assert len({table.name for table in schema.tables}) == len(schema.tables)


def test_each_kind_of_mutation_fits_some_schema() -> None:
    assert len(CATALOGUE) >= 25
    assert all(kinds().values())
    chance = Random(1)  # noqa: S311 - to be the same every time, not secret
    for name, make in CATALOGUE.items():
        made = next((m for seed in range(200) if (m := make(grow(seed, SMALLEST), chance))), None)
        assert made is not None, name
        assert made.statements, name
        assert replace(made, statements=()) != made
