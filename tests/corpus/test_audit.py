"""Every case of the corpus surveyed: each leak is breached and named, each sound case is held."""

from pathlib import Path

import pytest

from partywall.survey.attack import Place
from partywall.survey.audit import audit
from partywall.survey.configuration import load
from tests.corpus.surveyed import changed, complaints, fingerprint, told, toml
from tests.corpus.truth import Case, Server, find_cases, loaded

HERE = Path(__file__).parent
PLACES: tuple[Place, ...] = ("copy", "target")
GIVEN, OWN = find_cases(HERE / "given"), find_cases(HERE / "own")
WITHOUT_ICU = [case for case in GIVEN if "icu" not in case.scripts["labcase"]]  # as the wheel's


def wrong(case: Case, server: Server, file: Path, places: tuple[Place, ...]) -> list[str]:
    """Survey a loaded case in each place; say what is not as the truth, or not as it was."""
    file.write_text(toml(case, server))
    configuration = load(file)
    before = fingerprint(case, server)
    found = []
    for place in places:
        report = audit(configuration, place=place)
        after = fingerprint(case, server)
        found += [f"on {place}: {w}" for w in complaints(case, told(report))]
        found += [f"on {place}: {w}" for w in changed(before, after)]
        before = after
    return found


@pytest.mark.parametrize("case", GIVEN, ids=lambda case: case.name)
def test_a_survey_finds_the_truth(case: Case, postgres15: Server, tmp_path: Path) -> None:
    with loaded(case, postgres15):
        found = wrong(case, postgres15, tmp_path / "partywall.toml", ("copy", "target"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("number", "case"), list(enumerate(OWN)), ids=[case.name for case in OWN])
def test_so_it_does_of_our_own(number: int, case: Case, postgres15: Server, tmp_path: Path) -> None:
    """In one of the places each: those that were given go to both."""
    place = PLACES[number % 2]
    with loaded(case, postgres15):
        found = wrong(case, postgres15, tmp_path / "partywall.toml", (place,))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("case", WITHOUT_ICU, ids=lambda case: case.name)
def test_on_the_embedded_server_too(case: Case, postgres18: Server, tmp_path: Path) -> None:
    with loaded(case, postgres18):
        found = wrong(case, postgres18, tmp_path / "partywall.toml", ("copy",))
    assert not found, "\n".join(found)
