"""What a probe tells while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from partywall.survey.http.report import Tried


class Watch:
    """Hears of everything and says nothing; every method may be overridden, none needs to be."""

    def stage(self, name: str) -> None:
        """A part of the probe begins."""

    def planned(self, number: int) -> None:
        """So many operations will be attacked, each counted in every direction."""

    def judged(self, tried: Tried) -> None:
        """An operation was attacked in one direction in one way."""

    def asked(self, requests: int) -> None:
        """So many requests have been sent since the probe began."""
