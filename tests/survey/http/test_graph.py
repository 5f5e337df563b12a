"""What an API has, by its description alone: kinds, who makes and shows them, where ids go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from partywall.survey.http.graph import Graph
from partywall.survey.http.kinds import collected, kind_of
from partywall.survey.http.links import Link
from partywall.survey.http.nouns import identifying, noun, singular, snake
from tests.probe.corpus.describing import Told
from tests.survey.http.apis import api, graph, operation

if TYPE_CHECKING:
    from partywall.survey.http.operations import Operation

TITLED = Told(body={"title": str})


def ats(operations: list[Operation]) -> list[str]:
    return [one.at for one in operations]


def slots(known: Graph, at: str) -> dict[str, str]:
    """The slots of an operation: place and name -> kind."""
    return {f"{slot.place} {slot.name}": slot.kind for slot in known.slots[at]}


@pytest.mark.parametrize(
    ("word", "plain", "one"),
    [
        ("dueDates", "due_dates", "due_date"),
        ("API-Keys", "api_keys", "api_key"),
        ("HTTPServers", "http_servers", "http_server"),
        ("companies", "companies", "company"),
        ("boxes", "boxes", "box"),
        ("addresses", "addresses", "address"),
        ("status", "status", "status"),
        ("news", "news", "news"),
    ],
)
def test_words(word: str, plain: str, one: str) -> None:
    assert (snake(word), singular(word)) == (plain, one)


@pytest.mark.parametrize(
    ("name", "of", "an_id"),
    [
        ("note_id", "note", True),
        ("noteIds", "note", True),
        ("folderUuid", "folder", True),
        ("id", "", True),
        ("slug", "", False),
        ("note_key", "note", False),
    ],
)
def test_what_a_name_is_the_id_of(name: str, of: str, *, an_id: bool) -> None:
    assert (noun(name), identifying(name)) == (of, an_id)


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("note_id", "/notes", "note"),
        ("id", "/api/v1/notes", "note"),
        ("pk", "/notes/{note_id}/tags", "tag"),
        ("slug", "/notes/by-slug", "note"),
        ("id", "", "id"),
    ],
)
def test_the_kind_of_a_parameter(name: str, path: str, expected: str) -> None:
    assert kind_of(name, path.strip("/").split("/")) == expected


def test_a_collection_and_its_items() -> None:
    told = {"POST /notes": TITLED, "PUT /notes/{note_id}": TITLED}
    known = graph("GET /notes", "GET /notes/{note_id}", "DELETE /notes/{note_id}", **told)
    (note,) = known.kinds.values()
    assert (note.name, note.places, note.parameters) == ("note", {"/notes"}, {"note_id"})
    assert ats(note.makers) == ["POST /notes", "PUT /notes/{note_id}"]
    assert ats(note.listers) == ["GET /notes"]
    assert ats(note.readers) == ["GET /notes/{note_id}"]
    assert ats(note.removers) == ["DELETE /notes/{note_id}"]


def test_a_child_below_its_parent_and_by_itself() -> None:
    told = {"POST /boards": TITLED, "POST /boards/{board_id}/cards": TITLED}
    child = "/boards/{board_id}/cards/{card_id}"
    known = graph(f"GET {child}", "GET /cards/{card_id}", f"DELETE {child}", **told)
    card = known.kinds["card"]
    assert ats(card.makers) == ["POST /boards/{board_id}/cards"]
    assert ats(card.readers) == ["GET /cards/{card_id}", f"GET {child}"]
    assert slots(known, f"GET {child}") == {"path board_id": "board", "path card_id": "card"}


def test_ids_that_are_all_called_the_same() -> None:
    known = graph("GET /boards/{id}/cards/{card}", "GET /boards/{id}")
    assert slots(known, "GET /boards/{id}/cards/{card}") == {
        "path id": "board",
        "path card": "card",
    }


def test_one_name_below_several_collections() -> None:
    told = {"POST /notes": TITLED, "POST /files": TITLED}
    known = graph("GET /notes/{item_id}", "GET /files/{item_id}", **told)
    assert set(known.kinds) == {"note", "file"}
    assert slots(known, "GET /files/{item_id}") == {"path item_id": "file"}


def test_one_name_below_one_collection_and_one_of_its_views() -> None:
    known = graph("GET /notes/{note_id}", "GET /exports/{note_id}", **{"POST /notes": TITLED})
    assert set(known.kinds) == {"note"}


@pytest.mark.parametrize(
    "at", ["POST /notes/create", "POST /notes/new", "POST /create-note", "POST /v2/notes"]
)
def test_verbs_that_make(at: str) -> None:
    told = {at: TITLED}
    known = read_named(at, **told)
    assert ats(known.kinds["note"].makers) == [at]


def read_named(at: str, **told: Told) -> Graph:
    """A graph of notes that *at* makes; where its path says nothing, its summary does."""
    known = api("GET /notes/{note_id}", **told)
    said = [
        replace(one, summary="Create a note") if one.at == at else one for one in known.operations
    ]
    return Graph(replace(known, operations=tuple(said)))


@pytest.mark.parametrize("at", ["POST /notes/{note_id}/delete", "POST /notes/{note_id}/archive"])
def test_verbs_that_remove(at: str) -> None:
    known = graph("GET /notes/{note_id}", at)
    assert ats(known.kinds["note"].removers) == [at]


def test_verbs_that_list() -> None:
    known = graph("GET /notes/{note_id}", "GET /notes/search")
    assert ats(known.kinds["note"].listers) == ["GET /notes/search"]


def test_links_lead_to_what_takes_the_answer() -> None:
    found = api("GET /track/{number}", **{"POST /submissions": TITLED})
    get, post = (operation(found, at) for at in ("GET /track/{number}", "POST /submissions"))
    assert ats(Graph(found).kinds["track"].makers) == []
    for target in ("follow", get.at):
        led = replace(post, links=(Link(target, "number", "ticket"),))
        known = Graph(replace(found, operations=(led, replace(get, name="follow"))))
        assert ats(known.kinds["track"].makers) == [post.at]
        assert known.kinds["track"].parameters == {"number", "ticket"}


def test_doors_make_nothing() -> None:
    told = {"POST /users/login": TITLED, "POST /auth/users": TITLED}
    known = graph("GET /users/{user_id}", **told)
    assert known.kinds["user"].makers == []


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("POST /drafts", "draft"),
        ("POST /drafts/create", "draft"),
        ("POST /drafts/search", ""),
        ("POST /login", ""),
        ("POST /publish", ""),
        ("POST /drafts/{draft_id}", ""),
        ("GET /drafts", ""),
    ],
)
def test_what_is_collected_without_an_id_in_any_path(at: str, expected: str) -> None:
    assert collected(operation(api(**{at: TITLED}), at)) == expected


def test_nothing_is_collected_by_what_takes_nothing() -> None:
    assert collected(operation(api("POST /drafts"), "POST /drafts")) == ""


def body(shape: dict[str, Any] | list[Any], at: str = "POST /tasks") -> dict[str, str]:
    """The slots in a body, among boards, users and tasks."""
    known = graph(
        "GET /boards/{boardId}", "GET /users/{user_id}", "GET /tasks/{taskId}",
        **{"POST /tasks": TITLED, at: Told(body=shape)},
    )  # fmt: skip
    return {k: v for k, v in slots(known, at).items() if k.startswith("body")}


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ({"boardId": str}, {"body boardId": "board"}),
        ({"board": int}, {"body board": "board"}),
        ({"board": {"id": str}}, {"body board.id": "board"}),
        ({"boardIds": [str]}, {"body boardIds[]": "board"}),
        ({"lines": [{"board_id": str}]}, {"body lines[].board_id": "board"}),
        ({"depends_on_task_id?": str}, {"body depends_on_task_id": "task"}),
        ({"parent?": str}, {"body parent": "task"}),
        ({"id?": str, "title": str}, {}),
        ({"board": bool}, {}),
        ({"board_id": ("a", "b")}, {}),
        ({"board": bytes}, {}),
        ({"colour_id": str}, {}),
        ([str], {}),
    ],
)  # fmt: skip
def test_what_a_body_refers_to(shape: dict[str, Any], expected: dict[str, str]) -> None:
    assert body(shape) == expected


@pytest.mark.parametrize("at", ["POST /tasks/bulk-delete", "POST /tasks/merge"])
def test_ids_alone_are_those_of_what_the_path_lists(at: str) -> None:
    assert body({"ids": [str]}, at) == {"body ids[]": "task"}


def test_ids_in_the_query_alone_and_as_a_list() -> None:
    told = {"GET /tasks": Told(query={"board_id": str, "user_ids": [str], "page": int})}
    known = graph("GET /boards/{board_id}", "GET /users/{user_id}", **told)
    assert slots(known, "GET /tasks") == {"query board_id": "board", "query user_ids[]": "user"}


def test_rpc() -> None:
    told = {"POST /getNote": Told(body={"noteId": str}), "POST /createNote": TITLED}
    known = graph("GET /notes/{noteId}", **told)
    assert slots(known, "POST /getNote") == {"body noteId": "note"}


def test_what_tenants_declare_is_a_kind() -> None:
    known = Graph(api(**{"GET /notes": Told(query={"workspaceId": str})}), {"workspace_id": "w1"})
    assert known.own_kind("workspaceId") == "workspace"
    assert slots(known, "GET /notes") == {"query workspaceId": "workspace"}


def test_a_choice_and_a_date_in_a_path_are_no_ids() -> None:
    told = {"GET /reports/{period}": Told(ids={"period": ("week", "month")})}
    known = graph(**told)
    assert known.slots["GET /reports/{period}"] == ()
