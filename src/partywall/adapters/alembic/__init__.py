"""Walls in migrations: `import partywall.adapters.alembic` in `env.py` is all.

Autogenerate then compares the walls that `partywall.runtime.tables.wall` declared with those that
stand, and writes `op.build_wall(…)` where they differ.
"""

from partywall.errors import ConfigurationError

try:
    import alembic  # noqa: F401 - asked for here, so that its absence is named once
except ModuleNotFoundError as error:
    if error.name != "alembic":
        raise
    raise ConfigurationError(
        "partywall.adapters.alembic needs Alembic: pip install 'partywall[alembic]'"
    ) from error

from partywall.adapters.alembic.drift import compare_walls
from partywall.adapters.alembic.operations import BuildWall, LayFoundations, RestoreWall

__all__ = ["BuildWall", "LayFoundations", "RestoreWall", "compare_walls"]
