"""One town for each file of tests."""

from tests.adapters.fastapi.conftest import town

__all__ = ["town"]
