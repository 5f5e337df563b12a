"""What a probe has done so far, in a file: a run that was stopped goes on from it.

One JSON object a line. What was made and not removed is removed by the next run; an operation that
locked a tenant out is left out of it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from partywall.errors import ConfigurationError
from partywall.survey.http.recipe import HttpFinding
from partywall.survey.http.report import Tried
from partywall.survey.http.resources import Resource
from partywall.survey.verdict import Undecided, WitnessStep

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from partywall.survey.http.engine import Engine
    from partywall.survey.http.operations import Operation

Place = tuple[str, str, str]


class Journal:
    """Nothing without a path.

    Attributes:
        seed: of the run that the file tells of; 0 for none.
        done: (operation, attacker, victim) that need not be attacked again.
        killers: operations to leave out.

    Raises:
        ConfigurationError: the file is no journal, or of another API.
    """

    def __init__(self, path: Path | None, target: str) -> None:
        self.path = path
        self.seed = 0
        self.done: set[Place] = set()
        self.killers: list[str] = []
        self._lines: list[dict[str, Any]] = []
        self._file: TextIO | None = None
        if path is None:
            return
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            self._take(line, path, target)
        self._file = path.open("a", encoding="utf-8")
        self._file.write("\n" if self._lines else "")  # after a line that was cut short
        self._target = target

    def _take(self, line: str, path: Path, target: str) -> None:
        try:
            told = json.loads(line) if line.strip() else {}
        except ValueError:
            return  # the line that a killed run was writing
        if not isinstance(told, dict):
            raise ConfigurationError(f"{path} is no journal of a probe: give another --journal")
        if told.get("target", target) != target:
            raise ConfigurationError(
                f"{path} tells of a probe of {told['target']}: give another --journal, or remove it"
            )
        if told.get("ended"):
            self.seed, self.done, self._lines = 0, set(), []  # that run is over: begin anew
            return
        self.seed = told.get("seed", self.seed)
        self.killers += told.get("killed", [])
        if "done" in told:
            self.done.add(tuple(told["done"]))
        if told:
            self._lines.append(told)

    def begin(self, seed: int) -> None:
        """Say which run this is."""
        self._write({"target": getattr(self, "_target", ""), "seed": seed})

    def restored(self, engine: Engine) -> None:
        """Put what an earlier run said into this one's report, and what it left onto its list."""
        gone = {(one["owner"], str(one["id"])) for t in self._lines for one in t.get("gone", ())}
        for told in self._lines:
            engine.tried += [Tried(**one) for one in told.get("tried", ())]
            engine.undecided += [Undecided(**one) for one in told.get("undecided", ())]
            for one in told.get("findings", ()):
                steps = tuple(WitnessStep(**step) for step in one.pop("witness"))
                repair = tuple(one.pop("repair", ()))
                finding = HttpFinding(**one, witness=steps, repair=repair)
                engine.findings[finding.at, finding.name, finding.effect] = finding
            for one in told.get("made", ()):
                if (one["owner"], str(one["id"])) not in gone and one[
                    "kind"
                ] in engine.world.graph.kinds:
                    engine.world.made.append(Resource(**one))

    def finished(self, operation: Operation, attacker: str, victim: str, engine: Engine) -> None:
        """An operation was attacked in one direction."""
        if self._file is None:
            return
        at = operation.at
        mine = {"attacker": attacker, "victim": victim}
        tried = [t for t in engine.tried if (t.at, t.attacker, t.victim) == (at, attacker, victim)]
        findings = []
        for one in engine.findings.values():
            if one.at == at:
                found = asdict(one)
                found.pop("recipe", None)
                findings.append(found)
        undecided = [asdict(one) for one in engine.undecided if one.at == at]
        told = {"tried": [asdict(one) for one in tried], "findings": findings}
        self._write({"done": [at, *mine.values()], **told, "undecided": undecided})

    def made(self, one: Resource) -> None:
        """Something stands in the API now."""
        if self._file is not None:
            told = {"kind": one.kind, "owner": one.owner, "id": one.id, "chain": dict(one.chain)}
            self._write({"made": [told]})

    def gone(self, one: Resource) -> None:
        """It doesn't any more."""
        self._write({"gone": [{"owner": one.owner, "id": one.id}]})

    def killed(self, at: str) -> None:
        """An operation locked a tenant out."""
        self._write({"killed": [at]})

    def end(self) -> None:
        """The run is over; a next one begins anew, without what locked tenants out."""
        self._write({"ended": True})

    def close(self) -> None:
        """Write no more."""
        if self._file is not None:
            self._file.close()

    def _write(self, told: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(told, default=str) + "\n")
            self._file.flush()
