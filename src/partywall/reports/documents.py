"""Files of partywall's own that are read back: reports and baselines."""

from __future__ import annotations

from json import JSONDecodeError, loads
from typing import TYPE_CHECKING, Any, TypeAlias

from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

Document: TypeAlias = "dict[str, Any]"


def document(file: Path, what: str, mend: str) -> Document:
    """The JSON object in *file*.

    Args:
        what: what the file should be, as messages name it.
        mend: what to do where it isn't.

    Raises:
        ConfigurationError: it isn't there, can't be read, or is no JSON object.
    """
    try:
        found = loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(f"there is no {what} {file}: {mend}") from error
    except OSError as error:
        message = f"the {what} {file} can't be read: {error.strerror or error}"
        raise ConfigurationError(message) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"the {what} {file} is no text in UTF-8: {mend}") from error
    except (JSONDecodeError, RecursionError) as error:
        raise ConfigurationError(f"the {what} {file} is no whole JSON ({error}): {mend}") from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"{file} is no {what}: {mend}")
    return found


def versioned(found: Document, key: str, newest: int, where: str) -> None:
    """Refuse a document of another version than this release can read.

    Raises:
        ConfigurationError: it says none, or a newer one.
    """
    version = found.get(key)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ConfigurationError(f"{where} has no {key}: it was not written by partywall")
    if version > newest:
        message = (
            f"{where} is of version {version}, this release reads up to {newest}: "
            "update partywall (`pip install --upgrade partywall`)"
        )
        raise ConfigurationError(message)
