"""GraphQL endpoints: each field of a schema that lets a tenant at another's, and no other."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from graphql import build_schema, introspection_from_schema

from partywall.survey.http.gql.bending import written
from partywall.survey.http.gql.documents import Part, arguments, document
from partywall.survey.http.gql.schema import Schema
from partywall.survey.http.ledger import Ledger
from partywall.survey.http.values import Values
from tests.probe.corpus.asgi import Caller, Request, api
from tests.probe.corpus.faults import graphql_node
from tests.probe.corpus.graph import GraphQLError, Info, served, tenant_in
from tests.probe.corpus.walls import Row, Shelf
from tests.survey.http.probed import probed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.http.report import HttpReport

SCHEMA = """
scalar DateTime
enum Visibility { PUBLIC PRIVATE }
interface Node { id: ID! }
type Project implements Node { id: ID! name: String! notes(first: Int): NoteConnection! note(id: ID!): Note }
type Note implements Node { id: ID! text: String! stars: Int! visibility: Visibility! project: Project! }
type NoteEdge { node: Note! }
type NoteConnection { edges: [NoteEdge!]! total: Int! }
input NewNote { projectId: ID! text: String! due: DateTime visibility: Visibility clientMutationId: String }
input NoteChange { id: ID! text: String }
type NotePayload { note: Note errors: [String!]! }
type Removed { ok: Boolean! }
type Query {
  me: String!
  projects(search: String): [Project!]!
  project(id: ID!): Project
  notes(first: Int, projectId: ID): NoteConnection!
  note(id: ID!): Note
  node(id: ID!): Node
}
type Mutation {
  createProject(name: String!): Project!
  deleteProject(id: ID!): Removed!
  createNote(input: NewNote!): NotePayload!
  updateNote(input: NoteChange!): NotePayload!
  starNotes(ids: [ID!]!): Boolean!
  deleteNote(id: ID!): Removed!
  logout: Boolean!
}
"""  # noqa: E501 - a type to a line


def numbered(kind: str) -> Iterator[str]:
    """Global ids."""
    for number in range(1, 1000):
        yield base64.b64encode(f"{kind}:{number}".encode()).decode()


class Root:
    """Resolvers; those named in `open` check nothing."""

    def __init__(self, *leaking: str) -> None:
        self.leaking = leaking
        self.shelves = {kind: Shelf(numbered(kind)) for kind in ("Project", "Note")}
        self.ended = 0

    def seen(self, field: str, kind: str, info: Info, key: str) -> Row:
        shelf = self.shelves[kind]
        if field in self.leaking and key in shelf.rows:
            return shelf.rows[key]
        if shelf.owners.get(key) != tenant_in(info):
            raise GraphQLError(f"no {kind} {key}")
        return shelf.rows[key]

    def listed(self, field: str, kind: str, info: Info, **where: Any) -> list[Row]:  # noqa: ANN401 - any value
        shelf = self.shelves[kind]
        return shelf.all(**where) if field in self.leaking else shelf.of(tenant_in(info), **where)

    def me(self, info: Info) -> str:
        return tenant_in(info)

    def projects(self, info: Info, search: str = "") -> list[Row]:
        field = "projects" if search else ""
        return [one for one in self.listed(field, "Project", info) if search in one["name"]]

    def project(self, info: Info, id: str) -> Row:  # noqa: A002 - the schema's name, as below
        return self.seen("project", "Project", info, id)

    def notes(self, info: Info, first: int = 5, projectId: str = "") -> Row:  # noqa: N803 - as above
        where = {"project_id": projectId} if projectId else {}
        rows = self.listed("notes" if projectId else "", "Note", info, **where)[:first]
        return {"edges": [{"node": one} for one in rows], "total": len(rows)}

    def note(self, info: Info, id: str) -> Row:  # noqa: A002
        return self.seen("note", "Note", info, id)

    def node(self, info: Info, id: str) -> Row:  # noqa: A002
        return self.seen("node", base64.b64decode(id).decode().partition(":")[0], info, id)

    def createProject(self, info: Info, name: str) -> Row:  # noqa: N802
        project = self.shelves["Project"].add(tenant_in(info), __typename="Project", name=name)

        def note(info: Info, id: str) -> Row:  # noqa: A002
            return self.seen("project.note", "Note", info, id)

        def notes(info: Info, first: int = 5) -> Row:
            return self.notes(info, first, project["id"])

        project.update(note=note, notes=notes)
        return project

    def deleteProject(self, info: Info, id: str) -> Row:  # noqa: A002, N802
        self.shelves["Project"].drop(self.seen("", "Project", info, id)["id"])
        return {"ok": True}

    def createNote(self, info: Info, input: Row) -> Row:  # noqa: A002, N802
        if "due" in input:
            return {"note": None, "errors": ["due: not now"]}
        project = self.seen("createNote", "Project", info, input["projectId"])
        told = {"text": input["text"], "visibility": "PRIVATE", "stars": 0}
        tenant, key = tenant_in(info), project["id"]
        made = self.shelves["Note"].add(
            tenant, __typename="Note", project_id=key, project=project, **told
        )
        return {"note": made, "errors": []}

    def updateNote(self, info: Info, input: Row) -> Row:  # noqa: A002, N802
        note = self.seen("updateNote", "Note", info, input["id"])
        note.update({name: value for name, value in input.items() if name == "text"})
        return {"note": None if "updateNote" in self.leaking else note, "errors": []}

    def starNotes(self, info: Info, ids: list[str]) -> bool:  # noqa: N802
        for key in ids:
            self.seen("starNotes", "Note", info, key)["stars"] += 1
        return True

    def deleteNote(self, info: Info, id: str) -> Row:  # noqa: A002, N802
        self.shelves["Note"].drop(self.seen("deleteNote", "Note", info, id)["id"])
        return {"ok": True}

    def logout(self, _: Info) -> bool:
        self.ended += 1
        return True


def fields(report: HttpReport) -> set[tuple[str, str, str]]:
    """Attack, field and effect of each finding."""
    assert {one.at for one in report.findings} <= {"POST /graphql"}
    return {(one.name, one.because.partition(":")[0], one.effect) for one in report.findings}


def test_a_sound_schema_is_held_and_cleared() -> None:
    root = Root()
    report = probed(served("Sound", SCHEMA, root))
    assert report.verdict == "held"
    assert not report.undecided
    assert not any(shelf.rows for shelf in root.shelves.values())
    assert not root.ended
    assert not report.left
    modes = {one.mode for one in report.tried if one.attack.startswith("graphql")}
    assert {
        "note: id: victim", "note: id: victim, bare id", "note: own and victim's under aliases",
        "note: own and victim's in a batch", "node (Note): id: victim", "notes: projectId: victim",
        "project.note: id: victim", "updateNote: input.id: victim", "starNotes: ids[]: victim",
        "createNote: input.projectId: victim", "deleteNote: id: victim",
    } <= modes  # fmt: skip


READS = {
    ("graphql-object", "project", "read"),
    ("graphql-object", "note", "read"),
    ("graphql-object", "node (Note)", "read"),
    ("graphql-object", "node (Project)", "read"),
    ("graphql-object", "project.note", "read"),
    ("graphql-object", "notes", "read"),
    ("graphql-object", "projects", "read"),
}
WRITES = {
    ("graphql-mutation", "createNote", "read"),
    ("graphql-mutation", "updateNote", "write"),
    ("graphql-mutation", "starNotes", "write"),
    ("graphql-mutation", "deleteNote", "destroy"),
}


def test_each_query_that_leaks_is_a_finding() -> None:
    leaking = ("project", "note", "node", "project.note", "notes", "projects")
    assert fields(probed(served("Leaking", SCHEMA, Root(*leaking)))) == READS


def test_each_mutation_that_leaks_is_found_by_what_its_owner_reads() -> None:
    report = probed(served("Leaking", SCHEMA, Root(*(name for _, name, _ in WRITES))))
    assert fields(report) == WRITES
    assert {(one.effect == "read", len(one.witness)) for one in report.findings} == {
        (True, 1),
        (False, 3),
    }


def test_where_introspection_is_off_the_server_s_words_are_told() -> None:
    app = FastAPI()

    @app.post("/api/graphql")
    async def answer(request: Request, tenant: Caller) -> Row:
        asked = str((await request.json())["query"])
        if "__schema" in asked:
            return {"errors": [{"message": f"introspection is disabled for {tenant}"}]}
        return {"data": {"__typename": "Query"}}

    report = probed(app)
    assert report.verdict == "undecided"
    assert {one.at for one in report.undecided} == {"POST /api/graphql"}
    assert "introspection is disabled for acme" in report.undecided[0].because + str(report)


def test_an_endpoint_that_nothing_tells_of_is_guessed() -> None:
    described = api("Hidden")

    @described.get("/health")
    def health() -> str:
        return "well"

    described.mount("", graphql_node.case().app)
    assert fields(probed(described)) == {("graphql-object", "node (Note)", "read")}


def test_what_is_denied_is_not_asked() -> None:
    root = Root("note")
    report = probed(served("Denied", SCHEMA, root), deny=("POST /graphql", "POST /api/graphql"))
    assert not report.findings
    assert not any(shelf.owners for shelf in root.shelves.values())
    assert not [one for one in report.tried if one.attack.startswith("graphql")]


def test_only_queries_are_asked_where_nothing_may_be_changed() -> None:
    root = Root("note")
    report = probed(served("Read", SCHEMA, root), read_only=True)
    assert not any(shelf.rows for shelf in root.shelves.values())
    assert not report.findings


def schema() -> Schema:
    return Schema(introspection_from_schema(build_schema(SCHEMA)))


def test_the_schema_says_what_makes_shows_and_removes() -> None:
    one = schema()
    assert set(one.kinds) == {"Project", "Note"}
    assert [call.name for call in one.makers("Note")] == ["createNote"]
    assert [call.name for call in one.removers("Note")] == ["deleteNote"]
    assert [call.name for call in one.by_id("Note")] == ["note", "node"]
    places = {call.name: [(p.name, p.kind) for p in call.places] for call in one.mutations}
    assert places["createNote"] == [("input.projectId", "Project")]
    assert places["starNotes"] == [("ids[]", "Note")]


def test_a_document_shows_a_kind_through_its_wrapper_and_ends_somewhere() -> None:
    one = schema()
    (notes,) = (call for call in one.queries if call.name == "notes")
    text, variables = document(one, [Part(notes, {"first": 3})], 0)
    assert text == (
        "query($v0: Int) { it: notes(first: $v0) "
        "{ total edges { node { id text stars visibility } } } }"
    )
    assert variables == {"v0": 3}
    deep, _ = document(one, [Part(notes, {})], 2)
    assert "project { id name notes(first: 50)" in deep


def test_arguments_are_filled_with_texts_and_given_ids() -> None:
    one, values = schema(), Values(Ledger(5, ["acme"]), "acme")
    (create,) = one.makers("Note")
    given = arguments(create, values, {("input", "projectId"): "p1"}, full=True)
    assert given["input"]["projectId"] == "p1"
    assert given["input"]["text"] in values.planted
    assert "due" not in given["input"]
    with pytest.raises(KeyError):
        arguments(create, values, {}, full=False)


def test_ids_are_written_as_global_ones_and_as_bare_ones() -> None:
    assert written("7", "Note", "global") == base64.b64encode(b"Note:7").decode()
    assert written(base64.b64encode(b"Note:7").decode(), "Note", "bare") == "7"
    assert written("note_1", "Note", "bare") is None
