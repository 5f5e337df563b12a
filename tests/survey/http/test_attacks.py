"""What each attack tries on an operation, and that it leaves alone what it is not about."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.survey.http.attacks import every_attack
from partywall.survey.http.attacks.spelled_id import SPELLINGS
from partywall.survey.http.attempt import Choice, Identity
from tests.probe.corpus.describing import Told
from tests.survey.http.apis import api, sight

if TYPE_CHECKING:
    from partywall.survey.http.attempt import Attempt, Sight

ATTACKS = {one.name: one for one in every_attack()}
ELSEWHERE = {
    "foreign-channel", "foreign-events", "foreign-room", "graphql-mutation", "graphql-object",
}  # fmt: skip
"""They take more than a request: other modules make their attempts."""
TASK = {"title": str, "board_id": str, "watcher_ids?": [str]}
API = api(
    "GET /boards/{board_id}",
    "GET /watchers/{watcher_id}",
    "GET /boards/{board_id}/tasks/{task_id}",
    "DELETE /boards/{board_id}/tasks/{task_id}",
    "POST /boards/{board_id}/empty",
    "POST /trash/empty",
    "GET /health",
    **{
        "GET /tasks": Told(
            query={
                "board_id": str,
                "watcher_id": str,
                "q": str,
                "page": int,
                "limit": int,
                "mine": bool,
                "scope": ("own", "all"),
                "include": str,
                "sort": str,
                "since": str,
            }
        ),
        "POST /tasks": Told(body=TASK),
        "PUT /boards/{board_id}/tasks/{task_id}": Told(body=TASK),
    },
)
TENANTS = {"acme": "a1", "globex": "g1"}


def seen(at: str, **more: Any) -> Sight:  # noqa: ANN401 - fields of Sight
    return sight(API, at, text="pwabcd", **more)


def attempts(name: str, at: str, **more: Any) -> list[Attempt]:  # noqa: ANN401 - fields of Sight
    return list(ATTACKS[name].plan(seen(at, **more)))


def sides(attempt: Attempt) -> dict[str, str]:
    return {slot.name: choice.words for slot, choice in attempt.choices.items()}


def added(attempt: Attempt) -> dict[str, Any]:
    """What an attempt adds on the victim's side."""
    return {f"{one.place} {one.name}": one.values["victim"] for one in attempt.extras}


def test_codes_and_names_are_never_given_twice() -> None:
    assert len({one.code for one in every_attack()}) == len(ATTACKS) == len(every_attack())
    assert all(one.code.startswith("PW3") and one.fix and one.doc for one in every_attack())


ITEM, CHANGED = "GET /boards/{board_id}/tasks/{task_id}", "PUT /boards/{board_id}/tasks/{task_id}"


def test_others_id() -> None:
    found = [sides(one) for one in attempts("others-id", ITEM)]
    assert {"board_id": "own", "task_id": "victim"} in found
    assert {"board_id": "victim", "task_id": "own"} in found
    assert {"board_id": "nobody", "task_id": "victim"} in found
    assert all("victim" in one.values() for one in found)
    assert len(found) == 5


@given(st.integers(1, 6))
def test_others_id_below_many_parents(depth: int) -> None:
    at = "GET " + "".join(f"/{name}s/{{{name}_id}}" for name in "abcdef"[:depth])
    found = list(ATTACKS["others-id"].plan(sight(api(at), at)))
    assert len(found) == len({one.mode for one in found}) == 3 ** min(depth, 3) - 2 ** min(depth, 3)
    assert all(len(one.choices) == depth for one in found)


def test_wildcard_id() -> None:
    found = attempts("wildcard-id", "GET /boards/{board_id}")
    assert {"board_id": "'*'"} in [sides(one) for one in found]
    assert {"board_id": "''"} in [sides(one) for one in found]
    assert all(one.last and not one.aims for one in found)
    assert any(sides(one).get("task_id") == "victim" for one in attempts("wildcard-id", ITEM))


def test_spelled_id() -> None:
    found = attempts("spelled-id", ITEM)
    assert {tuple(sides(one)) for one in found} == {("task_id",)}
    assert len({one.mode for one in found}) == len(SPELLINGS)


SPELLED = {words: spelled for words, spelled, _ in SPELLINGS}
UUID = "5f3a00aa-1111-4222-8333-444455556666"


@pytest.mark.parametrize(
    ("words", "id_", "expected"),
    [
        ("in the other case", UUID, UUID.upper()),
        ("in the other case", "AB", "ab"),
        ("in the other case", "17", None),
        ("without hyphens", UUID, UUID.replace("-", "")),
        ("without hyphens", "a-b", None),
        ("in braces", UUID, f"{{{UUID}}}"),
        ("with zeros before it", "17", "0017"),
        ("with zeros before it", "a17", None),
        ("as a fraction", "17", "17.0"),
        ("with a plus", "17", "+17"),
        ("with a space after it", "17", "17 "),
        ("as a global id", "17", base64.b64encode(b"DueDate:17").decode()),
        ("percent-encoded", "a1", "%61%31"),
        ("percent-encoded twice", "a1", "%2561%2531"),
        ("with a suffix", "17", "17.json"),
    ],
)
def test_spellings(words: str, id_: str, expected: str | None) -> None:
    assert SPELLED[words](id_, "due_date") == expected


def test_id_in_query() -> None:
    assert [sides(one) for one in attempts("id-in-query", "GET /tasks")] == [
        {"board_id": "victim"},
        {"watcher_id": "victim"},
        {"board_id": "victim", "watcher_id": "victim"},
    ]


def test_id_in_body() -> None:
    found = attempts("id-in-body", "POST /tasks")
    assert {"board_id": "victim"} in [sides(one) for one in found]
    assert {"watcher_ids[]": "victim"} in [sides(one) for one in found]
    (both,) = (one for one in found if any(choice.listed for choice in one.choices.values()))
    assert both.mode == "body watcher_ids[]: own and victim"
    nested = [sides(one) for one in attempts("id-in-body", CHANGED)]
    assert any(one.keys() == {"board_id", "task_id", "watcher_ids[]"} for one in nested)


def test_widened_list() -> None:
    found = [added(one) for one in attempts("widened-list", "GET /tasks")]
    assert found[0] == {}
    for expected in (
        {"query q": "pwabcd"}, {"query q": "%"}, {"query page": 0}, {"query page": 1},
        {"query limit": 10_000}, {"query mine": False}, {"query scope": "all"},
        {"query include": "board,boards,task,tasks,watcher,watchers"}, {"query sort": "-id"},
        {"query since": "*"},
    ):  # fmt: skip
        assert expected in found
    assert not any("query board_id" in one for one in found)


def test_widened_list_does_not_show_the_victim_s_text() -> None:
    assert not any("pwabcd" in one.mode for one in attempts("widened-list", "GET /tasks"))


def test_switched_tenant() -> None:
    more = {
        "selectors": {"X-Org": TENANTS, "org": TENANTS},
        "cookies": ("org",),
        "bases": True,
        "identities": (Identity("org_id", TENANTS), Identity("org", TENANTS)),
    }
    header, cookie, address, headers, parameters, host = attempts(
        "switched-tenant", "GET /tasks", **more
    )
    assert (added(header), added(cookie)) == ({"header X-Org": "g1"}, {"cookie org": "g1"})
    assert address.elsewhere
    assert added(headers)["header X-Tenant-Id"] == "g1"
    assert added(parameters)["query org_id"] == "g1"
    assert added(host) == {"header X-Forwarded-Host": "g1.example.com"}
    assert header.extras[0].values["own"] == "a1"


def test_a_parameter_that_is_known_is_not_guessed() -> None:
    told = {"GET /tasks": Told(query={"org_id": str})}
    known = sight(api(**told), "GET /tasks", identities=(Identity("org_id", TENANTS),))
    _, parameters, _ = ATTACKS["switched-tenant"].plan(known)
    assert "query org_id" not in added(parameters)


def test_foreign_owner() -> None:
    identities = (Identity("tenant_id", TENANTS), Identity("board_id", TENANTS))
    (one,) = attempts("foreign-owner", "POST /tasks", identities=identities)
    assert added(one) == {"body tenant_id": "g1"}


def test_id_taken_over() -> None:
    (one,) = attempts("id-taken-over", "POST /tasks")
    assert sides(one) == {"id": "victim"}
    known = api("GET /tasks/{id}", **{"POST /tasks": Told(body=[{"title": str}])})
    (many,) = ATTACKS["id-taken-over"].plan(sight(known, "POST /tasks"))
    assert [slot.path for slot in many.choices] == [("*", "id")]


def test_method_override() -> None:
    headers, query = attempts("method-override", CHANGED)
    assert added(headers)["header X-HTTP-Method-Override"] == "PUT"
    assert added(query) == {"query _method": "PUT"}
    assert {headers.method, query.method} == {"POST"}


@pytest.mark.parametrize(("name", "after"), [("warm-cache", "owner"), ("deleted-id", "deleted")])
def test_what_is_asked_after_its_owner_did_something(name: str, after: str) -> None:
    whole, child = attempts(name, ITEM)
    assert sides(whole) == {"board_id": "victim", "task_id": "victim"}
    assert sides(child) == {"board_id": "own", "task_id": "victim"}
    assert {whole.after, child.after} == {after}


def test_without_membership() -> None:
    (one,) = attempts("without-membership", ITEM, stranger=True)
    assert (one.asker, sides(one)) == ("stranger", {"board_id": "victim", "task_id": "victim"})


def test_whole_collection() -> None:
    (one,) = attempts("whole-collection", "POST /trash/empty")
    assert (one.mode, one.choices, one.extras) == ("as it is", {}, ())


NOTHING = {
    "others-id": ("GET /tasks", "GET /health"),
    "wildcard-id": ("GET /tasks", "POST /tasks"),
    "spelled-id": ("GET /tasks", "POST /trash/empty"),
    "id-in-query": ("GET /health", ITEM),
    "id-in-body": ("GET /tasks", "POST /trash/empty"),
    "widened-list": ("POST /tasks", CHANGED),
    "switched-tenant": (ITEM, "POST /tasks"),
    "foreign-owner": ("POST /tasks", "POST /trash/empty", ITEM),
    "id-taken-over": ("POST /trash/empty", "GET /tasks"),
    "method-override": (ITEM, "POST /tasks"),
    "warm-cache": ("POST /tasks", CHANGED),
    "deleted-id": ("GET /tasks", "POST /tasks", CHANGED),
    "without-membership": (ITEM, "GET /tasks"),
    "whole-collection": ("GET /tasks", CHANGED, "POST /boards/{board_id}/empty"),
    **dict.fromkeys(sorted(ELSEWHERE), (ITEM, "POST /tasks")),
}


def test_of_each_attack_it_is_known_what_it_leaves_alone() -> None:
    assert NOTHING.keys() == ATTACKS.keys()


@pytest.mark.parametrize(("name", "at"), [(name, at) for name in NOTHING for at in NOTHING[name]])
def test_nothing_where_nothing_fits(name: str, at: str) -> None:
    assert attempts(name, at) == []


def test_words_of_a_choice() -> None:
    assert Choice("victim", spelling="in braces").words == "victim's in braces"
    assert (Choice("own", literal="*").words, Choice("nobody").words) == ("'*'", "nobody")
