"""What the plugin's parts share while tests are collected; it is loaded in every run of pytest."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest


def override(metafunc: pytest.Metafunc, name: str) -> pytest.FixtureDef[Any] | None:
    """The project's own fixture of that name; None where it has none."""
    known = metafunc.definition.session._fixturemanager  # noqa: SLF001 - pytest has no other way
    found = known.getfixturedefs(name, metafunc.definition) or ()
    ours = __name__.rpartition(".")[0]
    return None if not found or found[-1].func.__module__.startswith(ours) else found[-1]


def marks(config: pytest.Config) -> list[pytest.MarkDecorator]:
    """What keeps tests in one worker of pytest-xdist, with ``--dist loadgroup``."""
    parallel = config.pluginmanager.hasplugin("xdist")
    return [pytest.mark.xdist_group("partywall")] if parallel else []


def probe_suite() -> Any:  # noqa: ANN401 - a module that is imported only where it is used
    """The probe's side of the plugin.

    Raises:
        UsageError: an extra is missing.
    """
    try:
        return import_module("partywall.survey.http.suite")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("partywall"):
            raise
        raise pytest.UsageError(
            f"the probe needs {error.name}: pip install 'partywall[probe]'"
        ) from error
