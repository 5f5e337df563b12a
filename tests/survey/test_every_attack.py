"""Every attack and every check says where it comes from, and has tests of its own."""

from __future__ import annotations

from pathlib import Path
from pkgutil import iter_modules

import pytest

from partywall.survey import attacks, checks
from partywall.survey.attack import LEVELS, Attack
from partywall.survey.attacks import every_attack
from partywall.survey.check import Check
from partywall.survey.checks import every_check
from partywall.survey.verdict import EFFECTS

HERE = Path(__file__).parent
ALL: tuple[Attack | Check, ...] = (*every_attack(), *every_check())
ANSWERS = (HERE / "checks" / "test_answers.py").read_text(encoding="utf-8")


def source(doc: str) -> str:
    return doc.partition("\nSource:\n")[2].partition("\n\n")[0].strip()


@pytest.mark.parametrize("attack", every_attack(), ids=lambda attack: attack.name)
def test_an_attack_has_a_test_file_of_its_name_that_expects_an_effect(attack: Attack) -> None:
    path = HERE / "attacks" / f"test_{attack.name.replace('-', '_')}.py"

    text = path.read_text(encoding="utf-8")

    assert attack.code in text
    assert f'"{attack.name}"' in text
    assert any(f'"{effect}"' in text for effect in EFFECTS)


@pytest.mark.parametrize("check", every_check(), ids=lambda check: check.name)
def test_a_check_has_examples_that_are_executed_or_a_test_that_names_it(check: Check) -> None:
    executed = check.examples("Fires") and check.examples("Silent")

    assert executed or f"import {check.name.replace('-', '_')}" in ANSWERS


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_each_names_its_source_its_effect_and_its_attacker(one: Attack | Check) -> None:
    assert source(one.doc).startswith("https://")
    assert one.effect in EFFECTS
    assert one.level in LEVELS


def test_codes_are_unique_and_of_their_kind() -> None:
    assert len({one.code for one in ALL}) == len({one.name for one in ALL}) == len(ALL)
    assert all(attack.code.startswith("PW2") for attack in every_attack())
    assert all(check.code.startswith("PW1") for check in every_check())


@pytest.mark.parametrize(
    ("package", "found"),
    [(attacks, every_attack()), (checks, every_check())],
    ids=["attacks", "checks"],
)
def test_a_module_holds_the_one_it_is_named_after(
    package: object, found: tuple[Attack | Check, ...]
) -> None:
    modules = {module.name for module in iter_modules(package.__path__)}  # type: ignore[attr-defined] # a package

    assert {one.name for one in found} == {name.replace("_", "-") for name in modules}
