"""Which report goes where: what `--format` and `--output` say, and the writing of it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from partywall.cli.ending import say
from partywall.cli.output import write
from partywall.errors import ConfigurationError
from partywall.reports.formats import ENDINGS, Format, by_name
from partywall.reports.style import listed
from partywall.survey.declared import FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from partywall.reports.formats import Written


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where reports go.

    Attributes:
        standard: what standard output gets; None for nothing.
        files: each file with its format.
    """

    standard: Format | None
    files: tuple[tuple[Format, Path], ...] = ()

    @property
    def formats(self) -> set[Format]:
        """All that are asked for."""
        return {form for form, _ in self.files} | ({self.standard} if self.standard else set())

    def deliver(self, form: Callable[[Format], Written], said: str = "") -> None:
        """Write each report; then say where they are, after *said*.

        Raises:
            ConfigurationError: a file could not be written; the others have been.
        """
        failed: list[ConfigurationError] = []
        there: list[str] = []
        for wanted, file in self.files:
            try:
                write(form(wanted), file)
                there.append(str(file))
            except ConfigurationError as error:
                failed.append(error)
        if self.standard:
            write(form(self.standard), None)
        if there:
            reports = "the report is" if len(there) == 1 else "the reports are"
            say(f"{said}{reports} in {listed(there)}")
        elif failed and not self.standard:
            say(f"{said}there is no report")
        if failed:
            raise ConfigurationError("; ".join(map(str, failed)))


def outputs(form: Format | None, files: Sequence[str]) -> Outputs:
    """Understand ``--format`` and each ``--output``.

    A file's name says its format, or ``FORMAT:`` before it; where neither does, *form* decides.
    Standard output gets *form*, unless a file gets it.

    Raises:
        ConfigurationError: a format can't be told, a file can't be written or is named twice.
    """
    understood = tuple(_understood(form, text) for text in files)
    for _, file in understood:
        _writable(file)
    places = [file.absolute() for _, file in understood]
    for place in places:
        if places.count(place) > 1:
            raise ConfigurationError(f"--output: {place} is named twice")
    standard = form or Format.TEXT
    given = {one for one, _ in understood}
    return Outputs(None if standard in given else standard, understood)


def _understood(form: Format | None, text: str) -> tuple[Format, Path]:
    name, colon, rest = text.partition(":")
    if colon and rest:
        with suppress(ValueError):
            return Format(name), Path(rest)
    file = Path(text)
    told = by_name(file) or form
    if told is None:
        raise ConfigurationError(
            f"--output: {text} doesn't say its format: let it end in {listed(ENDINGS, 'or')}, or "
            f"put one before it: {Format.TEXT}:{text}"
        )
    return told, file


def _writable(file: Path) -> None:
    """Find out before a survey that takes minutes; what changes meanwhile is seen at the end."""
    folder = file.absolute().parent
    if not folder.is_dir():
        raise ConfigurationError(f"--output: there is no folder {folder}")
    if file.is_dir():
        raise ConfigurationError(f"--output: {file} is a folder")
    if not os.access(file if file.exists() else folder, os.W_OK):
        raise ConfigurationError(f"--output: {file} can't be written")


def declaring(config: Path | None) -> str:
    """The file that declares the survey, from the working folder, for reports that name one."""
    file = config or next((one for one in FILES if one.is_file()), FILES[0])
    with suppress(ValueError):
        file = file.absolute().relative_to(Path.cwd())
    return file.as_posix() if not file.is_absolute() else file.as_uri()
