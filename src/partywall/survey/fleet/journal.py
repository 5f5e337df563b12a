"""What each turn came to, written down as it ends, so that a stopped run can go on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from partywall.errors import ConfigurationError
from partywall.survey.fleet.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self


ENDED = json.dumps({"ended": True})


class Journal:
    """A file of JSON lines: the first says what is surveyed, each other is a turn.

    Without a *path* nothing is written. A line that was cut off when the run was killed is left
    out: that tenant takes its turn again. A run that came to its end says so, and the next one
    begins anew: what held yesterday proves nothing today.
    """

    def __init__(self, path: Path | None, about: Mapping[str, Any]) -> None:
        """Read what an earlier run of the same survey has written.

        Raises:
            ConfigurationError: the file is another survey's, or can't be read or written.
        """
        self.done: dict[str, Turn] = {}
        self._file: TextIO | None = None
        if path is None:
            return
        head = json.dumps(dict(about), sort_keys=True)
        try:
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            if lines and lines[-1] == ENDED and '"places": ' in lines[0]:
                path.write_text("", encoding="utf-8")
                lines = []
            if lines and lines[0] != head:
                raise ConfigurationError(
                    f"--journal {path}: it is of another survey, or the database has changed "
                    "since; remove it, or give another name"
                )
            for line in lines[1:]:
                try:
                    turn = Turn.read(json.loads(line))
                except (ValueError, KeyError, TypeError):
                    continue
                self.done[turn.id] = turn
            self._file = path.open("a", encoding="utf-8")
            if not lines:
                self._line(head)
            elif lines and not path.read_text(encoding="utf-8").endswith("\n"):
                self._file.write("\n")
        except OSError as error:
            raise ConfigurationError(f"--journal {path}: {error.strerror}") from error

    def __enter__(self) -> Self:
        """Be open for as long as the block lasts."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def note(self, turn: Turn) -> None:
        """Write a turn down."""
        self.done[turn.id] = turn
        self._line(json.dumps(turn.written(), ensure_ascii=False))

    def end(self) -> None:
        """The run is over: a next one begins anew."""
        self._line(ENDED)

    def _line(self, text: str) -> None:
        if self._file is not None:
            self._file.write(text + "\n")
            self._file.flush()
