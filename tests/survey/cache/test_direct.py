"""Each tenant's login on a real Redis: sound rules hold, and each broken one is found."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from partywall.survey.cache.attacks import direct
from partywall.survey.cache.commands import commands
from partywall.survey.cache.filling import filled, places
from partywall.survey.cache.surveying import survey
from partywall.survey.cache.wire import Wire
from partywall.survey.layers import Watch
from partywall.survey.trying import ADMINISTRATOR, Outcome
from tests.survey.cache.servers import address, executed, left, settings, sound, surveyed

if TYPE_CHECKING:
    from partywall.survey.cache.calls import Call
    from partywall.survey.layers import Tried


def test_each_breach_has_its_witness_and_is_the_attackers_alone(cache_url: str) -> None:
    report = surveyed(cache_url, "ACL SETUSER acme ~* allchannels +@all")
    assert {one.name for one in report.findings} == {one.name for one in direct()}
    assert {one.attacker for one in report.findings} == {"acme"}
    assert all(one.witness for one in report.findings)


def test_sound_logins_hold_by_proof_and_nothing_is_left_behind(cache_url: str) -> None:
    sound(cache_url)
    executed(address(cache_url, "admin"), "SET globex:real value")
    before = left(cache_url)
    report = survey(settings(cache_url))
    assert report.verdict == "held"
    assert report.controls["failed"] == 0
    assert left(cache_url) == before
    told = {one.at for one in report.tried if one.state in {"held", "closed"}}
    assert {"cache GET", "cache SORT (pattern)", "cache XREADGROUP", "cache EVALSHA"} <= told


def test_what_nobody_is_told_is_closed_and_not_held(cache_url: str) -> None:
    report = surveyed(cache_url, "PING", "told-by-server")
    states = {one.at: one.state for one in report.tried}
    assert (states["cache CLUSTER INFO"], states["cache TIME"]) == ("closed", "held")


def test_every_command_of_the_server_is_tried_or_listed_or_needs_a_right_that_nobody_has(
    cache_url: str,
) -> None:
    report = surveyed(cache_url, "ACL SETUSER acme +@all")
    told = {one.at for one in report.tried} | {one.at for one in report.undecided}
    named = " ".join(told)
    with closing(Wire({ADMINISTRATOR: address(cache_url, "admin")})) as wire:
        every = wire.ask(ADMINISTRATOR, "COMMAND", "LIST")
    names = {one.upper().replace("|", " ") for one in every}
    containers = {name for name in names if any(n.startswith(f"{name} ") for n in names)}
    missing = {n for n in names - containers if n not in named}
    assert missing <= {"AUTH", "HELLO", "QUIT", "RESET", "CLIENT REPLY", "ASKING", "READONLY",
                       "READWRITE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE",
                       "PFDEBUG"}  # fmt: skip


def test_a_command_that_would_end_the_server_is_not_run_and_undecided(cache_url: str) -> None:
    report = surveyed(cache_url, "ACL SETUSER acme +shutdown", "rule-over-all")
    assert [(one.name, one.at) for one in report.undecided] == [
        ("cache-command-untried", "cache SHUTDOWN")
    ]
    assert report.verdict == "undecided"


def test_writing_without_reading_is_found_as_writing(cache_url: str) -> None:
    report = surveyed(
        cache_url, "ACL SETUSER acme %W~globex:*", "poisoned-values", "removed-values"
    )
    effects = {one.name: one.effect for one in report.findings if "string" in one.at}
    assert effects["poisoned-values"] in {"write", "destroy", "detect"}
    assert {"write", "destroy"} <= {one.effect for one in report.findings}


def test_who_may_empty_a_database_and_go_to_no_other_empties_none_and_is_undecided(
    cache_url: str,
) -> None:
    sound(cache_url)
    changed = "SET globex:real value\nACL SETUSER acme +flushdb -select"
    executed(address(cache_url, "admin"), changed)
    report = survey(settings(cache_url))
    assert ("rule-over-all", "cache FLUSHDB") in {(o.name, o.at) for o in report.undecided}
    with Redis.from_url(address(cache_url, "admin")) as client:
        assert client.get("globex:real") == b"value"


def test_an_answer_that_tells_whether_a_key_is_there_is_found_as_detecting(
    cache_url: str,
) -> None:
    report = surveyed(cache_url, "ACL SETUSER acme %W~globex:*", "values-of-another")
    assert {one.effect for one in report.findings} == {"detect"}
    assert any("EXISTS" in one.because for one in report.findings)


def test_a_server_that_lets_anybody_in_is_found_without_any_login(cache_url: str) -> None:
    report = surveyed(cache_url, "ACL SETUSER default on nopass ~* +@all", "values-of-another")
    assert {(one.attacker, one.at) for one in report.findings} == {
        ("nobody", "cache without a login")
    }


def test_one_login_for_all_is_said_and_attacked_only_by_who_reaches_it(cache_url: str) -> None:
    sound(cache_url)
    application = survey(settings(cache_url, globex="acme"))
    assert application.findings == ()
    assert application.verdict == "undecided"
    assert "log in to the cache as one user, acme" in application.left[0]
    executed(address(cache_url, "admin"), "ACL SETUSER acme ~globex:*")
    injected = survey(settings(cache_url, attacker="sql", globex="acme"))
    assert injected.verdict == "breached"
    assert "log in to the cache as one user, acme" in injected.left[0]


def test_where_the_owner_is_refused_as_well_nothing_is_held(cache_url: str) -> None:
    report = surveyed(
        cache_url, "ACL SETUSER acme -get\nACL SETUSER globex -get", "values-of-another"
    )
    assert {one.state for one in report.tried if one.at == "cache GET"} == {"closed"}


def test_no_secret_is_in_the_report(cache_url: str) -> None:
    report = surveyed(cache_url, "ACL SETUSER acme ~*", "values-of-another")
    assert "secret-" not in repr(report)
    assert any("$ACME_CACHE_URL" in step.request for one in report.findings for step in one.witness)


def test_an_interrupted_survey_leaves_no_keys(cache_url: str) -> None:
    class Impatient(Watch):
        def judged(self, tried: Tried) -> None:
            if tried.at == "cache HGET":
                raise KeyboardInterrupt

    sound(cache_url)
    before = left(cache_url)
    with pytest.raises(KeyboardInterrupt):
        survey(settings(cache_url), Impatient())
    assert left(cache_url) == before


def test_a_survey_that_is_interrupted_while_it_clears_leaves_no_keys(
    cache_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(cache_url)
    before = left(cache_url)
    real = Wire.do
    struck: list[Call] = []

    def do(wire: Wire, who: str, call: Call) -> Outcome:
        if call.words[0] == "DEL" and "globex:" in call.words[1] and not struck:
            struck.append(call)
            raise KeyboardInterrupt
        return real(wire, who, call)

    monkeypatch.setattr(Wire, "do", do)
    with pytest.raises(KeyboardInterrupt):
        survey(settings(cache_url))
    assert left(cache_url) == before


def test_a_server_without_documentation_is_read_by_where_its_keys_stand() -> None:
    entry = ["lmove", 5, ["write"], 1, 2, 1, ["@write"], [], [], []]
    [command] = commands([entry], [])
    assert [one.spec for one in places(command)] == [0, 1]
    assert filled(command, lambda n: f"k{n}", {}) == ("LMOVE", "k0", "k1", "1", "1")


class Mute(Wire):
    """Loses what a tenant's commands on another's key are answered."""

    def do(self, who: str, call: Call) -> Outcome:
        if who == "acme" and call.words[0] == "GET" and "-absent" not in call.words[1]:
            return Outcome(error="no answer: Timeout", lost=True)
        return super().do(who, call)


@pytest.mark.parametrize("keys", ["~*", "resetkeys ~acme:*"], ids=["all", "own"])
def test_an_answer_that_never_came_is_neither_a_breach_nor_a_wall(
    cache_url: str, monkeypatch: pytest.MonkeyPatch, keys: str
) -> None:
    monkeypatch.setattr("partywall.survey.cache.surveying.Wire", Mute)
    report = surveyed(cache_url, f"ACL SETUSER acme {keys}", "values-of-another")
    gets = [one for one in report.tried if one.at == "cache GET" and one.attacker == "acme"]
    assert {one.state for one in gets} == {"undecided"}
    assert not any(" by GET " in one.because for one in report.findings)
